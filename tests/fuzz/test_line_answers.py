"""Answers of LINE's API, to the tool and to the bot."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Config
from bot.line import Line as BotLine
from bot.line import Outcome, channel_token
from bot.secrets import Secret
from provision.clients.line import Line
from tests.fuzz.inputs import call, damaged, damaged_bytes, fuzz, limits
from tests.fuzz.server import Server, answers

pytestmark = pytest.mark.full

DOCUMENTS: list[Any] = [
    {
        "userId": "U0",
        "basicId": "@bot",
        "displayName": "Bot",
        "chatMode": "bot",
        "markAsReadMode": "auto",
    },
    {"endpoint": "https://bot.example.jp/webhook", "active": True},
    {
        "success": False,
        "timestamp": "2026-11-30T00:00:00Z",
        "statusCode": 503,
        "reason": "ERROR_STATUS_CODE",
        "detail": "503",
    },
    {"client_id": "1", "expires_in": 2592000, "scope": "profile"},
    {"token_type": "Bearer", "access_token": "t", "expires_in": 900},
    {
        "message": "The request body has 1 error(s)",
        "details": [{"message": "x", "property": "messages[0]"}],
    },
    {"message": "Invalid reply token"},
    {"displayName": "A", "userId": "U0", "language": "ja"},
]


def text(document: Any) -> bytes:
    """Return JSON."""
    return json.dumps(document).encode()


BODIES = st.one_of(
    st.sampled_from(DOCUMENTS).map(text),
    st.sampled_from(DOCUMENTS).flatmap(damaged).map(text),
    st.sampled_from([*map(text, DOCUMENTS)]).flatmap(damaged_bytes),
    st.binary(max_size=100),
    st.sampled_from([b"[" * 3000, b"9" * 100_000, b"x" * (1 << 20), b'{"message":' * 3000]),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Yield a server that is not LINE."""
    with Server() as server:
        yield server


REQUESTS = {
    "channel": lambda line: line.channel(),
    "has_secret": lambda line: line.has_secret("1", "s"),
    "info": lambda line: line.info(),
    "endpoint": lambda line: line.endpoint(),
    "set_endpoint": lambda line: line.set_endpoint("https://bot.example.jp/webhook"),
    "test": lambda line: line.test("https://bot.example.jp/webhook"),
}


@fuzz(10)
@given(st.data(), st.sampled_from(sorted(REQUESTS)), st.booleans())
def test_tool(server: Server, data: st.DataObject, which: str, stateless: bool) -> None:
    """Whatever the server answers to the tool."""
    answer, token = data.draw(answers(BODIES, server.url)), text(DOCUMENTS[4])
    issued = data.draw(
        st.sampled_from([b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n" + token, answer])
    )
    server.requests = 0
    server.answer = lambda line: issued if "/oauth2/v3/" in line else answer
    line = Line(lambda: "token", server.url)
    if stateless:
        line.issue_tokens("1")
    call(partial(REQUESTS[which], line))
    assert server.requests < 5


@fuzz(5)
@given(st.data(), st.booleans())
def test_bot(server: Server, data: st.DataObject, stateless: bool) -> None:
    """Whatever the server answers to the bot: a reply has an outcome, a person a language or none."""
    answer = data.draw(answers(BODIES, server.url))
    server.requests, server.answer = 0, lambda line: answer
    secret, config = Secret("s"), Config("", "s", "1650000000", line_api_url=server.url, threads=1)
    token = channel_token(config, secret) if stateless else Secret("t")
    line = BotLine(config, token, sleep=lambda seconds: None)
    with limits():
        outcome = line.reply("token", [{"type": "text", "text": "a"}], [])
        language = line.language("U0")
    assert isinstance(outcome, Outcome)
    assert language in ("ja", "en", None)
    assert server.requests < 20
