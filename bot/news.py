"""Articles: what one is, the file they come in, and an edition that can be searched.

The file is `articles.json` under NEWS_URL, UTF-8:

    {"articles": [{"title": "...", "url": "https://...", "category": "...", "summary": "...",
                   "source": "...", "published": "2026-08-01T08:00:00+09:00", "image": "https://..."}]}

Everything but `title` may be left out; `published` is ISO 8601 (without an offset: UTC).
An entry that is no article is left out, and the others are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.text import clean, normalise


@dataclass(frozen=True)
class Article:
    """One piece of news. `published` is in epoch seconds, 0 where unknown."""

    title: str
    url: str = ""
    category: str = ""
    summary: str = ""
    source: str = ""
    published: float = 0.0
    image: str = ""


class Edition:
    """The articles of one reading, newest first, with what searching needs made beforehand."""

    def __init__(self, articles: Iterable[Article] = ()) -> None:
        self.articles = sorted(articles, key=lambda article: -article.published)
        self._searched = [
            normalise(" ".join((one.title, one.summary, one.category, one.source)))
            for one in self.articles
        ]
        self._by_category: dict[str, list[Article]] = {}
        for article in self.articles:
            if article.category:
                self._by_category.setdefault(normalise(article.category), []).append(article)

    @property
    def categories(self) -> list[str]:
        """Category names as the articles write them; the one with the newest article first."""
        return [articles[0].category for articles in self._by_category.values()]

    def newest(self, count: int) -> list[Article]:
        """The newest articles of all categories."""
        return self.articles[:count]

    def of_category(self, name: str) -> list[Article]:
        """All articles of the category, newest first; empty for an unknown one."""
        return self._by_category.get(normalise(name), [])

    def search(self, words: str, count: int) -> list[Article]:
        """The newest articles in which every one of the words occurs."""
        wanted = normalise(words).split()
        found: list[Article] = []
        for article, searched in zip(self.articles, self._searched, strict=True):
            if wanted and all(word in searched for word in wanted):
                found.append(article)
                if len(found) == count:
                    break
        return found


def parse(content: bytes) -> list[Article]:
    """The articles of an `articles.json`. Raises ValueError when it is not such a file at all."""
    document = json.loads(content)
    entries = document.get("articles") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError('articles.json must be an object with a list "articles"')
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
        category=words("category"),
        summary=words("summary"),
        source=words("source"),
        published=_epoch(words("published")),
        image=words("image"),
    )


def _epoch(published: str) -> float:
    try:
        moment = datetime.fromisoformat(published)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0
