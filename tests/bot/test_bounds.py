"""Answers without an end, and those that lead elsewhere: of LINE and registries, to tool and bot."""

import socket
import time
from collections.abc import Callable

import pytest
import requests

from bot.config import Config
from bot.line import Line as BotLine
from bot.line import Outcome
from bot.secrets import Secret
from provision.clients.http import Http
from provision.clients.line import Line, LineError
from provision.errors import Pending
from tests.bot.raw_server import RawServer, drips, sends

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# Answers that never end: slow headers, a slow body of a known length, of chunks, and of any length.
SLOW = {
    "headers": (HEAD, b"X-Slow: 1\r\n"),
    "header": (HEAD + b"X-Slow: ", b"x"),
    "body": (HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "rest": (HEAD + b"Connection: close\r\n\r\n", b" "),
}


def endless(server: RawServer, connection: socket.socket) -> None:
    """Send as much as the client takes."""
    connection.sendall(HEAD + b"Connection: close\r\n\r\n")
    while not server.ended.is_set():
        connection.sendall(b" " * 65536)


def bot_line(url: str, clock: Callable[[], float] = time.monotonic) -> BotLine:
    """Return the bot's client of a LINE."""
    config = Config("", "", line_api_url=url)
    return BotLine(config, Secret("token"), lambda _seconds: None, clock)


@pytest.mark.parametrize("slow", SLOW)
def test_slow_answer_of_line_to_the_bot(slow: str) -> None:
    """The bot goes on without the language after 0.4 seconds, and gives a reply up after its time."""
    with RawServer(drips(*SLOW[slow])) as server:
        started = time.monotonic()
        assert bot_line(server.url).language("U1") is None
        now = iter([0.0, *[11.5] * 3, 100.0])
        assert Outcome.FAILED is bot_line(server.url, lambda: next(now)).reply("r", [], [])
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("slow", SLOW)
def test_slow_answer_of_line_to_the_tool(slow: str) -> None:
    """It is pending after the timeout, however many bytes have come."""
    with RawServer(drips(*SLOW[slow])) as server:
        started = time.monotonic()
        with pytest.raises(Pending, match="LINE does not answer"):
            Line(lambda: "token", server.url, timeout=0.5).info()
        line = Line(lambda: "secret", server.url, timeout=0.5)
        line.issue_tokens("1650000000")
        with pytest.raises(Pending, match="LINE does not answer"):
            line.info()
        assert time.monotonic() - started < 5


def test_large_answers() -> None:
    """They are read to their bound only."""
    with RawServer(endless) as server:
        assert bot_line(server.url).language("U1") is None
        with pytest.raises(Pending, match="LINE does not answer"):
            Line(lambda: "token", server.url).info()


def test_a_connection_is_used_again() -> None:
    """The time of an answer counts anew for each one."""
    answer = b'{"userId":"U1","displayName":"A","language":"ja"}'
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(answer)

    def twice(_server: RawServer, connection: socket.socket) -> None:
        connection.sendall(head + answer)
        connection.recv(65536)
        connection.sendall(head + answer)

    with RawServer(twice) as server:
        line = bot_line(server.url)
        assert ("ja", "ja") == (line.language("U1"), line.language("U2"))
        assert 1 == len(server.requests)


@pytest.mark.parametrize("slow", SLOW)
def test_slow_answer_of_a_registry(slow: str) -> None:
    """It ends, too, though not as long as it comes fast enough."""
    with RawServer(drips(*SLOW[slow])) as server:
        started = time.monotonic()
        with pytest.raises(requests.RequestException, match=r"[Rr]ead timed out"):
            Http().request("GET", server.url, timeout=(1, 0.5))
        assert time.monotonic() - started < 5


def test_large_download() -> None:
    """It has more time than a slow one: a second for each 10,000 bytes."""

    def answer(server: RawServer, connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 40000\r\n\r\n")
        for _ in range(4):
            server.ended.wait(0.2)
            connection.sendall(b" " * 10_000)

    with RawServer(answer) as server:
        assert 40_000 == len(Http().request("GET", server.url, timeout=(1, 0.5)).content)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_of_line(status: int) -> None:
    """Nothing is sent to the other host, least of all the token."""
    with RawServer(sends(b"{}")) as other:
        head = f"HTTP/1.1 {status} x\r\nLocation: {other.url}/\r\nConnection: close\r\n".encode()
        with RawServer(sends(b"{}", head)) as server:
            assert bot_line(server.url).language("U1") is None
            assert Outcome.REFUSED is bot_line(server.url).reply("r", [], [])
            line = Line(lambda: "token", server.url)
            with pytest.raises(LineError):
                line.info()
            with pytest.raises(LineError):
                line.set_endpoint("https://bot.example.jp/webhook")
            line.issue_tokens("1650000000")
            with pytest.raises(LineError):
                line.info()
        assert [] == other.requests
