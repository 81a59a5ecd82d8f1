"""Webhooks with a valid signature, and bodies that are none."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app import create_app
from bot.config import SAMPLES, Config
from bot.news.cache import Cache
from bot.news.store import Folder
from tests.full.test_hostile_webhooks import NOW, SECRET, Phone, signed
from tests.fuzz.inputs import damaged, damaged_bytes, fuzz, limits

pytestmark = pytest.mark.full

EVENT = {
    "type": "message",
    "mode": "active",
    "timestamp": int(NOW * 1000),
    "webhookEventId": "01",
    "deliveryContext": {"isRedelivery": False},
    "replyToken": "token",
    "source": {"type": "group", "groupId": "C1", "userId": "U1"},
    "message": {
        "id": "1",
        "type": "text",
        "quoteToken": "q",
        "text": "@Bot (love) 最新",
        "emojis": [{"index": 5, "length": 6, "productId": "p", "emojiId": "1"}],
        "mention": {"mentionees": [{"index": 0, "length": 4, "type": "user", "isSelf": True}]},
    },
}
OTHERS: list[dict[str, Any]] = [
    {"type": "follow", "follow": {"isUnblocked": False}},
    {"type": "join"},
    {"type": "postback", "postback": {"data": '["latest","",0,"ja",0]', "params": {"date": "x"}}},
    {"type": "unsend", "unsend": {"messageId": "1"}},
]
EVENTS = [EVENT, *({**EVENT, **other, "webhookEventId": other["type"]} for other in OTHERS)]
WEBHOOK = {"destination": "U0", "events": EVENTS}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*EVENT, "events", "text", "data", "x"]), inner)
    ),
)
BODIES = st.one_of(
    damaged(WEBHOOK).map(lambda document: json.dumps(document).encode()),
    damaged(WEBHOOK).map(lambda document: json.dumps(document).encode()),
    DOCUMENTS.map(lambda document: json.dumps({"events": [document]}).encode()),
    damaged_bytes(json.dumps(WEBHOOK).encode()),
    st.binary(max_size=200),
    st.sampled_from([b"[" * 3000, b'{"events":[' + b'{"a":' * 3000, b"9" * 100_000]),
)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Yield a client of the bot's application."""
    cache = Cache(Folder(SAMPLES), run=lambda work: work())
    config = Config("t", SECRET, threads=1)
    app = create_app(config, line=Phone(), cache=cache, clock=lambda: NOW, answer_seconds=60)
    yield app.test_client()
    app.config["EVENTS"].close()


@fuzz(25)
@given(BODIES)
def test_webhook(client: Any, body: bytes) -> None:
    """It is acknowledged, or refused as none: never a 500, after which LINE would send it again."""
    with limits():
        answer = client.post("/webhook", data=body, headers={"X-Line-Signature": signed(body)})
    assert answer.status_code in (200, 400, 413)


@fuzz(2)
@given(BODIES, st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"])))
def test_signature(client: Any, body: bytes, signature: str) -> None:
    """Whatever the signature is: what LINE did not sign is refused."""
    with limits():
        answer = client.post("/webhook", data=body, headers={"X-Line-Signature": signature})
    assert answer.status_code in (400, 401, 413)
