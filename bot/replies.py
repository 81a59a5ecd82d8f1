"""Articles in, LINE messages out: pure, and within LINE's limits whatever the articles hold.

Limits: Messaging API reference, "Message objects", counted in UTF-16 units. How the size of a Flex
message in bytes is counted is not documented; the lengths chosen here stay below it even where
every character is escaped as \\uXXXX.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from bot.news import Article
from bot.text import Language, clean, shorten, utf16_length

Message = dict[str, Any]
Button = dict[str, Any]

SHOWN = 8  # bubbles in a carousel; LINE allows 12, and 50 KB for all of them
TEXT = 5000
ALT_TEXT = 400  # LINE allows 1,500; a notification shows far less
TITLE, SUMMARY, SOURCE, CATEGORY = 100, 140, 40, 20
URI = 1000
QUICK_REPLIES, QUICK_REPLY_LABEL, ACTION_TEXT = 13, 20, 300

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_READ = {"ja": "記事を読む", "en": "Read"}
_UNTITLED = {"ja": "無題", "en": "Untitled"}
_GREY, _ACCENT = "#8a8f98", "#06a050"


class Packed(dict[str, Any]):
    """A part of a message that is sent again and again, with its JSON, which is made once."""

    __slots__ = ("json",)

    def __init__(self, part: dict[str, Any]) -> None:
        super().__init__(part)
        self.json = _JSON.encode(part)


def packed(value: Any) -> str:
    """The JSON of messages. Encoding eight bubbles anew costs more than finding them."""
    if isinstance(value, Packed):
        return value.json
    if isinstance(value, dict):
        return "{" + ",".join(f'"{name}":{packed(inner)}' for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(packed, value)) + "]"
    return _JSON.encode(value)


def text(words: str) -> Message:
    """A text message; `words` must hold something that can be seen."""
    lines = "\n".join(clean(line) for line in words.splitlines()).strip()
    return {"type": "text", "text": shorten(lines, TEXT)}


def carousel(articles: Sequence[Article], heading: str, now: float, language: Language) -> Message:
    """A Flex carousel of the first articles (at least one); `heading` opens the altText."""
    shown = articles[:SHOWN]
    titles = " / ".join(_title(article, language) for article in shown)
    return {
        "type": "flex",
        "altText": shorten(clean(f"{heading} {titles}"), ALT_TEXT),
        "contents": {
            "type": "carousel",
            "contents": [
                _bubble(article, ago(article.published, now, language), language)
                for article in shown
            ],
        },
    }


@lru_cache(maxsize=512)  # the same dozen, under every answer
def word_button(word: str) -> Button | None:
    """A quick reply that sends the word; None for one that would not arrive whole, and so ask for
    something else."""
    sent = clean(word)
    if not sent or utf16_length(sent) > ACTION_TEXT:
        return None
    label = shorten(sent, QUICK_REPLY_LABEL)
    return Packed({"type": "action", "action": {"type": "message", "label": label, "text": sent}})


def more_button(label: str, data: str) -> Button:
    """A quick reply that carries data of ours; the chat shows the label as what the person said."""
    action = {"type": "postback", "label": label, "data": data, "displayText": label}
    return {"type": "action", "action": action}


def with_quick_replies(messages: list[Message], buttons: Sequence[Button]) -> list[Message]:
    """The messages, with the buttons under the last (the only one LINE shows them for)."""
    if not buttons:
        return messages
    items = list(buttons[:QUICK_REPLIES])
    return [*messages[:-1], {**messages[-1], "quickReply": {"items": items}}]


def ago(published: float, now: float, language: Language) -> str:
    """How long ago, as one says it; the date (UTC) after a month; empty where unknown."""
    if published <= 0:
        return ""
    seconds = max(0.0, now - published)
    if seconds >= 30 * 86400:
        try:
            return datetime.fromtimestamp(published, UTC).strftime("%Y-%m-%d")
        except (OverflowError, ValueError, OSError):
            return ""
    for size, japanese, english in (
        (86400, "日", "day"),
        (3600, "時間", "hour"),
        (60, "分", "minute"),
    ):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count}{japanese}前" if language == "ja" else _plural(count, english)
    return "たった今" if language == "ja" else "just now"


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


@lru_cache(maxsize=512)
def _title(article: Article, language: Language) -> str:
    return shorten(clean(article.title), TITLE) or _UNTITLED[language]


@lru_cache(maxsize=512)  # what is new is shown again and again; some 2 MB
def _bubble(article: Article, when: str, language: Language) -> dict[str, Any]:
    category = shorten(clean(article.category), CATEGORY)
    summary = shorten(clean(article.summary), SUMMARY)
    parts = (shorten(clean(article.source), SOURCE), when)
    foot = " · ".join(part for part in parts if part)
    title = _title(article, language)
    lines: list[dict[str, Any]] = []
    if category:
        lines.append(_line(category, size="xs", weight="bold", color=_ACCENT))
    lines.append(_line(title, weight="bold", wrap=True, maxLines=3))
    if summary:
        lines.append(_line(summary, size="sm", wrap=True, maxLines=4))
    if foot:
        lines.append(_line(foot, size="xxs", color=_GREY))
    body = {"type": "box", "layout": "vertical", "spacing": "sm", "contents": lines}
    bubble: dict[str, Any] = {"type": "bubble", "size": "kilo", "body": body}
    image, link = uri(article.image), uri(article.url)
    if image.startswith("https://"):
        bubble["hero"] = {
            "type": "image",
            "url": image,
            "size": "full",
            "aspectRatio": "20:13",
            "aspectMode": "cover",
        }
    if link:
        action = {"type": "uri", "label": _READ[language], "uri": link}
        button = {"type": "button", "style": "link", "height": "sm", "action": action}
        bubble["footer"] = {"type": "box", "layout": "vertical", "contents": [button]}
    return Packed(bubble)


def _line(words: str, **style: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **style}


def uri(address: str) -> str:
    """The address as LINE takes it (http or https, percent-encoded, at most 1,000); else empty."""
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme not in ("http", "https") or not host or not _is_host(host):
        return ""
    rest = parts._replace(scheme="", netloc="").geturl()
    encoded = quote(rest, safe="/?#[]@!$&'()*+,;=:%~-._", errors="replace").replace("[", "%5B")
    whole = f"{parts.scheme}://{host}{port}{encoded.replace(']', '%5D')}"
    return whole if len(whole) <= URI else ""


def _is_host(host: str) -> bool:
    return all(character.isalnum() or character in "-._" for character in host)
