"""Reads made in parallel: what a person waits for is round trips, not calls."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

THREADS = 40  # botocore keeps 16 connections per client

T = TypeVar("T")
A = TypeVar("A")


def pool() -> ThreadPoolExecutor:
    """Return a pool of threads."""
    return ThreadPoolExecutor(THREADS)


def run_all(function: Callable[[T], A], items: Iterable[T]) -> list[A]:
    """Return the function's results for these items, in order. Raise what the first one raised that did."""
    items = list(items)
    if len(items) < 2:
        return [function(item) for item in items]
    context = copy_context()  # who asks is known in the threads, too
    with pool() as threads:
        return list(threads.map(lambda item: context.copy().run(function, item), items))
