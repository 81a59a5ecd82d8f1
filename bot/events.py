"""LINE's events as line-bot-sdk's models, whatever a webhook holds."""

from typing import Any

from linebot.v3.webhooks import Event, GroupSource, MessageContent, RoomSource, TextMessageContent

from bot.data import load_json
from bot.text import without

ANSWERED = ("message", "follow", "join", "postback")
# What the SDK or the bot needs of an event, and what to put where it is missing or of a wrong type.
_TEMPLATE = load_json("event.json")


def kind_of(raw: Any) -> str:
    """Return the type of an event, fit for a log."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    return kind if isinstance(kind, str) and kind.isidentifier() and len(kind) < 40 else "unknown"


def read_event(raw: Any) -> Event | None:
    """Return the event if the bot answers to its kind; else, and in standby mode, None.

    Where the SDK cannot read one, as LINE adds properties unannounced, what the bot needs is read alone.
    """
    if kind_of(raw) not in ANSWERED or raw.get("mode", "active") != "active":
        return None
    token = raw.get("replyToken")
    if not isinstance(token, str) or not token:
        return None
    for read in (Event.from_dict, _read_needed):
        try:
            return read(raw)
        except Exception:  # hostile JSON brings about more than pydantic's
            continue
    return None


def _read_needed(raw: dict[str, Any]) -> Event:
    given = _completed(raw, _TEMPLATE)
    if given["source"]["type"] not in ("user", "group", "room"):
        given["source"] = None
    for mentionee in given["message"]["mention"]["mentionees"]:
        mentionee["type"] = "user"
    kind, given["message"]["type"] = given["message"]["type"], "text"
    event = Event.from_dict(given)
    if raw["type"] == "message" and not raw["message"].keys():
        raise ValueError("a message without a message")
    if raw["type"] == "message" and kind != "text":
        event.message = MessageContent(type=kind, id="")
    return event


def _completed(value: Any, template: Any) -> Any:
    """Return the value in the form of the template, with its defaults."""
    if isinstance(template, dict):
        value = value if isinstance(value, dict) else {}
        return {key: _completed(value.get(key), part) for key, part in template.items()}
    if isinstance(template, list):
        return [_completed(one, template[0]) for one in value] if isinstance(value, list) else []
    return value if type(value) is type(template) else template


def in_group(event: Any) -> bool:
    """Return whether it happened in a group or a room."""
    return isinstance(event.source, GroupSource | RoomSource)


def user_id(event: Any) -> str:
    """Return whose event it is; empty if LINE does not say."""
    return getattr(event.source, "user_id", None) or ""


def mentions_bot(message: Any) -> bool:
    """Return whether a text message calls the bot by name."""
    mention = getattr(message, "mention", None)
    return any(getattr(one, "is_self", False) for one in (mention.mentionees if mention else []))


def words_of(message: Any) -> str:
    """Return what a person wrote, without mentions and LINE's own emoji; empty for anything but text."""
    if not isinstance(message, TextMessageContent):
        return ""
    parts = [*(message.mention.mentionees if message.mention else []), *(message.emojis or [])]
    spans = [(part.index, part.length) for part in parts]
    return without(message.text, spans) if spans else message.text
