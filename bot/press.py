"""Where the collector writes: a folder, or a prefix in an S3 bucket."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from bot.sources import Folder, NothingThere


class Press(Protocol):
    """A place to read and write files at; each is written whole or not at all."""

    def read(self, name: str) -> bytes | None:
        """The file's content; None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Put it there, in place of what was there before."""

    def old(self, below: str, seconds: float) -> list[str]:
        """The names of the files below that have not been written for so long."""

    def remove(self, name: str) -> None:
        """Take it away; nothing happens where there is none."""


class FolderPress:
    """A folder on this machine."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._folder = Folder(path)

    def read(self, name: str) -> bytes | None:
        try:
            read = self._folder.read(name)
        except NothingThere:
            return None
        return read and read[0]

    def write(self, name: str, content: bytes) -> None:
        file = self._path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=".")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(0o644)  # the bot may be another user
            os.replace(temporary, file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def old(self, below: str, seconds: float) -> list[str]:
        end = time.time() - seconds
        found = (self._path / below).glob("*")
        return [f"{below}/{file.name}" for file in found if file.stat().st_mtime < end]

    def remove(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)


class BucketPress:
    """A prefix in an S3 bucket; PutObject replaces an object as a whole."""

    def __init__(self, bucket: str, prefix: str, client: Any) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = client

    def read(self, name: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        except self._client.exceptions.NoSuchKey:
            return None
        with answer["Body"] as body:
            content: bytes = body.read()
        return content

    def write(self, name: str, content: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=self._prefix + name,
            Body=content,
            ContentType="application/json; charset=utf-8",
        )

    def old(self, below: str, seconds: float) -> list[str]:
        end = time.time() - seconds
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}{below}/"
        )
        return [
            one["Key"].removeprefix(self._prefix)
            for page in pages
            for one in page.get("Contents", [])
            if one["LastModified"].timestamp() < end
        ]

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)


def press_at(news_url: str, region: str) -> Press:
    """The place that NEWS_URL names: `s3://bucket/prefix` or a folder."""
    parts = urlsplit(news_url)
    if parts.scheme != "s3":
        return FolderPress(news_url)
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 4})
    client = boto3.client("s3", region_name=region or None, config=config)
    return BucketPress(parts.netloc, parts.path.strip("/"), client)
