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
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bot.config import CollectorConfig, ConfigError
from bot.logs import configuration, reason
from bot.news.articles import Article, parse, parse_index
from bot.news.cache import INDEX
from bot.news.feeds import BadFeed, Mark, Web, canonical, read_feed, shown
from bot.news.store import NotFound, Store, store_at
from bot.text import normalise

log = logging.getLogger(__name__)

FOLDER = "articles"
SIDE_BY_SIDE = 4  # feeds fetched at once
MOST_ARTICLES = 100_000
DAY = KEPT_SECONDS = 86400.0  # readers may still hold an index that names a file of yesterday

Fetch = Callable[[str, Mark], tuple[bytes, str, Mark] | None]


def main() -> int:
    """Collect once; return the exit status."""
    logging.config.dictConfig(configuration())
    try:
        config = CollectorConfig.from_environment()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    store = store_at(config.news_url, config.region)
    return 0 if collect(store, config.feeds, config.days, time.time(), Web().get) else 1


def collect(store: Store, feeds: list[str], days: int, now: float, fetch: Fetch) -> int:
    """Bring the stored news up to date, delete what is too old; return how many feeds could be read."""
    index = _index(store)
    marks = {url: Mark(**mark) for url, mark in index["feeds"].items()}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = list(pool.map(lambda url: _feed(url, marks.get(url, Mark()), now, fetch), feeds))
    read = [articles for articles, _mark in results if articles is not None]
    fresh = [article for articles in read for article in articles]
    stored = [article for name in index["files"] for article in _stored(store, name)]
    articles = merged(fresh, stored, now - days * DAY)
    if read:
        known = {url: asdict(mark) for url, (_a, mark) in zip(feeds, results, strict=True) if mark}
        publish(store, index, articles, known)
    counts = {"feeds": len(feeds), "read": len(read), "fresh": len(fresh)}
    log.info("collected", extra={"counts": {**counts, "articles": len(articles)}})
    return len(read)


def merged(fresh: Iterable[Article], stored: Iterable[Article], since: float) -> list[Article]:
    """Return the articles newest first and each once, by its address or its title; stored ones first."""
    seen: set[str] = set()
    once = []
    for article in (*stored, *fresh):
        names = {name for name in (canonical(article.url), normalise(article.title)) if name}
        if article.published >= since and not names & seen:
            seen |= names
            once.append(article)
    once.sort(key=lambda article: (-article.published, article.url))
    return once[:MOST_ARTICLES]


def publish(
    store: Store, index: dict[str, Any], articles: list[Article], marks: dict[str, Any]
) -> None:
    """Write the new files, then the index, then delete the files that nobody reads any more."""
    days: dict[str, list[dict[str, Any]]] = {}
    for article in articles:
        moment = datetime.fromtimestamp(article.published, UTC).isoformat()
        entry = {name: value for name, value in asdict(article).items() if value}
        days.setdefault(moment[:10], []).append({**entry, "published": moment})
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


def _feed(url: str, mark: Mark, now: float, fetch: Fetch) -> tuple[list[Article] | None, Mark]:
    """Return a feed's articles and its new mark; None for the articles if anything is wrong with it."""
    try:
        answer = fetch(url, mark)
        if answer is None:
            return [], mark
        content, kind, new = answer
        return read_feed(content, kind, url, now), new
    except Exception as error:
        why = str(error) if isinstance(error, BadFeed) else reason(error)
        log.warning("a feed could not be read", extra={"feed": shown(url), "error": why})
        return None, mark


def _index(store: Store) -> dict[str, Any]:
    """Return the index as it was written last; another one than any if none can be read."""
    try:
        content = store.read(INDEX)
        files, feeds = parse_index(content), json.loads(content).get("feeds", {})
        for mark in feeds.values():
            Mark(**mark)
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
