"""The layer of the bot's own code, with the person's files laid over it.

No .pyc files: they are of one version of Python, which this machine's is not always, and their bytes would
tell which machine built the image. Without them a start costs 0.19 s of CPU, with them 0.13 s.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from provision.i18n import _
from provision.image import layer
from provision.image.assembled import HOME, PACKAGES
from provision.image.layer import Layer
from provision.image.own import CACHE, unfit

BOT = Path(__file__).parents[2] / "bot"
KINDS = (".py", ".json", ".txt")  # of the bot: code, samples, its lock

Files = Mapping[str, bytes]  # by path below HOME


def files(own: Files) -> dict[str, bytes]:
    """Return the bot's files, and the person's over them. Raise Usage where one is in another's way."""
    found = {
        f"bot/{path.relative_to(BOT).as_posix()}": path.read_bytes()
        for path in BOT.rglob("*")
        if path.suffix in KINDS and path.is_file() and CACHE not in path.parts
    }
    found |= own
    packages = PurePosixPath(PACKAGES).relative_to(HOME) / "any"
    for path in (*map(PurePosixPath, found), packages):
        for folder in path.parents:
            if folder.as_posix() in found:
                raise unfit(_("{name} is a folder in the image, and a file here", name=folder))
    return found


def code(found: Files) -> Layer:
    """Their layer."""
    return layer.in_memory(
        ((f"{HOME}/{path}", content) for path, content in found.items()), "provision: the bot"
    )
