"""Feeds from their addresses to their articles, in processes that are ended when their time is over."""

import multiprocessing
import resource
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

import requests
from pebble import ProcessPool

from bot.logs import reason
from bot.news.addresses import refuse_private_addresses
from bot.news.articles import Article
from bot.news.feeds import BadFeed, read_feed

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
FEED_SECONDS = 20.0  # for a feed in all, fetching and reading
SIDE_BY_SIDE = 8  # feeds read at once
MOST_BYTES = 4_000_000  # of a feed, unpacked
MOST_MEMORY = 100 << 20  # bytes of a process: a feed of 4 MB needs 62; the task of 1 GB has eight
REDIRECTS = 4
AGENT = "news-bot (+https://developers.line.biz/)"


@dataclass(frozen=True)
class FeedState:
    """The HTTP validators of a feed, with which an unchanged feed is not sent again.

    `seen`: since when there are articles that have no time, by id; None before the first reading.
    """

    etag: str = ""
    modified: str = ""
    seen: dict[str, float] | None = None


# Articles, none where they have not changed, and the new state; or why there are none.
Result = tuple[list[Article], FeedState] | BadFeed
Fetch = Callable[[str, FeedState], tuple[bytes, str, FeedState] | None]


def fetch(url: str, state: FeedState) -> tuple[bytes, str, FeedState] | None:
    """Return content, type and new state; None where it has not changed. Raise BadFeed."""
    headers = {"User-Agent": AGENT, "Accept-Encoding": "gzip"}
    conditions = {"If-None-Match": state.etag, "If-Modified-Since": state.modified}
    headers |= {name: value for name, value in conditions.items() if value}
    try:
        with requests.Session() as session:
            session.max_redirects = REDIRECTS
            timeout = (CONNECT_SECONDS, READ_SECONDS)
            answer = session.get(url, headers=headers, timeout=timeout, stream=True)
            if answer.status_code == 304:
                return None
            if answer.status_code != 200:
                raise BadFeed(f"HTTP {answer.status_code}")
            content = bytearray()
            for part in answer.iter_content(65536):
                content += part
                if len(content) > MOST_BYTES:
                    raise BadFeed("too large")
    except (OSError, ValueError) as error:  # those of requests are OSErrors
        raise BadFeed(reason(error)) from error
    given = answer.headers
    new = replace(state, etag=given.get("ETag", ""), modified=given.get("Last-Modified", ""))
    return bytes(content), given.get("Content-Type", ""), new


def read(url: str, state: FeedState, now: float, fetch: Fetch = fetch) -> Result:
    """Return what is new in a feed, or what is wrong with it.

    An article without a time is from when it was first seen, except those of a feed's first reading.
    """
    try:
        if not (fetched := fetch(url, state)):
            return [], state
        content, kind, new = fetched
        articles, known = read_feed(content, kind, url, now), state.seen or {}
        seen = {one.id: known.get(one.id, now) for one in articles if not one.published}
        if state.seen is not None:
            articles = [replace(one, published=one.published or seen[one.id]) for one in articles]
        return articles, replace(new, seen=seen)
    except Exception as error:
        return error if isinstance(error, BadFeed) else BadFeed(reason(error))


def read_all(
    asked: Sequence[tuple[str, FeedState]], now: float, seconds: float = FEED_SECONDS
) -> list[Result]:
    """Return what is new in each feed; those that take longer are given up, whatever they do."""
    context, count = multiprocessing.get_context("spawn"), min(SIDE_BY_SIDE, len(asked))
    with ProcessPool(count, initializer=confine, context=context) as pool:
        futures = [pool.schedule(read, (url, state, now), timeout=seconds) for url, state in asked]
        return [_result(future) for future in futures]


def confine() -> None:
    """Let a reading fail that needs too much memory, not the task; and one of a private network."""
    refuse_private_addresses()
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


def _result(future: Future[Result]) -> Result:
    try:
        return future.result()
    except Exception as error:  # of its time, or of its process
        return BadFeed("too slow" if isinstance(error, TimeoutError) else reason(error))
