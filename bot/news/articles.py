"""Articles, their file format, and an index of them that can be searched.

Below NEWS_URL is `index.json`, which the collector writes last, with the names of the files that count:

    {"files": ["articles/2026-08-01-3f2a....json", ...]}

A named file never changes, so a reader sees the news as it was before or as it is now. Each is UTF-8:

    {"articles": [{"title": "...", "url": "https://...", "category": "...", "summary": "...",
                   "source": "...", "published": "2026-08-01T08:00:00+09:00", "image": "https://..."}]}

Everything but `title` may be left out; `published` is ISO 8601 (UTC if it has no offset). An entry that
is no article is skipped. Instead of `index.json` there may be a single `articles.json` of this form.
"""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate, islice

from bot.text import clean, normalise

SUMMARY_LENGTH = 300  # characters of a summary that are kept and searched


@dataclass(frozen=True, slots=True)
class Article:
    """One piece of news. `published` is in epoch seconds, 0 if unknown."""

    title: str
    url: str = ""
    category: str = ""
    summary: str = ""
    source: str = ""
    published: float = 0.0
    image: str = ""


class ArticleFile:
    """The articles of one file, newest first.

    Their normalised texts are one string, a line each: searching it is one call, not one an article.
    """

    def __init__(self, articles: Iterable[Article]) -> None:
        self.articles = sorted(articles, key=lambda article: -article.published)
        lines = [
            " ".join(normalise(f"{one.title} {one.summary} {one.category} {one.source}").split())
            for one in self.articles
        ]
        self._text = "\n".join([*lines, ""])
        self._ends = list(accumulate(len(line) + 1 for line in lines))
        self.by_category: dict[str, list[Article]] = {}
        for article in self.articles:
            if article.category:
                self.by_category.setdefault(normalise(article.category), []).append(article)

    def search(self, words: Sequence[str]) -> Iterator[Article]:
        """Return the articles that contain every one of the normalised words.

        Latin words are found where a word begins, short ones as a whole: `it` is not in `item`.
        """
        words = sorted(words, key=self._text.count)  # the rarest first: it leads to the fewest
        place = self._text.find(words[0])
        while place >= 0:
            number = bisect_right(self._ends, place)
            end = self._ends[number]
            start = self._ends[number - 1] if number else 0
            if all(_contains(self._text, word, start, end) for word in words):
                yield self.articles[number]
            place = self._text.find(words[0], end)


class ArticleIndex:
    """All articles, newest first: files whose times do not overlap."""

    def __init__(self, files: Iterable[ArticleFile] = ()) -> None:
        self._files = sorted(
            (file for file in files if file.articles), key=lambda file: -file.articles[0].published
        )
        self._names: dict[str, str] = {}  # categories, the one with the newest article first
        for file in self._files:
            for key, articles in file.by_category.items():
                self._names.setdefault(key, articles[0].category)
        self.categories = tuple(self._names.values())

    def __bool__(self) -> bool:
        return bool(self._files)

    def category(self, name: str) -> str:
        """Return the category of this name as the articles write it; empty if there is none."""
        return self._names.get(normalise(name), "")

    def newest(self) -> Iterator[Article]:
        """Return the articles of all categories."""
        return (article for file in self._files for article in file.articles)

    def of_category(self, name: str) -> Iterator[Article]:
        """Return the articles of a category; none for an unknown one."""
        key = normalise(name)
        return (one for file in self._files for one in file.by_category.get(key, ()))

    def search(self, words: str) -> Iterator[Article]:
        """Return the articles that contain every one of the words; none without words."""
        wanted = sorted(normalise(words).split(), key=len, reverse=True)
        wanted = [word for word in wanted if len(word) > 1 or not word.isascii()]
        # AI, IT, EU: as they are written, or "it" would be found everywhere.
        names = [
            word for word in words.split() if len(word) < 4 and word.isascii() and word.isupper()
        ]
        for file in self._files if wanted else ():
            for article in file.search(wanted):
                if all(_is_in(name, article) for name in names):
                    yield article


def _contains(text: str, word: str, start: int, end: int) -> bool:
    if not (word.isascii() and word.isalnum()):
        return text.find(word, start, end) >= 0
    pattern = _latin(word)
    return bool(pattern.search(text, start, end))


@lru_cache(maxsize=256)
def _latin(word: str) -> re.Pattern[str]:
    return re.compile(f"(?<![a-zA-Z0-9]){re.escape(word)}" + "(?![a-zA-Z0-9])" * (len(word) < 3))


def _is_in(name: str, article: Article) -> bool:
    return bool(_latin(name).search(f"{article.title} {article.summary} {article.category}"))


def page(articles: Iterator[Article], skipped: int, count: int) -> tuple[list[Article], bool]:
    """Return so many articles after the skipped ones, and whether there are more."""
    taken = list(islice(articles, skipped, skipped + count + 1))
    return taken[:count], len(taken) > count


def parse_index(content: bytes) -> list[str]:
    """Return the file names in an `index.json`. Raises ValueError if it is not one."""
    document = json.loads(content)
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, list) or not all(_is_name(name) for name in files):
        raise ValueError('index.json must be an object with a list "files" of names below it')
    return files


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.endswith(".json") and ".." not in name and name[0] != "/"


def parse(content: bytes, pause: Callable[[], None] = lambda: None) -> list[Article]:
    """Return the articles of a file. Raises ValueError if it is not such a file.

    `pause` is called every hundred articles, so that answers get their turn.
    """
    document = json.loads(content)
    entries = document.get("articles") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError('a file of articles must be an object with a list "articles"')
    articles = []
    for number, entry in enumerate(entries):
        if article := _article(entry):
            articles.append(article)
        if number % 100 == 99:
            pause()
    return articles


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
        summary=words("summary")[:SUMMARY_LENGTH],
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
