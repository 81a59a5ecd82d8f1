"""What people write: one form of it for searching, LINE's way of counting, its language."""

import re
import unicodedata
from typing import Literal

from bot.data import load_json

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")

# Katakana a .. small ke, each 0x60 above its hiragana; the prolonged sound mark has none.
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F6)}
_TABLES = load_json("characters.json")
# Letters that people take for the same, and that Unicode's NFKC does not.
_VARIANTS = str.maketrans({one: to for to, ones in _TABLES["variants"].items() for one in ones})
_SEPARATORS = str.maketrans(dict.fromkeys(_TABLES["separators"], " "))
# Default-ignorable code points: soft hyphen, joiners, zero-width space, variation selectors, tags.
_INVISIBLE = re.compile(f"[{_TABLES['invisible']}]")
# Control characters, lone surrogates, and the direction overrides that could turn around what follows.
_UNSHOWN = re.compile(f"[{_TABLES['not shown']}]")
# サーバー and サーバ: the mark at the end of a katakana word.
_FINAL_MARK = re.compile("(?<=[\u30a1-\u30f6\u30fc]{2})\u30fc(?![\u30a1-\u30f6\u30fc])")
_JAPANESE = re.compile("[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f]")


def normalise(words: str) -> str:
    """Return one form for all ways to write the same words: width, case, kana, variants, invisibles."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", words))
    plain = _FINAL_MARK.sub("", plain.translate(_VARIANTS))
    return plain.casefold().translate(_HIRAGANA).strip()


def search_words(text: str) -> list[str]:
    """Return the words of a text, without punctuation, brackets and emoji around them."""
    words = (_trimmed(word) for word in _INVISIBLE.sub("", text).translate(_SEPARATORS).split())
    return [word for word in words if word]


def _trimmed(word: str) -> str:
    symbols = "".join(one for one in word if unicodedata.category(one)[0] in "PSCZ")
    bare = word.strip(symbols)
    language = re.match("[a-z](\\+\\+|#)", normalise(word.lstrip(symbols)))  # C++, C#
    return word.lstrip(symbols)[: language.end()] if language and len(bare) == 1 else bare


def without(text: str, spans: list[tuple[int, int]]) -> str:
    """Return the text without the spans, each an index and a length in UTF-16 units as LINE counts."""
    raw = text.encode("utf-16-le", "surrogatepass")
    units = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    for index, length in spans:
        if index >= 0 and length > 0:
            units[index : index + length] = [b" \0"] * len(units[index : index + length])
    return " ".join(b"".join(units).decode("utf-16-le", "replace").split())


def clean(words: str) -> str:
    """Return one line to show: no control characters, lone surrogates or direction overrides."""
    return " ".join(_UNSHOWN.sub("", words).split())


def utf16_length(words: str) -> int:
    """Return the length as LINE counts it: an emoji outside the basic plane is two."""
    return len(words.encode("utf-16-le", "surrogatepass")) // 2


def shorten(words: str, limit: int) -> str:
    """Return at most `limit` UTF-16 units, ending in an ellipsis if something was cut off."""
    if utf16_length(words) <= limit:
        return words
    start = words.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    return start.decode("utf-16-le", "ignore").rstrip() + "…"  # without half a surrogate pair


def language_of(words: str) -> Language:
    """Return Japanese if there is kana or kanji in it, else English."""
    return "ja" if _JAPANESE.search(words) else "en"
