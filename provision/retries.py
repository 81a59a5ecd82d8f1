"""The retry policy of all reads: exponential backoff on the clock, in parallel where there are several."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from provision import parallel
from provision.clock import Clock
from provision.errors import NoResponse, Pending
from provision.i18n import _

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
MAX_TRIES = 10  # per read, while it is throttled or gets no response
MIN_TRIES = 5  # per read, however long each takes
RETRY_PERIOD = 60.0  # seconds after which a read that was tried MIN_TRIES times is not retried


def call_all(
    functions: Mapping[K, Callable[[], T]], clock: Clock, tries: int = MAX_TRIES
) -> tuple[dict[K, T], dict[K, Pending]]:
    """Call the functions in parallel; retry those that raise Pending, with exponential backoff.

    Wait longer if a service asks for it (Pending.exact). Stop after `tries` calls, or after RETRY_PERIOD
    seconds and MIN_TRIES calls. Return the results, and the last Pending of each function that did not
    succeed. Raise any other exception of a function.
    """

    def try_once(function: Callable[[], T]) -> T | Pending:
        try:
            return function()
        except Pending as why:
            return why

    results: dict[K, T] = {}
    pending: dict[K, Pending] = {}
    remaining, pause = dict(functions), 0.5
    give_up_after = clock.now() + RETRY_PERIOD if remaining else 0.0
    for attempt in range(tries):
        if not remaining or (attempt >= MIN_TRIES and clock.now() >= give_up_after):
            break
        if attempt:
            pause *= 1.5
            asked_for = [why.remaining or 0.0 for why in pending.values() if why.exact]
            clock.sleep(max([pause, *asked_for]))
        for key, result in zip(
            tuple(remaining), parallel.run_all(try_once, remaining.values()), strict=True
        ):
            if isinstance(result, Pending):
                pending[key] = result
            else:
                results[key] = result
                del remaining[key]
                pending.pop(key, None)
    return results, pending


def call(function: Callable[[], T], clock: Clock, doing: str, tries: int = MAX_TRIES) -> T:
    """Return the function's result, retrying while it raises Pending. Raise NoResponse after `tries` calls.

    doing: the description of the call, for the error message.
    """
    found, unanswered = call_all({doing: function}, clock, tries)
    for why in unanswered.values():
        raise no_response(doing, why)
    return found[doing]


def no_response(doing: str, why: Pending) -> NoResponse:
    """Return the error for a read that got no response after all retries."""
    return NoResponse(doing, why.reason, _("Run the same command again in a moment."))
