"""Articles, their file format, and an index of them that can be searched.

Below NEWS_URL is `index.json`, which the collector writes as a whole, or `articles.json` written by hand.
Both are UTF-8:

    {"articles": [{"title": "...", "url": "https://...", "category": "...", "summary": "...",
                   "source": "...", "published": "2026-08-01T08:00:00+09:00", "image": "https://..."}]}

Everything but `title` may be left out; `published` is ISO 8601 (UTC if it has no offset). The collector
adds `feed` and `id`, by which it knows an article again, and `feeds` beside `articles`.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from itertools import islice
from string import ascii_lowercase
from typing import Any, Self

from bot.text import clean, normalise

SUMMARY_LENGTH = 300  # characters of a summary that are kept and searched
SEARCHED_TOGETHER = 500  # articles; a page of answers is often among the first
MOST_WORDS = 8  # of a question that are searched for, the longest


@dataclass(frozen=True, slots=True)
class Article:
    """One piece of news. `published`: epoch seconds, 0 if unknown; `id` is unique in its `feed`."""

    title: str
    url: str = ""
    category: str = ""
    summary: str = ""
    source: str = ""
    published: float = 0.0
    image: str = ""
    feed: str = field(default="", compare=False)
    id: str = field(default="", compare=False)


class ArticleIndex:
    """The articles, newest first, with the texts that are searched; `previous` saves making them anew."""

    def __init__(self, articles: Iterable[Article] = (), previous: Self | None = None) -> None:
        known = dict(previous._rows) if previous else {}
        newest = sorted(articles, key=lambda article: -article.published)
        self._rows: list[tuple[Article, str]] = [
            (article, known.get(article) or _searched(article)) for article in newest
        ]
        self._by_category: dict[str, list[Article]] = {}
        for article in newest:
            if article.category:
                self._by_category.setdefault(normalise(article.category), []).append(article)
        self.categories = tuple(found[0].category for found in self._by_category.values())
        latin = re.compile(" ([a-z]{4,})")
        self._latin = Counter(word for _, text in self._rows for word in set(latin.findall(text)))

    def __bool__(self) -> bool:
        return bool(self._rows)

    def category(self, name: str) -> str:
        """Return the category of this name as the articles write it; empty if there is none."""
        return next((article.category for article in self.of_category(name)), "")

    def newest(self) -> Iterator[Article]:
        """Return the articles of all categories."""
        return (article for article, _ in self._rows)

    def of_category(self, name: str) -> Iterator[Article]:
        """Return the articles of a category; none for an unknown one."""
        return iter(self._by_category.get(normalise(name), ()))

    def search(self, words: str) -> Iterator[Article]:
        """Return the articles that contain every one of the words; none without words.

        Latin words are found where a word begins, short ones as a whole: `it` is not in `item`. AI, IT,
        EU are found as they are written.
        """
        keys = sorted({key for word in words.split() if (key := _key(word))}, key=len)[-MOST_WORDS:]
        for start in range(0, len(self._rows) if keys else 0, SEARCHED_TOGETHER):
            rows = self._rows[start : start + SEARCHED_TOGETHER]
            for key in reversed(keys):
                rows = [row for row in rows if key in row[1]]
            yield from (article for article, _ in rows)

    def respell(self, words: str) -> str:
        """Return the words with each unknown Latin one as a known word that differs in one letter."""
        return " ".join(map(self._respell, normalise(words)[:100].split()))

    def _respell(self, word: str) -> str:
        if word in self._latin or not re.fullmatch("[a-z]{4,20}", word):
            return word
        near = sorted(self._latin.keys() & respellings(word, ascii_lowercase))
        return max(near, key=self._latin.__getitem__, default=word)


def respellings(word: str, letters: Iterable[str]) -> set[str]:
    """Return what differs from the word in one letter, or in the order of two."""
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    swapped = {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    shorter = {a + b[1:] for a, b in halves if b}
    changed = {a + one + b[1:] for a, b in halves if b for one in letters}
    return swapped | shorter | changed | {a + one + b for a, b in halves for one in letters}


def _searched(article: Article) -> str:
    """Return the text in which an article is found; at its end the names in capitals (AI, IT, EU)."""
    text = f"{article.title} {article.summary} {article.category} {article.source}"
    names = re.findall("(?<![a-zA-Z])[A-Z]{2,3}(?![a-zA-Z])", unicodedata.normalize("NFKC", text))
    return _marked(" ".join([*normalise(text).split(), *names]))


def _marked(text: str) -> str:
    """Return the text with a space at both ends of each Latin word, more than it may have there."""
    return re.sub("[a-zA-Z0-9]+", r" \g<0> ", text)


def _key(word: str) -> str:
    """Return what a text contains if it contains the word; empty for a single Latin letter."""
    name = unicodedata.normalize("NFKC", word)
    plain = name if re.fullmatch("[A-Z]{2,3}", name) else normalise(word)
    if plain.isascii() and len(plain) < 2:
        return ""
    whole = re.fullmatch("[A-Z]{2,3}|[a-z0-9]{2}", plain)
    return _marked(plain) if whole else _marked(plain).removesuffix(" ")


def page(articles: Iterator[Article], skipped: int, count: int) -> tuple[list[Article], bool]:
    """Return so many articles after the skipped ones, and whether there are more."""
    taken = list(islice(articles, skipped, skipped + count + 1))
    return taken[:count], len(taken) > count


def parse(content: bytes) -> list[Article]:
    """Return the articles of a file. Raises ValueError if it is not such a file."""
    document = json.loads(content)
    entries = document.get("articles") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError('a file of articles must be an object with a list "articles"')
    articles = (_article(entry) for entry in entries if isinstance(entry, dict))
    return [article for article in articles if article.title]


def _article(entry: dict[str, Any]) -> Article:
    given = {name: clean(value) for name, value in entry.items() if isinstance(value, str)}
    words: dict[str, Any] = {one.name: given.get(one.name, "") for one in fields(Article)}
    try:
        moment = datetime.fromisoformat(words["published"])
        published = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        published = 0.0
    return Article(
        **{**words, "summary": words["summary"][:SUMMARY_LENGTH], "published": published}
    )
