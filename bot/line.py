"""The one thing the bot says to LINE: a reply.

Not line-bot-sdk's messaging package: importing it costs 0.9 s of CPU, which at a quarter vCPU is
several seconds of cold start, it has no default timeout, and a call costs three times that of a
plain connection pool. The messages are held against LINE's own models in the tests instead.

A second try never shows a reply twice: the token works once.
"""

from __future__ import annotations

import enum
import json
import logging
import time
from typing import Any
from urllib.parse import quote

from bot.connections import Broken, Connections, Exchange
from bot.parameters import Secret
from bot.replies import Message, packed
from bot.text import Language

log = logging.getLogger(__name__)

PATH = "/v2/bot/message/reply"
PROFILE_SECONDS = 0.4
TRIES = 4
FIRST_PAUSE_SECONDS = 0.1  # before the second try; each pause is three times the one before
SPENT = "Invalid reply token"
NOT_TAKEN = "LINE did not take the reply"


class Outcome(enum.Enum):
    """What became of a reply."""

    TAKEN = "taken"
    SPENT = "spent"  # the token was used (perhaps by us, before a crash) or is too old
    REFUSED = "refused"  # no try of this reply can succeed
    FAILED = "failed"  # another delivery of the event may


class Line:
    """The Messaging API at `api_url`, spoken to with the channel's access token. For all threads."""

    def __init__(
        self, api_url: str, access_token: Secret, first_pause: float = FIRST_PAUSE_SECONDS
    ) -> None:
        self.connections = Connections(api_url)
        self.access_token = access_token
        self.first_pause = first_pause

    def reply(self, reply_token: str, messages: list[Message], plain: list[Message]) -> Sending:
        """A reply to be sent; `plain` is said where LINE refuses the messages themselves."""
        return Sending(self, reply_token, messages, plain)

    def speaks(self, user: str) -> Language | None:
        """The language of a friend's LINE, from the profile; None where LINE does not tell, or not at
        once: it is only nicer to know."""
        headers = {"Authorization": f"Bearer {self.access_token.value}"}
        path = f"/v2/bot/profile/{quote(user, safe='')}"
        try:
            exchange = self.connections.send("GET", path, None, headers, PROFILE_SECONDS)
        except Broken:
            return None
        try:
            answer = exchange.answer(PROFILE_SECONDS)
        except Broken:
            exchange.close()
            return None
        language = _document(answer.body).get("language") if answer.status == 200 else None
        if not isinstance(language, str):
            return None
        return "ja" if language.startswith("ja") else "en"

    def close(self) -> None:
        """Close the connections."""
        self.connections.close()


class Sending:
    """One reply on its way to LINE: tried again after what a second try may mend."""

    def __init__(
        self, line: Line, reply_token: str, messages: list[Message], plain: list[Message]
    ) -> None:
        self._line = line
        self._reply_token = reply_token
        self._plain = plain
        self._body = _packed(reply_token, messages)
        self._exchange: Exchange | None = None
        self._token = ""
        self._tries = 0
        self._pause_until = 0.0

    def advance(self, until: float) -> Outcome | None:
        """Go on until the outcome is known, at most until then (monotonic seconds).

        None when it is not: LINE may still take the reply, so call again, on whatever thread.
        """
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return None
            if self._exchange is None and self._pause_until > time.monotonic():
                time.sleep(min(left, max(0.0, self._pause_until - time.monotonic())))
                continue
            try:
                outcome = self._try(left)
            except TimeoutError as error:
                if self._exchange is not None:
                    return None  # sent, and LINE is thinking
                outcome = self._again("no answer from LINE", error=type(error).__name__)
            except Broken as error:
                self._exchange = None
                outcome = self._again("no answer from LINE", error=type(error).__name__)
            if outcome is not None:
                return outcome

    def give_up(self) -> None:
        """Nobody will advance it any more."""
        if self._exchange is not None:
            self._exchange.close()

    def _try(self, seconds: float) -> Outcome | None:
        if self._exchange is None:
            self._token = self._line.access_token.value
            headers = {
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            }
            connections = self._line.connections
            self._exchange = connections.send("POST", PATH, self._body, headers, seconds)
        answer = self._exchange.answer(seconds)
        self._exchange = None
        if answer.status == 200:
            return Outcome.TAKEN
        return self._refusal(answer.status, answer.body)

    def _refusal(self, status: int, body: bytes) -> Outcome | None:
        """What LINE's error means; None: try once more."""
        if status == 400 and _document(body).get("message") == SPENT:
            log.info("the reply token is spent", extra={"status": status})
            return Outcome.SPENT
        if status == 400 and self._plain:
            log.error("LINE refused the messages", extra={"status": status, "error": _where(body)})
            self._body, self._plain = _packed(self._reply_token, self._plain), []
            return None
        if status == 401 and self._line.access_token.renewed_since(self._token):
            return None
        if status >= 500 or status == 429:
            return self._again(NOT_TAKEN, status=status)
        log.warning(NOT_TAKEN, extra={"status": status})
        # A token that is not valid (401) may be another one by the time of the next delivery.
        return Outcome.FAILED if status == 401 else Outcome.REFUSED

    def _again(self, words: str, **why: int | str) -> Outcome | None:
        """After a pause, unless this was the last try."""
        log.warning(words, extra=why)
        self._pause_until = time.monotonic() + self._line.first_pause * 3**self._tries
        self._tries += 1
        return Outcome.FAILED if self._tries >= TRIES else None


def _packed(reply_token: str, messages: list[Message]) -> bytes:
    return packed({"replyToken": reply_token, "messages": messages}).encode()


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _where(body: bytes) -> str:
    """Which properties LINE refused; their values stay out of the log."""
    details = _document(body).get("details")
    known = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    return ", ".join(str(one.get("property")) for one in known)[:200]
