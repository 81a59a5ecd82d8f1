"""An error that nobody foresaw: a sentence for the person, and a file for whoever repairs it."""

import os
import platform
import tempfile
import traceback

from provision import __version__
from provision.errors import ProvisionError
from provision.i18n import _


def refusal(error: BaseException) -> ProvisionError:
    """Return what to show in place of a traceback, which goes into a file of this user's alone."""
    try:
        descriptor, path = tempfile.mkstemp(".txt", "provision-error-")  # made with mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(details(error))
        then = _(
            "The details, without secrets, are in {path}: please report them to provision's "
            "developers. Run the same command to continue.",
            path=path,
        )
    except OSError as refused:
        then = _(
            "The details could not be written: {why}. Fix that, then run the same command again.",
            why=words(refused),
        )
    return ProvisionError(_("Provision failed unexpectedly."), words(error), then)


def details(error: BaseException) -> str:
    """Return the frames and the kinds of an error and of those that led to it, the first one first.

    Neither messages nor local variables: they may quote a secret that was being sent.
    """
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    parts = [
        f"provision {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    ]
    for link in reversed(chain):
        parts += ["\n", *traceback.format_tb(link.__traceback__), f"{words(link)}\n"]
    return "".join(parts)


def words(error: BaseException) -> str:
    """Return an error's kind; of the operating system's own also what it says, and of which file."""
    kind = type(error)
    if not (isinstance(error, OSError) and kind.__module__ == "builtins" and error.strerror):
        return (
            kind.__qualname__
            if kind.__module__ == "builtins"
            else f"{kind.__module__}.{kind.__qualname__}"
        )
    name = f": {error.filename}" if error.filename is not None else ""
    return f"{kind.__qualname__}: {error.strerror}{name}"
