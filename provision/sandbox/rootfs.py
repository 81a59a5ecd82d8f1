"""What is in an image's layers, laid out in a folder: a task of the sandbox runs from there.

The base's Python is not run (the gallery's stand-in has none, and it may be for another processor): the code
and the packages are, on this machine's interpreter, with the image's own variables, folder and command.
"""

import hashlib
import io
import tarfile
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provision.sandbox.tasks import Command

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

_PATHS = ("PYTHONPATH",)  # variables that name places in the image
# Here the folder can be written to, and the next task of the image starts sooner for it.
_NOT_HERE = ("PATH", "PYTHONDONTWRITEBYTECODE")


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
        """None for an image whose layers are not here: a public one, or one that was put without any."""
        with self._cloud.lock:
            images = self._cloud.ecr.images
            manifest = images.manifest(uri) or {}
            config = images.configuration(manifest)
            layers = [str(told["digest"]) for told in manifest.get("layers") or []]
            blobs = [images.blobs.get(digest) for digest in layers]
        if config is None or not blobs or None in blobs:
            return None
        with self._lock:
            root = self._root(layers, [blob for blob in blobs if blob is not None])
        return _as_here(config, root)

    def _root(self, layers: list[str], blobs: list[bytes]) -> Path:
        """The folder of these layers, one over the other."""
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="provision-images-")
        name = hashlib.sha256(" ".join(layers).encode()).hexdigest()
        root = Path(self._place.name) / name
        if not root.is_dir():
            root.mkdir()
            for blob in blobs:
                with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
                    tar.extractall(root, filter="data")
        return root

    def close(self) -> None:
        """Takes the folders away."""
        if self._place is not None:
            self._place.cleanup()
            self._place = None


def _as_here(config: dict[str, Any], root: Path) -> Unpacked:
    """What an image's configuration says, with this machine's places."""
    told = config.get("config") or {}
    environment = dict(line.split("=", 1) for line in told.get("Env") or [])
    for name in _PATHS:
        if name in environment:
            places = environment[name].split(":")
            environment[name] = ":".join(str(root / place.lstrip("/")) for place in places)
    command = (*(told.get("Entrypoint") or []), *(told.get("Cmd") or []))
    kept = {name: value for name, value in environment.items() if name not in _NOT_HERE}
    return Unpacked(kept, root / (told.get("WorkingDir") or "/").lstrip("/"), command)
