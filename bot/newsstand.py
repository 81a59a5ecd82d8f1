"""The cache in front of the news: never a slow answer, always the last good edition."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable

from bot.news import Edition, Shard, parse, parse_index
from bot.sources import SAMPLE_SOURCE, NothingThere, Source

log = logging.getLogger(__name__)

TTL_SECONDS = 120.0
RETRY_SECONDS = 15.0  # after a failure: soon, but not with every message
NO_NEWS_SECONDS = 5.0  # while there is none: the first collection may be under way
FIRST_EDITION_SECONDS = 1.0  # LINE waits two seconds for an answer
INDEX, BY_HAND = "index.json", "articles.json"


def a_moment() -> None:
    """A rest for whoever works beside the answers: five times as long as the work between two."""
    time.sleep(0.01)


def in_background(work: Callable[[], None]) -> None:
    """Run it on a thread that does not keep the process alive."""
    threading.Thread(target=work, name="newsstand", daemon=True).start()


class Newsstand:
    """The present edition. Fetching happens beside the answers, one at a time; an answer waits for
    it only while there has never been any news, and then at most a second.

    `rest` is called between small pieces of work: at a quarter vCPU whoever works on without a pause
    uses up what the answers need of each tenth of a second.
    """

    def __init__(
        self,
        source: Source,
        clock: Callable[[], float] = time.monotonic,
        run: Callable[[Callable[[], None]], None] = in_background,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._rest = rest
        self._source = source
        self._clock = clock
        self._run = run
        self._edition = Edition()
        self._shards: dict[str, Shard] = {}  # by the name of their file
        self._tags: dict[str, str] = {}  # of the file that names or holds the present edition
        self._due: float | None = None  # None: never tried
        self._fetching = threading.Lock()
        self._tried = threading.Event()

    def edition(self) -> Edition:
        """The articles to answer with, now."""
        self.refresh()
        self._tried.wait(FIRST_EDITION_SECONDS)
        return self._edition

    def refresh(self) -> None:
        """Begin to fetch if it is time to and nobody does; returns at once."""
        due = self._due is None or self._clock() >= self._due
        if due and self._fetching.acquire(blocking=False):
            if not self._tags:
                self._tried.clear()  # rather wait a moment than answer with the samples once more
            self._run(self._fetch)

    def _fetch(self) -> None:
        wait = RETRY_SECONDS
        try:
            self._read()
            wait = TTL_SECONDS if self._tags else NO_NEWS_SECONDS
        except Exception as error:  # whatever goes wrong, the last good edition is the answer
            log.warning("could not fetch the news", extra={"error": type(error).__name__})
        finally:
            self._due = self._clock() + wait
            self._tried.set()
            self._fetching.release()

    def _read(self) -> None:
        """What the index names; without one the file written by hand; the samples until there is any."""
        try:
            return self._read_index()
        except NothingThere as error:
            if INDEX in self._tags:
                raise  # it was there: this is an accident
            why = str(error)
        try:
            return self._read_file(self._source, BY_HAND)
        except NothingThere:
            if BY_HAND in self._tags:
                raise
        if not self._shards:
            log.info("no news yet: the samples stand in", extra={"error": why})
            self._publish({"": Shard(parse(_content(SAMPLE_SOURCE, BY_HAND)))})
        return None

    def _read_index(self) -> None:
        read = self._source.read(INDEX, self._tags.get(INDEX, ""))
        if read is None:
            return
        content, tag = read
        shards: dict[str, Shard] = {}
        for name in parse_index(content):  # the newest first
            shards[name] = self._shards.get(name) or Shard(parse(_content(self._source, name)))
            self._rest()
            if not self._tried.is_set() and shards[name].articles:
                self._publish(dict(shards))  # better the newest now than all of them later
        self._publish(shards)
        self._tags = {INDEX: tag}  # only now: what is broken is read again

    def _read_file(self, source: Source, name: str) -> None:
        read = source.read(name, self._tags.get(name, ""))
        if read is not None:
            self._publish({name: Shard(parse(read[0]))})
            self._tags = {name: read[1]}

    def _publish(self, shards: dict[str, Shard]) -> None:
        self._edition, self._shards = Edition(shards.values()), shards
        self._tried.set()
        for shard in shards.values():
            shard.index(self._rest)
        gc.freeze()  # what stays for long need not be looked through again and again


def _content(source: Source, name: str) -> bytes:
    try:
        read = source.read(name)
    except NothingThere as error:  # not "no news yet": what names it is there
        raise FileNotFoundError(name) from error
    assert read is not None  # no tag was given
    return read[0]
