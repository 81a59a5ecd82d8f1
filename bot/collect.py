"""`python -m bot.collect`: feeds in, articles out; run by a schedule, in the bot's image.

Reads the feeds of NEWS_FEEDS and brings the news at NEWS_URL up to date. The articles lie in one file a
day, whose name says what is in it, so that it never changes; `index.json`, written last, names those
that count, and remembers what the feeds' servers want to be asked with. So a reader, and a run that is
killed anywhere, see the news as it was before or as it is now. Exit status 1 when no feed could be read.
"""

from __future__ import annotations

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

from bot.feeds import BadFeed, Mark, Web, canonical, read_feed
from bot.logs import configuration
from bot.news import Article, parse, parse_index
from bot.newsstand import INDEX
from bot.press import Press, press_at
from bot.settings import CollectorSettings, MissingSetting
from bot.text import normalise

log = logging.getLogger(__name__)

FOLDER = "articles"
SIDE_BY_SIDE = 4  # feeds fetched at once
MOST_ARTICLES = 100_000
DAY = 86400.0
# Readers may still hold an index that names a file which no longer counts.
KEPT_SECONDS = DAY

Fetch = Callable[[str, Mark], "tuple[bytes, str, Mark] | None"]


def main() -> int:
    """Collect once, as the environment says."""
    logging.config.dictConfig(configuration())
    try:
        settings = CollectorSettings.from_environment()
    except MissingSetting as missing:
        print(missing, file=sys.stderr)
        return 2
    press = press_at(settings.news_url, settings.region)
    read = collect(press, settings.feeds, settings.days, time.time(), Web().get)
    return 0 if read else 1


def collect(press: Press, feeds: list[str], days: int, now: float, fetch: Fetch) -> int:
    """Bring the news at the press up to date; how many feeds could be read.

    Articles older than so many days (and all beyond MOST_ARTICLES) go. `now` is epoch seconds.
    """
    index = _index(press)
    marks = {url: Mark(**mark) for url, mark in index["feeds"].items()}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = list(pool.map(lambda url: _feed(url, marks.get(url, Mark()), now, fetch), feeds))
    fresh = [article for articles, _mark in results for article in articles or ()]
    articles = merged(fresh, _kept(press, index["files"]), now - days * DAY)
    if any(articles_of is not None for articles_of, _mark in results):
        known = {url: asdict(mark) for url, (_a, mark) in zip(feeds, results, strict=True) if mark}
        publish(press, index, articles, known)
    read = sum(articles_of is not None for articles_of, _mark in results)
    told = {"feeds": len(feeds), "read": read, "fresh": len(fresh), "articles": len(articles)}
    log.info("collected", extra={"counters": told})
    return read


def merged(fresh: Iterable[Article], kept: Iterable[Article], since: float) -> list[Article]:
    """Newest first and each once: by its address, or by its title where two feeds tell the same. What is
    kept already stays as it is."""
    seen: set[str] = set()
    once = []
    for article in (*kept, *fresh):
        names = {name for name in (canonical(article.url), normalise(article.title)) if name}
        if article.published >= since and not names & seen:
            seen |= names
            once.append(article)
    once.sort(key=lambda article: (-article.published, article.url))
    return once[:MOST_ARTICLES]


def _feed(url: str, mark: Mark, now: float, fetch: Fetch) -> tuple[list[Article] | None, Mark]:
    """A feed's articles and its new mark; None instead of articles when it failed: one bad feed costs
    the others nothing, whatever is wrong with it."""
    try:
        read = fetch(url, mark)
        if read is None:
            return [], mark
        content, kind, new = read
        return read_feed(content, kind, url, now), new
    except Exception as error:
        why = str(error) if isinstance(error, BadFeed) else type(error).__name__
        log.warning("a feed could not be read", extra={"feed": url, "error": why})
        return None, mark


def _index(press: Press) -> dict[str, Any]:
    """The index as it was written last; an empty one where there is none that can be read."""
    content = press.read(INDEX)
    if content is None:
        return {"files": [], "feeds": {}, "missing": True}  # unlike any other, so one is written
    try:
        files, feeds = parse_index(content), json.loads(content).get("feeds", {})
        for mark in feeds.values():
            Mark(**mark)
    except (ValueError, TypeError, AttributeError):
        log.error("the index cannot be read: all feeds are read anew")
        return {"files": [], "feeds": {}}
    return {"files": files, "feeds": feeds}


def _kept(press: Press, files: list[str]) -> list[Article]:
    articles: list[Article] = []
    for name in files:
        content = press.read(name)
        try:
            articles += parse(content or b"")
        except ValueError:
            log.error("a file of articles cannot be read", extra={"file": name})
    return articles


def publish(
    press: Press, index: dict[str, Any], articles: list[Article], marks: dict[str, Any]
) -> None:
    """The files that are new, then the index, then what nobody reads any more goes."""
    by_day: dict[str, list[Article]] = {}
    for article in articles:
        day = datetime.fromtimestamp(article.published, UTC).strftime("%Y-%m-%d")
        by_day.setdefault(day, []).append(article)
    packed = {_name(day, content): content for day, content in map(_packed, by_day.items())}
    for name, content in packed.items():
        if name not in index["files"]:
            press.write(name, content)
    new = {"files": list(packed), "feeds": marks}
    if new != index:
        press.write(INDEX, json.dumps(new, ensure_ascii=False, indent=1).encode())
    for name in set(press.old(FOLDER, KEPT_SECONDS)) - set(packed) - set(index["files"]):
        press.remove(name)


def _name(day: str, content: bytes) -> str:
    return f"{FOLDER}/{day}-{hashlib.sha256(content).hexdigest()[:16]}.json"


def _packed(day: tuple[str, list[Article]]) -> tuple[str, bytes]:
    entries = []
    for article in day[1]:
        moment = datetime.fromtimestamp(article.published, UTC).isoformat()
        fields = {**asdict(article), "published": moment}
        entries.append({name: value for name, value in fields.items() if value})
    content = json.dumps({"articles": entries}, ensure_ascii=False, separators=(",", ":"))
    return day[0], content.encode()


if __name__ == "__main__":
    sys.exit(main())
