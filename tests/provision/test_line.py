"""The LINE client, against the sandbox's LINE and against servers that are not LINE."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from provision.clients import line as line_module
from provision.clients.line import Line, LineError
from provision.console.server import HttpServer
from provision.errors import Pending, ProvisionError
from provision.sandbox.clock import ManualClock
from provision.sandbox.line.platform import LinePlatform
from tests.bot.raw_server import RawServer

HOOK = "https://bot.example.jp/webhook"
WRONG = "wrong-token-0123456789"


class Bot:
    """The webhook's server: returns this status, or raises it."""

    status: int | Exception = 200

    def deliver(self, url: str, body: bytes, headers: Any, timeout: float) -> tuple[int, bytes]:
        """Return what LINE receives when it calls."""
        if isinstance(self.status, Exception):
            raise self.status
        return self.status, b""


@pytest.fixture
def bot() -> Bot:
    """Return a bot that answers 200."""
    return Bot()


@pytest.fixture
def platform(bot: Bot) -> LinePlatform:
    """Return a LINE platform that knows one host."""
    known = {"bot.example.jp": ["127.0.0.1"]}
    return LinePlatform(
        bot.deliver, lambda name: known.get(name, []), ManualClock(), reply_timeout=0
    )


@pytest.fixture
def url(platform: LinePlatform) -> Iterator[str]:
    """Yield the platform's URL."""
    server = HttpServer(platform.wsgi)
    yield server.url
    server.close()


@pytest.fixture
def line(platform: LinePlatform, url: str) -> Line:
    """Return a client with the right token."""
    return Line(lambda: platform.access_token, url)


def everything_shown(error: BaseException | None) -> str:
    """Return all that a traceback or a log could show of an error and its causes."""
    text = ""
    while error is not None:
        text += f"{error} {error!r} {error.args}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text


def test_info(line: Line, platform: LinePlatform) -> None:
    """It returns the bot's name and id, as LINE spells them."""
    info = line.info()
    assert {"basicId", "displayName", "chatMode"} <= set(info)
    assert info["basicId"].startswith("@")


def test_wrong_token(url: str) -> None:
    """401 is an error that says where to get a token; it never contains the token itself."""
    client = Line(lambda: WRONG, url)
    with pytest.raises(LineError) as refusal:
        client.info()
    assert (401, 1) == (refusal.value.status, refusal.value.exit_status)
    assert "https://developers.line.biz" in refusal.value.then
    assert WRONG not in everything_shown(refusal.value)


@pytest.mark.parametrize("token", ["", " ", "se cret", "secret\nX-Evil: 1", "seｃret", "secret\0"])
def test_token_that_is_invalid_in_a_header(url: str, token: str) -> None:
    """It is rejected before it is sent: http.client's own error would show it."""
    with pytest.raises(LineError) as refusal:
        Line(lambda: token, url).info()
    assert 401 == refusal.value.status
    assert not token.strip() or token not in everything_shown(refusal.value)


def test_white_space_around_the_token_is_ignored(platform: LinePlatform, url: str) -> None:
    """A pasted token may end in a line break."""
    client = Line(lambda: f" {platform.access_token}\r\n", url)
    assert "basicId" in client.info()


def test_token_is_read_once_and_only_when_needed(platform: LinePlatform, url: str) -> None:
    """It may have to be read from Parameter Store."""
    requested: list[str] = []

    def token() -> str:
        requested.append("token")
        return str(platform.access_token)

    client = Line(token, url)
    assert [] == requested
    client.info()
    client.endpoint()
    assert ["token"] == requested


def test_endpoint(line: Line, platform: LinePlatform) -> None:
    """Empty at first; then as it was set, with the switch that only the console has."""
    assert {} == line.endpoint()
    line.set_endpoint(HOOK)
    assert {"endpoint": HOOK, "active": platform.active} == line.endpoint()


def test_rejected_endpoint(line: Line) -> None:
    """http is rejected with LINE's message, and nothing is set."""
    with pytest.raises(LineError) as refusal:
        line.set_endpoint("http://bot.example.jp/webhook")
    assert 400 == refusal.value.status
    assert "400" in refusal.value.why
    assert {} == line.endpoint()


def test_webhook_test_that_succeeds(line: Line) -> None:
    """LINE's reason is OK."""
    line.set_endpoint(HOOK)
    assert line_module.WebhookTest(True, 200, "OK", "200") == line.test(HOOK)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(500, "ERROR_STATUS_CODE"), (ConnectionError("refused"), "COULD_NOT_CONNECT")],
)
def test_webhook_test_that_fails(
    line: Line, bot: Bot, status: int | Exception, expected: str
) -> None:
    """It raises no error, but returns a result with LINE's reason."""
    bot.status = status
    tested = line.test(HOOK)
    assert (False, expected) == (tested.success, tested.reason)


def test_webhook_whose_name_does_not_resolve(line: Line) -> None:
    """LINE answers 400; the client returns a failed test, not an error."""
    tested = line.test("https://nowhere.example.jp/webhook")
    assert (False, 400, "COULD_NOT_CONNECT") == (tested.success, tested.status, tested.reason)
    assert tested.detail


def test_line_unreachable() -> None:
    """A refused connection is Pending at once, without the SDK's own retries."""
    server = HttpServer(None)
    server.close()
    with pytest.raises(Pending) as waiting:
        Line(lambda: WRONG, server.url).info()
    assert "NewConnectionError" in waiting.value.reason
    assert WRONG not in everything_shown(waiting.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, '{"message": "slow down"}', Pending),
        (408, "", Pending),
        (500, "<html>", Pending),
        (503, "", Pending),
        (403, '{"message": "not yours"}', LineError),
        (403, "<html>no</html>", LineError),
        (403, '["a"]', LineError),
        (200, "<html>hotel wifi</html>", Pending),
        (200, "[]", Pending),
        (200, '{"basicId": 1}', Pending),
        (200, "[" * 3000, Pending),  # deeper than Python reads
        (201, '{"basicId": "@bot"}', Pending),  # the SDK reads no answer but a 200
        (403, "[" * 3000, LineError),
    ],
)
def test_unusable_responses(status: int, body: str, kind: type[Exception]) -> None:
    """A busy LINE or a foreign page is Pending, a rejection an error. Each call is sent once."""
    requested: list[str] = []

    @Request.application
    def answer(request: Request) -> Response:
        requested.append(request.path)
        return Response(body, status, content_type="application/json")

    server = HttpServer(answer)
    client = Line(lambda: WRONG, server.url)
    with pytest.raises((Pending, ProvisionError)) as error:
        client.info()
    server.close()
    assert kind is error.type
    assert ["/v2/bot/info"] == requested
    assert WRONG not in everything_shown(error.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.info(),
        lambda client: client.endpoint(),
        lambda client: client.set_endpoint(HOOK),
        lambda client: client.test(HOOK),
    ],
)
def test_every_call_has_a_timeout(call: Callable[[Line], Any]) -> None:
    """A server that accepts the call and never answers is Pending after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Line(lambda: WRONG, f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        with pytest.raises(Pending) as waiting:
            call(client)
    assert "ReadTimeoutError" in waiting.value.reason


PAGE_CALLS: list[tuple[int, Callable[[Line], Any]]] = [
    (404, lambda line: line.endpoint()),
    (404, lambda line: line.test(HOOK)),
    (400, lambda line: line.test(HOOK)),
]


@pytest.mark.parametrize(("status", "call"), PAGE_CALLS)
def test_page_is_no_answer(status: int, call: Callable[[Line], Any]) -> None:
    """A proxy's page does not say that no URL is set, or what LINE's test found."""
    response = Response("<html>", status, content_type="text/html")
    server = HttpServer(Request.application(lambda request: response))
    with pytest.raises(LineError) as error:
        call(Line(lambda: "token", server.url))
    server.close()
    assert (status, False) == (error.value.status, error.value.answered)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_page_says_nothing_about_a_secret(status: int) -> None:
    """It is not another channel's because a proxy says 401."""
    response = Response("<html>", status, content_type="text/html")
    server = HttpServer(Request.application(lambda request: response))
    assert None is Line(lambda: "token", server.url).has_secret("1", "secret")
    server.close()


def test_answer_without_a_token() -> None:
    """It does not prove that the secret is the channel's."""
    response = Response("null", 200, content_type="application/json")
    server = HttpServer(Request.application(lambda request: response))
    with pytest.raises(Pending, match="LINE does not answer"):
        Line(lambda: "token", server.url).has_secret("1", "secret")
    server.close()


@pytest.mark.parametrize(
    ("status", "expected"), [(200, True), (400, False), (401, False), (403, None), (404, None)]
)
def test_secret_of_a_channel(status: int, expected: bool | None) -> None:
    """LINE refuses a wrong one with 400 or 401; another refusal says nothing about it."""
    token = '{"access_token": "t", "expires_in": 900, "token_type": "Bearer"}'
    refusal = '{"error": "invalid_client", "error_description": "invalid client_id"}'
    body = token if status == 200 else refusal
    response = Response(body, status, content_type="application/json")
    server = HttpServer(Request.application(lambda request: response))
    assert expected == Line(lambda: WRONG, server.url).has_secret("1234567890", "secret")
    server.close()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(status: int) -> None:
    """It is pending for the seconds that LINE asks for."""
    response = Response("{}", status, headers={"Retry-After": "20"})
    server = HttpServer(Request.application(lambda request: response))
    with pytest.raises(Pending) as waiting:
        Line(lambda: WRONG, server.url).info()
    server.close()
    assert (20.0, True) == (waiting.value.remaining, waiting.value.exact)


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (b"Content-Type: text/html; charset=x", "LookupError"),  # an encoding Python does not have
        (b"Content-Length: " + b"9" * 30, "OverflowError"),
    ],
)
def test_odd_header(header: bytes, error: str) -> None:
    """A response with a header that Python cannot use is Pending, as any page that is not LINE's."""
    head = b"HTTP/1.1 200 OK\r\n" + header + b"\r\n"
    server = RawServer(lambda _server, connection: connection.sendall(head + b"\r\n{}"))
    unreadable = pytest.raises(Pending, match=rf"LINE does not answer \({error}\)")
    with server, unreadable:
        Line(lambda: WRONG, server.url).info()
