"""Events as LINE may send them, now or one day."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import answer
from bot.events import id_of, is_wordless, kind_of, user_of, words_of
from bot.news import Article, Edition, Shard
from provision.sandbox.line.messages import problems

EDITION = Edition([Shard([Article("a", category="c")])])


@pytest.mark.parametrize("kind", [None, 5, "a b", "x" * 40, ""])
def test_only_names_of_kinds_get_into_the_log(kind: object) -> None:
    """Whatever else stands there does not."""
    assert "unknown" == kind_of({"type": kind})
    assert "message" == kind_of({"type": "message"})


@pytest.mark.parametrize("key", [None, 7, "x" * 65, ["a"]])
def test_what_is_no_id_is_none(key: object) -> None:
    """Nothing is remembered by it."""
    assert "" == id_of({"webhookEventId": key})
    assert "01ARZ" == id_of({"webhookEventId": "01ARZ"})


@pytest.mark.parametrize("source", [None, "U1", {}, {"userId": 5}])
def test_somebody_unknown(source: object) -> None:
    """Groups and rooms do not always tell."""
    assert "" == user_of({"source": source})


def test_words_and_wordless() -> None:
    """A text has words; a sticker, a friend's first event and a text of nothing have none."""
    text = {"type": "message", "message": {"type": "text", "text": "a"}}
    assert "a" == words_of(text["message"])  # type: ignore[arg-type]
    assert not is_wordless(text)
    assert is_wordless({"type": "message", "message": {"type": "sticker"}})
    assert is_wordless({"type": "follow"})
    assert not is_wordless({"type": "postback"})


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
    messages = answer(event, EDITION, 1e9)
    assert messages is None or [] == problems(messages)
