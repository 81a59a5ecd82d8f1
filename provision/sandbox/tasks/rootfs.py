"""Images, whose layers are extracted into a folder in which tasks run.

The code and packages run on this machine's interpreter, not on the base image's (the stand-in has none, and
it may be for another processor), with the image's environment variables, working directory and command.
Packages that are compiled for another Python are replaced by those of this environment. Only files and
folders are extracted: links could point outside the folder (CVE-2025-4517), which not every Python checks
correctly.
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

_PATHS = ("PYTHONPATH",)  # variables with paths in the image
# Not set here; bytecode in the folder makes the image's next task start faster.
_IGNORED_VARIABLES = ("PATH", "PYTHONDONTWRITEBYTECODE")
_FULL = "no space left on device"
_MAX_READ = 1 << 24  # bytes: more than any tar header


@dataclass(frozen=True)
class UnpackedImage:
    """An extracted image: its environment variables, working directory and command."""

    environment: dict[str, str]
    folder: Path
    command: Command


class Rootfs:
    """Images in the account's ECR that have layers, each extracted once.

    `max_bytes` and `max_files` are limits for one layer.
    """

    def __init__(self, cloud: Cloud, max_bytes: int = 2 << 30, max_files: int = 200_000) -> None:
        self._cloud, self._max_bytes, self._max_files = cloud, max_bytes, max_files
        self._lock = threading.Lock()
        self._images_folder: tempfile.TemporaryDirectory[str] | None = None

    def unpacked(self, uri: str) -> UnpackedImage | None:
        """Return the extracted image; None if its layers are not stored (public, or put without any).

        Raises CannotPullError if a layer or the configuration is invalid.
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
            return _localized(config, root)
        except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
            raise CannotPullError(f"failed to register layer: {error}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise CannotPullError(f"invalid image configuration: {error}") from None

    def _root(self, layers: list[str], blobs: list[bytes]) -> Path:
        """Return the folder with these layers, extracted over each other."""
        if self._images_folder is None:
            self._images_folder = tempfile.TemporaryDirectory(prefix="provision-images-")
        name = hashlib.sha256(" ".join(layers).encode()).hexdigest()
        root = Path(self._images_folder.name) / name
        if not root.is_dir():
            draft = Path(tempfile.mkdtemp(dir=self._images_folder.name))
            try:
                for blob in blobs:
                    self._extract_layer(blob, draft)
                draft.rename(root)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return root

    def _extract_layer(self, blob: bytes, folder: Path) -> None:
        """Extract the layer's files and folders into the folder."""
        packed = blob.startswith(b"\x1f\x8b")
        stream: Any = _Bounded(blob, self._max_bytes) if packed else io.BytesIO(blob)
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            for number, member in enumerate(tar):
                if number >= self._max_files:
                    raise OSError(_FULL)
                _extract(tar, member, folder.resolve())

    def close(self) -> None:
        """Remove all extracted images."""
        if self._images_folder is not None:
            self._images_folder.cleanup()
            self._images_folder = None


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Extract a file or folder below `root`, which contains no links.

    Of the mode only "executable" is kept. tarfile's filter="data" requires Python 3.11.4. Raises ValueError
    or OSError.
    """
    path = (root / member.name).resolve()
    if not path.is_relative_to(root):
        raise OSError(f"{member.name!r} would leave the image")
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
    elif member.isreg() and (content := tar.extractfile(member)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with content, path.open("wb") as file:
            shutil.copyfileobj(content, file)
        path.chmod(0o755 if member.mode & 0o100 else 0o644)


class _Bounded(gzip.GzipFile):
    """A gzip file that raises OSError beyond `limit` bytes of output, against decompression bombs."""

    def __init__(self, blob: bytes, limit: int) -> None:
        super().__init__(fileobj=io.BytesIO(blob))
        self._limit = limit

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MAX_READ or self.tell() + size > self._limit:
            raise OSError(_FULL)
        return super().read(size)


def _local_path(root: Path, path: str) -> str:
    """Return the local path of an absolute path in the image; `..` does not leave the image."""
    return str(root / posixpath.normpath(f"/{path}").lstrip("/"))


def _is_compatible(folder: str) -> bool:
    """Return whether no package in a folder is compiled for another Python or processor.

    If one is, the packages of this environment are used instead, which include the bot's.
    """
    compiled = [*Path(folder).glob("*.so"), *Path(folder).glob("*/*.so")]
    tags = {file.name.partition(".")[2] for file in compiled if ".cpython-" in file.name}
    return all(f".{tag}" in EXTENSION_SUFFIXES for tag in tags)


def _localized(config: dict[str, Any], root: Path) -> UnpackedImage:
    """Return an image's configuration with local paths."""
    settings = config.get("config") or {}
    variables = settings.get("Env") or []
    command = [*(settings.get("Entrypoint") or []), *(settings.get("Cmd") or [])]
    folder = settings.get("WorkingDir") or "/"
    if not all(
        isinstance(word, str) and "\0" not in word for word in (*variables, *command, folder)
    ):
        raise ValueError("a string is expected")
    environment = dict(line.partition("=")[::2] for line in variables)
    for name in _PATHS:
        if name in environment:
            places = environment[name].split(":")
            local_paths = [_local_path(root, path) for path in places]
            environment[name] = ":".join(path for path in local_paths if _is_compatible(path))
    variables_here = {
        name: value
        for name, value in environment.items()
        if name not in _IGNORED_VARIABLES
        and not name.startswith("LD_")  # for the loader of the image's system
    }
    path = Path(_local_path(root, folder))
    path.mkdir(parents=True, exist_ok=True)  # as container runtimes do
    return UnpackedImage(variables_here, path, tuple(command))
