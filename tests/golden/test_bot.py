"""What the bot answers, by value: the reply as LINE gets it, and the status that LINE is told.

One file, an entry a case. `make golden` writes it anew.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.golden.bot_runner import NOW, SECRET, Bot, running, signature
from tests.golden.golden_files import compare

Event = dict[str, Any]
VECTOR = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
ONE_TO_ONE = {"type": "user", "userId": "U-ja"}
GROUP = {"type": "group", "groupId": "C-1", "userId": "U-ja"}
ROOM = {"type": "room", "roomId": "R-1", "userId": "U-ja"}
# So quick a request has to be that the bot cannot have given up waiting for LINE's profile, for LINE at all,
# for Parameter Store; and how often it is tried on a machine that is slow.
PROFILE_SECONDS, LINE_SECONDS, AWS_SECONDS, TRIES = 0.35, 1.7, 0.45, 20
MENTION = {"index": 0, "length": 5, "type": "user", "isSelf": True}


def event(kind: str, **more: Any) -> Event:
    """An event as LINE sends it; a property that is None is left out."""
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


def said(words: str, mentionees: list[Any] | None = None, **more: Any) -> Event:
    """A text message."""
    message: dict[str, Any] = {"id": "1", "type": "text", "quoteToken": "q", "text": words}
    if mentionees:
        message["mention"] = {"mentionees": mentionees}
    return event("message", message=message, **more)


def sent(kind: str, user: str = "U-ja", **more: Any) -> Event:
    """A message without words."""
    source = {"type": "user", "userId": user}
    return event("message", source=source, message={"id": "1", "type": kind, **more})


def pressed(data: Any, **more: Any) -> Event:
    """A button."""
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
    **{f"text {words[:30]!r}": said(words) for words in WORDS},
    "button: second page": pressed('["latest","",8,"ja",1786674600]'),
    "button: second page of a search": pressed('["search","the",1,"en",1786674600]'),
    "button: page of what is older": pressed('["latest","",0,"en",1700000000]'),
    "button: category": pressed('["category","Town",0,"en",0]'),
    "button: after the end": pressed('["latest","",100,"en",0]'),
    "button: words": pressed("ロケット"),
    "button: help": pressed("help"),
    "button: other JSON": pressed('["latest","",0,"fr",0]'),
    "button: nothing": pressed(None),
    "button: a number": pressed(7),
    "button: a date": pressed("latest", params={"date": "2026-08-14"}),
    "button in a group": pressed("latest", source=GROUP),
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
    "sticker, Japanese": sent("sticker", packageId="1", stickerId="2", keywords=["rocket"]),
    "sticker, English": sent("sticker", "U-en", packageId="1", stickerId="2"),
    "sticker, no profile": sent("sticker", "U-none", packageId="1", stickerId="2"),
    "image": sent("image", contentProvider={"type": "line"}),
    "video": sent("video", "U-en", duration=1000),
    "audio": sent("audio", duration=1000),
    "file": sent("file", fileName="rocket.txt", fileSize=3),
    "location": sent("location", "U-en", title="Tokyo", latitude=35.0, longitude=139.0),
    "message of an unknown kind": sent("hologram"),
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
    "standby": said("latest", mode="standby"),
    "unknown mode": said("latest", mode="later"),
    "no reply token": said("latest", replyToken=None),
    "reply token of a wrong type": said("latest", replyToken=7),
    "no source": said("rocket", source=None),
    "no time": said("rocket", timestamp=None),
    "group, not mentioned": said("rocket", source=GROUP),
    "group, mentioned": said("@News rocket", [MENTION], source=GROUP),
    "group, mentioned and no more": said("@News", [MENTION], source=GROUP),
    "group, somebody else mentioned": said(
        "@Anna rocket", [{**MENTION, "isSelf": False}], source=GROUP
    ),
    "group, all mentioned": said(
        "@All rocket", [{"index": 0, "length": 4, "type": "all"}], source=GROUP
    ),
    "room, mentioned after an emoji": said(
        "😀 @News rocket", [{**MENTION, "index": 3}], source=ROOM
    ),
    "group, sticker": event("message", source=GROUP, message={"id": "1", "type": "sticker"}),
    "nineteen minutes old": said("rocket", timestamp=int(NOW * 1000) - 19 * 60_000),
    "twenty-one minutes old": said("rocket", timestamp=int(NOW * 1000) - 21 * 60_000),
    "redelivery of what was not seen": said("rocket", deliveryContext={"isRedelivery": True}),
}


def test_bot(monkeypatch: pytest.MonkeyPatch, update: bool) -> None:
    """Every section of the file from a bot of its own."""
    sections = {
        "events": (events, LINE_SECONDS),
        "requests": (requests, LINE_SECONDS),
        "refusals": (errors, LINE_SECONDS),
        "secrets": (secrets, AWS_SECONDS),
        "stranger": (stranger, AWS_SECONDS),
    }
    found: dict[str, Any] = {}
    parts: dict[str, str] = {}
    for name, (section, seconds) in sections.items():
        found[name] = apart(in_time(monkeypatch, section, seconds), parts)
    found["parts"] = {name: json.loads(text) for text, name in parts.items()}
    compare("bot", found, update)


def in_time(
    monkeypatch: pytest.MonkeyPatch, section: Callable[[Bot], dict[str, Any]], seconds: float
) -> dict[str, Any]:
    """The section; once more where a request took longer than this, so that the bot may have given up
    waiting for LINE or Parameter Store: that is the machine, not the bot."""
    for _ in range(TRIES):
        with running(monkeypatch) as bot:
            found = section(bot)
        if bot.slowest < seconds:
            break
    return found


def apart(value: Any, parts: dict[str, str]) -> Any:
    """The value with the names of bubbles and of quick replies in their places: each is written once."""
    if isinstance(value, list):
        return [apart(each, parts) for each in value]
    if not isinstance(value, dict):
        return value
    kind = "bubble" if value.get("type") == "bubble" else "buttons" if "items" in value else ""
    if not kind:
        return {key: apart(each, parts) for key, each in value.items()}
    number = sum(name.startswith(kind) for name in parts.values()) + 1
    return f"<{parts.setdefault(json.dumps(value, sort_keys=True), f'{kind} {number}')}>"


def events(bot: Bot) -> dict[str, Any]:
    """One event a request; the same reply as an earlier one's is not written twice."""
    found: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for name, given in EVENTS.items():
        for attempt in range(TRIES):
            bot.slowest = 0.0
            became = bot.webhook({"webhookEventId": f"{name[:40]} {attempt}", **given})
            if bot.slowest < PROFILE_SECONDS:
                break
        first = seen.setdefault(json.dumps(became, sort_keys=True), name)
        found[name] = became if first == name else f"as {first}"
    return found


def requests(bot: Bot) -> dict[str, Any]:
    """Several events, none, the same twice, and what is no webhook of LINE's."""
    signed = {"x-line-signature": signature(VECTOR)}
    one = said("rocket", replyToken="1", webhookEventId="twice")
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
            said("rocket", replyToken="1"), event("unfollow"), 7, said("help", replyToken="2")
        ),
        "first delivery": bot.webhook(one),
        "second delivery": bot.webhook(again),
        "first delivery in one request, twice": bot.webhook(
            *[said("help", webhookEventId="both") for _ in range(2)]
        ),
    }


def errors(bot: Bot) -> dict[str, Any]:
    """LINE does not take the reply, and then takes it."""
    trouble, many = (500, "Internal Server Error"), (429, "You have reached your monthly limit.")

    def answered(*answers: tuple[int, str]) -> dict[str, Any]:
        bot.outside.answers = list(answers)
        return bot.webhook(said("help"))

    return {
        "messages refused": answered((400, "The request body has 1 error(s)")),
        "everything refused": answered(*[(400, "The request body has 1 error(s)")] * 9),
        "reply token spent": answered((400, "Invalid reply token")),
        "forbidden": answered((403, "Forbidden")),
        "trouble once": answered(trouble),
        "too many once": answered(many),
        "trouble every time": answered(*[trouble] * 9),
    }


def secrets(bot: Bot) -> dict[str, Any]:
    """Both are reissued: read again, and what was right before is wrong."""
    old = bot.webhook(said("help"))
    bot.outside.parameters = {"ACCESS_TOKEN": "renewed", "CHANNEL_SECRET": "new"}
    bot.outside.answers = [(401, "Authentication failed")]
    return {
        "before": old,
        "the new secret's signature, and the token is refused": bot.webhook(
            said("help"), secret="new"
        ),
        "the old secret's signature": bot.webhook(said("help"), secret=SECRET),
        "nobody's signature": bot.webhook(said("help"), secret="another"),
        "the new token": bot.webhook(said("help"), secret="new"),
    }


def stranger(bot: Bot) -> dict[str, Any]:
    """The first who comes after the secret was reissued, so that it is read again, is nobody."""
    bot.outside.parameters["CHANNEL_SECRET"] = "new"
    return {
        "nobody's signature": bot.webhook(said("help"), secret="another"),
        "the old secret's signature": bot.webhook(said("help"), secret=SECRET),
        "the new secret's signature": bot.webhook(said("help"), secret="new"),
    }


def test_line_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """LINE is answered within its two seconds, 500: it delivers again, and meets the first delivery."""
    with running(monkeypatch) as bot:
        bot.outside.goes_on.clear()
        one = said("help", webhookEventId="slow")
        began = time.monotonic()
        late = bot.webhook(one)
        took = time.monotonic() - began
        bot.outside.goes_on.set()
        again = bot.webhook({**one, "deliveryContext": {"isRedelivery": True}})
    assert (500, 200) == (late["status"], again["status"])
    assert 1 == len([*late.get("replies", []), *again.get("replies", [])])
    assert took < 9
