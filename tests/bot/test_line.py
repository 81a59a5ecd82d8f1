"""Replies on their way to LINE, over real sockets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server

from bot.line import Replies
from bot.parameters import Secret
from bot.replies import text
from provision.sandbox.clock import ManualClock
from provision.sandbox.line import LinePlatform

WORDS = [text("こんにちは")]


def unreachable(*_: object) -> tuple[int, bytes]:
    """No webhook is sent in these tests."""
    raise ConnectionError


@pytest.fixture
def platform() -> LinePlatform:
    """A LINE."""
    return LinePlatform(unreachable, lambda _: [], ManualClock())


@contextmanager
def sender(url: str, secret: Secret, timeout: float = 1.8) -> Iterator[Replies]:
    """A client that is closed in the end."""
    replies = Replies(url, secret, timeout)
    try:
        yield replies
    finally:
        replies.close()


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
    with sender(url, Secret(platform.access_token)) as replies:
        assert replies.send(token, WORDS)
        assert not replies.send(token, WORDS)
    assert WORDS == platform.tokens.reply(token, 0)


def test_a_reissued_token_is_read_again(platform: LinePlatform, url: str) -> None:
    """401: read the parameter and try once more."""
    token = platform.tokens.issue("U1")
    with sender(url, Secret("stale", lambda: platform.access_token)) as replies:
        assert replies.send(token, WORDS)


def test_a_wrong_token_is_not_read_for_every_reply(
    platform: LinePlatform, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Once a minute at most; and the log shows neither the token nor the words."""
    readings: list[int] = []

    def read() -> str:
        readings.append(1)
        return "stale-token"

    with sender(url, Secret("stale-token", read, lambda: 0.0)) as replies:
        assert [False] * 3 == [replies.send("r", WORDS) for _ in range(3)]
    assert 1 == len(readings)
    assert [401] * 3 == [
        record.__dict__["status"] for record in caplog.records if record.name == "bot.line"
    ]
    assert "stale-token" not in caplog.text
    assert "こんにちは" not in caplog.text


def test_a_broken_connection_is_tried_once_more() -> None:
    """LINE may close a kept-alive connection just as it is used."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        listener.accept()[0].close()
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            )

    thread = threading.Thread(target=serve)
    thread.start()
    with listener, sender(f"http://127.0.0.1:{listener.getsockname()[1]}", Secret("t")) as replies:
        assert replies.send("r", WORDS)
        thread.join()


def test_a_line_that_says_nothing_does_not_hold_us() -> None:
    """The timeout ends it, and nothing is raised."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with sender(address, Secret("t"), timeout=0.05) as replies:
            assert not replies.send("r", WORDS)


def test_nobody_there() -> None:
    """A port where nobody listens: no reply, nothing raised."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with sender(address, Secret("t")) as replies:
        assert not replies.send("r", WORDS)
