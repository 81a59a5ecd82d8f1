"""The times that feeds give, in the forms that are seen in Japan."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from dateutil.parser import parse  # type: ignore[import-untyped]

JAPAN = timezone(timedelta(hours=9))
EARLIEST = 631152000.0  # 1990: software without a time writes the year 1 or 1970
_ZONES = {"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8}
_ZONES |= {"JST": 9, "KST": 9, "SGT": 8, "HKT": 8, "MSK": 3, "CEST": 2, "CET": 1, "BST": 1}
_MONTHS = (  # how they begin in English, French, German, Italian, Portuguese and Spanish
    *("JAN|JÄN|ENE|GEN", "FEB|FEV|FÉV", "MAR|MÄR", "APR|ABR|AVR", "MAY|MAI|MAG", "JUN|JUIN|GIU"),
    *("JUL|JUIL|LUG", "AUG|AGO|AOÛ", "SEP|SET", "OCT|OUT|OTT|OKT", "NOV", "DEC|DEZ|DIC|DÉC"),
)
_REWRITTEN: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"\([^)]*\)?|^\D*[,、] *(?=\d)", " "),  # a comment; a weekday in any language
    ("令和元", "2019"),
    (r"令和(\d+)|平成(\d+)", lambda era: str((2018 if era[1] else 1988) + int(era[1] or era[2]))),
    (r"(\d+)年 *(\d+)月 *(\d+)日", r"\1-\2-\3 "),
    (r"(\d+)年 *(\d+)月", r"\1-\2"),
    (r"時(?!\d)", ":00"),
    (r"[時分](?=\d)", ":"),
    (r"(午前|오전) *([\d:]+)", r"\2 AM "),
    (r"(午後|오후) *([\d:]+)", r"\2 PM "),
    *(
        (rf"(?<![^\W_])({names})[^\W\d_]*|(?<!\d){number}月", names[:3])
        for number, names in enumerate(_MONTHS, 1)
    ),
    (r"\b(UTC|GMT) *(?=[+-]\d)", ""),  # UTC+9 is +9 to everybody but POSIX
    (r":60(?!\d)", ":59"),  # a leap second
)


def epoch_seconds(text: str) -> float:
    """Return the time in epoch seconds; 0 if it cannot be read or believed. Without a zone it is Japan's."""
    words = unicodedata.normalize("NFKC", text[:100]).upper().strip()
    if re.fullmatch(r"\d{9,10}|\d{13}", words):
        return float(words[:10])
    for pattern, new in _REWRITTEN:
        words = re.sub(pattern, new, words)
    try:
        moment = parse(words, default=datetime(1, 1, 1), fuzzy=True, tzinfos=_offset)
        seconds = float((moment if moment.tzinfo else moment.replace(tzinfo=JAPAN)).timestamp())
    except (ArithmeticError, TypeError, ValueError):
        return 0.0
    return 0.0 if seconds < EARLIEST or re.search(r"(?<![\d+.-])000\d", words) else seconds


def _offset(name: str | None, offset: int | None) -> int:
    """Return a zone's offset from UTC in seconds; Japan's if it is not known."""
    return _ZONES.get(name or "", 9) * 3600 if offset is None else offset
