r"""What the bot says: its phrases in both languages, and LINE's message objects as dictionaries.

Limits are in LINE's "Message objects", counted in UTF-16 units. How it counts the bytes of a Flex message
is not documented; the lengths chosen here stay below 50 KB even if every character is escaped as \uXXXX.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from werkzeug.urls import iri_to_uri

from bot.news.articles import Article
from bot.query import Query
from bot.text import LANGUAGES, Language, clean, shorten, utf16_length

Message = dict[str, Any]

SHOWN = 8  # articles in a carousel; LINE allows 12 bubbles and 50 KB
TEXT, ALT_TEXT = 5000, 400
TITLE, SUMMARY, SOURCE, CATEGORY = 100, 140, 40, 20
URI = 1000
QUICK_REPLIES, LABEL, ACTION_TEXT = 13, 20, 300
_GREY, _ACCENT = "#8a8f98", "#06a050"

PHRASES: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "phrases.json").read_bytes()
)


def say(
    language: Language | None,
    *names: str,
    word: str = "",
    near: str = "",
    categories: Sequence[str] = (),
) -> str:
    """Return the phrases, a line each, in the person's language; in both if that is not known."""
    if not language:
        both = (say(one, *names, word=word, near=near, categories=categories) for one in LANGUAGES)
        return "\n\n".join(both)
    listed = shorten(PHRASES["comma"][language].join(categories), 1000)
    words = {"word": shorten(word, 60), "near": shorten(near, 60), "categories": listed}
    return "\n".join(PHRASES[name][language].format(**words) for name in names)


def text(words: str) -> Message:
    """Return a text message."""
    lines = "\n".join(clean(line) for line in words.splitlines()).strip()
    return {"type": "text", "text": shorten(lines, TEXT)}


def apology() -> list[Message]:
    """Return what can always be said, for when something went wrong with the answer itself."""
    return [text(say(None, "failed"))]


def carousel(articles: Sequence[Article], heading: str, now: float, language: Language) -> Message:
    """Return a Flex carousel of the first articles (at least one); `heading` opens its altText."""
    shown = articles[:SHOWN]
    titles = " / ".join(_title(article, language) for article in shown)
    bubbles = [_bubble(one, ago(one.published, now, language), language) for one in shown]
    return {
        "type": "flex",
        "altText": shorten(clean(f"{heading} {titles}"), ALT_TEXT),
        "contents": {"type": "carousel", "contents": bubbles},
    }


@lru_cache(maxsize=512)  # the same dozen below every answer
def button(label: str, query: Query) -> Message | None:
    """Return a quick reply that asks for something, in the person's language; None if it is too long.

    The chat shows the label as what the person said.
    """
    label, data = clean(label), query.data()
    if not label or not data or utf16_length(label) > ACTION_TEXT:
        return None
    shown = shorten(label, LABEL)
    action = {"type": "postback", "label": shown, "data": data, "displayText": label}
    return {"type": "action", "action": action}


def with_buttons(
    messages: list[Message], buttons: Iterable[Message | None], last: Message | None = None
) -> list[Message]:
    """Return the messages with the buttons below the last one, where alone LINE shows them."""
    items = [one for one in buttons if one][: QUICK_REPLIES - 1] + ([last] if last else [])
    if not items:
        return messages
    return [*messages[:-1], {**messages[-1], "quickReply": {"items": items}}]


def ago(published: float, now: float, language: Language) -> str:
    """Return how long ago it was; the date (UTC) after a month; empty if unknown."""
    if published <= 0:
        return ""
    seconds = max(0.0, now - published)
    if seconds >= 30 * 86400:
        try:
            return datetime.fromtimestamp(published, UTC).strftime("%Y-%m-%d")
        except (OverflowError, ValueError, OSError):
            return ""
    units = ((86400, "日", "day"), (3600, "時間", "hour"), (60, "分", "minute"))
    for size, japanese, english in units:
        if count := int(seconds // size):
            plural = "" if count == 1 else "s"
            return f"{count}{japanese}前" if language == "ja" else f"{count} {english}{plural} ago"
    return "たった今" if language == "ja" else "just now"


def _title(article: Article, language: Language) -> str:
    return shorten(clean(article.title), TITLE) or PHRASES["untitled"][language]


@lru_cache(maxsize=512)  # new articles are shown again and again; some 2 MB
def _bubble(article: Article, when: str, language: Language) -> dict[str, Any]:
    foot = " · ".join(part for part in (shorten(clean(article.source), SOURCE), when) if part)
    lines = [
        _line(shorten(clean(article.category), CATEGORY), size="xs", weight="bold", color=_ACCENT),
        _line(_title(article, language), weight="bold", wrap=True, maxLines=3),
        _line(shorten(clean(article.summary), SUMMARY), size="sm", wrap=True, maxLines=4),
        _line(foot, size="xxs", color=_GREY),
    ]
    body = _box([line for line in lines if line["text"]], spacing="sm")
    bubble: dict[str, Any] = {"type": "bubble", "size": "kilo", "body": body}
    image, link = uri(article.image), uri(article.url)
    if image.startswith("https://"):
        shape = {"size": "full", "aspectRatio": "20:13", "aspectMode": "cover"}
        bubble["hero"] = {"type": "image", "url": image, **shape}
    if link:
        action = {"type": "uri", "label": PHRASES["read"][language], "uri": link}
        bubble["footer"] = _box(
            [{"type": "button", "style": "link", "height": "sm", "action": action}]
        )
    return bubble


def _line(words: str, **style: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **style}


def _box(contents: list[dict[str, Any]], **style: Any) -> dict[str, Any]:
    return {"type": "box", "layout": "vertical", "contents": contents, **style}


def uri(address: str) -> str:
    """Return the address as LINE takes it (http or https, percent-encoded, at most 1,000); else empty."""
    try:
        parts = urlsplit(iri_to_uri(address.strip()))
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    whole = parts._replace(netloc=host + port).geturl()  # without a password
    valid = parts.scheme in ("http", "https") and re.fullmatch("[a-z0-9._-]+", host)
    return whole if valid and len(whole) <= URI else ""
