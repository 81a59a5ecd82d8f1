"""Webhooks as the LINE platform sends them: events, signature, delivery, and the reply tokens."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Messaging API reference, "Send reply message": a reply token works once, within one minute; when its
# event is delivered again, within one minute of that, unless twenty have passed since the event.
REPLY_TOKEN_SECONDS = 60.0
REDELIVERED_TOKEN_SECONDS = 20 * 60.0
# LINE publishes neither how often it delivers again nor when: [j] seconds between the deliveries.
REDELIVERIES = (10.0, 30.0, 60.0, 120.0, 240.0, 480.0)

# (url, body, headers, timeout in real seconds) -> (HTTP status, body); raises TimeoutError, and
# ConnectionError for everything else that keeps an answer from coming.
Deliver = Callable[[str, bytes, dict[str, str], float], tuple[int, bytes]]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def signature(channel_secret: str, body: bytes) -> str:
    """Return `x-line-signature`: Base64 of HMAC-SHA256 over the raw body, keyed by the channel secret."""
    digest = hmac.new(channel_secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def ulid(now: float) -> str:
    """Return a `webhookEventId`: 48 bits of milliseconds and 80 random ones in Crockford's base 32."""
    number = int(now * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def event(kind: str, user: str, reply_token: str, now: float) -> dict[str, Any]:
    """Return what every event of a one-to-one chat has."""
    return {
        "type": kind,
        "mode": "active",
        "timestamp": int(now * 1000),
        "source": {"type": "user", "userId": user},
        "webhookEventId": ulid(now),
        "deliveryContext": {"isRedelivery": False},
        "replyToken": reply_token,
    }


def text_event(words: str, user: str, reply_token: str, now: float) -> dict[str, Any]:
    """Return the event of a person who writes a text."""
    message = {
        "type": "text",
        "id": str(secrets.randbelow(10**18)),
        "quoteToken": secrets.token_urlsafe(32),
        "text": words,
    }
    return {**event("message", user, reply_token, now), "message": message}


def follow_event(user: str, reply_token: str, now: float) -> dict[str, Any]:
    """Return the event of a person who adds the bot as a friend."""
    return {**event("follow", user, reply_token, now), "follow": {"isUnblocked": False}}


def postback_event(data: str, user: str, reply_token: str, now: float) -> dict[str, Any]:
    """Return the event of a person who presses a button with a postback action."""
    return {**event("postback", user, reply_token, now), "postback": {"data": data}}


def redelivered(event: dict[str, Any]) -> dict[str, Any]:
    """Return the same event as LINE delivers it again; only this differs."""
    return {**event, "deliveryContext": {"isRedelivery": True}}


@dataclass(frozen=True)
class Delivery:
    """How one webhook went; `status` 0 and a reason where no answer came."""

    status: int
    reason: str
    detail: str


def deliver_events(
    deliver: Deliver,
    url: str,
    events: list[Any],
    destination: str,
    channel_secret: str,
    timeout: float,
) -> Delivery:
    """Sign the events and send them; the reasons are the webhook test's."""
    document = {"destination": destination, "events": events}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "LineBotWebhook/2.0",
        "x-line-signature": signature(channel_secret, body),
    }
    try:
        status, _answer = deliver(url, body, headers, timeout)
    except TimeoutError:
        return Delivery(0, "REQUEST_TIMEOUT", "Request timeout")
    except ConnectionError as error:
        return Delivery(0, "COULD_NOT_CONNECT", str(error) or "Could not connect")
    reason = "OK" if 200 <= status < 300 else "ERROR_STATUS_CODE"
    return Delivery(status, reason, str(status))


@dataclass
class _Issued:
    user: str
    event_at: float
    since: float
    messages: list[dict[str, Any]] | None = None


@dataclass
class ReplyTokens:
    """The tokens that were sent out, and what came back for them. Shared by all threads."""

    now: Callable[[], float]
    _issued: dict[str, _Issued] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def issue(self, user: str) -> str:
        """Return a new token for an event of this person."""
        token = secrets.token_hex(16)
        with self._changed:
            self._issued[token] = _Issued(user, self.now(), self.now())
        return token

    def renew(self, token: str) -> None:
        """Renew the token, as its event is being delivered again."""
        with self._changed:
            self._issued[token].since = self.now()

    def use(self, token: object, messages: list[dict[str, Any]]) -> bool:
        """Use the token for these messages; False when it is unknown, used or too old."""
        with self._changed:
            issued = self._issued.get(token) if isinstance(token, str) else None
            if issued is None or issued.messages is not None:
                return False
            now = self.now()
            if now - issued.since > REPLY_TOKEN_SECONDS:
                return False
            if now - issued.event_at > REDELIVERED_TOKEN_SECONDS:
                return False
            issued.messages = messages
            self._changed.notify_all()
            return True

    def reply(self, token: str, patience: float) -> list[dict[str, Any]] | None:
        """Return the reply, waiting at most `patience` real seconds for it; None: nothing."""
        with self._changed:
            issued = self._issued[token]
            self._changed.wait_for(lambda: issued.messages is not None, patience)
            return issued.messages
