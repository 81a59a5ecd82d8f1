"""Make the layer of the bot's code and the person's files.

It has no .pyc files, because they depend on the Python version and would differ by machine. A start takes
0.19 s of CPU without them, 0.13 s with them.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from provision.i18n import _
from provision.image import layer
from provision.image.assembled import HOME, PACKAGES
from provision.image.layer import Layer
from provision.image.own import CACHE, invalid_files

BOT = Path(__file__).parents[2] / "bot"
SUFFIXES = (".py", ".json", ".txt")  # of the bot's files: code, samples, lock file

Files = Mapping[str, bytes]  # by path below HOME


def files(own: Files) -> dict[str, bytes]:
    """Return the bot's files, replaced or extended by the person's.

    Raise UsageError if a file's path is also a folder.
    """
    merged = {
        f"bot/{path.relative_to(BOT).as_posix()}": path.read_bytes()
        for path in BOT.rglob("*")
        if path.suffix in SUFFIXES and path.is_file() and CACHE not in path.parts
    }
    merged |= own
    packages = PurePosixPath(PACKAGES).relative_to(HOME) / "any"
    for path in (*map(PurePosixPath, merged), packages):
        for folder in path.parents:
            if folder.as_posix() in merged:
                raise invalid_files(
                    _("{name} is a folder in the image, but a file in image.files", name=folder)
                )
    return merged


def code(contents: Files) -> Layer:
    """Return the layer of these files."""
    return layer.in_memory(
        ((f"{HOME}/{path}", content) for path, content in contents.items()), "provision: the bot"
    )
