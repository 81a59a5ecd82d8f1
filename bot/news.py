"""Articles, and an edition of them that can be searched.

Under NEWS_URL lies `index.json`, which the collector writes last, and what it names:

    {"files": ["articles/2026-08-01-3f2a....json", ...]}

A file is never changed once it has been named, so that a reader sees one edition or the next and
never half of both. Each is UTF-8 and holds

    {"articles": [{"title": "...", "url": "https://...", "category": "...", "summary": "...",
                   "source": "...", "published": "2026-08-01T08:00:00+09:00", "image": "https://..."}]}

Everything but `title` may be left out; `published` is ISO 8601 (without an offset: UTC). An entry that
is no article is left out, and the others are kept. A single `articles.json` of this form, written by
hand, does as well where there is no `index.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from bot.search import Haystack, Needle
from bot.text import clean, normalise

SUMMARY = 300  # letters of a summary that are kept and searched


@dataclass(frozen=True, slots=True)
class Article:
    """One piece of news. `published` is in epoch seconds, 0 where unknown."""

    title: str
    url: str = ""
    category: str = ""
    summary: str = ""
    source: str = ""
    published: float = 0.0
    image: str = ""


class Shard:
    """The articles of one file, newest first, with what searching needs made beforehand."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self.articles = sorted(articles, key=lambda article: -article.published)
        self._haystack = Haystack(
            [
                normalise(" ".join((one.title, one.summary, one.category, one.source)))
                for one in self.articles
            ]
        )
        self.by_category: dict[str, list[Article]] = {}
        for article in self.articles:
            if article.category:
                self.by_category.setdefault(normalise(article.category), []).append(article)

    @property
    def newest(self) -> float:
        """When its newest article was published."""
        return self.articles[0].published if self.articles else 0.0

    def index(self, rest: Callable[[], None] = lambda: None) -> None:
        """Make searching fast; until then it is right, and slower. `rest` is called now and then."""
        self._haystack.index(rest)

    def search(self, needle: Needle) -> Iterator[Article]:
        """The articles in which every one of the normalised words occurs, newest first."""
        return (self.articles[place] for place in self._haystack.find(needle))


class Edition:
    """The articles of one reading, newest first: shards whose times do not overlap."""

    def __init__(self, shards: Iterable[Shard] = ()) -> None:
        self._shards = sorted(shards, key=lambda shard: -shard.newest)
        self._names: dict[str, str] = {}  # categories, the one with the newest article first
        for shard in self._shards:
            for key, articles in shard.by_category.items():
                self._names.setdefault(key, articles[0].category)
        # Names as the articles write them; the one with the newest article first.
        self.categories = tuple(self._names.values())

    def __bool__(self) -> bool:
        return any(shard.articles for shard in self._shards)

    def category(self, name: str) -> str:
        """The category of this name, as the articles write it; empty where there is none."""
        return self._names.get(normalise(name), "")

    def newest(self) -> Iterator[Article]:
        """The articles of all categories, newest first."""
        return (article for shard in self._shards for article in shard.articles)

    def of_category(self, name: str) -> Iterator[Article]:
        """The category's articles, newest first; none for an unknown one."""
        key = normalise(name)
        return (one for shard in self._shards for one in shard.by_category.get(key, ()))

    def search(self, words: str) -> Iterator[Article]:
        """The articles in which every one of the words occurs, newest first; none without words."""
        wanted = normalise(words).split()
        if not wanted:
            return iter(())
        needle = Needle(wanted)
        return (article for shard in self._shards for article in shard.search(needle))


def page(articles: Iterator[Article], skipped: int, count: int) -> tuple[list[Article], bool]:
    """So many articles after the skipped ones, and whether there are more."""
    taken = list(islice(articles, skipped, skipped + count + 1))
    return taken[:count], len(taken) > count


def parse_index(content: bytes) -> list[str]:
    """The names of the files of an `index.json`. Raises ValueError when it is not one."""
    document = json.loads(content)
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, list) or not all(_is_name(name) for name in files):
        raise ValueError('index.json must be an object with a list "files" of names below it')
    return files


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.endswith(".json") and ".." not in name and name[0] != "/"


def parse(content: bytes) -> list[Article]:
    """The articles of a file. Raises ValueError when it is not such a file at all."""
    document = json.loads(content)
    entries = document.get("articles") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError('a file of articles must be an object with a list "articles"')
    articles = (_article(entry) for entry in entries)
    return [article for article in articles if article is not None]


def _article(entry: object) -> Article | None:
    if not isinstance(entry, dict):
        return None

    def words(name: str) -> str:
        value = entry.get(name)
        return clean(value) if isinstance(value, str) else ""

    title = words("title")
    if not title:
        return None
    return Article(
        title=title,
        url=words("url"),
        category=sys.intern(words("category")),
        summary=words("summary")[:SUMMARY],
        source=sys.intern(words("source")),
        published=_epoch(words("published")),
        image=words("image"),
    )


def _epoch(published: str) -> float:
    try:
        moment = datetime.fromisoformat(published)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0
