"""Messages within LINE's limits, whatever the articles hold."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.messages import Message, ago, button, carousel, text, uri, with_buttons
from bot.news.articles import Article
from bot.query import Query
from provision.sandbox.line.messages import problems
from tests.bot.articles import HOSTILE, articles, words
from tests.openapi import needs_description, violations

NOW = 1_800_000_000.0
FULL = Article(  # type: ignore[call-arg]
    "😀" * 999, "https://e.com/" + "x" * 986, *["あ" * 999] * 3, NOW, "https://e.com/" + "y" * 986
)


def escaped_size(value: Any) -> int:
    """Bytes of the JSON in its longest form, every character outside ASCII escaped."""
    return len(json.dumps(value))


def made(found: list[Article], heading: str, asked: list[str]) -> list[Message]:
    """All that messages.py can put into one reply."""
    messages = [text(f"said: {heading}"), carousel(found, heading, NOW, "ja")]
    more = button("もっと見る", Query("search", "x" * 270, "ja", 8, 1_800_000_000))
    return with_buttons(
        messages, [more, *(button(one, Query("category", one, "ja")) for one in asked)]
    )


@settings(max_examples=60, deadline=None)
@example(found=[FULL] * 20, heading=HOSTILE, asked=[HOSTILE, "あ" * 300, *map(str, range(30))])
@given(
    found=st.lists(articles, min_size=1, max_size=10),
    heading=words,
    asked=st.lists(words, max_size=20),
)
def test_hostile_articles_stay_within_the_limits(
    found: list[Article], heading: str, asked: list[str]
) -> None:
    """Nothing that LINE refuses, sizes hold even where JSON escapes everything, and it is UTF-8."""
    messages = made(found, heading, asked)
    assert [] == problems(messages)
    contents = messages[1]["contents"]
    assert escaped_size(contents) <= 50_000
    assert all(escaped_size(bubble) <= 30_000 for bubble in contents["contents"])
    json.dumps(messages, ensure_ascii=False).encode()


CONTRACT = made(
    [FULL, Article("t"), Article("t", "https://example.com", "c", "s", "o", NOW - 60)],
    "heading",
    ["最新", "help"],
)


@needs_description
def test_the_description_refuses_what_it_should() -> None:
    """The check itself can fail: unknown kinds, missing properties, wrong types and enums."""
    wrong = [
        {"type": "bogus"},
        {"type": "text"},
        {"type": "flex", "altText": "a", "contents": {"type": "bubble", "size": "vast"}},
        {"type": "flex", "altText": 1, "contents": {"type": "carousel", "contents": [{}]}},
    ]
    assert 5 <= len(
        [fault for one in wrong for fault in violations("messaging-api.yml", "Message", one)]
    )


def test_the_sdk_reads_such_messages() -> None:
    """Contract, against line-bot-sdk's generated models, which are on every developer's machine."""
    from linebot.v3.messaging import ReplyMessageRequest

    request = ReplyMessageRequest.from_dict({"replyToken": "r", "messages": CONTRACT})
    assert ["TextMessage", "FlexMessage"] == [type(one).__name__ for one in request.messages]
    assert 3 == len(request.messages[1].contents.contents)


def test_buttons_are_below_the_last_message() -> None:
    """LINE shows only those; the label may be cut, what the chat shows is whole."""
    buttons = [button(word, Query("category", word, "ja")) for word in ["x" * 25, "y"]]
    messages = with_buttons([text("a"), text("b")], buttons)
    assert "quickReply" not in messages[0]
    action = {
        "type": "postback",
        "label": "x" * 19 + "…",
        "data": f'["category","{"x" * 25}",0,"ja",0]',
        "displayText": "x" * 25,
    }
    assert {"type": "action", "action": action} == messages[1]["quickReply"]["items"][0]


@pytest.mark.parametrize("word", ["", "\x00", " ", "z" * 301, "😀" * 151])
def test_no_button_for_what_would_not_arrive(word: str) -> None:
    """Nothing to see, or too long to be sent back whole."""
    assert button(word, Query("category", word, "ja")) is None


def test_no_buttons_no_quick_reply() -> None:
    """An empty list of items is refused by LINE."""
    assert [text("a")] == with_buttons([text("a")], [None])


@pytest.mark.parametrize(
    ("seconds", "japanese", "english"),
    [
        (-5, "たった今", "just now"),
        (59, "たった今", "just now"),
        (60, "1分前", "1 minute ago"),
        (3 * 3600 + 5, "3時間前", "3 hours ago"),
        (86400, "1日前", "1 day ago"),
        (30 * 86400 - 1, "29日前", "29 days ago"),
        (30 * 86400, "2026-12-16", "2026-12-16"),
        (40 * 86400, "2026-12-06", "2026-12-06"),
    ],
)
def test_ago(seconds: float, japanese: str, english: str) -> None:
    """As one says it, in either language."""
    assert japanese == ago(NOW - seconds, NOW, "ja")
    assert english == ago(NOW - seconds, NOW, "en")


def test_old_date_is_utc() -> None:
    """Not that of the machine's zone: one second before midnight it is still the day before."""
    assert "2026-11-30" == ago(1_796_083_199, NOW, "en")


@pytest.mark.parametrize("published", [0.0, -1.0, float("-inf")])
def test_ago_unknown(published: float) -> None:
    """No date is better than 1970."""
    assert "" == ago(published, NOW, "en")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
        ("https://例え.jp/道 1?q=あ", "https://xn--r8jz45g.jp/%E9%81%93%201?q=%E3%81%82"),
        ("http://example.com:8080", "http://example.com:8080"),
        ("https://user:password@example.com/", "https://example.com/"),
        ("https://example.com/%E9", "https://example.com/%E9"),
        ("javascript:alert(1)", ""),
        ("ftp://example.com", ""),
        ("https://", ""),
        ("https://example.com:99999/", ""),
        ("/relative", ""),
        ("https://example.com/" + "x" * 980, "https://example.com/" + "x" * 980),
        ("https://example.com/" + "x" * 981, ""),
    ],
)
def test_uri(address: str, expected: str) -> None:
    """Web addresses, percent-encoded; anything else gets no button."""
    assert expected == uri(address)
