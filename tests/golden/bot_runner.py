"""How the bot is run in this process, as its container runs it: by its environment variables."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.wrappers import Request, Response

from bot.app import create_app
from provision.sandbox.web.serving import HttpServer

NOW = datetime.fromisoformat("2026-08-14T12:00:00+09:00").timestamp()
NEWS = Path(__file__).parent / "news"
TOKEN, SECRET = "an-access-token", "a-channel-secret"
LANGUAGES = {"U-en": "en", "U-ja": "ja", "U-fr": "fr"}  # whose profile LINE tells


class Outside:
    """LINE and Parameter Store, which answer as they are told to.

    answers: LINE's to the next replies, status and message; then 200. parameters: what they hold now.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = []
        self.parameters = {"ACCESS_TOKEN": TOKEN, "CHANNEL_SECRET": SECRET}
        self.replies: list[dict[str, Any]] = []
        self.goes_on = threading.Event()  # unset: LINE thinks about every reply
        self.goes_on.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        body = json.loads(request.get_data() or b"null")
        if "GetParameter" in request.headers.get("X-Amz-Target", ""):
            name = body["Name"]
            return answer(200, {"Parameter": {"Name": name, "Value": self.parameters[name]}})
        if request.path.startswith("/v2/bot/profile/"):
            user = request.path.rpartition("/")[2]
            language = LANGUAGES.get(user)
            known = {"userId": user, "displayName": "Somebody", "language": language}
            return answer(200, known) if language else answer(404, {"message": "Not found"})
        self.replies.append(
            {
                "request": f"{request.method} {request.path}",
                "authorization": request.headers.get("Authorization", ""),
                **body,
            }
        )
        self.goes_on.wait()
        status, message = self.answers.pop(0) if self.answers else (200, "")
        return answer(status, {"message": message} if message else {"sentMessages": []})


def answer(status: int, document: dict[str, Any]) -> Response:
    """One as JSON."""
    return Response(json.dumps(document), status, mimetype="application/json")


class Bot:
    """The bot, and what became of each request."""

    def __init__(self, client: FlaskClient, outside: Outside) -> None:
        self.client, self.outside = client, outside
        self.slowest = 0.0  # seconds that a request has taken

    def webhook(self, *events: Any, secret: str = SECRET) -> dict[str, Any]:
        """A signed request with these events."""
        body = json.dumps({"destination": "U-bot", "events": list(events)}).encode()
        return self.post(body, {"x-line-signature": signature(body, secret)})

    def post(self, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        """A request to the webhook: its status, and the replies that LINE was sent meanwhile."""
        return self.open("POST", "/webhook", data=body, headers=headers)

    def open(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Any request."""
        began = time.monotonic()
        status = self.client.open(path, method=method, **more).status_code
        self.slowest = max(self.slowest, time.monotonic() - began)
        replies, self.outside.replies = self.outside.replies, []
        replies.sort(key=lambda reply: str(reply["replyToken"]))  # side by side
        return {"status": status, **({"replies": replies} if replies else {})}


def signature(body: bytes, secret: str = SECRET) -> str:
    """LINE's, of this body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, news: Path = NEWS) -> Iterator[Bot]:
    """The bot, with this folder's news once that is there."""
    outside = Outside()
    with closing(HttpServer(outside)) as server:
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
        app = create_app(clock=lambda: NOW)
        bot = Bot(app.test_client(), outside)
        read_the_news(bot)
        bot.slowest = 0.0
        yield bot
        outside.goes_on.set()
        app.config["EVENTS"].close()


def read_the_news(bot: Bot) -> None:
    """The news is read on a thread of its own: ask until it is there."""
    first = {"type": "message", "replyToken": "first", "message": {"type": "text", "text": "最新"}}
    for _ in range(200):
        if "ロケット" in json.dumps(bot.webhook(first), ensure_ascii=False):
            return
    raise AssertionError("the news does not come")
