"""Report unexpected exceptions: a message for the person, and a file with the traceback."""

import os
import platform
import tempfile
import traceback

from provision import __version__
from provision.errors import ProvisionError
from provision.i18n import _


def to_provision_error(error: BaseException) -> ProvisionError:
    """Write the traceback to a private temporary file, and return the error that names the file."""
    try:
        descriptor, path = tempfile.mkstemp(".txt", "provision-error-")  # made with mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(details(error))
        then = _(
            "The details, without secrets, are in {path}: please report them to provision's "
            "developers. Run the same command to continue.",
            path=path,
        )
    except OSError as os_error:
        then = _(
            "The details could not be written: {why}. Fix that, then run the same command again.",
            why=describe(os_error),
        )
    return ProvisionError(_("Provision encountered an unexpected error."), describe(error), then)


def details(error: BaseException) -> str:
    """Return the tracebacks and types of an exception and its causes, the first one first.

    Messages and local variables are left out, because they may contain secrets.
    """
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    parts = [
        f"provision {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    ]
    for current in reversed(chain):
        parts += ["\n", *traceback.format_tb(current.__traceback__), f"{describe(current)}\n"]
    return "".join(parts)


def describe(error: BaseException) -> str:
    """Return the type of an exception; for an OSError also the reason and the file name."""
    kind = type(error)
    if not (isinstance(error, OSError) and kind.__module__ == "builtins" and error.strerror):
        return (
            kind.__qualname__
            if kind.__module__ == "builtins"
            else f"{kind.__module__}.{kind.__qualname__}"
        )
    name = f": {error.filename}" if error.filename is not None else ""
    return f"{kind.__qualname__}: {error.strerror}{name}"
