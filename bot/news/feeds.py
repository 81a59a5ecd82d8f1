"""One feed: fetched politely, and read into articles."""

import calendar
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, unquote, urldefrag, urlencode, urlsplit

import feedparser  # type: ignore[import-untyped]
import urllib3

from bot.news.articles import SUMMARY_LENGTH, Article
from bot.text import clean, shorten

CONNECT_SECONDS, READ_SECONDS, ALL_SECONDS = 5.0, 10.0, 30.0
MOST_BYTES = 4_000_000  # of a feed, unpacked
MOST_ENTRIES = 500
CATEGORY = 20  # UTF-16 units: what fits on a button
AGENT = "news-bot (+https://developers.line.biz/)"

_TAG = re.compile(r"<[^>]{0,2000}>")
_IMAGE = re.compile(r"""<img\b[^>]{0,500}?\bsrc\s*=\s*["']([^"'>]{1,1000})""", re.IGNORECASE)
_CAMPAIGN = re.compile("utm_|fbclid|gclid|ref$|rss$|cmpid")  # where a link was found


class BadFeed(Exception):
    """The feed could not be had or read; says why, in a few words."""


@dataclass(frozen=True)
class Mark:
    """What a server wants to be asked with, so that it need not send again what we have."""

    tag: str = ""
    modified: str = ""


class Web:
    """The internet: redirects followed, sizes and times limited."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(timeout=timeout, maxsize=1)

    def get(self, url: str, mark: Mark) -> tuple[bytes, str, Mark] | None:
        """Content, its type and its mark; None where it has not changed. Raises BadFeed."""
        headers = {"User-Agent": AGENT, "Accept-Encoding": "gzip"}
        conditions = {"If-None-Match": mark.tag, "If-Modified-Since": mark.modified}
        headers |= {name: value for name, value in conditions.items() if value}
        once = {"connect": 1, "read": 0, "status": 0, "respect_retry_after_header": False}
        retries = urllib3.Retry(total=5, redirect=4, **once)  # type: ignore[arg-type]
        end = self._clock() + ALL_SECONDS
        try:
            answer = self._pool.request(
                "GET", url, headers=headers, preload_content=False, retries=retries
            )
            try:
                if answer.status == 304:
                    return None
                if answer.status != 200:
                    raise BadFeed(f"HTTP {answer.status}")
                content = self._content(answer, end)
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise BadFeed(type(error).__name__) from error
        given = answer.headers
        new = Mark(given.get("ETag", ""), given.get("Last-Modified", ""))
        return content, given.get("Content-Type", ""), new

    def _content(self, answer: urllib3.BaseHTTPResponse, end: float) -> bytes:
        content = bytearray()
        while part := answer.read1(65536, decode_content=True):  # what is there, however little
            content += part
            if len(content) > MOST_BYTES or self._clock() > end:
                answer.close()
                raise BadFeed("too large" if len(content) > MOST_BYTES else "too slow")
        return bytes(content)


def read_feed(content: bytes, kind: str, url: str, now: float) -> list[Article]:
    """Return the articles of an RSS or Atom feed. Raise BadFeed where it is none.

    Their category: what follows `#` in the URL, else each entry's own, else the feed's title. An entry
    without a time is as of now, and one from the future too.
    """
    headers = {"content-type": kind, "content-location": urldefrag(url).url}
    feed = feedparser.parse(content, response_headers=headers)
    title = _words(feed.feed.get("title"))
    if not feed.entries and (feed.bozo or not title):
        raise BadFeed("no feed")
    named = clean(unquote(urldefrag(url).fragment))
    host = urlsplit(url).hostname or ""
    articles = []
    for entry in feed.entries[:MOST_ENTRIES]:
        summary, link = _words(entry.get("summary")), str(entry.get("link"))
        category = _words((entry.get("tags") or [{}])[0].get("term"))
        article = Article(
            title=shorten(_words(entry.get("title")), 300) or shorten(summary, 80),
            url=clean(link) if link.startswith(("http://", "https://")) else "",
            category=shorten(named or category or title or host, CATEGORY),
            summary=summary[:SUMMARY_LENGTH],
            source=shorten(title or host, 60),
            published=min(_published(entry) or now, now),
            image=_image(entry),
        )
        articles.append(article)
    return [article for article in articles if article.title]


def shown(url: str) -> str:
    """Return host and path of a feed's address for the log: passwords and tokens are in the rest."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{parts.path}"


def canonical(url: str) -> str:
    """Return the address by which an article is known, without fragment and campaign parameters."""
    try:
        parts = urlsplit(url)
        query = [pair for pair in parse_qsl(parts.query, True) if not _CAMPAIGN.match(pair[0])]
        return parts._replace(query=urlencode(query), fragment="").geturl()
    except ValueError:
        return url


def _words(html: object) -> str:
    """Plain words of what may be HTML."""
    return clean(unescape(_TAG.sub(" ", html[:20_000]))) if isinstance(html, str) else ""


def _published(entry: Any) -> float:
    """Epoch seconds; 0 where the entry does not say."""
    moment = dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")  # no warning
    try:
        return float(calendar.timegm(moment)) if moment else 0.0
    except (ValueError, OverflowError, TypeError):
        return 0.0


def _image(entry: Any) -> str:
    """Return the address of a picture, over HTTPS as LINE wants it; empty where there is none."""
    offered = [one.get("url") for one in entry.get("media_thumbnail") or []]
    for one in [*(entry.get("media_content") or []), *(entry.get("enclosures") or [])]:
        if str(one.get("type") or one.get("medium")).startswith("image"):
            offered.append(one.get("url") or one.get("href"))
    offered += _IMAGE.findall(str(entry.get("summary") or "")[:20_000])[:1]
    return next((clean(one) for one in offered if str(one).startswith("https://")), "")
