"""LINE's events, read as plain dicts and with care: kinds and properties are added unannounced, and
line-bot-sdk's parser refuses a whole request for one event without a `webhookEventId` or with a `mode`
that it does not know.
"""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]

ID_LENGTH = 64  # a ULID has 26


def kind_of(event: Any) -> str:
    """The kind of an event, fit for a log."""
    kind = event.get("type") if isinstance(event, dict) else None
    return kind if isinstance(kind, str) and kind.isidentifier() and len(kind) < 40 else "unknown"


def id_of(event: Any) -> str:
    """The `webhookEventId`, which is the same at every delivery; empty where there is none."""
    value = event.get("webhookEventId") if isinstance(event, dict) else None
    return value if isinstance(value, str) and len(value) <= ID_LENGTH else ""


def age_of(event: Event, now: float) -> float:
    """Seconds since the event; 0 where it does not say when it was."""
    stamp = event.get("timestamp")
    return now - stamp / 1000 if isinstance(stamp, int) and not isinstance(stamp, bool) else 0.0


def reply_token(event: Event) -> str:
    """The event's reply token; empty where it has none."""
    token = event.get("replyToken")
    return token if isinstance(token, str) else ""


def wants_answer(event: Event) -> bool:
    """Is the bot to speak at all? Not in standby: another module has the chat."""
    return event.get("mode", "active") == "active" and bool(reply_token(event))


def user_of(event: Event) -> str:
    """Whose event it is; empty where LINE does not say."""
    source = event.get("source")
    user = source.get("userId") if isinstance(source, dict) else None
    return user if isinstance(user, str) else ""


def is_wordless(event: Event) -> bool:
    """Does an answer to it need the person's language from elsewhere?"""
    message = message_of(event)
    return event.get("type") in ("follow", "message") and not words_of(message).strip()


def in_company(event: Event) -> bool:
    """Did it happen in a group or a room?"""
    source = event.get("source")
    return isinstance(source, dict) and source.get("type") in ("group", "room")


def message_of(event: Event) -> dict[str, Any]:
    """The message; empty where there is none."""
    message = event.get("message")
    return message if isinstance(message, dict) else {}


def words_of(message: dict[str, Any]) -> str:
    """What was written, without mentions of the bot; empty for anything but text.

    A mention's place in the text is counted in UTF-16 units.
    """
    words = message.get("text")
    if message.get("type") != "text" or not isinstance(words, str):
        return ""
    mentions = _mentions(message)
    if not mentions:
        return words
    units = words.encode("utf-16-le", "surrogatepass")
    kept = [units[at : at + 2] for at in range(0, len(units), 2)]
    for one in mentions:
        index, length = one.get("index"), one.get("length")
        if isinstance(index, int) and isinstance(length, int) and index >= 0 and length > 0:
            kept[index : index + length] = [b""] * len(kept[index : index + length])
    return b"".join(kept).decode("utf-16-le", "replace").strip()


def mentioned(message: dict[str, Any]) -> bool:
    """Is the bot called by name?"""
    return bool(_mentions(message))


def postback_data(event: Event) -> str:
    """What a pressed button carries; empty where it carries nothing."""
    postback = event.get("postback")
    data = postback.get("data") if isinstance(postback, dict) else None
    return data if isinstance(data, str) else ""


def _mentions(message: dict[str, Any]) -> list[dict[str, Any]]:
    mention = message.get("mention")
    mentionees = mention.get("mentionees") if isinstance(mention, dict) else None
    if not isinstance(mentionees, list):
        return []
    return [one for one in mentionees if isinstance(one, dict) and one.get("isSelf") is True]
