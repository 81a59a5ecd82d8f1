"""Secrets that are read again when they stop working, and tokens that expire."""

import threading
from concurrent.futures import ThreadPoolExecutor

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


class Issuer:
    """A LINE that issues token-1, token-2, ..., each for 900 seconds, and a clock set by hand."""

    def __init__(self) -> None:
        self.requests = 0
        self.fails = False
        self.now = 0.0
        self.answers = threading.Event()  # cleared: LINE takes its time
        self.answers.set()

    def issue(self) -> str:
        self.requests += 1
        assert self.answers.wait(10)
        if self.fails:
            raise ConnectionError("with a secret in it")
        return f"token-{self.requests}"

    def token(self) -> Secret:
        return Secret("", self.issue, lambda: self.now, 5, 900)


def test_a_token_is_issued_once_in_ten_minutes() -> None:
    """Not before it is needed, and again well before it expires."""
    line = Issuer()
    token = line.token()
    assert 0 == line.requests
    found = []
    for line.now in (0.0, 1.0, 599.0, 600.0, 1199.0, 1200.0):
        found.append(token.value)
    assert ["token-1"] * 3 + ["token-2"] * 2 + ["token-3"] == found


def test_the_old_token_is_used_while_line_issues_none(caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again every five seconds; the log does not say what LINE said."""
    line = Issuer()
    token = line.token()
    assert "token-1" == token.value
    line.fails = True
    for line.now, requests in ((600.0, 2), (604.0, 2), (605.0, 3)):
        assert ("token-1", requests) == (token.value, line.requests)
    line.fails, line.now = False, 610.0
    assert "token-4" == token.value
    assert "with a secret in it" not in caplog.text


def test_many_threads_have_one_token_issued() -> None:
    """The first one waits for LINE, and so do all others, who have none."""
    line = Issuer()
    token = line.token()
    line.answers.clear()
    with ThreadPoolExecutor(8) as pool:
        values = [pool.submit(lambda: token.value) for _ in range(8)]
        line.answers.set()
        assert {"token-1"} == {value.result() for value in values}
    assert 1 == line.requests


def test_nobody_waits_while_a_token_is_renewed() -> None:
    """The present one is still valid."""
    line = Issuer()
    token = line.token()
    assert "token-1" == token.value
    line.now = 600.0
    line.answers.clear()
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(lambda: token.value)
        while line.requests < 2:
            pass
        assert "token-1" == token.value
        line.answers.set()
        assert "token-2" == renewing.result()


def test_a_refused_token_is_renewed_once() -> None:
    """One that LINE refuses, and no sooner than five seconds after another try."""
    line = Issuer()
    token = line.token()
    assert "token-1" == token.value
    line.now = 10.0
    assert token.renewed_since("token-1")
    assert token.renewed_since("token-1")  # another thread's answer came later
    assert not token.renewed_since("token-2")
    assert ("token-2", 2) == (token.value, line.requests)
    line.now = 15.0
    assert token.renewed_since("token-2")
