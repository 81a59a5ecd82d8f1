"""50,000 hostile webhooks with a valid signature, through the Flask application in this process.

Each is a webhook as LINE sends it, of which a few values are something else. No status but 200, 400, 401
and 413, no event that its next delivery waits for, no word or id of a person in the log, nothing that LINE
would refuse, and no memory that grows.
"""

import base64
import copy
import hashlib
import hmac
import json
import logging
import random
import resource
import sys
import time
from collections import Counter
from typing import Any

import pytest

from bot.app import create_app
from bot.config import SAMPLES, Config
from bot.line import Outcome
from bot.logs import JsonLines
from bot.messages import Message
from bot.news.cache import Cache
from bot.news.store import Folder
from provision.sandbox.line.messages import problems

pytestmark = pytest.mark.full

COUNT, SEED = 50_000, 18
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
CANARY = "canary-of-a-person"
NOW = 1_800_000_000.0
WORDS = [
    "latest",
    "最新",
    "help",
    "ありがとう",
    "通知",
    "月",
    "zebra",
    "load balencer",
    CANARY,
    "@Bot (love) 最新",
]
ODD: list[Any] = [
    *(None, True, False, 0, -1, 7, 2**31, 2**63, 10**400, -(10**400), 1.5, -0.0, 1e308),
    *(
        float("inf"),
        float("nan"),
        "",
        " ",
        "\x00",
        "\ud800",
        "\udfff\ud800",
        "\u202e",
        "\u200b" * 300,
    ),
    *("x" * 5000, "あ" * 5000, "😀" * 2500, "null", "[" * 900, '["latest","",0,"ja",0]'),
    *(
        '["search","月",1000000,"ja",-1]',
        [],
        {},
        [[]],
        [None],
        {"": None},
        [{"index": 10**400, "length": 1}],
    ),
    *(
        {"type": "text"},
        {"mentionees": 7},
        {"mentionees": [{"index": -5, "length": 10**9, "isSelf": True}]},
    ),
    *(
        "unknown",
        "__class__",
        "a" * 39,
        "user",
        "group",
        "message",
        "standby",
        "active",
        "newRichMenuAliasId",
    ),
]
HEADERS = {
    "X-Amzn-Trace-Id": [
        "",
        "Root=1-67891233-abcdef012345678912345678",
        "x" * 8000,
        "ü\u00a0",
        "{}",
    ],
    "Content-Type": [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "ü",
    ],
    "User-Agent": ["", "LineBotWebhook/2.0", "ü" * 300],
    "Content-Encoding": ["gzip", "identity", "ü"],
    "X-Forwarded-For": ["", "1.2.3.4, 5.6.7.8", "x" * 300],
    "Expect": ["100-continue", "x"],
}


class Phone:
    """LINE: checks each reply, and counts them by token."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.replies = 0
        self.wrong: list[Any] = []

    def reply(self, reply_token: str, messages: list[Message], plain: list[Message]) -> Outcome:
        self.replies += 1
        self.count[reply_token] += 1
        if self.replies % 10 == 0 and (found := problems(messages)):
            self.wrong.append(found)
        return Outcome.TAKEN

    def language(self, user_id: str) -> str | None:
        return None


class Log(logging.Handler):
    """Notes what must not be in the log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines, self.leaks = 0, list[str]()
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        self.lines += 1
        if CANARY in line or SECRET in line or "Traceback" in line:
            self.leaks.append(line)


def event(chosen: random.Random, number: int) -> dict[str, Any]:
    """An event as LINE sends it."""
    user = {"type": "user", "userId": CANARY}
    kinds: dict[str, dict[str, Any]] = {
        "message": {
            "message": {
                "id": "1",
                "type": chosen.choice(["text", "text", "text", "sticker", "image", "location"]),
                "quoteToken": "q",
                "text": chosen.choice(WORDS),
                "emojis": [{"index": 5, "length": 6, "productId": "p", "emojiId": "1"}],
                "mention": {
                    "mentionees": [
                        {"index": 0, "length": 4, "type": "user", "isSelf": True},
                        {"index": 5, "length": 2, "type": "all"},
                    ]
                },
            }
        },
        "follow": {"follow": {"isUnblocked": chosen.random() < 0.5}},
        "join": {},
        "postback": {"postback": {"data": chosen.choice(WORDS), "params": {"date": "2026-08-14"}}},
        "unsend": {"unsend": {"messageId": "1"}},
    }
    kind = chosen.choice([*kinds, "message", "message"])
    return {
        "type": kind,
        "mode": "active",
        "timestamp": int(NOW * 1000),
        "webhookEventId": f"id-{number}-{chosen.random()}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": f"token-{number}",
        "source": chosen.choice(
            [
                user,
                {**user, "type": "group", "groupId": "C"},
                {**user, "type": "room", "roomId": "R"},
            ]
        ),
        **kinds[kind],
    }


def spoil(chosen: random.Random, value: Any) -> None:
    """Put something else into one place of a JSON document, or take something away."""
    while isinstance(value, dict | list) and value:
        key = (
            chosen.choice(list(value)) if isinstance(value, dict) else chosen.randrange(len(value))
        )
        inner = value[key]
        if isinstance(inner, dict | list) and inner and chosen.random() < 0.75:
            value = inner
            continue
        if isinstance(value, dict) and chosen.random() < 0.2:
            del value[key]
        else:
            value[key] = copy.deepcopy(chosen.choice(ODD))
        return


def signed(body: bytes) -> str:
    """The signature that LINE would send with this body."""
    return base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()


class Broken:
    """A body of which the next chunk is wrong."""

    def read(self, size: int = -1) -> bytes:
        raise RuntimeError("InvalidChunkSize")


def rss() -> int:
    """Memory of this process in bytes."""
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_hostile_webhooks() -> None:
    """Seeded: the same webhooks in every run."""
    chosen, phone, log = random.Random(SEED), Phone(), Log()
    logger = logging.getLogger("bot")
    logger.addHandler(log)
    logger.setLevel("INFO")
    logger.propagate = False
    cache = Cache(Folder(SAMPLES), run=lambda work: work())
    config = Config("t", SECRET, threads=8)
    app = create_app(
        config, line=phone, cache=cache, clock=lambda: NOW, answer_seconds=60
    )  # a busy machine may take longer than LINE waits
    client = app.test_client()
    statuses: Counter[int] = Counter()
    memory: list[int] = []
    slowest, stuck, failures = 0.0, 0, []
    for number in range(COUNT):
        good = {**event(chosen, number), "type": "follow", "replyToken": f"good-{number}"}
        good |= {"follow": {"isUnblocked": False}, "webhookEventId": f"good-{number}"}
        document: Any = {"destination": "U", "events": [event(chosen, number) for _ in range(2)]}
        for _ in range(chosen.choice((1, 1, 2, 5))):
            spoil(chosen, document["events"])
        document["events"].append(good)
        if outer := chosen.random() < 0.02:
            spoil(chosen, document)
        body = json.dumps(document).encode()
        headers = {"X-Line-Signature": signed(body)}
        for name in chosen.sample(sorted(HEADERS), chosen.randrange(3)):
            headers[name] = chosen.choice(HEADERS[name])
        more: dict[str, Any] = {}
        if bad := chosen.random() < 0.01:
            more = {"wsgi.input": Broken(), "wsgi.input_terminated": True}
        began = time.monotonic()
        answers = [
            client.post("/webhook", data=body, headers=headers, environ_overrides=more)
            for _ in range(1 if chosen.random() < 0.9 else 2)
        ]
        slowest = max(slowest, time.monotonic() - began)
        statuses.update(answer.status_code for answer in answers)
        expected = {400} if bad else {200, 400} if outer else {200}
        if not {answer.status_code for answer in answers} <= expected:
            failures.append((answers[0].status_code, body[:3000], headers))
        if not bad and not outer and phone.count.pop(f"good-{number}", 0) != 1:
            stuck += 1
        phone.count.clear()
        if number % 1000 == 999:
            memory.append(rss())
    app.config["EVENTS"].close()
    logger.removeHandler(log)
    half = len(memory) // 2  # by then 20,000 ids are remembered, and no more
    print(
        f"\n{COUNT} webhooks: {dict(statuses)}, {phone.replies} replies, {log.lines} log lines, "
        f"slowest {slowest * 1000:.0f} ms, memory {memory[half] >> 20} to {memory[-1] >> 20} MB"
    )
    assert [] == failures[:3]
    assert 0 == stuck
    assert [] == phone.wrong[:3]
    assert [] == log.leaks[:3]
    assert memory[-1] - memory[half] < 10 << 20
