"""LINE's webhooks: events, signature, delivery, and reply tokens."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Messaging API reference, "Send reply message": a reply token is valid once, for one minute after the
# delivery, or redelivery up to twenty minutes after the event.
REPLY_TOKEN_SECONDS = 60.0
REDELIVERED_TOKEN_SECONDS = 20 * 60.0
# Seconds between redeliveries; an assumption, because LINE publishes neither their number nor the times.
REDELIVERIES = (10.0, 30.0, 60.0, 120.0, 240.0, 480.0)

# (url, body, headers, timeout in real seconds) -> (HTTP status, body). Raises TimeoutError or
# ConnectionError.
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


def event(kind: str, source: dict[str, str], reply_token: str, now: float) -> dict[str, Any]:
    """Return the common properties of events; without a reply token for those that have none ("")."""
    return {
        "type": kind,
        "mode": "active",
        "timestamp": int(now * 1000),
        "source": source,
        "webhookEventId": ulid(now),
        "deliveryContext": {"isRedelivery": False},
        **({"replyToken": reply_token} if reply_token else {}),
    }


def source_of(user: str, group: str = "") -> dict[str, str]:
    """Return the source of what a user does in the one-on-one chat or in a group."""
    if group:
        return {"type": "group", "groupId": group, "userId": user}
    return {"type": "user", "userId": user}


def text_message(text: str, mentioned: str = "", name: str = "") -> dict[str, Any]:
    """Return a text message; `mentioned`: the id of the bot, called by `@name` at its beginning."""
    called = f"@{name}"
    message: dict[str, Any] = {
        "type": "text",
        "id": str(secrets.randbelow(10**18)),
        "quoteToken": secrets.token_urlsafe(32),
        "text": f"{called} {text}" if mentioned else text,
    }
    if mentioned:
        length = len(called.encode("utf-16-le")) // 2
        mentionee = {"index": 0, "length": length, "type": "user", "userId": mentioned}
        message["mention"] = {"mentionees": [{**mentionee, "isSelf": True}]}
    return message


def sticker_message(package: str, sticker: str) -> dict[str, Any]:
    """Return a sticker."""
    return {
        "type": "sticker",
        "id": str(secrets.randbelow(10**18)),
        "quoteToken": secrets.token_urlsafe(32),
        "packageId": package,
        "stickerId": sticker,
        "stickerResourceType": "STATIC",
    }


def redelivered(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event as LINE redelivers it."""
    return {**event, "deliveryContext": {"isRedelivery": True}}


@dataclass(frozen=True)
class Delivery:
    """The result of one delivery; `status` is 0 and `body` empty if there was no response."""

    status: int
    reason: str
    detail: str
    body: str = ""


def deliver_events(
    deliver: Deliver,
    url: str,
    events: list[Any],
    destination: str,
    channel_secret: str,
    timeout: float,
) -> Delivery:
    """Sign and send the events; the reasons are those of the API's webhook test."""
    document = {"destination": destination, "events": events}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "LineBotWebhook/2.0",
        "x-line-signature": signature(channel_secret, body),
    }
    try:
        status, answer = deliver(url, body, headers, timeout)
    except TimeoutError:
        return Delivery(0, "REQUEST_TIMEOUT", "Request timeout")
    except ConnectionError as error:
        return Delivery(0, "COULD_NOT_CONNECT", str(error) or "Could not connect")
    reason = "OK" if 200 <= status < 300 else "ERROR_STATUS_CODE"
    return Delivery(status, reason, str(status), answer[:2000].decode(errors="replace"))


@dataclass
class _Issued:
    chat: str
    event_at: float
    since: float
    messages: list[dict[str, Any]] | None = None


@dataclass
class ReplyTokens:
    """The issued reply tokens and the replies sent with them. Thread-safe.

    `on_use` is called with the chat and the messages of each reply.
    """

    now: Callable[[], float]
    on_use: Callable[[str, list[dict[str, Any]]], None] = lambda chat, messages: None
    _issued: dict[str, _Issued] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def issue(self, chat: str) -> str:
        """Return a new token for an event in the chat with this user's or group's id."""
        token = secrets.token_hex(16)
        with self._changed:
            self._issued[token] = _Issued(chat, self.now(), self.now())
        return token

    def renew(self, token: str) -> None:
        """Restart the token's lifetime because its event is redelivered."""
        with self._changed:
            self._issued[token].since = self.now()

    def use(self, token: object, messages: list[dict[str, Any]]) -> bool:
        """Use the token for these messages; return False if it is unknown, used or expired."""
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
            self.on_use(issued.chat, messages)
            self._changed.notify_all()
            return True

    def reply(self, token: str, reply_timeout: float) -> list[dict[str, Any]] | None:
        """Return the reply, or None if there is none within `reply_timeout` real seconds."""
        with self._changed:
            issued = self._issued[token]
            self._changed.wait_for(lambda: issued.messages is not None, reply_timeout)
            return issued.messages
