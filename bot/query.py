"""What a button asks for, as the data of its postback."""

import json
from dataclasses import dataclass
from typing import Literal, get_args

from bot.text import LANGUAGES, Language, normalise, utf16_length

DATA_LENGTH = 300  # LINE's limit for a postback's data, in UTF-16 units
Kind = Literal["latest", "category", "search", "help"]


@dataclass(frozen=True)
class Query:
    """Which articles, in which language, after how many, and none newer than `as_of` (epoch seconds)."""

    kind: Kind
    words: str
    language: Language
    skipped: int = 0
    as_of: int = 0

    def data(self) -> str:
        """Return the postback data; empty if it would be too long."""
        values = [self.kind, self.words, self.skipped, self.language, self.as_of]
        data = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return data if utf16_length(data) <= DATA_LENGTH else ""


def parse_query(data: str) -> Query | None:
    """Return the query in a postback's data; None if it is not one of ours."""
    try:
        kind, words, skipped, language, as_of = json.loads(data)
        known = kind in get_args(Kind) and language in LANGUAGES
        numbers = type(skipped) is type(as_of) is int and 0 <= skipped <= 10**6
        wanted = kind in ("latest", "help") or normalise(words)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return Query(kind, words, language, skipped, as_of) if known and numbers and wanted else None
