"""The bot against LINE's own description of what it sends and takes."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from bot.answering import Answering
from bot.app import App
from bot.counters import Counters
from bot.inbox import Inbox
from bot.line import Outcome
from bot.news import Article, Edition, Shard
from bot.newsstand import Newsstand
from bot.parameters import Secret
from bot.replies import Message
from provision.sandbox.line.messages import problems
from provision.sandbox.line.webhooks import follow_event, postback_event, signature, text_event
from tests.bot.articles import articles, words
from tests.openapi import DESCRIBED, SOURCE, schemas, values, violations

NOW = 1_800_000_000.0


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

    def __init__(self) -> None:
        self.replies = 0
        self.complaints: list[str] = []

    def __call__(self, token: str, messages: list[Message], plain: list[Message]) -> "Checked":
        self.replies += 1
        self.complaints += complaints(token, messages) + complaints(token, plain)
        json.dumps(messages, ensure_ascii=False).encode()
        return self

    def advance(self, until: float) -> Outcome:
        return Outcome.TAKEN

    def give_up(self) -> None:
        """Nothing is held."""


class Fixed(Newsstand):
    """An edition that does not change."""

    def __init__(self, found: list[Article]) -> None:
        self._fixed = Edition([Shard(found)])

    def edition(self) -> Edition:
        return self._fixed


def deliver(events: list[Any], found: list[Article], language: str | None = None) -> Checked:
    """A signed request with these events, to a bot with these articles; what it said."""
    line, counters = Checked(), Counters()
    answering = Answering(Fixed(found), line, counters, lambda: NOW, lambda user: language)  # type: ignore[arg-type,return-value]
    inbox = Inbox(answering.begin, counters)
    body = json.dumps({"destination": "U", "events": events}).encode()
    headers = {"x-line-signature": signature("secret", body)}
    client = Client(App(Secret("secret"), inbox, counters))
    assert 200 == client.post("/webhook", data=body, headers=headers).status_code
    inbox.close()
    return line


SAMPLES = [
    Article("Rocket", "https://e.com/1", "Science", "s", "o", NOW - 60, "https://e.com/i.png")
]
SAMPLES += [Article(f"Rocket {n}", category=f"c{n}") for n in range(20)]
PAGE = '["search","rocket",8,"en",0]'
PLAYED = [
    text_event("rocket", "U1", "r", NOW),
    text_event("最新", "U1", "r", NOW),
    text_event("zebra", "U1", "r", NOW),
    text_event("help", "U1", "r", NOW),
    follow_event("U1", "r", NOW),
    postback_event(PAGE, "U1", "r", NOW),
]


@pytest.mark.parametrize("event", PLAYED)
@pytest.mark.parametrize("language", [None, "ja", "en"])
@pytest.mark.parametrize("source", [SOURCE])
def test_what_is_said(event: dict[str, Any], language: str | None, source: str) -> None:
    """Every kind of answer is one that LINE takes, by the source that the test's name tells."""
    line = deliver([event], SAMPLES, language)
    assert (1, []) == (line.replies, line.complaints)


@settings(max_examples=15, deadline=None)
@given(
    asked=words, found=st.lists(articles, max_size=15), language=st.sampled_from([None, "ja", "en"])
)
def test_hostile_articles_and_questions(
    asked: str, found: list[Article], language: str | None
) -> None:
    """Whatever is asked, whatever the feeds hold: one reply, within all limits."""
    events = [text_event(one, "U1", "r", NOW) for one in (asked, "latest", "？")]
    events += [follow_event("U1", "r", NOW), postback_event(asked[:300] or "x", "U1", "r", NOW)]
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
        event = {**text_event("help", "U1", "r", NOW), "type": kind, "postback": {"data": "help"}}
        spoken = kind in ("message", "follow", "join", "postback")
        assert int(spoken) == deliver([event], SAMPLES).replies
