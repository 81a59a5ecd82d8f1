"""Replies on their way to LINE, over real sockets."""

import socket
import threading
from collections.abc import Iterator, Sequence
from itertools import chain, repeat

import pytest
from werkzeug.serving import make_server

from bot.config import Config
from bot.line import Line, Outcome, channel_token
from bot.messages import Message, text
from bot.secrets import Secret
from provision.sandbox.clock import ManualClock
from provision.sandbox.line.platform import LinePlatform
from tests.bot.raw_server import RawServer, sends

WORDS = [text("こんにちは")]


def unreachable(*_: object) -> tuple[int, bytes]:
    """No webhook is sent in these tests."""
    raise ConnectionError


@pytest.fixture
def platform() -> LinePlatform:
    """A LINE."""
    return LinePlatform(unreachable, lambda _: [], ManualClock())


PLAIN = [text("plain")]


def line_at(url: str, secret: Secret, pauses: list[float] | None = None) -> Line:
    """A client of this LINE, which notes its pauses instead of waiting."""
    config = Config("unused", "s", line_api_url=url)
    return Line(config, secret, (pauses if pauses is not None else []).append)


def send(line: Line, token: str, messages: list[Message] = WORDS) -> Outcome:
    """A reply."""
    return line.reply(token, messages, PLAIN)


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
    line = line_at(url, Secret(platform.access_token))
    assert Outcome.TAKEN is send(line, token)
    assert Outcome.SPENT is send(line, token)
    assert WORDS == platform.tokens.reply(token, 0)


def test_messages_that_line_refuses_become_plain_words(
    platform: LinePlatform, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Never nothing: a refused request spends no token. The log says which property it was."""
    token = platform.tokens.issue("U1")
    line = line_at(url, Secret(platform.access_token))
    assert Outcome.TAKEN is send(line, token, [{"type": "bogus", "secret": "words"}])
    assert PLAIN == platform.tokens.reply(token, 0)
    (record,) = [record for record in caplog.records if record.name == "bot.line"]
    assert "messages[0].type" == record.__dict__["error"]
    assert "words" not in caplog.text


def test_plain_words_that_line_refuses_too(platform: LinePlatform, url: str) -> None:
    """No try can succeed."""
    line = line_at(url, Secret(platform.access_token))
    outcome = line.reply(platform.tokens.issue("U1"), [{"type": "a"}], [{"type": "b"}])
    assert Outcome.REFUSED is outcome


def test_a_reissued_token_is_read_again(platform: LinePlatform, url: str) -> None:
    """401: read the parameter and try once more."""
    token = platform.tokens.issue("U1")
    line = line_at(url, Secret("stale", lambda: platform.access_token))
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

    line = line_at(url, Secret("stale-token", read, lambda: 0.0))
    assert [Outcome.FAILED] * 3 == [send(line, "r") for _ in range(3)]
    assert 1 == len(readings)
    assert [401] * 3 == [
        record.__dict__["status"] for record in caplog.records if record.name == "bot.line"
    ]
    assert "stale-token" not in caplog.text
    assert "こんにちは" not in caplog.text


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b"7", b"{}", b"<html>", b"", b'{"message": null}']
)
def test_a_refusal_that_is_not_lines(body: bytes) -> None:
    """A proxy's 400 is a refusal like others: the plain words are tried, and then it is given up."""
    head = b"HTTP/1.1 400 Bad\r\nConnection: close\r\n"
    with RawServer(sends(body, head)) as server:
        assert Outcome.REFUSED is send(line_at(server.url, Secret("t")), "r")


def stateless_line(
    platform: LinePlatform, url: str, secret: Secret, now: Sequence[float] = (0.0,)
) -> Line:
    """A client whose tokens this LINE issues; `now` has the bot's time."""
    config = Config("", "unused", platform.channel_id, line_api_url=url)
    return Line(config, channel_token(config, secret, lambda: now[0]), [].append)


def test_stateless_tokens(platform: LinePlatform, url: str) -> None:
    """One is issued, and another one when LINE no longer takes it."""
    now = [0.0]
    line = stateless_line(platform, url, Secret(platform.channel_secret), now)
    for now[0] in (0.0, 5.0, 10.0):
        assert Outcome.TAKEN is send(line, platform.tokens.issue("U1"))
        platform.clock.sleep(901)


def test_a_stateless_token_after_the_channel_secret_was_reissued(
    platform: LinePlatform, url: str
) -> None:
    """The secret is read again."""
    line = stateless_line(platform, url, Secret("stale", lambda: platform.channel_secret))
    assert Outcome.TAKEN is send(line, platform.tokens.issue("U1"))


def test_a_channel_that_line_does_not_know(
    platform: LinePlatform, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot starts all the same; the log says what is wrong, and holds no secret."""
    line = stateless_line(platform, url, Secret("0f" * 16))
    assert Outcome.FAILED is send(line, platform.tokens.issue("U1"))
    errors = [record.__dict__.get("error") for record in caplog.records]
    assert "ApiException 400" in errors
    assert "0f0f" not in caplog.text


def test_the_language_is_asked_with_the_present_token(platform: LinePlatform, url: str) -> None:
    """Not with the one of the start."""
    platform.languages["U1"] = "ja"
    line = line_at(url, Secret("stale", lambda: platform.access_token))
    assert Outcome.TAKEN is send(line, platform.tokens.issue("U1"))
    assert "ja" == line.language("U1")


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class Scripted:
    """A LINE that does one thing after the other, each on a new connection: bytes to answer with, None
    to hang up. `received`: what it read."""

    def __init__(self, *script: bytes | None) -> None:
        self.received: list[bytes] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Scripted":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        for answer in self._script:
            connection, _address = self._listener.accept()
            with connection:
                self.received.append(connection.recv(65536))
                connection.sendall(answer or b"")


@pytest.mark.parametrize("first", [None, BUSY, b"HTTP/1.1 2", b"SSH-2.0\r\n\r\n"])
def test_what_a_second_try_may_mend(first: bytes | None) -> None:
    """A connection that breaks, a 5xx, half an answer: tried again, since the token works once."""
    with Scripted(first, OK) as script:
        line = line_at(script.url, Secret("t"))
        assert Outcome.TAKEN is send(line, "r")
    assert 2 == len(script.received)


def test_it_tries_four_times() -> None:
    """After 0.1, 0.3 and 0.9 s; then another delivery may succeed."""
    pauses: list[float] = []
    with Scripted(BUSY, BUSY, BUSY, BUSY) as script:
        assert Outcome.FAILED is send(line_at(script.url, Secret("t"), pauses), "r")
    assert [0.1, 0.3, 0.9] == pauses


def test_twelve_seconds_for_all_tries() -> None:
    """A pause that would end later is not begun."""
    for seconds, tries in ((11.75, 2), (11.95, 1)):
        pauses: list[float] = []
        times = chain([0.0, 0.0], repeat(seconds))
        with Scripted(*[BUSY] * tries) as script:
            config = Config("unused", "s", line_api_url=script.url)
            line = Line(config, Secret("t"), pauses.append, lambda times=times: next(times))
            assert Outcome.FAILED is send(line, "r")
        assert [0.1] * (tries - 1) == pauses


def test_nobody_there() -> None:
    """A port where nobody listens: nothing raised."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert Outcome.FAILED is send(line_at(address, Secret("t")), "r")


@pytest.mark.parametrize(("user", "language"), [("U-ja", "ja"), ("nobody", None)])
def test_language(platform: LinePlatform, url: str, user: str, language: str | None) -> None:
    """From the profile of a friend."""
    platform.languages["U-ja"] = "ja"
    assert language == line_at(url, Secret(platform.access_token)).language(user)


def test_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """With name and password from the environment."""
    monkeypatch.delenv("no_proxy", raising=False)
    with Scripted(OK) as script:
        monkeypatch.setenv("http_proxy", script.url.replace("http://", "http://me:pass%21@"))
        assert Outcome.TAKEN is send(line_at("http://api.line.example", Secret("t")), "r")
    (request,) = script.received
    assert b"POST http://api.line.example/v2/bot/message/reply HTTP/1.1" == request.splitlines()[0]
    assert b"proxy-authorization: Basic bWU6cGFzcyE=" in request.splitlines()


def test_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY names hosts that are asked directly."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Scripted(OK) as script:
        assert Outcome.TAKEN is send(line_at(script.url, Secret("t")), "r")


def test_connections_are_used_again(platform: LinePlatform, url: str) -> None:
    """One connection for several replies."""
    line = line_at(url, Secret(platform.access_token))
    for _ in range(3):
        assert Outcome.TAKEN is send(line, platform.tokens.issue("U1"))


@pytest.mark.parametrize(
    ("head", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x\r\n", Outcome.FAILED),
        (b"HTTP/1.1 201 Created\r\n", Outcome.TAKEN),  # the SDK reads no answer but a 200
    ],
)
def test_answers_that_are_not_lines(head: bytes, outcome: Outcome) -> None:
    """A reply fails, and a language is unknown, if the SDK cannot read a proxy's answer."""
    with RawServer(sends(b"[" * 3000, head)) as server:
        line = line_at(server.url, Secret("t"))
        assert outcome == send(line, "token")
        assert line.language("U1") is None
