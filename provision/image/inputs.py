"""What an image is made of, and the tag that follows from it: known before anything is built or fetched."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from provision.clients.package_index import PackageIndex
from provision.clients.registry import Registries
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.image import base as bases
from provision.image.assembled import Image, assemble
from provision.image.code import BOT, Files, code, files
from provision.image.own import OwnFiles, read
from provision.image.syntax import check, python_of
from provision.image.wheels import wheels

LOCK = BOT / "requirements.txt"
PREFIX = "provision-"  # of the tags of images that were built here
WAY = "1"  # how it is put together: another number, another tag for the same inputs


@dataclass(frozen=True)
class Inputs:
    """Base, platform, lock and files of one image."""

    base: str
    platform: str
    lock: bytes = field(repr=False)
    files: Files = field(repr=False)
    own: tuple[str, ...] = ()  # which of the files are the person's
    left_out: tuple[str, ...] = ()  # what of the person's folder is not among the files

    @cached_property
    def tag(self) -> str:
        """A hash of it all: the same inputs, the same tag."""
        told = [WAY.encode(), self.base.encode(), self.platform.encode(), self.lock]
        for path, content in sorted(self.files.items()):
            told += [path.encode(), content]
        whole = hashlib.sha256()
        for part in told:
            whole.update(len(part).to_bytes(8, "big") + part)
        return PREFIX + whole.hexdigest()[:20]


def of(base: str, platform: str, folder: Path, own: str) -> Inputs:
    """Return this project's bot on that base ("": the default), with the person's own files over it.

    own: the folder of these, "" for none; it has to lie below `folder`, where stack.yaml is. Raise Usage.
    """
    base = base or bases.DEFAULT
    theirs = read(folder / own, folder) if own else OwnFiles()
    check(theirs.files, theirs.files, python_of(base))
    return Inputs(
        base,
        platform,
        LOCK.read_bytes(),
        files(theirs.files),
        tuple(theirs.files),
        tuple(theirs.left_out),
    )


def pinned(inputs: Inputs, registries: Registries, known: str) -> Inputs:
    """Return the same on a base that is named by its digest, so that the tag is of that, too.

    known: the digest that the base had when the image was built, for when its registry does not answer.
    """
    try:
        return replace(inputs, base=bases.pinned(registries, inputs.base))
    except (Pending, ProvisionError):  # the build will say why
        return replace(inputs, base=f"{inputs.base}@{known}") if known else inputs


def build(inputs: Inputs, registries: Registries, index: PackageIndex) -> tuple[Image, str]:
    """The image, ready to be pushed, and its base's digest. Raises ProvisionError, Usage or Pending."""
    registries.tell(_("reading the base image"))
    base = bases.read(registries, inputs.base, inputs.platform)
    if not base.python:
        raise ProvisionError(
            _("Reading the base image {reference}.", reference=inputs.base),
            _("it does not say which Python it has (PYTHON_VERSION)"),
            _("Set image.base to an official Python image or one that is built on it."),
        )
    check(inputs.files, inputs.files, base.python)
    registries.tell(_("collecting the bot's Python packages"))
    try:
        packages = wheels(index, inputs.lock, base.python, inputs.platform)
    except OSError as error:
        raise ProvisionError(
            _("Keeping the bot's Python packages in {folder}.", folder=index.folder()),
            str(error),
            _("Make room there, or name another folder in XDG_CACHE_HOME."),
        ) from None
    return assemble(base, [packages, code(inputs.files)]), base.digest
