"""Collect the articles of the feeds: `python -m bot.news.collector`, run by a schedule in the bot's image.

The articles are in one file a day, named by a hash of its content, so that it never changes. `index.json`,
written last, names the files that count and holds the feeds' ETags. So a reader sees the news as it was
before or as it is now, wherever a run is killed. The exit status is 1 if no feed could be read.
"""

import hashlib
import json
import logging
import logging.config
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from bot.config import CollectorConfig, ConfigError
from bot.logs import configuration
from bot.news.articles import Article, parse, parse_index
from bot.news.cache import INDEX
from bot.news.feeds import BadFeed, canonical, shown
from bot.news.store import NotFound, Store, store_at
from bot.news.web import Mark, Reading, read_all
from bot.text import normalise

log = logging.getLogger("bot.news.collector")  # run as a module, its name is __main__

FOLDER = "articles"
SAME_TITLE = 50  # articles of one title that are compared
MOST_ARTICLES = 100_000
DAY = KEPT_SECONDS = 86400.0  # readers may still hold an index that names a file of yesterday

Read = Callable[[Sequence[tuple[str, Mark]], float], list[Reading]]


def main() -> int:
    """Collect once; return the exit status."""
    logging.config.dictConfig(configuration())
    try:
        config = CollectorConfig.from_environment()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    store = store_at(config.news_url, config.region)
    return 0 if collect(store, config.feeds, config.days, time.time(), read_all) else 1


def collect(store: Store, feeds: list[str], days: int, now: float, read: Read) -> int:
    """Bring the stored news up to date, delete what is too old; return how many feeds could be read."""
    index, since = _index(store), now - days * DAY
    asked = [(url, Mark(**index["feeds"].get(url, {}))) for url in feeds]
    readings = zip(asked, read(asked, now), strict=True)
    results = [_checked(url, mark, reading, now) for (url, mark), reading in readings]
    good = [articles for articles, _mark in results if articles is not None]
    fresh = [article for articles in good for article in articles]
    seen = {name: first for _a, mark in results for name, first in (mark.seen or {}).items()}
    stored = [article for name in index["files"] for article in _stored(store, name)]
    stored = [one for one in stored if (one.published or seen.get(one.id, 0)) >= since]
    articles = merged(fresh, stored, since)
    if good:
        known = {url: asdict(mark) for url, (_a, mark) in zip(feeds, results, strict=True)}
        publish(store, index, articles, known)
    counts = {"feeds": len(feeds), "read": len(good), "fresh": len(fresh)}
    log.info("collected", extra={"counts": {**counts, "articles": len(articles)}})
    return len(good)


def merged(fresh: Iterable[Article], stored: Iterable[Article], since: float) -> list[Article]:
    """Return the articles newest first and each once; of two that are one, the first stored.

    Two are one if their feed gives them one id, or by an address that is of one article in its feed. With
    less than a day between them, so are those of one title in two feeds, and of one title and address.
    """
    every = [one for one in (*stored, *fresh) if not 0 < one.published < since]
    sharing = defaultdict(set)
    for article in every:
        sharing[article.feed, canonical(article.url)].add(article.id)
    seen: set[str] = set()
    titles: dict[str, deque[Article]] = defaultdict(lambda: deque(maxlen=SAME_TITLE))
    once = []
    for article in every:
        link, title = canonical(article.url), normalise(article.title)
        names = {f"{article.feed} {article.id}"} if article.id else set()
        if link and len(sharing[article.feed, link]) == 1:
            names.add(link)
        if not names & seen and not any(_same(article, other) for other in titles[title]):
            titles[title].append(article)
            once.append(article)
        seen |= names
    once.sort(key=lambda article: -article.published)
    return once[:MOST_ARTICLES]


def _same(one: Article, other: Article) -> bool:
    """Return whether two articles of the same title are one."""
    known = one.published and other.published
    if known and abs(one.published - other.published) >= DAY:
        return False
    return not one.feed or one.feed != other.feed or bool(one.url and one.url == other.url)


def publish(
    store: Store, index: dict[str, Any], articles: list[Article], marks: dict[str, Any]
) -> None:
    """Write the new files, then the index, then delete the files that nobody reads any more."""
    days: dict[str, list[dict[str, Any]]] = {}
    for article in articles:
        moment = datetime.fromtimestamp(article.published, UTC).isoformat()
        entry = {name: value for name, value in asdict(article).items() if value}
        if article.published:
            entry["published"] = moment
        days.setdefault(moment[:10], []).append(entry)
    files = {}
    for day, entries in days.items():
        document = json.dumps({"articles": entries}, ensure_ascii=False, separators=(",", ":"))
        content = document.encode()
        files[f"{FOLDER}/{day}-{hashlib.sha256(content).hexdigest()[:16]}.json"] = content
    for name in files.keys() - set(index["files"]):
        store.write(name, files[name])
    new = {"files": list(files), "feeds": marks}
    if new != index:
        store.write(INDEX, json.dumps(new, ensure_ascii=False, indent=1).encode())
    for name in set(store.old(FOLDER, KEPT_SECONDS)) - files.keys() - set(index["files"]):
        store.delete(name)


def _checked(
    url: str, mark: Mark, reading: Reading, now: float
) -> tuple[list[Article] | None, Mark]:
    """Return a feed's articles and its new mark; None for the articles if anything is wrong with it.

    An article without a time is from when it was first seen; of those in a feed's first reading, nobody
    knows.
    """
    if isinstance(reading, BadFeed):
        log.warning("a feed could not be read", extra={"feed": shown(url), "error": str(reading)})
        return None, mark
    articles, new = reading
    if articles is None:
        return [], new
    seen = {one.id: (mark.seen or {}).get(one.id, now) for one in articles if not one.published}
    if mark.seen is not None:
        articles = [replace(one, published=one.published or seen[one.id]) for one in articles]
    return articles, replace(new, seen=seen)


def _index(store: Store) -> dict[str, Any]:
    """Return the index as it was written last; another one than any if none can be read."""
    try:
        content = store.read(INDEX)
        files, feeds = parse_index(content), json.loads(content).get("feeds", {})
        for mark in feeds.values():
            _ = [float(first) for first in (Mark(**mark).seen or {}).values()]
        return {"files": files, "feeds": feeds}
    except NotFound:
        log.info("there is no index yet")
    except (ValueError, TypeError, AttributeError):
        log.error("the index cannot be read: all feeds are read anew")
    return {"files": [], "feeds": {}, "missing": True}


def _stored(store: Store, name: str) -> list[Article]:
    try:
        return parse(store.read(name))
    except (NotFound, ValueError):
        log.error("a file of articles cannot be read", extra={"file": name})
        return []


if __name__ == "__main__":
    sys.exit(main())
