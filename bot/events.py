"""LINE's events as line-bot-sdk's models.

LINE adds kinds and properties unannounced. Where the SDK cannot read an event, what the bot needs of it
is read alone: one unknown mention must not leave a message without an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from linebot.v3.webhooks import (
    Emoji,
    Event,
    EventMode,
    FollowDetail,
    FollowEvent,
    GroupSource,
    JoinEvent,
    Mention,
    MessageContent,
    MessageEvent,
    PostbackContent,
    PostbackEvent,
    RoomSource,
    TextMessageContent,
    UserMentionee,
    UserSource,
)

from bot.text import without

ANSWERED: dict[Any, Any] = {
    "message": MessageEvent,
    "follow": FollowEvent,
    "join": JoinEvent,
    "postback": PostbackEvent,
}


def kind_of(raw: Any) -> str:
    """Return the type of an event, fit for a log."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    return kind if isinstance(kind, str) and kind.isidentifier() and len(kind) < 40 else "unknown"


def read_event(raw: Any) -> Event | None:
    """Return the event if the bot answers to its kind; None for all others, and in standby mode."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or kind not in ANSWERED:
        return None
    if raw.get("mode", "active") != "active":  # another module answers
        return None
    token = raw.get("replyToken")
    if not isinstance(token, str) or not token:
        return None
    return _attempt(Event.from_dict, raw) or _essentials(ANSWERED[kind], token, raw)


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


def _essentials(model: Any, token: str, raw: dict[str, Any]) -> Event | None:
    """Return the event with what the bot needs, each part only if it can be read."""
    stamp = raw.get("timestamp")
    fields: dict[str, Any] = {
        "type": raw["type"],
        "mode": EventMode.ACTIVE,
        "reply_token": token,
        "timestamp": stamp if type(stamp) is int else None,
        "source": _source(raw.get("source")),
    }
    if model is MessageEvent:
        fields["message"] = _message(raw.get("message"))
        if fields["message"] is None:
            return None
    elif model is FollowEvent:
        fields["follow"] = _attempt(FollowDetail.from_dict, raw.get("follow"))
    elif model is PostbackEvent:
        postback = raw.get("postback")
        data = postback.get("data") if isinstance(postback, dict) else None
        params = postback.get("params") if isinstance(postback, dict) else None
        fields["postback"] = PostbackContent.construct(
            data=data if isinstance(data, str) else "",
            params=params if isinstance(params, dict) else None,
        )
    event: Event = model.construct(**fields)
    return event


def _source(raw: Any) -> Any:
    """Return the source, whose id the bot does not need; None for an unknown kind."""
    if not isinstance(raw, dict):
        return None
    model: Any = {"user": UserSource, "group": GroupSource, "room": RoomSource}.get(
        str(raw.get("type"))
    )
    user = raw.get("userId")
    return model and model.construct(user_id=user if isinstance(user, str) else None)


def _message(raw: Any) -> Any:
    if not isinstance(raw, dict) or not raw:
        return None
    if raw.get("type") != "text" or not isinstance(raw.get("text"), str):
        return MessageContent.construct(type=str(raw.get("type")))
    mention = raw.get("mention")
    mentionees = [
        UserMentionee.construct(**place, is_self=one.get("isSelf") is True)
        for one, place in _places(mention.get("mentionees") if isinstance(mention, dict) else None)
    ]
    return TextMessageContent.construct(
        type="text",
        text=raw["text"],
        emojis=[Emoji.construct(**place) for _one, place in _places(raw.get("emojis"))],
        mention=Mention.construct(mentionees=mentionees),
    )


def _places(values: Any) -> list[tuple[dict[str, Any], dict[str, int]]]:
    """Return those of the objects that say which part of the text they are, and which it is."""
    objects = [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
    return [
        (one, {"index": one["index"], "length": one["length"]})
        for one in objects
        if type(one.get("index")) is int and type(one.get("length")) is int
    ]


def _attempt(read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except Exception:  # pydantic's, KeyError, TypeError, and what else hostile JSON brings about
        return None
