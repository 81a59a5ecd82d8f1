"""The articles in memory: an answer never waits for S3, and a failure leaves the last good ones."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread

from bot.config import SAMPLES
from bot.logs import reason
from bot.news.articles import ArticleFile, ArticleIndex, parse, parse_index
from bot.news.store import NotFound, Store

log = logging.getLogger(__name__)

TTL_SECONDS = 120.0
RETRY_SECONDS = 15.0  # after a failure
NO_NEWS_SECONDS = 5.0  # while there is none: the first collection may be running
FIRST_SECONDS = 1.0  # LINE waits two seconds for an answer
INDEX, BY_HAND = "index.json", "articles.json"


class Cache:
    """The present articles, read in the background; `pause` between two files gives answers a turn."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
        run: Callable[[Callable[[], None]], None] = lambda work: Thread(
            target=work, daemon=True
        ).start(),
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._clock, self._run, self._pause = store, clock, run, pause
        self._index = ArticleIndex()
        self._files: dict[str, ArticleFile] = {}  # by name
        self._contents: dict[str, bytes] = {}  # of the file that names or holds the articles
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
        """Read the files of the index, else the file written by hand, else the samples."""
        why = ""
        for name in (INDEX, BY_HAND):
            try:
                content = self._store.read(name)
            except NotFound as error:
                if name in self._contents:
                    raise  # it was there before
                why = str(error)
                continue
            if self._contents != {name: content}:
                if name == INDEX:
                    self._publish(self._read_files(parse_index(content)))
                else:
                    self._publish({name: ArticleFile(parse(content))})
                self._contents = {name: content}  # only now: after a failure it is read again
            return
        if not self._files:
            log.info("no news yet: answering with the samples", extra={"error": why})
            self._publish({"": ArticleFile(parse((Path(SAMPLES) / BY_HAND).read_bytes()))})

    def _read_files(self, names: list[str]) -> dict[str, ArticleFile]:
        """Return the files, the newest first; read those that were not there before."""
        files: dict[str, ArticleFile] = {}
        for name in names:
            try:
                files[name] = self._files.get(name) or ArticleFile(parse(self._store.read(name)))
            except NotFound as error:  # not "no news yet": the index names it
                raise FileNotFoundError(name) from error
            self._pause()
            if not self._read_once.is_set() and files[name].articles:
                self._publish(dict(files))  # better the newest now than all of them later
        return files

    def _publish(self, files: dict[str, ArticleFile]) -> None:
        self._index, self._files = ArticleIndex(files.values()), files
        self._read_once.set()
