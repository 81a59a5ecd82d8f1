"""Whether Python could load the files of an image: asked before anything is built, pushed or started."""

import ast
import json
import re
import sys
import warnings
from collections.abc import Iterable, Mapping

from provision.i18n import _
from provision.image.own import unfit

SHOWN = 3  # files with an error are named


def python_of(reference: str) -> str:
    """Return the Python that an official image's reference names, as 3.12; "" where it does not say."""
    found = re.search(r"python:(3\.\d+)", reference)
    return found[1] if found else ""


def check(files: Mapping[str, bytes], names: Iterable[str], python: str) -> None:
    """Raise Usage where one of these has a syntax error for that Python; it names file and line.

    python: such as 3.12; "": this machine's. JSON files are checked where the bot reads them, below bot/.
    """
    found = [why for name in names if (why := _error(name, files[name], python))]
    if not found:
        return
    more = len(found) - SHOWN
    shown = found[:SHOWN] + ([_("{count} more", count=more)] if more > 0 else [])
    then = _("Mend that line, then run the same command again.")
    if _version(python) > sys.version_info[:2]:
        then = _(
            "Mend that line, then run the same command again; what only Python {python} understands is "
            "read where provision itself runs with Python {python}.",
            python=python,
        )
    raise unfit("; ".join(shown), then)


def _error(name: str, content: bytes, python: str) -> str:
    """Return what is wrong with a file, "" where nothing is."""
    try:
        if name.endswith(".py"):
            _compile(name, content, python)
        elif name.endswith(".json") and name.startswith("bot/"):
            json.loads(content)
    except SyntaxError as error:
        return f"{name}:{error.lineno or 1}: {type(error).__name__}: {error.msg}"
    except json.JSONDecodeError as error:
        return f"{name}:{error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:  # NUL, no UTF-8, nested too deeply
        return f"{name}: {error or type(error).__name__}"
    return ""


def _compile(name: str, content: bytes, python: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape is no error
        tree = ast.parse(content, name, feature_version=min(_version(python), sys.version_info[:2]))
        compile(
            tree, name, "exec", dont_inherit=True
        )  # what only the compiler sees: return outside


def _version(python: str) -> tuple[int, int]:
    major, _dot, minor = (python or "{}.{}".format(*sys.version_info)).partition(".")
    return int(major), int(minor)
