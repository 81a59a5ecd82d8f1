"""Questions asked side by side: what a person waits for is round trips, not calls."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

SIDE_BY_SIDE = 40  # questions under way at once; botocore's pool per client keeps 16 connections

T = TypeVar("T")
A = TypeVar("A")


def pool() -> ThreadPoolExecutor:
    """Threads for as many questions."""
    return ThreadPoolExecutor(SIDE_BY_SIDE)


def run_all(ask: Callable[[T], A], items: Iterable[T]) -> list[A]:
    """What each is answered, in order. Raises what the first one raised that did."""
    context = copy_context()  # who asks is known in the threads, too
    with pool() as threads:
        return list(threads.map(lambda item: context.copy().run(ask, item), items))
