"""The door to LINE, against the sandbox's LINE and against servers that are none."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from provision.clients import line as line_door
from provision.clients.line import Line, LineError
from provision.errors import Pending, ProvisionError
from provision.sandbox.clock import ManualClock
from provision.sandbox.line.platform import LinePlatform
from provision.sandbox.web.serving import HttpServer

HOOK = "https://bot.example.jp/webhook"
WRONG = "wrong-token-0123456789"


class Bot:
    """The other side of the webhook: answers this status, or raises it."""

    status: int | Exception = 200

    def deliver(self, url: str, body: bytes, headers: Any, timeout: float) -> tuple[int, bytes]:
        """What LINE gets when it calls."""
        if isinstance(self.status, Exception):
            raise self.status
        return self.status, b""


@pytest.fixture
def bot() -> Bot:
    """Answers 200."""
    return Bot()


@pytest.fixture
def platform(bot: Bot) -> LinePlatform:
    """A LINE that knows one host."""
    known = {"bot.example.jp": ["127.0.0.1"]}
    return LinePlatform(
        bot.deliver, lambda name: known.get(name, []), ManualClock(), reply_timeout=0
    )


@pytest.fixture
def url(platform: LinePlatform) -> Iterator[str]:
    """Where it is served."""
    server = HttpServer(platform.wsgi)
    yield server.url
    server.close()


@pytest.fixture
def line(platform: LinePlatform, url: str) -> Line:
    """The door, with the right token."""
    return Line(lambda: platform.access_token, url)


def shown(error: BaseException | None) -> str:
    """Everything that a traceback or a log could show of an error and what led to it."""
    said = ""
    while error is not None:
        said += f"{error} {error!r} {error.args}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return said


def test_info_proves_the_token(line: Line, platform: LinePlatform) -> None:
    """The bot's name and id, as LINE spells them."""
    info = line.info()
    assert {"basicId", "displayName", "chatMode"} <= set(info)
    assert info["basicId"].startswith("@")


def test_wrong_token(url: str) -> None:
    """401 is a refusal that says where to get another; the token itself is nowhere in it."""
    door = Line(lambda: WRONG, url)
    with pytest.raises(LineError) as refusal:
        door.info()
    assert (401, 1) == (refusal.value.status, refusal.value.exit_status)
    assert "https://developers.line.biz" in refusal.value.then
    assert WRONG not in shown(refusal.value)


@pytest.mark.parametrize("token", ["", " ", "se cret", "secret\nX-Evil: 1", "seｃret", "secret\0"])
def test_token_that_fits_in_no_header(url: str, token: str) -> None:
    """Refused before it is sent: http.client's own error would show it."""
    with pytest.raises(LineError) as refusal:
        Line(lambda: token, url).info()
    assert 401 == refusal.value.status
    assert not token.strip() or token not in shown(refusal.value)


def test_token_with_the_line_break_of_a_paste(platform: LinePlatform, url: str) -> None:
    """White space around it is nobody's token."""
    door = Line(lambda: f" {platform.access_token}\r\n", url)
    assert "basicId" in door.info()


def test_token_is_asked_for_once_and_only_when_needed(platform: LinePlatform, url: str) -> None:
    """It may have to be read from Parameter Store."""
    asked: list[str] = []

    def token() -> str:
        asked.append("token")
        return str(platform.access_token)

    door = Line(token, url)
    assert [] == asked
    door.info()
    door.endpoint()
    assert ["token"] == asked


def test_endpoint(line: Line, platform: LinePlatform) -> None:
    """None at first; then as it was set, with the switch that only the console has."""
    assert {} == line.endpoint()
    line.set_endpoint(HOOK)
    assert {"endpoint": HOOK, "active": platform.active} == line.endpoint()


def test_endpoint_that_line_refuses(line: Line) -> None:
    """http is refused with LINE's words, and nothing is set."""
    with pytest.raises(LineError) as refusal:
        line.set_endpoint("http://bot.example.jp/webhook")
    assert 400 == refusal.value.status
    assert "400" in refusal.value.why
    assert {} == line.endpoint()


def test_webhook_test_that_succeeds(line: Line) -> None:
    """LINE's word for it is OK."""
    line.set_endpoint(HOOK)
    assert line_door.WebhookTest(True, 200, "OK", "200") == line.test(HOOK)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(500, "ERROR_STATUS_CODE"), (ConnectionError("refused"), "COULD_NOT_CONNECT")],
)
def test_webhook_test_that_fails(
    line: Line, bot: Bot, status: int | Exception, expected: str
) -> None:
    """No error, but a result with LINE's reason."""
    bot.status = status
    tested = line.test(HOOK)
    assert (False, expected) == (tested.success, tested.reason)


def test_webhook_whose_name_does_not_resolve(line: Line) -> None:
    """LINE answers 400; to us that is a failed test, not a refusal."""
    tested = line.test("https://nowhere.example.jp/webhook")
    assert (False, 400, "COULD_NOT_CONNECT") == (tested.success, tested.status, tested.reason)
    assert tested.detail


def test_line_unreachable() -> None:
    """Nobody listens: not yet, at once, without the SDK's own retries."""
    server = HttpServer(None)
    server.close()
    with pytest.raises(Pending) as waiting:
        Line(lambda: WRONG, server.url).info()
    assert "NewConnectionError" in waiting.value.reason
    assert WRONG not in shown(waiting.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, '{"message": "slow down"}', Pending),
        (500, "<html>", Pending),
        (503, "", Pending),
        (403, '{"message": "not yours"}', LineError),
        (403, "<html>no</html>", LineError),
        (403, '["a"]', LineError),
        (200, "<html>hotel wifi</html>", Pending),
        (200, "[]", Pending),
        (200, '{"basicId": 1}', Pending),
    ],
)
def test_answers_that_are_none(status: int, body: str, kind: type[Exception]) -> None:
    """A busy LINE and a page of somebody else's are waited for; a no is told. Each call is sent once."""
    asked: list[str] = []

    @Request.application
    def answer(request: Request) -> Response:
        asked.append(request.path)
        return Response(body, status, content_type="application/json")

    server = HttpServer(answer)
    door = Line(lambda: WRONG, server.url)
    with pytest.raises((Pending, ProvisionError)) as error:
        door.info()
    server.close()
    assert kind is error.type
    assert ["/v2/bot/info"] == asked
    assert WRONG not in shown(error.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda door: door.info(),
        lambda door: door.endpoint(),
        lambda door: door.set_endpoint(HOOK),
        lambda door: door.test(HOOK),
    ],
)
def test_every_call_has_a_timeout(call: Callable[[Line], Any]) -> None:
    """A server that takes the call and never answers: not yet, after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        door = Line(lambda: WRONG, f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        with pytest.raises(Pending) as waiting:
            call(door)
    assert "ReadTimeoutError" in waiting.value.reason
