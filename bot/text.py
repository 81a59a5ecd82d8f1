"""Words as people write them: one form for searching, LINE's way of counting, which language."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Language = Literal["ja", "en"]

# Katakana small a .. small ke, each 0x60 above its hiragana; the prolonged sound mark has no twin.
_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f]")
# Direction overrides and isolates could turn around what stands after them in the bubble.
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def normalise(words: str) -> str:
    """One form for full-width and half-width, upper and lower case, katakana and hiragana."""
    return unicodedata.normalize("NFKC", words).casefold().translate(_TO_HIRAGANA).strip()


def clean(words: str) -> str:
    """One line that can be shown: no control characters, lone surrogates or direction overrides."""
    if words.isprintable() and "  " not in words and words.strip() == words:
        return words  # nearly all of them: nothing to do, and at a tenth of the price
    spaced = "".join(
        " " if character.isspace() else character
        for character in _DIRECTIONS.sub("", words)
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cs")
    )
    return " ".join(spaced.split())


def utf16_length(words: str) -> int:
    """Length as LINE counts it: an emoji outside the basic plane is two."""
    return len(words.encode("utf-16-le", "surrogatepass")) // 2


def shorten(words: str, limit: int) -> str:
    """At most `limit` UTF-16 units, with an ellipsis where something was cut off."""
    if utf16_length(words) <= limit:
        return words
    kept = words.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    # "ignore" drops the half of a surrogate pair that the cut may have left.
    return kept.decode("utf-16-le", "ignore").rstrip() + "…"


def language_of(words: str) -> Language:
    """Japanese if any kana or kanji is in it, else English."""
    return "ja" if _JAPANESE.search(words) else "en"
