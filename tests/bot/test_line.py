"""Replies on their way to LINE, over real sockets."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server

from bot.line import Line, Outcome
from bot.parameters import Secret
from bot.replies import Message, text
from provision.sandbox.clock import ManualClock
from provision.sandbox.line.platform import LinePlatform

WORDS = [text("こんにちは")]


def unreachable(*_: object) -> tuple[int, bytes]:
    """No webhook is sent in these tests."""
    raise ConnectionError


@pytest.fixture
def platform() -> LinePlatform:
    """A LINE."""
    return LinePlatform(unreachable, lambda _: [], ManualClock())


PLAIN = [text("plain")]


@contextmanager
def sender(url: str, secret: Secret) -> Iterator[Line]:
    """A client that is closed in the end."""
    line = Line(url, secret, first_pause=0.001)
    try:
        yield line
    finally:
        line.close()


def send(line: Line, token: str, messages: list[Message] = WORDS) -> Outcome | None:
    """A reply, for five seconds at most."""
    return line.reply(token, messages, PLAIN).advance(time.monotonic() + 5)


@pytest.fixture
def url(platform: LinePlatform) -> Iterator[str]:
    """The LINE's address."""
    server = make_server("127.0.0.1", 0, platform.wsgi, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_line_takes_a_reply(platform: LinePlatform, url: str) -> None:
    """The messages arrive as they are; a second use of the token is told apart."""
    token = platform.tokens.issue("U1")
    with sender(url, Secret(platform.access_token)) as line:
        assert Outcome.TAKEN is send(line, token)
        assert Outcome.SPENT is send(line, token)
    assert WORDS == platform.tokens.reply(token, 0)


def test_messages_that_line_refuses_become_plain_words(
    platform: LinePlatform, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Never nothing: a refused request spends no token. The log says which property it was."""
    token = platform.tokens.issue("U1")
    with sender(url, Secret(platform.access_token)) as line:
        assert Outcome.TAKEN is send(line, token, [{"type": "bogus", "secret": "words"}])
    assert PLAIN == platform.tokens.reply(token, 0)
    (record,) = [record for record in caplog.records if record.name == "bot.line"]
    assert "messages[0].type" == record.__dict__["error"]
    assert "words" not in caplog.text


def test_plain_words_that_line_refuses_too(platform: LinePlatform, url: str) -> None:
    """No try can succeed."""
    with sender(url, Secret(platform.access_token)) as line:
        sending = line.reply(platform.tokens.issue("U1"), [{"type": "a"}], [{"type": "b"}])
        assert Outcome.REFUSED is sending.advance(time.monotonic() + 5)


def test_a_reissued_token_is_read_again(platform: LinePlatform, url: str) -> None:
    """401: read the parameter and try once more."""
    token = platform.tokens.issue("U1")
    with sender(url, Secret("stale", lambda: platform.access_token)) as line:
        assert Outcome.TAKEN is send(line, token)


def test_a_wrong_token_is_not_read_for_every_reply(
    platform: LinePlatform, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Once a minute at most; by the next delivery it may be right. The log shows neither the token
    nor the words."""
    readings: list[int] = []

    def read() -> str:
        readings.append(1)
        return "stale-token"

    with sender(url, Secret("stale-token", read, lambda: 0.0)) as line:
        assert [Outcome.FAILED] * 3 == [send(line, "r") for _ in range(3)]
    assert 1 == len(readings)
    assert [401] * 3 == [
        record.__dict__["status"] for record in caplog.records if record.name == "bot.line"
    ]
    assert "stale-token" not in caplog.text
    assert "こんにちは" not in caplog.text


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}"


class Scripted:
    """A LINE that does one thing after the other, each on a new connection: bytes to answer with, None
    to hang up. `requests` counts what it read."""

    def __init__(self, *script: bytes | None) -> None:
        self.requests = 0
        self.gate = threading.Event()
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Scripted":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        for answer in self._script:
            connection, _address = self._listener.accept()
            with connection:
                connection.recv(65536)
                self.requests += 1
                if answer == b"":
                    self.gate.wait(5)
                connection.sendall(OK if answer == b"" else answer or b"")


@pytest.mark.parametrize("first", [None, BUSY, b"HTTP/1.1 2", b"SSH-2.0\r\n\r\n"])
def test_what_a_second_try_may_mend(first: bytes | None) -> None:
    """A connection that breaks, a 5xx, half an answer: tried again, since the token works once."""
    with Scripted(first, OK) as script, sender(script.url, Secret("t")) as line:
        assert Outcome.TAKEN is send(line, "r")
    assert 2 == script.requests


def test_it_does_not_try_for_ever() -> None:
    """Four tries; then another delivery may do better."""
    with Scripted(BUSY, BUSY, BUSY, BUSY) as script, sender(script.url, Secret("t")) as line:
        assert Outcome.FAILED is send(line, "r")


def test_pauses_between_tries() -> None:
    """Each is three times the one before: 0.02, 0.06 and 0.18 s."""
    with Scripted(BUSY, BUSY, BUSY, BUSY) as script:
        line = Line(script.url, Secret("t"), first_pause=0.02)
        began = time.monotonic()
        assert Outcome.FAILED is send(line, "r")
        assert 0.26 <= time.monotonic() - began < 1.5
        line.close()


def test_a_late_answer_is_still_waited_for() -> None:
    """Not known by the time given; it goes on with the same request, and nothing is sent twice."""
    with Scripted(b"") as script, sender(script.url, Secret("t")) as line:
        sending = line.reply("r", WORDS, PLAIN)
        assert sending.advance(time.monotonic() + 0.05) is None
        script.gate.set()
        assert Outcome.TAKEN is sending.advance(time.monotonic() + 5)
    assert 1 == script.requests


def test_a_reply_can_be_given_up() -> None:
    """Its connection is closed."""
    with Scripted(b"") as script, sender(script.url, Secret("t")) as line:
        sending = line.reply("r", WORDS, PLAIN)
        assert sending.advance(time.monotonic() + 0.05) is None
        sending.give_up()


def test_nobody_there() -> None:
    """A port where nobody listens: nothing raised."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with sender(address, Secret("t")) as line:
        assert Outcome.FAILED is send(line, "r")


def test_connections_are_used_again(platform: LinePlatform, url: str) -> None:
    """And one that the server has closed meanwhile is noticed before anything is sent on it."""
    with sender(url, Secret(platform.access_token)) as line:
        for _ in range(3):
            assert Outcome.TAKEN is send(line, platform.tokens.issue("U1"))
