"""One feed, read into articles."""

import hashlib
import re
from collections import Counter
from dataclasses import replace
from html import escape
from itertools import islice
from operator import itemgetter
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from w3lib.url import url_query_cleaner

from bot.news.articles import SUMMARY_LENGTH, Article
from bot.news.dates import epoch_seconds
from bot.news.encodings import decode
from bot.news.markup import html_of, parse_feed, parse_html, pictures, visible_text
from bot.text import clean, normalise, shorten

MOST_ENTRIES = 500
MOST_CHILDREN = 300  # of an entry
CATEGORY = 20  # UTF-16 units: what fits on a button
URL = 2000  # characters of an address; LINE takes half
WIDTH = 800  # pixels, the best for a picture
_MODULES = {"mrss": "media:", "/content/": "content:", "itunes": "itunes:", "/dc/": "dc:"}
_TIMES = ("pubdate", "published", "dc:date", "issued", "date", "updated", "modified", "created")
_TEXTS = ("description", "summary", "content:encoded", "content", "itunes:summary")
ALWAYS_PICTURES = ("media:thumbnail", "itunes:image", "image")  # whatever their address
CAMPAIGN = [f"utm_{name}" for name in ("source", "medium", "campaign", "term", "content", "id")]
CAMPAIGN += ["fbclid", "gclid", "cmpid"]
_IMAGE_NAME = re.compile(r"\.(jpe?g|png|gif|webp|avif)($|\?)", re.IGNORECASE)
_NOT_FOR_LINE = re.compile(r"\.(gif|webp|avif)($|\?)", re.IGNORECASE)  # JPEG and PNG are
_DECORATION = re.compile(r"\.svg($|\?)|/emoji/|/smilies/|//(pixel|stats)\.", re.IGNORECASE)


class BadFeed(Exception):
    """The feed could not be had or read; says why, in a few words."""


def read_feed(content: bytes, kind: str, url: str, now: float) -> list[Article]:
    """Return the articles of an RSS or Atom feed; `published` is 0 where it is unknown. Raise BadFeed.

    Their category: what follows `#` in the URL, else each entry's own, else the feed's title. A time in
    the future is as of now.
    """
    address, fragment = urldefrag(url)
    root = parse_feed(decode(content, kind), address)
    if root is None:
        raise BadFeed("no feed")
    head = next(root.iter("{*}channel", "{*}feed"), root)
    name = _text(_fields(head), "title")
    entries = list(islice(root.iter("{*}item", "{*}entry", "{*}ITEM"), MOST_ENTRIES))
    if not entries and not name:
        raise BadFeed("no feed")
    host, named = urlsplit(url).hostname or "", clean(unquote(fragment))
    found = []
    for fields in map(_fields, entries):
        elements = [one for name in _TEXTS for one in fields.get(name, ())]
        texts = [(one, parse_html(html_of(one))) for one in elements]
        image = _image(fields, texts)  # also of a <noscript>, which visible_text removes
        summary = next(filter(None, (visible_text(html) for _, html in texts)), "")
        category = named or _text(fields, "category", "dc:subject") or name or host
        times = ["".join(one.itertext()) for name in _TIMES for one in fields.get(name, ())]
        title = _text(fields, "title", "dc:title", "media:title")
        title = title if normalise(title) else ""  # nothing that is seen
        article = Article(
            title=shorten(title, 300) or shorten(summary, 80),
            url=_link(fields),
            category=shorten(category, CATEGORY),
            summary=summary[:SUMMARY_LENGTH],
            source=shorten(_text(fields, "source") or name or host, 60),
            published=min(next(filter(None, map(epoch_seconds, times)), 0.0), now),
            image=image,
            id=_text(fields, "guid", "id"),
        )
        found += [article] if article.title else []
    return identified(found, address)


def identified(articles: list[Article], feed: str) -> list[Article]:
    """Return a feed's articles, each with an id: its guid, else its link, if no other one has the same."""
    key, names = _digest(feed), [_names(article) for article in articles]
    count = Counter(name for own in names for name in own)
    best = (next((name for name in own if count[name] == 1), own[-1]) for own in names)
    return [
        replace(article, feed=key, id=_digest(key, *name))
        for article, name in zip(articles, best, strict=True)
    ]


def _names(article: Article) -> list[tuple[str, str]]:
    """Return what may tell an article from the others of its feed, the best first."""
    link = canonical(article.url)
    whole = f"{link}#{urldefrag(article.url).fragment}" if link else ""
    names = [("guid", article.id), ("link", link), ("whole", whole)]
    title = ("title", f"{whole} {normalise(article.title)}")
    return [*(name for name in names if name[1]), title]


def canonical(url: str) -> str:
    """Return the address by which an article is known, without fragment and campaign parameters."""
    return url_query_cleaner(url, CAMPAIGN, remove=True, unique=False)


def shown(url: str) -> str:
    """Return host and path of a feed's address for the log: passwords and tokens are in the rest."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{parts.path}"


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="replace")).hexdigest()[:16]


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _fields(element: Any) -> dict[str, list[Any]]:
    """Return an entry's elements by name, those of the usual modules with their usual prefix."""
    own = str(element.tag).rpartition("}")[0]
    fields: dict[str, list[Any]] = {}
    children = list(islice(element, MOST_CHILDREN))
    groups = (one for child in children if _local(child) == "group" for one in child)
    for child in (*children, *islice(groups, MOST_CHILDREN)):
        space = str(child.tag).rpartition("}")[0]
        known = (prefix for part, prefix in _MODULES.items() if part in space)
        prefix = next(known, "" if space in ("", own) or "tom" in space else "other:")
        fields.setdefault(prefix + _local(child), []).append(child)
    return fields


def _text(fields: dict[str, list[Any]], *names: str) -> str:
    """Return the words of the first of these elements that has any."""
    for one in (one for name in names for one in fields.get(name, ())):
        title = one.find("{*}title")  # of Atom's <source>
        html = html_of(one if title is None else title)
        html = html or escape(one.get("label") or one.get("term") or "")
        if found := visible_text(parse_html(html)) or visible_text(parse_html(html), ()):
            return found
    return ""


def _absolute(element: Any, address: str | None) -> str:
    """Return an address in full; empty if it is none of the web."""
    try:
        whole = urljoin(element.base or "", clean(address or "")) if address else ""
    except ValueError:
        return ""
    web = whole[:8].lower().startswith(("http://", "https://"))
    return whole if web and len(whole) <= URL else ""


def _link(fields: dict[str, list[Any]]) -> str:
    """Return the address of the page, else of the entry itself or of what is enclosed."""
    links = fields.get("link", [])
    links = sorted(links, key=lambda link: link.get("rel", "alternate") != "alternate")
    offered = [(link, link.get("href") or link.text) for link in links]
    for guid in fields.get("guid", []):
        permanent = guid.get("isPermaLink", guid.get("ispermalink")) != "false"
        if permanent and (guid.text or "").strip().startswith("http"):
            offered.append((guid, guid.text))
    offered += [(enclosure, enclosure.get("url")) for enclosure in fields.get("enclosure", [])]
    return next(filter(None, (_absolute(*one) for one in offered)), "")


def _image(fields: dict[str, list[Any]], texts: list[tuple[Any, Any]]) -> str:
    """Return the address of a picture, over HTTPS as LINE wants it; empty where there is none."""
    offered = []
    for name in ("media:thumbnail", "media:content", "enclosure", "link", "itunes:image", "image"):
        for element in fields.get(name, ()):
            address = element.get("url") or element.get("href") or element.findtext("{*}url") or ""
            kind = element.get("type") or element.get("medium") or ""
            untyped = not kind and (name in ALWAYS_PICTURES or _IMAGE_NAME.search(address))
            if untyped or (kind.startswith("image") and element.get("rel") in (None, "enclosure")):
                width = element.get("width", "")
                width = int(width if re.fullmatch("[0-9]{1,5}", width) else 500)
                offered.append((abs(WIDTH - width), _absolute(element, address)))
    found = [address for _, address in sorted(offered, key=itemgetter(0))]
    found += [_absolute(text, address) for text, html in texts for address in pictures(html)]
    good = [one for one in found if one.startswith("https://") and not _DECORATION.search(one)]
    return min(good, key=lambda one: bool(_NOT_FOR_LINE.search(one)), default="")
