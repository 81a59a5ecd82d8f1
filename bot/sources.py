"""Where the news lies: a folder, or a prefix in an S3 bucket; the samples until there is some."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from bot.aws import Missing
from bot.settings import SAMPLES


class NothingThere(Exception):
    """There is no such file at that place; says what S3 said."""


class Source(Protocol):
    """A place with files."""

    def read(self, name: str, tag: str = "") -> tuple[bytes, str] | None:
        """The file's content and tag; None where it still carries the tag given. Raises NothingThere
        or whatever keeps it from being read."""


class Folder:
    """A folder on this machine."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def read(self, name: str, tag: str = "") -> tuple[bytes, str] | None:
        """The file, unless its time and size are the ones of the tag. Raises OSError."""
        file = self.path / name
        try:
            status = file.stat()
            present = f"{status.st_mtime_ns}-{status.st_size}"
            return None if present == tag else (file.read_bytes(), present)
        except FileNotFoundError:
            raise NothingThere(str(file)) from None


class Objects(Protocol):
    """What a bucket needs of AWS: bot.aws's Aws."""

    def object(self, bucket: str, key: str, tag: str = "") -> tuple[bytes, str] | None:
        """The object and its ETag; None where it still has the one given. Raises Missing."""


class Bucket:
    """A prefix in an S3 bucket, read with the task role (s3:GetObject)."""

    def __init__(self, bucket: str, prefix: str, aws: Objects) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self._aws = aws

    def read(self, name: str, tag: str = "") -> tuple[bytes, str] | None:
        """A conditional GET by ETag.

        S3 says AccessDenied of an object that is not there to those who may not list the bucket.
        """
        try:
            return self._aws.object(self.bucket, self.prefix + name, tag)
        except Missing as error:
            raise NothingThere(str(error)) from None


def source_at(news_url: str, aws: Objects) -> Source:
    """The source that NEWS_URL names: `s3://bucket/prefix` or a folder."""
    parts = urlsplit(news_url)
    if parts.scheme == "s3":
        return Bucket(parts.netloc, parts.path.strip("/"), aws)
    return Folder(news_url)


SAMPLE_SOURCE = Folder(SAMPLES)
