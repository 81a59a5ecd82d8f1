"""The layer of the bot's Python packages: wheels, unpacked as pip would, made once per lock and kept."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from provision import wholefile
from provision.image import layer
from provision.image.assembled import PACKAGES
from provision.image.layer import Entry, Layer
from provision.index import PackageIndex, key

MADE_BY = "provision: wheels of bot/requirements.txt"


def wheels(index: PackageIndex, lock: bytes, python: str, platform: str) -> Layer:
    """Their layer, from this user's cache where it was made before. Raises Refusal where pip does."""
    place = index.folder() / "layers" / key(lock, python, platform)
    kept = _kept(place)
    if kept is None:
        found = index.wheels(lock, python, platform)
        kept = _made(place, found)
    return kept


def _made(place: Path, found: list[Path]) -> Layer:
    """Written whole, its description last: what is described is complete."""
    place.parent.mkdir(parents=True, exist_ok=True)
    blob = place.with_suffix(".tar.gz")
    descriptor, draft = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(descriptor, "wb") as stream:
        digest, size, diff_id = layer.write(unpacked(found), stream)
    os.replace(draft, blob)
    told = json.dumps({"digest": digest, "size": size, "diff_id": diff_id})
    wholefile.replace(place.with_suffix(".json"), told.encode())
    return layer.on_disk(blob, digest, size, diff_id, MADE_BY)


def _kept(place: Path) -> Layer | None:
    """What was made before; None where it is not there, or not what its digest says."""
    blob = place.with_suffix(".tar.gz")
    try:
        told = json.loads(place.with_suffix(".json").read_text())
        with blob.open("rb") as stream:
            seen = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
    if told["digest"] != f"sha256:{seen}":
        return None
    return layer.on_disk(blob, **told, made_by=MADE_BY)


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
