"""Two doors: LINE's webhook and the load balancer's health check."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from bot.conversation import Event, answer, reply_token
from bot.line import Replies
from bot.newsstand import Newsstand, source_at
from bot.parameters import Secret, parameter_reader
from bot.replies import Message
from bot.settings import Settings

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 2_000_000

# Sends the messages for a reply token; True when LINE took them.
Reply = Callable[[str, list[Message]], bool]


def create_app(
    settings: Settings | None = None,
    *,
    reply: Reply | None = None,
    newsstand: Newsstand | None = None,
    channel_secret: Secret | None = None,
    clock: Callable[[], float] = time.time,
) -> Flask:
    """The bot as a WSGI application.

    Without settings they come from the environment (MissingSetting where a secret is not there).
    `clock` is epoch seconds, for "3 hours ago" only. The rest is what tests put in place of LINE,
    of the news and of Parameter Store.
    """
    settings = settings or Settings.from_environment()
    secret = channel_secret or Secret(
        settings.channel_secret,
        parameter_reader(settings.channel_secret_parameter, settings.region),
    )
    send = reply or _line(settings)
    stand = newsstand or Newsstand(source_at(settings.news_url, settings.region))
    stand.refresh()  # the first reader should find it there

    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @app.get("/healthz")
    def healthz() -> Response:
        return _plain(200, "ok")

    @app.post("/webhook")
    def webhook() -> Response:
        body = request.get_data(cache=False)
        signature = request.headers.get("X-Line-Signature", "")
        if not signature:
            return _plain(400, "The x-line-signature header is missing")
        if not is_signed(body, signature, secret):
            return _plain(401, "The signature does not match")
        events = _events(body)
        if events is None:
            return _plain(400, "The body is not a webhook")
        for event in events:
            _handle(event, stand, send, clock)
        return _plain(200, "")

    return app


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
    digest = hmac.new(channel_secret.encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.encode("utf-8", "replace"))


def _line(settings: Settings) -> Reply:
    read = parameter_reader(settings.access_token_parameter, settings.region)
    return Replies(settings.line_api_url, Secret(settings.access_token, read)).send


def _events(body: bytes) -> list[Any] | None:
    """The webhook's events; None where the body is not one."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    events = document.get("events") if isinstance(document, dict) else None
    return events if isinstance(events, list) else None


def _handle(event: object, stand: Newsstand, send: Reply, clock: Callable[[], float]) -> None:
    """Answer one event. Whatever goes wrong with it is logged and costs the others nothing."""
    kind = event.get("type") if isinstance(event, dict) else None
    known: dict[str, Any] = {"event": kind if isinstance(kind, str) else "unknown"}
    try:
        if not isinstance(event, dict):
            raise TypeError("an event must be an object")
        typed: Event = event
        messages = answer(typed, stand.edition(), clock())
        known["replied"] = bool(messages) and send(reply_token(typed), messages or [])
    except Exception as error:
        # The error's text may quote the person's message: only its kind goes into the log.
        log.error("an event failed", extra={**known, "error": type(error).__name__})
    else:
        log.info("event", extra=known)


def _plain(status: int, words: str) -> Response:
    return Response(words, status, mimetype="text/plain")
