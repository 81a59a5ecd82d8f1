"""Damaged inputs, and the limits that hold while one is read.

FUZZ_INPUTS: how many inputs all tests of this folder try together. Without it they are few, and the same ones
in every run.
"""

import copy
import os
import signal
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from provision.errors import Pending, ProvisionError

INPUTS = int(os.environ.get("FUZZ_INPUTS", "2000"))
MEMORY = 64 << 20  # bytes that reading one input may take
CPU_SECONDS = 20.0  # of this process, after which an input counts as a hang
DEEP: Any = "x"
for _level in range(50):
    DEEP = [DEEP]
ODD: list[Any] = [
    *(None, True, False, 0, -1, 7, 2**31, 2**63, 10**30, -(10**30), 1.5, 1e308),
    *("", " ", "\x00", "\x1b[2J", "\u202e", "\ufeff", "x" * 100_000, "あ" * 5000, "😀" * 500),
    *("null", "-1", "9" * 400, "2026-13-45T99:99:99Z", "1e999", "NaN", "%s{0}{key}", "\r\nX: y"),
    *("arn:aws:iam::1:role/x", "http://[::1", "//", "::", "*", ".", "a.." * 90, "\\"),
    *([], {}, [[]], [None], [{}], {"": None}, ["x"] * 400, [{"a": "b"} for _ in range(500)], DEEP),
]
TEXTS = [value for value in ODD if isinstance(value, str)]


def fuzz(percent: float) -> Callable[[Any], Any]:
    """Return the decorator of a test that tries this part of the inputs."""
    return settings(
        max_examples=max(10, round(INPUTS * percent / 100)),
        deadline=None,
        database=None,
        derandomize="FUZZ_INPUTS" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )


class HangError(BaseException):
    """An input takes too much time; no handler of the code under test may catch this."""


def _hangs(_number: int, _frame: Any) -> None:
    raise HangError


@contextmanager
def limits() -> Iterator[None]:
    """Fail if what runs inside takes more than MEMORY or CPU_SECONDS."""
    signal.signal(signal.SIGVTALRM, _hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    assert peak < MEMORY, f"{peak >> 20} MB"


def call(function: Callable[[], Any], *expected: type[Exception]) -> None:
    """Call a function within the limits. It may raise an error made for a person, which has a text.

    expected: other errors of this kind.
    """
    with limits():
        try:
            function()
            texts: tuple[Any, ...] = ("done",)
        except (ProvisionError, Pending, *expected) as error:
            texts = error.args  # what, why and then, or a reason
    assert all(str(text).strip() for text in texts), texts


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container in a JSON document, with every key or index in it."""
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


@st.composite
def damaged(draw: st.DrawFn, document: Any, values: list[Any] = ODD) -> Any:
    """Generate copies of a JSON document, in which a few values are missing or something else."""
    whole = [copy.deepcopy(document)]
    for _damage in range(draw(st.integers(1, 3))):
        places = list(_places(whole))
        container, key = places[draw(st.integers(0, len(places) - 1))]
        odd = draw(st.integers(-3, len(values) - 1))
        inner = container[key]
        if odd < -1 and container is not whole:
            del container[key]
        elif odd == -1 and isinstance(inner, dict | list | str):
            container[key] = type(inner)()
        else:
            container[key] = copy.deepcopy(values[odd])
    return whole[0]


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Generate copies of some bytes, in which a few are missing or others."""
    for _damage in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.sampled_from([0, 1, 2, 20, 10_000])))
        new = draw(st.binary(max_size=8) | st.sampled_from([text.encode() for text in TEXTS]))
        content = content[:at] + new + content[end:]
    return content
