"""The layer of the bot's Python packages: wheels, unpacked as pip would."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from provision.clients.package_index import PackageIndex
from provision.image import layer
from provision.image.assembled import PACKAGES
from provision.image.layer import Entry, Layer

MADE_BY = "provision: wheels of bot/requirements.txt"


def wheels(index: PackageIndex, lock: bytes, python: str, platform: str) -> Layer:
    """Return their layer, made anew of wheels whose hashes the lock has. Raises ProvisionError."""
    return layer.in_memory(unpacked(index.wheels(lock, python, platform)), MADE_BY)


def unpacked(found: list[Path]) -> Iterator[Entry]:
    """Every module and data file of the wheels, below PACKAGES.

    Binary distribution format: what is in NAME.data/purelib and platlib goes where the rest goes; scripts
    would need the image's interpreter and nobody calls them.
    """
    for path in found:
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if place := _place(name):
                    yield f"{PACKAGES}/{place}", wheel.read(name)


def _place(name: str) -> str:
    """Where a file of a wheel goes; "" for nowhere."""
    top, _slash, rest = name.partition("/")
    if name.endswith("/"):
        return ""
    if top.endswith(".data"):
        kind, _slash, rest = rest.partition("/")
        return rest if kind in ("purelib", "platlib") else ""
    return name
