"""The bot against LINE's own description of what it sends and takes."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app import create_app
from bot.config import Config
from bot.line import Outcome
from bot.messages import Message
from bot.news.articles import Article, ArticleIndex
from bot.news.cache import Cache
from bot.text import Language
from provision.sandbox.line.messages import problems
from provision.sandbox.line.webhooks import event, signature, source_of, text_message
from tests.bot.articles import articles, words
from tests.openapi import DESCRIBED, SOURCE, schemas, values, violations

NOW = 1_800_000_000.0


def sent(kind: str, **content: Any) -> dict[str, Any]:
    """Return an event as the sandbox's LINE sends it."""
    return {**event(kind, source_of("U1"), "r", NOW), **content}


def text_event(text: str) -> dict[str, Any]:
    """Return the event of a text message."""
    return sent("message", message=text_message(text))


FOLLOW = sent("follow", follow={"isUnblocked": False})


def postback_event(data: str) -> dict[str, Any]:
    """Return the event of a pressed button."""
    return sent("postback", postback={"data": data})


def complaints(token: str, messages: list[Message]) -> list[str]:
    """What LINE would say to the reply: its description (or the SDK's models), and the limits that
    both lack."""
    request = {"replyToken": token, "messages": messages}
    found = [str(problem) for problem in problems(messages)]
    if DESCRIBED:
        return found + violations("messaging-api.yml", "ReplyMessageRequest", request)
    from linebot.v3.messaging import ReplyMessageRequest

    read = ReplyMessageRequest.from_dict(request)
    kinds = [{"text": "TextMessage", "flex": "FlexMessage"}[one["type"]] for one in messages]
    told = [type(one).__name__ for one in read.messages]
    return found + ([] if kinds == told else [f"{kinds} read as {told}"])


class Checked:
    """A LINE that takes every reply and notes what is wrong with it."""

    def __init__(self, spoken: Language | None) -> None:
        self.replies = 0
        self.complaints: list[str] = []
        self._spoken = spoken

    def reply(self, reply_token: str, messages: list[Message], plain: list[Message]) -> Outcome:
        self.replies += 1
        self.complaints += complaints(reply_token, messages) + complaints(reply_token, plain)
        json.dumps(messages, ensure_ascii=False).encode()
        return Outcome.TAKEN

    def language(self, user_id: str) -> Language | None:
        return self._spoken


class Fixed(Cache):
    """Articles that do not change."""

    def __init__(self, found: list[Article]) -> None:
        self._fixed = ArticleIndex(found)

    def articles(self) -> ArticleIndex:
        return self._fixed

    def refresh(self) -> None:
        """There is nothing to read."""


def deliver(events: list[Any], found: list[Article], language: Language | None = None) -> Checked:
    """A signed request with these events, to a bot with these articles; what it said."""
    line = Checked(language)
    config = Config("token", "secret", threads=4)
    app = create_app(
        config, line=line, cache=Fixed(found), clock=lambda: NOW, answer_seconds=60
    )  # a busy machine may take longer than LINE waits
    body = json.dumps({"destination": "U", "events": events}).encode()
    headers = {"x-line-signature": signature("secret", body)}
    response = app.test_client().post("/webhook", data=body, headers=headers)
    app.config["EVENTS"].close()
    assert 200 == response.status_code
    return line


SAMPLES = [
    Article("Rocket", "https://e.com/1", "Science", "s", "o", NOW - 60, "https://e.com/i.png")
]
SAMPLES += [Article(f"Rocket {n}", category=f"c{n}") for n in range(20)]
PAGE = '["search","rocket",8,"en",0]'
PLAYED = [
    text_event("rocket"),
    text_event("最新"),
    text_event("zebra"),
    text_event("help"),
    FOLLOW,
    postback_event(PAGE),
]


@pytest.mark.parametrize("event", PLAYED)
@pytest.mark.parametrize("language", [None, "ja", "en"])
@pytest.mark.parametrize("source", [SOURCE])
def test_what_is_said(event: dict[str, Any], language: Language | None, source: str) -> None:
    """Every kind of answer is one that LINE takes, by the source that the test's name tells."""
    line = deliver([event], SAMPLES, language)
    assert (1, []) == (line.replies, line.complaints)


@settings(max_examples=15, deadline=None)
@given(
    asked=words, found=st.lists(articles, max_size=15), language=st.sampled_from([None, "ja", "en"])
)
def test_hostile_articles_and_questions(
    asked: str, found: list[Article], language: Language | None
) -> None:
    """Whatever is asked, whatever the feeds hold: one reply, within all limits."""
    events = [text_event(one) for one in (asked, "latest", "？")]
    events += [FOLLOW, postback_event(asked[:300] or "x")]
    line = deliver(events, found, language)
    assert (5, []) == (line.replies, line.complaints)


if DESCRIBED:
    described = values("webhook.yml", "Event").map(lambda event: {**event, "mode": "active"})

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(described)
    def test_every_event_that_line_describes(event: dict[str, Any]) -> None:
        """All kinds, with and without what is optional: acknowledged, and answered where there is
        something to say, within the description."""
        event["timestamp"] = int(NOW * 1000)
        assert [] == violations("webhook.yml", "Event", event)
        assert [] == deliver([event], SAMPLES).complaints

    @pytest.mark.parametrize(
        "kind", sorted(schemas("webhook.yml")["Event"]["discriminator"]["mapping"])
    )
    def test_which_events_are_answered(kind: str) -> None:
        """Four kinds of all that there are."""
        event = {**text_event("help"), "type": kind, "postback": {"data": "help"}}
        spoken = kind in ("message", "follow", "join", "postback")
        assert int(spoken) == deliver([event], SAMPLES).replies
