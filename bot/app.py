"""The Flask application: LINE's webhook and the load balancer's health check."""

import json
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from random import getrandbits
from socket import SHUT_RD
from threading import Timer
from typing import Any

from flask import Flask, Response, abort, request
from linebot.v3 import SignatureValidator
from werkzeug.exceptions import HTTPException

import bot.custom  # noqa: F401  (registers its commands)
from bot.config import Config
from bot.deduplication import Deduplication
from bot.events import kind_of, read_event
from bot.handlers import answer
from bot.line import Line, Outcome, channel_token
from bot.logs import place, reason, request_id
from bot.messages import say, text
from bot.news.cache import Cache
from bot.news.store import store_at
from bot.secrets import Secret, secret_of

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 2_000_000
BODY_SECONDS = 1.5  # LINE sends a body at once
ANSWER_SECONDS = 1.8  # LINE counts a webhook that is not answered after two as an error
TOKEN_SECONDS = 20 * 60.0  # on redelivery a reply token works until then, unless it was used


def create_app(
    config: Config | None = None,
    *,
    line: Line | None = None,
    cache: Cache | None = None,
    channel_secret: Secret | None = None,
    clock: Callable[[], float] = time.time,
    answer_seconds: float = ANSWER_SECONDS,
) -> Flask:
    """Return the bot, configured by the environment if by nothing else. Raise ConfigError."""
    config = config or Config.from_environment()
    secret = channel_secret or secret_of(config, "channel_secret")
    line = line or Line(config, channel_token(config, secret))
    cache = cache or Cache(store_at(config.news_url, config.region))
    cache.refresh()  # so that the first answer finds the articles

    def settle(raw: Any) -> bool:
        """Answer an event as LINE sent it; return False if another delivery of it may succeed."""
        outcome = answer_event(raw, line, cache, clock())
        log.info("event", extra={"event": kind_of(raw), "outcome": outcome})
        return outcome != Outcome.FAILED.value

    app = Flask(__name__, static_folder=None)
    events = Deduplication(settle, config.threads)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES + 1, STOPPING=b"\0", EVENTS=events)
    warned: dict[int | None, float] = {}  # by status: strangers must not fill the log

    @app.get("/healthz")
    def healthz() -> tuple[str, int]:
        return ("stopping", 503) if app.config["STOPPING"][0] else ("ok", 200)

    @app.post("/webhook")
    def webhook() -> str:
        deadline = time.monotonic() + answer_seconds
        # The load balancer's id of the request, which its own log has too; else one of ours.
        trace = request.headers.get("X-Amzn-Trace-Id", "")[:200]
        request_id.set(trace if trace and trace.isprintable() else f"{getrandbits(64):016x}")
        signature = request.headers.get("X-Line-Signature")
        if not signature:
            abort(400, "The x-line-signature header is missing")
        body = _body()
        if not is_signed(body, signature, secret):
            abort(401, "The signature does not match")
        if not events.settle(_events(body), deadline - time.monotonic()):
            abort(500, "Not every event is answered yet")
        return ""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        now = clock()
        stop_reading(request.environ.get("gunicorn.socket"))
        if request.path == "/webhook" and now >= warned.get(error.code, -math.inf) + 60:
            warned[error.code] = now
            log.warning("a webhook is not acknowledged", extra={"status": error.code})
        response = error.get_response()
        response.data, response.content_type = f"{error.description}\n", "text/plain"
        return response  # type: ignore[return-value]

    return app


def answer_event(raw: Any, line: Line, cache: Cache, now: float) -> str:
    """Answer an event as LINE sent it; return the outcome: one of a reply's, "silent" or "old"."""
    event = read_event(raw)
    if event is None:
        return "silent"
    age = now - max(0, min(event.timestamp, 10**15)) / 1000
    if age > TOKEN_SECONDS:
        log.warning("the event is too old to answer", extra={"age": round(age)})
        return "old"
    plain = [text(say(None, "failed"))]
    try:
        reply = answer(event, cache.articles(), now, line.language)
    except Exception as error:  # its text may quote the message, and stays out of the log
        log.error("no answer", extra={"error": reason(error), "where": place(error)})
        reply = plain
    return line.reply(event.reply_token, reply, plain).value if reply else "silent"


def is_signed(body: str, signature: str, secret: Secret) -> bool:
    """Return whether LINE signed exactly this body; the secret may have been reissued meanwhile."""
    value = secret.value
    if SignatureValidator(value).validate(body, signature):
        return True
    return secret.renewed_since(value) and is_signed(body, signature, secret)


def _body() -> str:
    """Return the request's body as it was signed; 400 if it does not come in time or is no UTF-8."""
    deadline = Timer(BODY_SECONDS, stop_reading, [request.environ.get("gunicorn.socket")])
    deadline.daemon = True
    deadline.start()
    try:
        body = request.get_data()
        if len(body) > MAX_BODY_BYTES:  # Flask cuts off a chunked one
            abort(413)
        return body.decode()
    except HTTPException:
        raise
    except Exception:  # gunicorn's for a wrong chunk is no OSError
        abort(400, "The body could not be read")
    finally:
        deadline.cancel()


def stop_reading(connection: Any) -> None:
    """Let gunicorn find the end of the request, whose slow body would keep a thread from others."""
    with suppress(OSError, AttributeError):  # it is closed; another server has none
        connection.shutdown(SHUT_RD)


def _events(body: str) -> list[Any]:
    """Return the webhook's events; 400 if it is none. Python refuses to read the longest integers."""
    try:
        events = json.loads(body, parse_int=lambda digits: int(digits[:400]))["events"]
    except (ValueError, LookupError, TypeError, RecursionError):
        events = None
    if not isinstance(events, list):
        abort(400, "The body is not a webhook")
    return events
