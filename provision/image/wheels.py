"""Make the layer of the bot's Python packages: wheels, unpacked as pip would."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from provision.clients.package_index import PackageIndex
from provision.image import layer
from provision.image.assembled import PACKAGES
from provision.image.layer import Entry, Layer

MADE_BY = "provision: wheels of bot/requirements.txt"


def wheels(index: PackageIndex, lock: bytes, python: str, platform: str) -> Layer:
    """Return the layer of the lock's wheels, whose hashes are checked. Raise ProvisionError."""
    return layer.in_memory(unpacked(index.wheels(lock, python, platform)), MADE_BY)


def unpacked(paths: list[Path]) -> Iterator[Entry]:
    """Yield every module and data file of the wheels, below PACKAGES.

    Binary distribution format: NAME.data/purelib and platlib are installed with the rest. Scripts are left
    out: they need the image's interpreter, and nothing runs them.
    """
    for path in paths:
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if target := _install_path(name):
                    yield f"{PACKAGES}/{target}", wheel.read(name)


def _install_path(name: str) -> str:
    """Return where a file of a wheel is installed; "" for nowhere."""
    top, _slash, rest = name.partition("/")
    if name.endswith("/"):
        return ""
    if top.endswith(".data"):
        kind, _slash, rest = rest.partition("/")
        return rest if kind in ("purelib", "platlib") else ""
    return name
