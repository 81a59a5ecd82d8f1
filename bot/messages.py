r"""What the bot says: its phrases in both languages, and LINE's message objects as dictionaries.

The lengths stay below a Flex message's 50 KB even if every character is escaped as \uXXXX.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from werkzeug.urls import iri_to_uri

from bot.data import load_json
from bot.news.articles import Article
from bot.query import Query
from bot.text import LANGUAGES, Language, clean, shorten, utf16_length

Message = dict[str, Any]

SHOWN = 8  # articles in a carousel; LINE allows 12 bubbles and 50 KB
TEXT, ALT_TEXT, URI = 5000, 400, 1000
TITLE, SUMMARY, SOURCE, CATEGORY = 100, 140, 40, 20
QUICK_REPLIES, LABEL, ACTION_TEXT = 13, 20, 300

PHRASES: dict[str, dict[str, str]] = load_json("phrases.json")
BUBBLE = json.dumps(load_json("bubble.json"))  # in the form of LINE's Flex Message Simulator


def say(
    language: Language | None, *names: str, categories: Sequence[str] = (), **words: str
) -> str:
    """Return the phrases, a line each, in the person's language; in both if that is not known."""
    if not language:
        return "\n\n".join(say(one, *names, categories=categories, **words) for one in LANGUAGES)
    holes = {name: shorten(word, 60) for name, word in words.items()}
    holes["categories"] = shorten(PHRASES["comma"][language].join(categories), 1000)
    return "\n".join(PHRASES[name][language].format(**holes) for name in names)


def text(words: str) -> Message:
    """Return a text message."""
    lines = "\n".join(clean(line) for line in words.splitlines()).strip()
    return {"type": "text", "text": shorten(lines, TEXT)}


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
    """Return a quick reply that asks for something; None if it is too long."""
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
        return datetime.fromtimestamp(published, UTC).strftime("%Y-%m-%d")
    units = ((86400, "日", "day"), (3600, "時間", "hour"), (60, "分", "minute"))
    for size, japanese, english in units:
        if count := int(seconds // size):
            plural = "" if count == 1 else "s"
            return f"{count}{japanese}前" if language == "ja" else f"{count} {english}{plural} ago"
    return "たった今" if language == "ja" else "just now"


def _title(article: Article, language: Language) -> str:
    return shorten(clean(article.title), TITLE) or PHRASES["untitled"][language]


@lru_cache(maxsize=512)  # new articles are shown again and again; some 2 MB
def _bubble(article: Article, when: str, language: Language) -> Message:
    bubble: Message = json.loads(BUBBLE)
    foot = " · ".join(part for part in (shorten(clean(article.source), SOURCE), when) if part)
    category = shorten(clean(article.category), CATEGORY)
    summary = shorten(clean(article.summary), SUMMARY)
    texts = (category, _title(article, language), summary, foot)
    lines = zip(bubble["body"]["contents"], texts, strict=True)
    bubble["body"]["contents"] = [{**line, "text": words} for line, words in lines if words]
    bubble["hero"]["url"] = image = uri(article.image)
    if not image.startswith("https://"):
        del bubble["hero"]
    read = bubble["footer"]["contents"][0]["action"]
    read["label"], read["uri"] = PHRASES["read"][language], uri(article.url)
    if not read["uri"]:
        del bubble["footer"]
    return bubble


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
