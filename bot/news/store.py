"""Where the news is stored: a folder, or a prefix in an S3 bucket."""

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.aws import make_client
from bot.bounds import MOST_BYTES

ATTEMPTS = 4
TIMEOUTS = (5, 20)  # seconds to connect to S3 and to read; never within an answer


class NotFound(Exception):
    """There is no such file; the message is the file's name or S3's error code."""


class Folder:
    """A folder on this machine."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self, name: str) -> bytes:
        """Return the file's content. Raise NotFound."""
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(error.filename) from None

    def write(self, name: str, content: bytes) -> None:
        """Write the file as a whole, in place of what was there."""
        file = self._path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{file.name}")
        temporary.write_bytes(content)
        temporary.replace(file)


class Bucket:
    """A prefix in an S3 bucket; what has not changed there is not sent again. `client`: boto3's."""

    def __init__(self, bucket: str, prefix: str, region: str = "", client: Any = None) -> None:
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._client = cache(lambda: client or make_client("s3", region, TIMEOUTS, ATTEMPTS))
        self._last: dict[str, tuple[str, bytes]] = {}  # ETag and content by name

    def read(self, name: str) -> bytes:
        """Return the file's content. Raise NotFound."""
        client = self._client()
        where = {"Bucket": self._bucket, "Key": self._prefix + name}
        tag, content = self._last.get(name, ("", b""))
        condition = {"IfNoneMatch": tag} if tag else {}
        try:
            answer = client.get_object(**where, **condition)
        except client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "304":
                return content
            # Without s3:ListBucket S3 answers AccessDenied for an object that does not exist.
            if code in ("NoSuchKey", "AccessDenied"):
                raise NotFound(code) from None
            raise
        with answer["Body"] as body:
            content = bytes(body.read(MOST_BYTES + 1))
        if len(content) > MOST_BYTES:
            raise OSError(f"{name} has more than {MOST_BYTES} bytes")
        self._last[name] = (answer.get("ETag", ""), content)
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write the file as a whole, in place of what was there."""
        where = {"Bucket": self._bucket, "Key": self._prefix + name}
        kind = "application/json; charset=utf-8"
        self._client().put_object(**where, Body=content, ContentType=kind)


Store = Folder | Bucket


def store_at(news_url: str, region: str = "") -> Store:
    """Return the store that NEWS_URL names: `s3://bucket/prefix` or a folder."""
    parts = urlsplit(news_url)
    is_bucket = parts.scheme == "s3"
    return Bucket(parts.netloc, parts.path.strip("/"), region) if is_bucket else Folder(news_url)
