"""Write layers: reproducible tar files."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from provision.clients.registry import CHUNK_SIZE, Blob

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
Entry = tuple[str, bytes]  # a file's path from the root, and its content


@dataclass(frozen=True)
class Layer:
    """A layer. diff_id: the digest of the uncompressed tar. created_by: its entry in the history."""

    blob: Blob
    diff_id: str
    created_by: str


class _HashingWriter:
    """A stream that computes the hash and the size of the data written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.hash, self.size = stream, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self.stream.write(data)

    def flush(self) -> None:
        self.stream.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self.hash.hexdigest()}"


def write(entries: Iterable[Entry], stream: BinaryIO) -> tuple[str, int, str]:
    """Write files and their folders. Return the blob's digest and size, and the diff_id.

    Files have mode 0644, owner root, date 1970, and are sorted; gzip's header has no time and no name. The
    compressed bytes depend on the zlib build, so only the diff_id is the same on every machine.
    """
    compressed = _HashingWriter(stream)
    sink: Any = compressed
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=sink, mtime=0) as zipped:
        uncompressed = _HashingWriter(zipped)  # type: ignore[arg-type]
        target: Any = uncompressed
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, sorted(entries))
    return compressed.digest, compressed.size, uncompressed.digest


def _add(tar: tarfile.TarFile, entries: list[Entry]) -> None:
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


def in_memory(entries: Iterable[Entry], created_by: str) -> Layer:
    """Return a layer whose content is kept in memory (about 20 MB for all wheels)."""
    stream = io.BytesIO()
    digest, size, diff_id = write(entries, stream)
    content = stream.getvalue()
    return Layer(
        Blob(digest, size, MEDIA_TYPE, lambda: read_chunks(io.BytesIO(content))),
        diff_id,
        created_by,
    )


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a stream's bytes in chunks."""
    while chunk := stream.read(CHUNK_SIZE):
        yield chunk
