"""A layer: files as a tar, the same bytes for the same files wherever and whenever it is made."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from provision.clients.registry import PIECE, Blob

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
Entry = tuple[str, bytes]  # a file's path from the root, and its content


@dataclass(frozen=True)
class Layer:
    """A blob, the digest of the tar in it, and the command that a history shows for it."""

    blob: Blob
    diff_id: str
    made_by: str


class _Counting:
    """A stream that is hashed and measured while it is written."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.seen, self.size = stream, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.seen.update(data)
        self.size += len(data)
        return self.stream.write(data)

    def flush(self) -> None:
        self.stream.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self.seen.hexdigest()}"


def write(entries: Iterable[Entry], stream: BinaryIO) -> tuple[str, int, str]:
    """Files (0644, root's, of 1970, in order) and their folders: the blob's digest and size, and the diff_id.

    gzip's header has no time and no name in it. The compressed bytes are zlib's: another build of zlib may
    give others for the same tar, so the digest is one machine's; the diff_id is everybody's.
    """
    packed = _Counting(stream)
    sink: Any = packed
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=sink, mtime=0) as zipped:
        plain = _Counting(zipped)  # type: ignore[arg-type]
        target: Any = plain
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            _fill(tar, sorted(entries))
    return packed.digest, packed.size, plain.digest


def _fill(tar: tarfile.TarFile, entries: list[Entry]) -> None:
    folders: set[str] = set()
    for path, content in entries:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in folders:
                folders.add(folder)
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode = len(content), 0o644
        tar.addfile(entry, io.BytesIO(content))


def in_memory(entries: Iterable[Entry], made_by: str) -> Layer:
    """A layer of what is in memory: some 20 MB for all wheels."""
    stream = io.BytesIO()
    digest, size, diff_id = write(entries, stream)
    content = stream.getvalue()
    return Layer(
        Blob(digest, size, MEDIA_TYPE, lambda: pieces(io.BytesIO(content))), diff_id, made_by
    )


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """A stream's bytes, a piece at a time."""
    while piece := stream.read(PIECE):
        yield piece
