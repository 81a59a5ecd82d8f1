"""A time zone in which a local time is not UTC."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the bot run 5:45 h ahead of UTC: its times come from a zone, never from the machine."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Asia/Kathmandu")
        time.tzset()
        yield
    time.tzset()
