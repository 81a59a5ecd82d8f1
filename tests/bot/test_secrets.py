"""Secrets that are read again when they stop working."""

import pytest

from bot.secrets import Secret


class Store:
    """A Parameter Store and a clock, set by hand."""

    def __init__(self, value: str | Exception) -> None:
        self.value = value
        self.readings = 0
        self.now = 0.0

    def read(self) -> str:
        self.readings += 1
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def secret(self) -> Secret:
        return Secret("old", self.read, lambda: self.now)


def test_a_changed_secret_is_taken_over() -> None:
    """And whoever comes later with the old value is told at once, without another reading."""
    store = Store("new")
    secret = store.secret()
    assert secret.renewed_since("old")
    assert "new" == secret.value
    assert secret.renewed_since("old")
    assert 1 == store.readings


def test_it_is_read_at_most_once_a_minute() -> None:
    """However many signatures do not match."""
    store = Store("old")
    secret = store.secret()
    assert [False] * 3 == [secret.renewed_since("old") for _ in range(3)]
    store.now, store.value = 59.0, "new"
    assert not secret.renewed_since("old")
    assert 1 == store.readings
    store.now = 61.0
    assert secret.renewed_since("old")


def test_a_failing_store_leaves_the_old_value(caplog: pytest.LogCaptureFixture) -> None:
    """The log says that it failed, and not what it said."""
    secret = Store(RuntimeError("with a secret in it")).secret()
    assert not secret.renewed_since("old")
    assert "old" == secret.value
    assert "with a secret in it" not in caplog.text


def test_without_a_name_there_is_nothing_to_read() -> None:
    """Outside AWS the value of the start stays."""
    assert not Secret("old").renewed_since("old")


def test_repr_shows_nothing() -> None:
    """It may end up in a traceback."""
    assert "old" not in repr(Secret("old"))
