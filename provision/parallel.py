"""Call functions in a thread pool."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

MAX_THREADS = 40  # botocore keeps 16 connections per client

T = TypeVar("T")
R = TypeVar("R")


def pool() -> ThreadPoolExecutor:
    """Return a pool of MAX_THREADS threads."""
    return ThreadPoolExecutor(MAX_THREADS)


def run_all(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return the results in order. Raise the exception of the first item that failed."""
    items = list(items)
    if len(items) < 2:
        return [function(item) for item in items]
    context = copy_context()  # the threads see the caller's context variables
    with pool() as threads:
        return list(threads.map(lambda item: context.copy().run(function, item), items))
