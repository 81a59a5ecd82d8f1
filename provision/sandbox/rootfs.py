"""What is in an image's layers, laid out in a folder: a task of the sandbox runs from there.

The base's Python is not run (the gallery's stand-in has none, and it may be for another processor): the code
and the packages are, on this machine's interpreter, with the image's own variables, folder and command.
"""

import hashlib
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provision.sandbox.images import CannotPull
from provision.sandbox.tasks import Command

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

_PATHS = ("PYTHONPATH",)  # variables that name places in the image
# Here the folder can be written to, and the next task of the image starts sooner for it.
_NOT_HERE = ("PATH", "PYTHONDONTWRITEBYTECODE")
_LARGEST = 2 << 30  # bytes of an unpacked image
_BLOCK = 4096  # bytes that the smallest entry takes on a disk
# What tarfile raises for an archive that is damaged or none.
_UNREADABLE = (OSError, EOFError, ValueError, tarfile.TarError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class Unpacked:
    """An image on this machine: its variables, its folder, and what it runs."""

    environment: dict[str, str]
    folder: Path
    command: Command


class Rootfs:
    """Images that are in the account's ECR with their layers, unpacked once each."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._place: tempfile.TemporaryDirectory[str] | None = None

    def unpacked(self, uri: str) -> Unpacked | None:
        """None for an image whose layers are not here: a public one, or one that was put without any.

        Raises CannotPull.
        """
        with self._cloud.lock:
            images = self._cloud.ecr.images
            manifest = images.manifest(uri) or {}
            config = images.configuration(manifest)
            layers = [str(told["digest"]) for told in manifest.get("layers") or []]
            blobs = {digest: images.blobs.get(digest) for digest in layers}
        if config is None or not blobs or None in blobs.values():
            return None
        with self._lock:
            root = self._root({digest: blob for digest, blob in blobs.items() if blob is not None})
        return _as_here(config, root)

    def _root(self, layers: dict[str, bytes]) -> Path:
        """Return the folder of these layers, by digest, one over the other. It is complete or not there."""
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="provision-images-")
        place = Path(self._place.name).resolve()
        root = place / hashlib.sha256(" ".join(layers).encode()).hexdigest()
        if not root.is_dir():
            with tempfile.TemporaryDirectory(dir=place) as folder:
                draft = Path(folder) / "root"
                draft.mkdir()
                _unpack(layers, draft)
                os.replace(draft, root)
        return root

    def close(self) -> None:
        """Takes the folders away."""
        if self._place is not None:
            self._place.cleanup()
            self._place = None


def _unpack(layers: dict[str, bytes], root: Path) -> None:
    """Write the layers' files and folders below `root`, which has no links in it. Raises CannotPull.

    Not `extractall(filter="data")`: Python has it since 3.11.4 only, and links got out of it before 3.11.13
    (CVE-2025-4517).
    """
    room = _LARGEST
    for digest, blob in layers.items():
        try:
            with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
                for member in tar:
                    room -= max(member.size, _BLOCK)
                    if room < 0:
                        raise ValueError(f"it has more than {_LARGEST} bytes")
                    _write(tar, member, root)
        except _UNREADABLE as error:
            why = str(error).partition("\n")[0]
            raise CannotPull(f"failed to extract layer {digest}: {why}") from None


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Write one entry of a layer, with nothing of its mode but "executable". Raises ValueError or OSError."""
    place = (root / member.name).resolve()
    if not place.is_relative_to(root):
        raise ValueError(f"{member.name!r} would leave the image")
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise ValueError(f"{member.name!r} is neither a file nor a folder")
    place.parent.mkdir(parents=True, exist_ok=True)
    with content, place.open("wb") as file:
        shutil.copyfileobj(content, file)
    place.chmod(0o755 if member.mode & 0o100 else 0o644)


def _as_here(config: dict[str, Any], root: Path) -> Unpacked:
    """What an image's configuration says, with this machine's places. Raises CannotPull."""
    told = config.get("config") or {}
    environment = dict(line.split("=", 1) for line in told.get("Env") or [])
    for name in _PATHS:
        if name in environment:
            places = environment[name].split(":")
            environment[name] = ":".join(str(root / place.lstrip("/")) for place in places)
    command = (*(told.get("Entrypoint") or []), *(told.get("Cmd") or []))
    kept = {name: value for name, value in environment.items() if name not in _NOT_HERE}
    working = str(told.get("WorkingDir") or "/")
    folder = (root / working.lstrip("/")).resolve()
    if not folder.is_relative_to(root):
        raise CannotPull(f"the working directory {working!r} leaves the image")
    folder.mkdir(parents=True, exist_ok=True)
    return Unpacked(kept, folder, command)
