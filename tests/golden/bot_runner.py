"""Runs the bot in this process, configured by environment variables as in its container."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.wrappers import Request, Response

from bot.app import create_app
from provision.console.server import HttpServer

NOW = datetime.fromisoformat("2026-08-14T12:00:00+09:00").timestamp()
NEWS = Path(__file__).parent / "news"
TOKEN, SECRET = "an-access-token", "a-channel-secret"
PATIENT = 60.0  # seconds, so that a slow machine gets the same answers
LANGUAGES = {"U-en": "en", "U-ja": "ja", "U-fr": "fr"}  # the profiles that LINE has


class FakeServices:
    """LINE and Parameter Store, with configurable answers.

    answers: status and message of LINE's next answers to replies; then 200. parameters: their current values.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = []
        self.parameters = {"ACCESS_TOKEN": TOKEN, "CHANNEL_SECRET": SECRET}
        self.replies: list[dict[str, Any]] = []
        self.answering = threading.Event()  # unset: LINE's answers are delayed
        self.answering.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        body = json.loads(request.get_data() or b"null")
        if "GetParameter" in request.headers.get("X-Amz-Target", ""):
            name = body["Name"]
            return json_response(200, {"Parameter": {"Name": name, "Value": self.parameters[name]}})
        if request.path.startswith("/v2/bot/profile/"):
            user = request.path.rpartition("/")[2]
            language = LANGUAGES.get(user)
            known = {"userId": user, "displayName": "Somebody", "language": language}
            return (
                json_response(200, known)
                if language
                else json_response(404, {"message": "Not found"})
            )
        self.replies.append(
            {
                "request": f"{request.method} {request.path}",
                "authorization": request.headers.get("Authorization", ""),
                **body,
            }
        )
        self.answering.wait()
        status, message = self.answers.pop(0) if self.answers else (200, "")
        return json_response(status, {"message": message} if message else {"sentMessages": []})


def json_response(status: int, document: dict[str, Any]) -> Response:
    """Return a JSON response."""
    return Response(json.dumps(document), status, mimetype="application/json")


class Bot:
    """The bot, with the result of each request."""

    def __init__(self, client: FlaskClient, services: FakeServices) -> None:
        self.client, self.services = client, services

    def webhook(self, *events: Any, secret: str = SECRET) -> dict[str, Any]:
        """Send a signed request with these events."""
        body = json.dumps({"destination": "U-bot", "events": list(events)}).encode()
        return self.post(body, {"x-line-signature": signature(body, secret)})

    def post(self, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        """Send a request to the webhook; return its status and the replies sent meanwhile."""
        return self.open("POST", "/webhook", data=body, headers=headers)

    def open(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Send any request."""
        status = self.client.open(path, method=method, **more).status_code
        replies, self.services.replies = self.services.replies, []
        replies.sort(key=lambda reply: str(reply["replyToken"]))  # sent in parallel
        return {"status": status, **({"replies": replies} if replies else {})}


def signature(body: bytes, secret: str = SECRET) -> str:
    """Return LINE's signature of this body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


@contextmanager
def running_bot(
    monkeypatch: pytest.MonkeyPatch, news: Path = NEWS, answer_seconds: float = PATIENT
) -> Iterator[Bot]:
    """Run the bot, once it has read this folder's news. answer_seconds: for an answer to a webhook."""
    for limit in ("bot.line.PROFILE_SECONDS", "bot.secrets.TIMEOUT_SECONDS"):
        monkeypatch.setattr(limit, PATIENT)
    services = FakeServices()
    with closing(HttpServer(services)) as server:
        environment = {
            "ACCESS_TOKEN": TOKEN,
            "ACCESS_TOKEN_PARAMETER": "ACCESS_TOKEN",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_ENDPOINT_URL": server.url,
            "AWS_REGION": "ap-northeast-1",
            "AWS_SECRET_ACCESS_KEY": "b",
            "CHANNEL_SECRET": SECRET,
            "CHANNEL_SECRET_PARAMETER": "CHANNEL_SECRET",
            "LINE_API_URL": server.url,
            "NEWS_URL": str(news),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        app = create_app(clock=lambda: NOW, answer_seconds=answer_seconds)
        bot = Bot(app.test_client(), services)
        wait_for_news(bot)
        yield bot
        services.answering.set()
        app.config["EVENTS"].close()


def wait_for_news(bot: Bot) -> None:
    """Wait until the bot has read the news, on its own thread."""
    first = {"type": "message", "replyToken": "first", "message": {"type": "text", "text": "最新"}}
    for _ in range(200):
        if "ロケット" in json.dumps(bot.webhook(first), ensure_ascii=False):
            return
    raise AssertionError("the news does not come")
