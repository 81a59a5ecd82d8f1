"""Where articles are fetched from, and the cache in front: never a slow answer, always the last
good edition."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from bot.news import Edition, parse
from bot.settings import SAMPLES

log = logging.getLogger(__name__)

TTL_SECONDS = 120.0
RETRY_SECONDS = 15.0  # after a failure: soon, but not with every message
STAND_IN = "samples:"  # no ETag looks like that
FIRST_EDITION_SECONDS = 1.0  # LINE waits two seconds for an answer


class NothingThere(Exception):
    """There is no articles.json at that place yet; says what S3 said."""


class Source(Protocol):
    """A place with an `articles.json`."""

    def read(self, tag: str) -> tuple[bytes, str] | None:
        """The content and its tag; None where it still carries the tag given."""


class Folder:
    """A folder on this machine."""

    def __init__(self, path: str) -> None:
        self.path = Path(path) / "articles.json"

    def read(self, tag: str) -> tuple[bytes, str] | None:
        """The file, unless its time and size are the ones of the tag. Raises OSError."""
        status = self.path.stat()
        present = f"{status.st_mtime_ns}-{status.st_size}"
        return None if present == tag else (self.path.read_bytes(), present)


class Bucket:
    """A prefix in an S3 bucket, read with the task role (s3:GetObject)."""

    def __init__(self, bucket: str, prefix: str, region: str, client: Any = None) -> None:
        self.bucket = bucket
        self.key = f"{prefix}/articles.json" if prefix else "articles.json"
        self.region = region
        self._client = client

    def read(self, tag: str) -> tuple[bytes, str] | None:
        """A conditional GET by ETag. Raises NothingThere, else botocore's errors.

        S3 says AccessDenied of an object that is not there to those who may not list the bucket.
        """
        import boto3  # here and not above: a bot that reads a folder does not pay for it
        from botocore.config import Config
        from botocore.exceptions import ClientError

        if self._client is None:
            config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
            self._client = boto3.client("s3", region_name=self.region or None, config=config)
        condition = {"IfNoneMatch": tag} if tag else {}
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=self.key, **condition)
        except ClientError as error:
            if _status(error) == 304:
                return None
            code, status = error.response["Error"]["Code"], _status(error)
            if code == "NoSuchKey" or status == 403:
                raise NothingThere(code) from None
            raise
        with answer["Body"] as body:
            return body.read(), str(answer["ETag"])


def _status(error: Any) -> int:
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status


class UntilThere:
    """A bucket that nobody has put news into yet: until somebody does, the samples stand in.

    News that was there and is gone is another matter: the last good edition stays.
    """

    def __init__(self, source: Source, samples: Source) -> None:
        self.source = source
        self.samples = samples

    def read(self, tag: str) -> tuple[bytes, str] | None:
        """As the source; where there is nothing, as the samples, whose tags begin with `samples:`."""
        stand_in = tag.startswith(STAND_IN)
        try:
            return self.source.read("" if stand_in else tag)
        except NothingThere as error:
            if tag and not stand_in:
                raise
            log.info("no news yet: the samples stand in", extra={"s3": str(error)})
        read = self.samples.read(tag.removeprefix(STAND_IN))
        return read and (read[0], STAND_IN + read[1])


def source_at(news_url: str, region: str = "", client: Any = None) -> Source:
    """The source that NEWS_URL names: `s3://bucket/prefix` or a folder. client: another S3's."""
    parts = urlsplit(news_url)
    if parts.scheme == "s3":
        bucket = Bucket(parts.netloc, parts.path.strip("/"), region, client)
        return UntilThere(bucket, Folder(SAMPLES))
    return Folder(news_url)


def in_background(work: Callable[[], None]) -> None:
    """Run it on a thread that does not keep the process alive."""
    threading.Thread(target=work, name="newsstand", daemon=True).start()


class Newsstand:
    """The present edition. Fetching happens beside the answers, one at a time; an answer waits for
    it only while there has never been an edition, and then at most a second."""

    def __init__(
        self,
        source: Source,
        clock: Callable[[], float] = time.monotonic,
        run: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._source = source
        self._clock = clock
        self._run = run
        self._edition = Edition()
        self._tag = ""
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
            self._run(self._fetch)

    def _fetch(self) -> None:
        wait = RETRY_SECONDS
        try:
            read = self._source.read(self._tag)
            if read is not None:
                content, tag = read
                self._edition = Edition(parse(content))
                self._tag = tag  # only now: a broken file is read again
            wait = TTL_SECONDS
        except Exception as error:  # whatever goes wrong, the last good edition is the answer
            log.warning("could not fetch the news", extra={"error": type(error).__name__})
        finally:
            self._due = self._clock() + wait
            self._tried.set()
            self._fetching.release()
