"""Collect the articles of the feeds: `python -m bot.news.collector`, run by a schedule in the bot's image.

Articles and what is remembered of the feeds are one file, written as a whole. So a reader sees the news as
it was before or as it is now, wherever a run is killed. The exit status is 1 if no feed could be read.
"""

import json
import logging
import logging.config
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from zlib import crc32

from bot.config import CollectorConfig, ConfigError
from bot.data import load_json
from bot.logs import reason
from bot.news.articles import Article, parse
from bot.news.cache import COLLECTED
from bot.news.feeds import BadFeed, canonical, shown
from bot.news.store import NotFound, Store, store_at
from bot.news.web import FeedState, Result, read_all
from bot.text import normalise

log = logging.getLogger("bot.news.collector")  # run as a module, its name is __main__

SAME_TITLE = 50  # articles of one title that are compared
MOST_ARTICLES = 20_000  # the bot has them in memory
DAY = 86400.0

Read = Callable[[Sequence[tuple[str, FeedState]], float], list[Result]]


def main() -> int:
    """Collect once; return the exit status."""
    logging.config.dictConfig(load_json("logging.json"))
    try:
        config = CollectorConfig.from_environment()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    store = store_at(config.news_url, config.region)
    return 0 if collect(store, config.feeds, config.days, time.time(), read_all) else 1


def collect(store: Store, feeds: list[str], days: int, now: float, read: Read) -> int:
    """Bring the stored news up to date without what is too old; return how many feeds could be read."""
    before, stored, states = _stored(store)
    since = now - days * DAY
    states = {url: states.get(url, FeedState()) for url in feeds}
    fresh: list[Article] = []
    good = 0
    for url, result in zip(feeds, read([*states.items()], now), strict=True):
        if isinstance(result, BadFeed):
            extra = {"feed": shown(url), "error": str(result)}
            log.warning("a feed could not be read", extra=extra)
            continue
        articles, states[url] = result
        fresh += articles
        good += 1
    seen = {key: first for state in states.values() for key, first in (state.seen or {}).items()}
    stored = [one for one in stored if (one.published or seen.get(one.id, 0)) >= since]
    articles = merged(fresh, stored, since)
    if good:
        publish(store, articles, states, before)
    counts = {"feeds": len(feeds), "read": good, "fresh": len(fresh), "articles": len(articles)}
    log.info("collected", extra={"counts": counts})
    return good


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
    store: Store, articles: list[Article], states: dict[str, FeedState], before: bytes = b""
) -> None:
    """Write articles and states, if they are others than before."""
    entries = []
    for article in articles:
        moment = datetime.fromtimestamp(article.published, UTC).isoformat()
        entry = asdict(article) | {"published": moment if article.published else ""}
        entries.append({name: value for name, value in entry.items() if value})
    feeds = {url: asdict(state) for url, state in states.items()}
    document = {"articles": entries, "feeds": feeds}
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    if content != before:
        store.write(COLLECTED, content)


def _stored(store: Store) -> tuple[bytes, list[Article], dict[str, FeedState]]:
    """Return what was collected last: the file, its articles, and the feeds' states by their address.

    A damaged file is kept under another name, as the new one takes its place.
    """
    try:
        content = store.read(COLLECTED)
    except NotFound as error:
        if "AccessDenied" in error.args:  # there may be one, which must not be replaced
            raise
        log.info("nothing was collected yet")
        return b"", [], {}
    articles: list[Article] = []
    try:
        articles = parse(content)
        feeds = json.loads(content)["feeds"].items()
        states = {url: FeedState(**state) for url, state in feeds}
        sum(first for state in states.values() for first in (state.seen or {}).values())  # numbers
        return content, articles, states
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        copy = f"damaged-{crc32(content):08x}.json"
        store.write(copy, content)
        advice = (
            "to have its articles again, repair this copy and put it in the place of index.json"
        )
        extra = {"file": copy, "error": reason(error)}
        log.error(f"the stored news is damaged, and collected anew: {advice}", extra=extra)
        return content, articles, {}


if __name__ == "__main__":
    sys.exit(main())
