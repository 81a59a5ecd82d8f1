"""Read the person's files for the image, and reject those that may contain secrets."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from provision.errors import UsageError
from provision.i18n import _

CACHE = "__pycache__"
MAX_SIZE = 50 << 20  # bytes, all files together
# Names of files with keys or passwords. Names that begin with a dot are always excluded.
SECRET_NAMES = re.compile(
    r"id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk)|_?netrc|kubeconfig|htpasswd|credentials(\.json|\.csv)?"
    r"|application_default_credentials\.json|client_secret.*\.json|.*_?accessKeys\.csv"
    r"|.*\.(env|ppk|p8|p12|pfx|jks|keystore|kdbx|kubeconfig|tfstate)",
    re.IGNORECASE,
)
# Signatures of such files: PEM (RFC 7468), OpenPGP, PuTTY, age, AWS's, LINE's and Kubernetes' configuration.
SECRET_CONTENTS = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d|AGE-SECRET-KEY-1"
    rb"|(?i:aws_secret_access_key|SecretAccessKey)[\"']?[ \t]*[=:][ \t]*[\"']?[A-Za-z0-9/+]{40}"
    rb"|LINE_CHANNEL_(?:SECRET|ACCESS_TOKEN)[\"']?[ \t]*[=:][ \t]*[\"']?[A-Za-z0-9/+=]{32}"
    rb"|client-key-data:[ \t]*[A-Za-z0-9+/=]{20}"
)


@dataclass(frozen=True)
class OwnFiles:
    """The files of a folder. files: content by relative path; left_out: paths that are excluded."""

    files: dict[str, bytes] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def read(folder: Path, stack_folder: Path) -> OwnFiles:
    """Return the files of a folder, which must be below the folder of stack.yaml. Raise UsageError.

    Exclude caches and names that begin with a dot. Follow links to files in the folder.
    """
    try:
        root = _check_folder(folder, stack_folder)
        own = OwnFiles()
        size = 0
        for path, name in _list_files(root, root, own.left_out):
            content = _read_file(path, name, MAX_SIZE - size)
            size += len(content)
            own.files[name] = content
    except OSError as error:
        name = os.fsencode(error.filename or str(folder)).decode(errors="backslashreplace")
        raise invalid_files(f"{name}: {error.strerror}") from None
    return own


def _check_folder(folder: Path, stack_folder: Path) -> Path:
    """Return the folder's real path. Raise UsageError if it is not below stack_folder, or hidden."""
    root, allowed = Path(os.path.realpath(folder)), Path(os.path.realpath(stack_folder))
    if not root.is_dir():
        raise _misplaced(_("{folder} is not a folder", folder=folder))
    if root == allowed or allowed not in root.parents:
        raise _misplaced(_("{folder} is not below {beside}", folder=folder, beside=allowed))
    for part in root.relative_to(allowed).parts:
        if part.startswith("."):
            raise _misplaced(_("{folder} is hidden: {part}", folder=folder, part=part))
    return root


def _list_files(folder: Path, root: Path, left_out: list[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files to include, with their paths below the root; append the others to left_out."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        name = path.relative_to(root).as_posix()
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(name).decode(errors="backslashreplace")
            raise invalid_files(_("{name}: its name is not UTF-8", name=shown)) from None
        if entry.name == CACHE or entry.name.startswith("."):
            left_out.append(name)
        elif entry.is_dir(follow_symlinks=False):
            yield from _list_files(path, root, left_out)
        else:
            yield _follow_link(path, root, name), name


def _follow_link(path: Path, root: Path, name: str) -> Path:
    """Return the path of the regular file, after following a link within the folder. Raise UsageError."""
    if SECRET_NAMES.fullmatch(path.name):
        raise invalid_files(
            _("{name}: files of that name usually contain keys or passwords", name=name)
        )
    target = Path(os.path.realpath(path))
    if path.is_symlink() and root not in target.parents:
        raise invalid_files(
            _("{name}: this link points outside the folder, to {target}", name=name, target=target)
        )
    if any(part.startswith(".") for part in target.relative_to(root).parts):
        raise invalid_files(_("{name}: this link points to {target}", name=name, target=target))
    if not stat.S_ISREG(target.stat().st_mode):
        raise invalid_files(_("{name}: this is not a regular file or a link to one", name=name))
    return target


def _read_file(path: Path, name: str, max_size: int) -> bytes:
    """Return the file's content. Raise UsageError if it exceeds max_size or contains a private key."""
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(max_size + 1)
    if len(content) > max_size:
        size = MAX_SIZE >> 20
        raise invalid_files(_("{name}: the files are larger than {size} MB", name=name, size=size))
    binary_key = path.suffix.lower() == ".key" and content[:1] == b"\x30"  # DER
    if binary_key or SECRET_CONTENTS.search(content.replace(b"\0", b"")):
        raise invalid_files(_("{name}: it contains a private key or cloud credentials", name=name))
    return content


def invalid_files(why: str, then: str = "") -> UsageError:
    """Return the UsageError for the person's files."""
    return UsageError(
        _("Could not use the files for the image."),
        why,
        then or _("Remove it from that folder or fix it, then run the same command again."),
    )


def _misplaced(why: str) -> UsageError:
    return invalid_files(
        why, _("Set image.files to a folder next to stack.yaml, or leave it empty.")
    )
