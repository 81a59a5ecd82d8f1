"""Two doors: LINE's webhook and the load balancer's health check.

A plain WSGI application and no framework: two paths need none, and at a quarter vCPU importing Flask
alone takes longer than a start may, and a request through it a third of what an answer costs.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterable
from random import getrandbits
from typing import Any

from bot.answering import Answering, Reply
from bot.aws import Aws
from bot.counters import Counters
from bot.inbox import Inbox
from bot.line import Line
from bot.logs import request_id
from bot.newsstand import Newsstand, a_moment
from bot.parameters import Secret, parameter_reader
from bot.settings import Settings
from bot.sources import source_at

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 2_000_000
# LINE counts what is not answered after two seconds as an error; the way back takes its time too.
ANSWER_SECONDS = 1.8

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

Response = tuple[int, str]
Environ = dict[str, Any]


class App:
    """The bot as a WSGI application."""

    def __init__(self, secret: Secret, inbox: Inbox, counters: Counters) -> None:
        self._secret = secret
        self._inbox = inbox
        self._counters = counters
        self.leaving = False  # from the first sign that this process will end

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        began = time.monotonic()
        try:
            status, words = self._door(environ, began)
        except Exception as error:
            log.error("a request failed", extra={"error": type(error).__name__})
            status, words = 500, ""
        body = words.encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
        ]
        if status == 405:
            headers.append(("Allow", "GET" if environ["PATH_INFO"] == "/healthz" else "POST"))
        start_response(f"{status} {_REASONS[status]}", headers)
        return [body]

    def _door(self, environ: Environ, began: float) -> Response:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path == "/healthz":
            if method not in ("GET", "HEAD"):
                return 405, ""
            return (503, "leaving") if self.leaving else (200, "ok")
        if path != "/webhook":
            return 404, ""
        if method != "POST":
            return 405, ""
        request_id.set(_request_id(environ))
        status, words = self._webhook(environ, began)
        # The first of its kind in a minute: strangers do not fill the log.
        if status != 200 and self._counters.count(str(status)) == 1:
            log.warning("not acknowledged", extra={"status": status})
        self._counters.request(time.monotonic() - began)
        return status, words

    def _webhook(self, environ: Environ, began: float) -> Response:
        body = _body(environ)
        if isinstance(body, tuple):
            return body
        signature = environ.get("HTTP_X_LINE_SIGNATURE", "")
        if not signature:
            return 400, "The x-line-signature header is missing"
        if not is_signed(body, signature, self._secret):
            return 401, "The signature does not match"
        events = _events(body)
        if events is None:
            return 400, "The body is not a webhook"
        return (200 if self._inbox.take(events, began + ANSWER_SECONDS) else 500), ""

    def leave(self) -> None:
        """The process will end: unhealthy from now on, and still at everybody's service."""
        self.leaving = True
        self._counters.tell()

    def close(self) -> None:
        """Wait for what goes on, and tell what was counted."""
        self._inbox.close()
        self._counters.tell()


def create_app(
    settings: Settings | None = None,
    *,
    reply: Reply | None = None,
    newsstand: Newsstand | None = None,
    channel_secret: Secret | None = None,
    clock: Callable[[], float] = time.time,
) -> App:
    """The bot.

    Without settings they come from the environment (MissingSetting where a secret is not there).
    `clock` is epoch seconds, for "3 hours ago" and for the age of events. The rest is what tests put
    in place of LINE, of the news and of Parameter Store.
    """
    settings = settings or Settings.from_environment()
    aws = Aws(settings.region, settings.aws)
    secret = channel_secret or Secret(
        settings.channel_secret,
        parameter_reader(settings.channel_secret_parameter, aws),
    )
    stand = newsstand or Newsstand(source_at(settings.news_url, aws), rest=a_moment)
    stand.refresh()  # the first reader should find it there
    counters = Counters()
    if reply:
        answering = Answering(stand, reply, counters, clock)
    else:
        line = _line(settings, aws)
        answering = Answering(stand, line.reply, counters, clock, line.speaks)
    return App(secret, Inbox(answering.begin, counters), counters)


def is_signed(body: bytes, signature: str, secret: Secret) -> bool:
    """Is this LINE's signature of exactly these bytes?

    Base64(HMAC-SHA256(channel secret, raw body)), "Verify webhook signature" in LINE's documents;
    compared in constant time. A mismatch may mean that the secret was reissued: see Secret.
    """
    value = secret.value
    if _matches(body, signature, value):
        return True
    return secret.renewed_since(value) and _matches(body, signature, secret.value)


def _matches(body: bytes, signature: str, channel_secret: str) -> bool:
    digest = hmac.digest(channel_secret.encode(), body, "sha256")
    return hmac.compare_digest(base64.b64encode(digest), signature.encode("utf-8", "replace"))


def _line(settings: Settings, aws: Aws) -> Line:
    read = parameter_reader(settings.access_token_parameter, aws)
    return Line(settings.line_api_url, Secret(settings.access_token, read))


def _body(environ: Environ) -> bytes | Response:
    """The request's body; else what to say of it."""
    given = environ.get("CONTENT_LENGTH") or ""
    length = int(given) if given.isdecimal() else None
    if length is not None and length > MAX_BODY_BYTES:
        return 413, "The body is too large"
    try:
        body: bytes = environ["wsgi.input"].read(MAX_BODY_BYTES + 1 if length is None else length)
    except OSError:
        return 408, "The body did not come"
    if len(body) > MAX_BODY_BYTES:
        return 413, "The body is too large"
    if length is not None and len(body) < length:
        return 408, "The body did not come"
    return body


def _events(body: bytes) -> list[Any] | None:
    """The webhook's events; None where the body is not one."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    events = document.get("events") if isinstance(document, dict) else None
    return events if isinstance(events, list) else None


def _request_id(environ: Environ) -> str:
    """The load balancer's name for the request, which its own log has too; else one of ours."""
    given: str = environ.get("HTTP_X_AMZN_TRACE_ID", "")
    return given if given.isprintable() and 0 < len(given) <= 200 else f"{getrandbits(64):016x}"
