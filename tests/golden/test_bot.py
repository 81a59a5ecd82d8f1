"""The bot's answers by value: the reply as LINE gets it, and the webhook's status.

One file with an entry per case. `make golden` rewrites it.
"""

import json
import time
from typing import Any

import pytest

from tests.golden.bot_runner import NOW, SECRET, Bot, running_bot, signature
from tests.golden.golden_files import compare

Event = dict[str, Any]
VECTOR = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
ONE_TO_ONE = {"type": "user", "userId": "U-ja"}
GROUP = {"type": "group", "groupId": "C-1", "userId": "U-ja"}
ROOM = {"type": "room", "roomId": "R-1", "userId": "U-ja"}
MENTION = {"index": 0, "length": 5, "type": "user", "isSelf": True}


def event(kind: str, **more: Any) -> Event:
    """Return an event as LINE sends it; properties that are None are left out."""
    given = {
        "type": kind,
        "mode": "active",
        "timestamp": int(NOW * 1000) - 500,
        "source": ONE_TO_ONE,
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "token",
        **more,
    }
    return {key: value for key, value in given.items() if value is not None}


def text_message(words: str, mentionees: list[Any] | None = None, **more: Any) -> Event:
    """Return a text message event."""
    message: dict[str, Any] = {"id": "1", "type": "text", "quoteToken": "q", "text": words}
    if mentionees:
        message["mention"] = {"mentionees": mentionees}
    return event("message", message=message, **more)


def other_message(kind: str, user: str = "U-ja", **more: Any) -> Event:
    """Return a message event without text."""
    source = {"type": "user", "userId": user}
    return event("message", source=source, message={"id": "1", "type": kind, **more})


def postback(data: Any, **more: Any) -> Event:
    """Return the event of a pressed button."""
    return event("postback", postback={"data": data, **more})


WORDS = [
    *("latest", "Ｌａｔｅｓｔ", "news", "最新", "ニュース", "新着"),
    *("help", "HELP", "?", "hello", "ヘルプ", "使い方", "こんにちは"),
    *("Science", "サイエンス", "ｻｲｴﾝｽ", "さいえんす", "Town", "technology"),
    *("rocket", "ROCKET fuel", "ろけっと", "library telescopes", "見本", "salt", "seaweed  smells"),
    *("zebra", "シマウマ", "Technolgy", "サイエンスの本", "Tow"),
    *("   ", "\u202e\x00", "😀", "a\nb", '"<&>\\', "날씨", "天气", "rocket " * 700, "あ" * 5000),
]
EVENTS: dict[str, Event] = {
    **{f"text {words[:30]!r}": text_message(words) for words in WORDS},
    "button: second page": postback('["latest","",8,"ja",1786674600]'),
    "button: second page of a search": postback('["search","the",1,"en",1786674600]'),
    "button: page of what is older": postback('["latest","",0,"en",1700000000]'),
    "button: category": postback('["category","Town",0,"en",0]'),
    "button: after the end": postback('["latest","",100,"en",0]'),
    "button: words": postback("ロケット"),
    "button: help": postback("help"),
    "button: other JSON": postback('["latest","",0,"fr",0]'),
    "button: nothing": postback(None),
    "button: a number": postback(7),
    "button: a date": postback("latest", params={"date": "2026-08-14"}),
    "button in a group": postback("latest", source=GROUP),
    "follow, Japanese": event("follow", follow={"isUnblocked": False}),
    "follow, English": event("follow", source={"type": "user", "userId": "U-en"}),
    "follow, French": event("follow", source={"type": "user", "userId": "U-fr"}),
    "follow, no profile": event("follow", source={"type": "user", "userId": "U-none"}),
    "unfollow": event("unfollow", replyToken=None),
    "join a group": event("join", source=GROUP),
    "join a room": event("join", source=ROOM),
    "leave": event("leave", source=GROUP, replyToken=None),
    "member joined": event("memberJoined", source=GROUP, joined={"members": [ONE_TO_ONE]}),
    "member left": event("memberLeft", source=GROUP, replyToken=None),
    "sticker, Japanese": other_message(
        "sticker", packageId="1", stickerId="2", keywords=["rocket"]
    ),
    "sticker, English": other_message("sticker", "U-en", packageId="1", stickerId="2"),
    "sticker, no profile": other_message("sticker", "U-none", packageId="1", stickerId="2"),
    "image": other_message("image", contentProvider={"type": "line"}),
    "video": other_message("video", "U-en", duration=1000),
    "audio": other_message("audio", duration=1000),
    "file": other_message("file", fileName="rocket.txt", fileSize=3),
    "location": other_message("location", "U-en", title="Tokyo", latitude=35.0, longitude=139.0),
    "message of an unknown kind": other_message("hologram"),
    "message without a message": event("message"),
    "unsend": event("unsend", unsend={"messageId": "1"}, replyToken=None),
    "edited message": event("messageEdited", message={"id": "1", "type": "text", "text": "latest"}),
    "read": event("read", replyToken=None),
    "account link": event("accountLink", link={"result": "ok", "nonce": "n"}),
    "beacon": event("beacon", beacon={"hwid": "h", "type": "enter"}),
    "video watched": event("videoPlayComplete", videoPlayComplete={"trackingId": "t"}),
    "membership": event("membership", membership={"type": "joined", "membershipId": 1}),
    "module": event("module", module={"type": "attached"}, replyToken=None),
    "unknown event": event("somethingNew", somethingNew={"a": 1}),
    "standby": text_message("latest", mode="standby"),
    "unknown mode": text_message("latest", mode="later"),
    "no reply token": text_message("latest", replyToken=None),
    "reply token of a wrong type": text_message("latest", replyToken=7),
    "no source": text_message("rocket", source=None),
    "no time": text_message("rocket", timestamp=None),
    "group, not mentioned": text_message("rocket", source=GROUP),
    "group, mentioned": text_message("@News rocket", [MENTION], source=GROUP),
    "group, mentioned and no more": text_message("@News", [MENTION], source=GROUP),
    "group, somebody else mentioned": text_message(
        "@Anna rocket", [{**MENTION, "isSelf": False}], source=GROUP
    ),
    "group, all mentioned": text_message(
        "@All rocket", [{"index": 0, "length": 4, "type": "all"}], source=GROUP
    ),
    "room, mentioned after an emoji": text_message(
        "😀 @News rocket", [{**MENTION, "index": 3}], source=ROOM
    ),
    "group, sticker": event("message", source=GROUP, message={"id": "1", "type": "sticker"}),
    "nineteen minutes old": text_message("rocket", timestamp=int(NOW * 1000) - 19 * 60_000),
    "twenty-one minutes old": text_message("rocket", timestamp=int(NOW * 1000) - 21 * 60_000),
    "redelivery of what was not seen": text_message(
        "rocket", deliveryContext={"isRedelivery": True}
    ),
}


def test_bot_answers(monkeypatch: pytest.MonkeyPatch, update: bool) -> None:
    """Each section of the file comes from its own bot."""
    sections = {
        "events": events,
        "requests": requests,
        "refusals": errors,
        "secrets": secrets,
        "stranger": stranger,
    }
    found: dict[str, Any] = {}
    parts: dict[str, str] = {}
    for name, section in sections.items():
        with running_bot(monkeypatch) as bot:
            found[name] = extract_parts(section(bot), parts)
    found["parts"] = {name: json.loads(text) for text, name in parts.items()}
    compare("bot", found, update)


def extract_parts(value: Any, parts: dict[str, str]) -> Any:
    """Return the value with bubbles and quick replies replaced by names, so that each is written once."""
    if isinstance(value, list):
        return [extract_parts(each, parts) for each in value]
    if not isinstance(value, dict):
        return value
    kind = "bubble" if value.get("type") == "bubble" else "buttons" if "items" in value else ""
    if not kind:
        return {key: extract_parts(each, parts) for key, each in value.items()}
    number = sum(name.startswith(kind) for name in parts.values()) + 1
    return f"<{parts.setdefault(json.dumps(value, sort_keys=True), f'{kind} {number}')}>"


def events(bot: Bot) -> dict[str, Any]:
    """Return the answer to each event; one equal to an earlier answer refers to it."""
    found: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for name, given in EVENTS.items():
        answer = bot.webhook({"webhookEventId": name[:40], **given})
        first = seen.setdefault(json.dumps(answer, sort_keys=True), name)
        found[name] = answer if first == name else f"as {first}"
    return found


def requests(bot: Bot) -> dict[str, Any]:
    """Return the answers to several events, none, duplicates, and requests that are not LINE's."""
    signed = {"x-line-signature": signature(VECTOR)}
    one = text_message("rocket", replyToken="1", webhookEventId="twice")
    again = {**one, "replyToken": "2", "deliveryContext": {"isRedelivery": True}}

    def raw(body: bytes) -> dict[str, Any]:
        return bot.post(body, {"x-line-signature": signature(body)})

    return {
        "healthz": bot.open("GET", "/healthz"),
        "healthz, HEAD": bot.open("HEAD", "/healthz"),
        "healthz, POST": bot.open("POST", "/healthz"),
        "webhook, GET": bot.open("GET", "/webhook"),
        "another path": bot.open("POST", "/", data=VECTOR, headers=signed),
        "no events, as the Verify button sends it": bot.post(VECTOR, signed),
        "signature header in capitals": bot.post(VECTOR, {"X-LINE-SIGNATURE": signature(VECTOR)}),
        "no signature": bot.post(VECTOR, {}),
        "empty signature": bot.post(VECTOR, {"x-line-signature": ""}),
        "another secret's signature": bot.webhook(one, secret="another"),
        "another body's signature": bot.post(VECTOR + b" ", signed),
        "half a signature": bot.post(VECTOR, {"x-line-signature": signature(VECTOR)[:-4]}),
        "not JSON": raw(b'{"events": ['),
        "not an object": raw(b"[]"),
        "no list of events": raw(b'{"events": {}}'),
        "not UTF-8": raw(b"\xff"),
        "nothing": raw(b""),
        "deep": raw(b"[" * 100_000),
        "too large": raw(b" " * 2_000_001),
        "several events": bot.webhook(
            text_message("rocket", replyToken="1"),
            event("unfollow"),
            7,
            text_message("help", replyToken="2"),
        ),
        "first delivery": bot.webhook(one),
        "second delivery": bot.webhook(again),
        "first delivery in one request, twice": bot.webhook(
            *[text_message("help", webhookEventId="both") for _ in range(2)]
        ),
    }


def errors(bot: Bot) -> dict[str, Any]:
    """Return the answers while LINE rejects replies, and then accepts them."""
    server_error, too_many = (
        (500, "Internal Server Error"),
        (429, "You have reached your monthly limit."),
    )

    def answered(*answers: tuple[int, str]) -> dict[str, Any]:
        bot.services.answers = list(answers)
        return bot.webhook(text_message("help"))

    return {
        "messages refused": answered((400, "The request body has 1 error(s)")),
        "everything refused": answered(*[(400, "The request body has 1 error(s)")] * 9),
        "reply token spent": answered((400, "Invalid reply token")),
        "forbidden": answered((403, "Forbidden")),
        "trouble once": answered(server_error),
        "too many once": answered(too_many),
        "trouble every time": answered(*[server_error] * 9),
    }


def secrets(bot: Bot) -> dict[str, Any]:
    """Return the answers after both secrets were reissued: the new ones are read."""
    old = bot.webhook(text_message("help"))
    bot.services.parameters = {"ACCESS_TOKEN": "renewed", "CHANNEL_SECRET": "new"}
    bot.services.answers = [(401, "Authentication failed")]
    return {
        "before": old,
        "the new secret's signature, and the token is refused": bot.webhook(
            text_message("help"), secret="new"
        ),
        "the old secret's signature": bot.webhook(text_message("help"), secret=SECRET),
        "nobody's signature": bot.webhook(text_message("help"), secret="another"),
        "the new token": bot.webhook(text_message("help"), secret="new"),
    }


def stranger(bot: Bot) -> dict[str, Any]:
    """Return the answers when the first request after a reissue has a foreign signature."""
    bot.services.parameters["CHANNEL_SECRET"] = "new"
    return {
        "nobody's signature": bot.webhook(text_message("help"), secret="another"),
        "the old secret's signature": bot.webhook(text_message("help"), secret=SECRET),
        "the new secret's signature": bot.webhook(text_message("help"), secret="new"),
    }


def test_slow_line_and_redelivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """LINE gets its 500 within two seconds; it redelivers, and only one reply is sent."""
    with running_bot(monkeypatch, answer_seconds=1.8) as bot:
        bot.services.answering.clear()
        one = text_message("help", webhookEventId="slow")
        began = time.monotonic()
        late = bot.webhook(one)
        took = time.monotonic() - began
        bot.services.answering.set()
        again = bot.webhook({**one, "deliveryContext": {"isRedelivery": True}})
    assert (500, 200) == (late["status"], again["status"])
    assert 1 == len([*late.get("replies", []), *again.get("replies", [])])
    assert took < 9
