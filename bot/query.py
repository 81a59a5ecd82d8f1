"""What a button asks for, as the data of its postback."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from bot.text import Language, normalise, utf16_length

DATA_LENGTH = 300  # LINE's limit for a postback's data, in UTF-16 units
Kind = Literal["latest", "category", "search", "help"]


@dataclass(frozen=True)
class Query:
    """Which articles, in which language, how many were shown, and up to which time (epoch seconds).

    Without the time, articles that arrive meanwhile would push others to the next page again.
    """

    kind: Kind
    words: str
    language: Language
    skipped: int = 0
    as_of: int = 0

    def next_page(self, count: int) -> Query:
        """Return the query for the articles after so many more."""
        return replace(self, skipped=self.skipped + count)

    def data(self) -> str:
        """Return the postback data; empty if it would be too long."""
        values = [self.kind, self.words, self.skipped, self.language, self.as_of]
        data = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return data if utf16_length(data) <= DATA_LENGTH else ""


def parse_query(data: str) -> Query | None:
    """Return the query in a postback's data; None if it is not one of ours."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != 5:
        return None
    kind, words, skipped, language, as_of = values
    if kind not in get_args(Kind) or language not in ("ja", "en") or not isinstance(words, str):
        return None
    if kind in ("category", "search") and not normalise(words):
        return None
    if type(skipped) is not int or type(as_of) is not int or not 0 <= skipped <= 10**6:
        return None
    return Query(kind, words, cast(Language, language), skipped, as_of)
