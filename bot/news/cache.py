"""The articles in memory: an answer never waits for S3, and a failure leaves the last good ones."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread

from bot.config import SAMPLES
from bot.logs import reason
from bot.news.articles import Article, ArticleIndex, parse
from bot.news.store import NotFound, Store

log = logging.getLogger(__name__)

TTL_SECONDS = 120.0
RETRY_SECONDS = 15.0  # after a failure
NO_NEWS_SECONDS = 5.0  # while there is none: the first collection may be running
FIRST_SECONDS = 1.0  # LINE waits two seconds for an answer
FIRST_ARTICLES = 300  # are there to be found before the others
COLLECTED, BY_HAND = "index.json", "articles.json"


class Cache:
    """The present articles, read in the background."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
        run: Callable[[Callable[[], None]], None] = lambda work: Thread(
            target=work, daemon=True
        ).start(),
    ) -> None:
        self._store, self._clock, self._run = store, clock, run
        self._index = ArticleIndex()
        self._contents: dict[str, bytes] = {}  # of the file by its name
        self._due = -math.inf
        self._reading = Lock()
        self._read_once = Event()

    def articles(self) -> ArticleIndex:
        """Return the present articles; wait only while there have never been any, at most a second."""
        self.refresh()
        self._read_once.wait(FIRST_SECONDS)
        return self._index

    def refresh(self) -> None:
        """Start to read if it is time to and nobody does; return at once."""
        if self._clock() >= self._due and self._reading.acquire(blocking=False):
            if not self._contents:
                self._read_once.clear()  # better wait a moment than answer with the samples again
            self._run(self._refresh)

    def _refresh(self) -> None:
        wait = RETRY_SECONDS
        try:
            self._read()
            wait = TTL_SECONDS if self._contents else NO_NEWS_SECONDS
        except Exception as error:
            log.warning("could not read the news", extra={"error": reason(error)})
        finally:
            self._due = self._clock() + wait
            self._read_once.set()
            self._reading.release()

    def _read(self) -> None:
        """Read what was collected, else the file written by hand, else the samples."""
        why = ""
        for name in (COLLECTED, BY_HAND):
            try:
                content = self._store.read(name)
            except NotFound as error:
                if name in self._contents:
                    raise  # it was there before
                why = str(error)
                continue
            if self._contents != {name: content}:
                self._publish(parse(content))
                self._contents = {name: content}  # only now: after a failure it is read again
            return
        if not self._index:
            log.info("no news yet: answering with the samples", extra={"error": why})
            self._publish(parse((Path(SAMPLES) / BY_HAND).read_bytes()))

    def _publish(self, articles: list[Article]) -> None:
        if not self._read_once.is_set():  # better the newest now than all of them later
            self._index = ArticleIndex(articles[:FIRST_ARTICLES])
            self._read_once.set()
        self._index = ArticleIndex(articles, self._index)
