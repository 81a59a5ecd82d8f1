"""The times that feeds give, in the forms that are seen in Japan."""

import re
import unicodedata
from datetime import datetime

from dateutil.parser import parse  # type: ignore[import-untyped]

from bot.data import load_json

EARLIEST = 631152000.0  # 1990: software without a time writes the year 1 or 1970
# Zones by their hours from UTC; how months begin in several languages; what dateutil does not know.
_TABLES = load_json("dates.json")
_UNITS = str.maketrans({"年": " ", "日": " ", "時": "h", "分": "m", "秒": "s"})  # as dateutil's
_MONTHS = {
    rf"(?<![^\W_])({names})[^\W\d_]*|(?<!\d)0?{number}月": f" {names[:3]} "
    for number, names in enumerate(_TABLES["months"], 1)
}


def epoch_seconds(text: str) -> float:
    """Return the time in epoch seconds; 0 if it cannot be read or believed. Without a zone it is Japan's."""
    words = unicodedata.normalize("NFKC", text[:100]).upper().strip()
    if re.fullmatch(r"\d{9,10}|\d{13}", words):
        return float(words[:10])
    if era := re.search(rf"({'|'.join(_TABLES['eras'])})(\d+)", words):
        words = words.replace(era[0], str(_TABLES["eras"][era[1]] + int(era[2])))
    for pattern, replacement in (*_TABLES["replacements"].values(), *_MONTHS.items()):
        words = re.sub(pattern, replacement, words)
    try:
        default = datetime(1, 1, 1)  # its zone is from _offset
        moment = parse(words.translate(_UNITS), default=default, fuzzy=True, tzinfos=_offset)
        seconds = float(moment.timestamp())
    except (ArithmeticError, TypeError, ValueError):
        return 0.0
    return 0.0 if seconds < EARLIEST or re.search(r"(?<![\d+.-])000\d", words) else seconds


def _offset(name: str | None, offset: int | None) -> int:
    """Return a zone's offset from UTC in seconds; Japan's if it is not known."""
    return int(_TABLES["zones"].get(name or "", 9) * 3600) if offset is None else offset
