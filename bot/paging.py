"""What was asked, and the button that asks for the next page of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal, cast

from bot.text import Language, utf16_length

DATA = 300  # LINE's limit for a postback's data, in UTF-16 units
Kind = Literal["latest", "category", "search"]
_KINDS = ("latest", "category", "search")
_KEYS = ("kind", "words", "skipped", "language", "as_of")


@dataclass(frozen=True)
class Question:
    """Which articles, how many of them were shown already, and up to which time (epoch seconds) they
    count: what is new since the first page would push others down, to be shown twice."""

    kind: Kind
    words: str
    language: Language
    skipped: int = 0
    as_of: int = 0

    def further(self, count: int) -> str:
        """The postback data that asks for the next page; empty where it would be too long."""
        following = replace(self, skipped=self.skipped + count)
        values = [getattr(following, key) for key in _KEYS]
        data = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return data if utf16_length(data) <= DATA else ""


def question_of(data: str) -> Question | None:
    """The question that a postback's data holds; None where it is none of ours."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != len(_KEYS):
        return None
    kind, words, skipped, language, as_of = values
    if kind not in _KINDS or language not in ("ja", "en") or not isinstance(words, str):
        return None
    if type(skipped) is not int or type(as_of) is not int or not 0 <= skipped <= 10**6:
        return None
    return Question(kind, words, cast(Language, language), skipped, as_of)
