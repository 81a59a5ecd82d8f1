"""The inputs of an image, and its tag, which is a hash of them."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from provision.clients.package_index import PackageIndex
from provision.clients.registry import Registries
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.image import base as bases
from provision.image.assembled import BuiltImage, assemble
from provision.image.code import BOT, Files, code, files
from provision.image.own import OwnFiles, read
from provision.image.syntax import check, python_version
from provision.image.wheels import wheels

LOCK = BOT / "requirements.txt"
PREFIX = "provision-"  # of the tags of images that provision built
BUILD_VERSION = "1"  # part of the hash; change it when the build changes


@dataclass(frozen=True)
class Inputs:
    """The inputs of one image."""

    base: str
    platform: str
    lock: bytes = field(repr=False)
    files: Files = field(repr=False)
    own: tuple[str, ...] = ()  # the paths of the person's files
    left_out: tuple[str, ...] = ()  # paths in the person's folder that were skipped

    @cached_property
    def tag(self) -> str:
        """Return the tag, a hash of all inputs."""
        parts = [BUILD_VERSION.encode(), self.base.encode(), self.platform.encode(), self.lock]
        for path, content in sorted(self.files.items()):
            parts += [path.encode(), content]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return PREFIX + digest.hexdigest()[:20]


def read_inputs(base: str, platform: str, folder: Path, own: str) -> Inputs:
    """Return the inputs for the bot, a base image and the person's files. Raise UsageError.

    base: "" for the default. folder: the folder of stack.yaml. own: the folder of the person's files, below
    `folder`; "" for none.
    """
    base = base or bases.DEFAULT
    own_files = read(folder / own, folder) if own else OwnFiles()
    check(own_files.files, own_files.files, python_version(base))
    return Inputs(
        base,
        platform,
        LOCK.read_bytes(),
        files(own_files.files),
        tuple(own_files.files),
        tuple(own_files.left_out),
    )


def pin(inputs: Inputs, registries: Registries, known_digest: str) -> Inputs:
    """Return the inputs with the base's tag resolved to its digest, so that the image's tag depends on it.

    known_digest: the base's digest when the image was built, used while its registry does not respond.
    """
    try:
        return replace(inputs, base=bases.pin(registries, inputs.base))
    except (Pending, ProvisionError):  # a build will report the reason
        return replace(inputs, base=f"{inputs.base}@{known_digest}") if known_digest else inputs


def build(inputs: Inputs, registries: Registries, index: PackageIndex) -> tuple[BuiltImage, str]:
    """Build the image. Return it and the base's digest. Raise ProvisionError, UsageError or Pending."""
    registries.report(_("reading the base image"))
    base = bases.read(registries, inputs.base, inputs.platform)
    if not base.python:
        raise ProvisionError(
            _("Could not use the base image {reference}.", reference=inputs.base),
            _("it does not declare its Python version (PYTHON_VERSION)"),
            _("Set image.base to an official Python image, or to one based on it."),
        )
    check(inputs.files, inputs.files, base.python)
    registries.report(_("collecting the bot's Python packages"))
    try:
        packages = wheels(index, inputs.lock, base.python, inputs.platform)
    except OSError as error:
        raise ProvisionError(
            _("Could not save the bot's Python packages in {folder}.", folder=index.folder()),
            str(error),
            _("Free some space there, or set XDG_CACHE_HOME to another folder."),
        ) from None
    return assemble(base, [packages, code(inputs.files)]), base.digest
