"""Make the layer of the bot's Python packages: wheels, unpacked as pip does."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from provision.clients.package_index import PackageIndex
from provision.image import layer
from provision.image.assembled import PACKAGES
from provision.image.layer import Entry, Layer

MADE_BY = "provision: wheels of bot/requirements.txt"


def wheels(index: PackageIndex, lock: bytes, python: str, platform: str) -> Layer:
    """Return the layer of the lock's wheels, with verified hashes. Raise ProvisionError."""
    return layer.in_memory(unpack(index.wheels(lock, python, platform)), MADE_BY)


def unpack(paths: list[Path]) -> Iterator[Entry]:
    """Yield the modules and data files of the wheels, below PACKAGES.

    Binary distribution format: NAME.data/purelib and platlib are installed with the rest. Scripts are left
    out, because nothing runs them.
    """
    for path in paths:
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if target := _install_path(name):
                    yield f"{PACKAGES}/{target}", wheel.read(name)


def _install_path(name: str) -> str:
    """Return where a file of a wheel is installed; "" if it is not."""
    top, _slash, rest = name.partition("/")
    if name.endswith("/"):
        return ""
    if top.endswith(".data"):
        kind, _slash, rest = rest.partition("/")
        return rest if kind in ("purelib", "platlib") else ""
    return name
