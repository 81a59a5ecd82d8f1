"""Events as LINE may send them, now or one day."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.deduplication import event_id
from bot.events import kind_of, read_event, user_id, words_of
from bot.handlers import answer
from bot.news.articles import Article, ArticleIndex
from provision.sandbox.line.messages import problems

ARTICLES = ArticleIndex([Article("a", category="c")])


@pytest.mark.parametrize("kind", [None, 5, "a b", "x" * 40, ""])
def test_only_names_of_kinds_get_into_the_log(kind: object) -> None:
    """Whatever else stands there does not."""
    assert "unknown" == kind_of({"type": kind})
    assert "message" == kind_of({"type": "message"})


@pytest.mark.parametrize("key", [None, 7, "x" * 65, ["a"]])
def test_what_is_no_id_is_none(key: object) -> None:
    """Nothing is remembered by it."""
    assert "" == event_id({"webhookEventId": key})
    assert "01ARZ" == event_id({"webhookEventId": "01ARZ"})


@pytest.mark.parametrize("source", [None, "U1", {}, {"userId": 5}, {"type": "user"}])
def test_an_unknown_user(source: object) -> None:
    """Groups and rooms do not always tell."""
    event = read_event({"type": "join", "replyToken": "r", "source": source})
    assert "" == user_id(event)


FULL = {
    "type": "message",
    "mode": "active",
    "timestamp": 1,
    "webhookEventId": "01",
    "deliveryContext": {"isRedelivery": False},
    "replyToken": "r",
    "source": {"type": "user", "userId": "U"},
    "message": {"type": "text", "id": "1", "quoteToken": "q", "text": "news"},
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"deliveryContext": None},
        {"webhookEventId": None},
        {"timestamp": "soon"},
        {"source": {"type": "planet"}},
        {"message": {"type": "text", "text": "news"}},
        {"message": {**FULL["message"], "mention": {"mentionees": [{"type": "new"}]}}},  # type: ignore[dict-item]
        {"message": {**FULL["message"], "emojis": [7]}},  # type: ignore[dict-item]
    ],
)
def test_what_the_sdk_cannot_read_costs_only_itself(change: dict[str, Any]) -> None:
    """A new kind of mention, or a property that is missing, leaves the words."""
    event = read_event({**FULL, **change})
    assert event is not None
    assert ("message", "r", "news") == (event.type, event.reply_token, words_of(event.message))


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("地震(love)", {"emojis": [{"index": 2, "length": 6}]}, "地震"),
        ("(moon grin)最新", {"emojis": [{"index": 0, "length": 11}]}, "最新"),
        (
            "@Bot @Taro 最新",
            {
                "mention": {
                    "mentionees": [
                        {"type": "user", "index": 0, "length": 4, "isSelf": True},
                        {"type": "user", "index": 5, "length": 5, "userId": "U"},
                    ]
                }
            },
            "最新",
        ),
    ],
)
def test_emoji_of_line_and_mentions_are_no_words(
    text: str, message: dict[str, Any], expected: str
) -> None:
    """Cut out by their place, which is counted in UTF-16 units."""
    event: Any = read_event({**FULL, "message": {"type": "text", "text": text, **message}})
    assert expected == words_of(event.message)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=9,
)
events = st.fixed_dictionaries(
    {"replyToken": st.just("r") | anything},
    optional={
        "type": st.sampled_from(["message", "follow", "join", "postback", "unsend"]) | anything,
        "mode": st.just("active") | anything,
        "timestamp": anything,
        "source": st.fixed_dictionaries({}, optional={"type": anything, "userId": anything})
        | anything,
        "postback": st.fixed_dictionaries({}, optional={"data": anything}) | anything,
        "message": st.fixed_dictionaries(
            {"type": st.just("text") | anything, "text": st.text() | anything},
            optional={
                "mention": st.fixed_dictionaries(
                    {},
                    optional={
                        "mentionees": st.lists(
                            st.fixed_dictionaries(
                                {"isSelf": st.just(True) | anything},
                                optional={"index": anything, "length": anything},
                            )
                            | anything,
                            max_size=3,
                        )
                        | anything
                    },
                )
                | anything
            },
        )
        | anything,
    },
)


@given(events)
def test_whatever_an_event_holds(event: dict[str, Any]) -> None:
    """Nothing raises, and what is said is something that LINE takes."""
    read = read_event(event)
    messages = read and answer(read, ARTICLES, 1e9)
    assert messages is None or [] == problems(messages)
