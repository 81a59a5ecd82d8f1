"""An image's layers, unpacked into a folder from which a task runs.

The base's Python is not run (the gallery's stand-in has none, and it may be for another processor): the code
and the packages are, on this machine's interpreter, with the image's own variables, folder and command.
Packages that are compiled for another Python are replaced by those of this environment.
Files and folders alone are unpacked: links could lead out of the folder (CVE-2025-4517), and not every Python
checks them rightly.
"""

import gzip
import hashlib
import io
import posixpath
import shutil
import tarfile
import tempfile
import threading
import zlib
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecr.image_store import CannotPullError
from provision.sandbox.tasks.runners import Command

_PATHS = ("PYTHONPATH",)  # variables that name places in the image
# Here the folder can be written to, and the next task of the image starts sooner for it.
_NOT_HERE = ("PATH", "PYTHONDONTWRITEBYTECODE")
_FULL = "no space left on device"
_AT_ONCE = 1 << 24  # bytes: a longer header is none


@dataclass(frozen=True)
class Unpacked:
    """An image on this machine: its variables, its folder, and what it runs."""

    environment: dict[str, str]
    folder: Path
    command: Command


class Rootfs:
    """Images that are in the account's ECR with their layers, unpacked once each.

    `most_bytes`, `most_files`: of one layer.
    """

    def __init__(self, cloud: Cloud, most_bytes: int = 2 << 30, most_files: int = 200_000) -> None:
        self._cloud, self._most_bytes, self._most_files = cloud, most_bytes, most_files
        self._lock = threading.Lock()
        self._place: tempfile.TemporaryDirectory[str] | None = None

    def unpacked(self, uri: str) -> Unpacked | None:
        """Return the unpacked image; None where its layers are not here (public, or put without any).

        Raises CannotPullError where they cannot be unpacked, or the configuration is none.
        """
        with self._cloud.lock:
            images = self._cloud.ecr.images
            manifest = images.manifest(uri) or {}
            config = images.configuration(manifest)
            layers = [str(settings["digest"]) for settings in manifest.get("layers") or []]
            blobs = [images.blobs.get(digest) for digest in layers]
        if config is None or not blobs or None in blobs:
            return None
        try:
            with self._lock:
                root = self._root(layers, [blob for blob in blobs if blob is not None])
            return _as_here(config, root)
        except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
            raise CannotPullError(f"failed to register layer: {error}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise CannotPullError(f"invalid image configuration: {error}") from None

    def _root(self, layers: list[str], blobs: list[bytes]) -> Path:
        """Return the folder of these layers, one over the other."""
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="provision-images-")
        name = hashlib.sha256(" ".join(layers).encode()).hexdigest()
        root = Path(self._place.name) / name
        if not root.is_dir():
            draft = Path(tempfile.mkdtemp(dir=self._place.name))
            try:
                for blob in blobs:
                    self._unpack(blob, draft)
                draft.rename(root)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return root

    def _unpack(self, blob: bytes, folder: Path) -> None:
        """Unpack the layer's files and folders over what is in the folder."""
        packed = blob.startswith(b"\x1f\x8b")
        stream: Any = _Bounded(blob, self._most_bytes) if packed else io.BytesIO(blob)
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            for number, member in enumerate(tar):
                if number >= self._most_files:
                    raise OSError(_FULL)
                _write(tar, member, folder.resolve())

    def close(self) -> None:
        """Remove the folders."""
        if self._place is not None:
            self._place.cleanup()
            self._place = None


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Write one entry of a layer, if it is a file or a folder, below `root`, which has no links in it.

    Of its mode only "executable" is kept. Not `extract(filter="data")`: Python has it since 3.11.4 only.
    Raises ValueError or OSError.
    """
    place = (root / member.name).resolve()
    if not place.is_relative_to(root):
        raise OSError(f"{member.name!r} would leave the image")
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
    elif member.isreg() and (content := tar.extractfile(member)):
        place.parent.mkdir(parents=True, exist_ok=True)
        with content, place.open("wb") as file:
            shutil.copyfileobj(content, file)
        place.chmod(0o755 if member.mode & 0o100 else 0o644)


class _Bounded(gzip.GzipFile):
    """Ends with OSError where more than `most` bytes come out: a megabyte may hold a gigabyte."""

    def __init__(self, blob: bytes, most: int) -> None:
        super().__init__(fileobj=io.BytesIO(blob))
        self._most = most

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _AT_ONCE or self.tell() + size > self._most:
            raise OSError(_FULL)
        return super().read(size)


def _inside(root: Path, path: str) -> str:
    """Return an absolute path in the image as one on this machine; `..` stays inside the image."""
    return str(root / posixpath.normpath(f"/{path}").lstrip("/"))


def _is_for_this_python(place: str) -> bool:
    """Return whether no package there is compiled for another Python or processor.

    Where one is, the packages of this environment are used instead: it has the bot's as well.
    """
    compiled = [*Path(place).glob("*.so"), *Path(place).glob("*/*.so")]
    tags = {file.name.partition(".")[2] for file in compiled if ".cpython-" in file.name}
    return all(f".{tag}" in EXTENSION_SUFFIXES for tag in tags)


def _as_here(config: dict[str, Any], root: Path) -> Unpacked:
    """Return an image's configuration with this machine's paths."""
    settings = config.get("config") or {}
    variables = settings.get("Env") or []
    command = [*(settings.get("Entrypoint") or []), *(settings.get("Cmd") or [])]
    folder = settings.get("WorkingDir") or "/"
    if not all(
        isinstance(word, str) and "\0" not in word for word in (*variables, *command, folder)
    ):
        raise ValueError("what should be text is none")
    environment = dict(line.partition("=")[::2] for line in variables)
    for name in _PATHS:
        if name in environment:
            places = environment[name].split(":")
            here = [_inside(root, place) for place in places]
            environment[name] = ":".join(place for place in here if _is_for_this_python(place))
    variables_here = {
        name: value
        for name, value in environment.items()
        if name not in _NOT_HERE
        and not name.startswith("LD_")  # for the loader of the image's system
    }
    place = Path(_inside(root, folder))
    place.mkdir(parents=True, exist_ok=True)  # as container runtimes do
    return Unpacked(variables_here, place, tuple(command))
