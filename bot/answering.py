"""From an event to a reply on its way."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from bot.conversation import answer, plain_words
from bot.counters import Counters
from bot.events import (
    Event,
    age_of,
    in_company,
    is_wordless,
    kind_of,
    reply_token,
    user_of,
    wants_answer,
)
from bot.inbox import Work
from bot.newsstand import Newsstand
from bot.replies import Message
from bot.text import Language

log = logging.getLogger(__name__)

# "Receive messages" in LINE's documents: on redelivery a reply token is good for a minute, unless it
# was used or twenty minutes have passed since the event. So nothing older can be answered.
TOKEN_SECONDS = 20 * 60.0

# (reply token, messages, what to say where LINE refuses those) -> the reply on its way
Reply = Callable[[str, list[Message], list[Message]], Work]
# The language of a person's LINE, None where it does not tell.
Speaks = Callable[[str], Language | None]


class Answering:
    """Composes the answer to each event. `clock` is epoch seconds."""

    def __init__(
        self,
        newsstand: Newsstand,
        reply: Reply,
        counters: Counters,
        clock: Callable[[], float] = time.time,
        speaks: Speaks = lambda user: None,
    ) -> None:
        self._speaks = speaks
        self._newsstand = newsstand
        self._reply = reply
        self._counters = counters
        self._clock = clock

    def begin(self, event: Any) -> Work | None:
        """The reply to the event; None where there is nothing to say. Raises nothing."""
        if not isinstance(event, dict):
            return None
        typed: Event = event
        now = self._clock()
        age = age_of(typed, now)
        if age > TOKEN_SECONDS:
            self._counters.count("old")
            log.warning(
                "an old event is dropped", extra={"event": kind_of(event), "age": round(age)}
            )
            return None
        try:
            messages = answer(typed, self._newsstand.edition(), now, self._spoken(typed))
        except Exception as error:
            # The error's text may quote the person's message: only its kind goes into the log.
            log.error(
                "an event failed",
                extra={"event": kind_of(event), "error": type(error).__name__},
            )
            self._counters.count("errors")
            messages = plain_words() if reply_token(typed) else None
        return self._reply(reply_token(typed), messages, plain_words()) if messages else None

    def _spoken(self, event: Event) -> Language | None:
        """Asked of LINE only where the event itself does not tell: it is one more call."""
        if not wants_answer(event) or in_company(event) or not is_wordless(event):
            return None
        user = user_of(event)
        return self._speaks(user) if user else None
