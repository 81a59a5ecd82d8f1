"""The layer of the bot's own code, with the person's files laid over it.

No .pyc files: they are of one version of Python, which this machine's is not always, and their bytes would
tell which machine built the image. Without them a start costs 0.19 s of CPU, with them 0.13 s.
"""

from collections.abc import Mapping
from pathlib import Path

from provision.errors import Usage
from provision.image import layer
from provision.image.assembled import HOME
from provision.image.layer import Layer
from provision.words import _

BOT = Path(__file__).parents[2] / "bot"
KINDS = (".py", ".json", ".txt")  # of the bot: code, samples, its lock
CACHE = "__pycache__"
LARGEST = 50 << 20  # bytes of the person's own files, all together

Files = Mapping[str, bytes]  # by path below HOME


def files(own: Path | None = None) -> dict[str, bytes]:
    """The bot, and over it what lies in the person's folder. Raises Usage where that is none."""
    found = {
        f"bot/{path.relative_to(BOT).as_posix()}": path.read_bytes()
        for path in BOT.rglob("*")
        if path.suffix in KINDS and path.is_file() and CACHE not in path.parts
    }
    if own is not None:
        found |= _own(own)
    return found


def _own(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise _unfit(_("{folder} is no folder", folder=folder))
    try:
        paths = [
            path
            for path in folder.rglob("*")
            if path.is_file() and not any(map(_left_out, path.relative_to(folder).parts))
        ]
        if sum(path.stat().st_size for path in paths) > LARGEST:
            raise _unfit(_("{folder} holds more than {size} MB", folder=folder, size=LARGEST >> 20))
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    except OSError as error:
        raise _unfit(f"{error.filename}: {error.strerror}") from None


def _left_out(part: str) -> bool:
    """Caches, and what begins with a dot: .git, .env and the like are nobody's bot."""
    return part == CACHE or part.startswith(".")


def _unfit(why: str) -> Usage:
    return Usage(
        _("Reading the files that go into the image."),
        why,
        _("Set image.files to a folder beside stack.yaml, or leave it empty."),
    )


def code(found: Files) -> Layer:
    """Their layer."""
    return layer.in_memory(
        ((f"{HOME}/{path}", content) for path, content in found.items()), "provision: the bot"
    )
