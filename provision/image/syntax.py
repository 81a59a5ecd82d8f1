"""Check the syntax of an image's files before a build."""

import ast
import json
import re
import sys
import warnings
from collections.abc import Iterable, Mapping

from provision.i18n import _
from provision.image.own import invalid_files

SHOWN = 3  # number of errors reported


def python_version(reference: str) -> str:
    """Return the Python version in an official image's reference, such as 3.12; "" if there is none."""
    match = re.search(r"python:(3\.\d+)", reference)
    return match[1] if match else ""


def check(files: Mapping[str, bytes], names: Iterable[str], python: str) -> None:
    """Raise UsageError with file and line if a Python file, or a JSON file below bot/, has a syntax error.

    python: the version, such as 3.12; "" for the running one.
    """
    errors = [error for name in names if (error := _find_error(name, files[name], python))]
    if not errors:
        return
    more = len(errors) - SHOWN
    shown = errors[:SHOWN] + ([_("{count} more", count=more)] if more > 0 else [])
    then = _("Fix that line, then run the same command again.")
    if _version(python) > sys.version_info[:2]:
        then = _(
            "Fix that line, then run the same command again. To use syntax that is new in Python "
            "{python}, run provision itself with Python {python}.",
            python=python,
        )
    raise invalid_files("; ".join(shown), then)


def _find_error(name: str, content: bytes, python: str) -> str:
    """Return a file's error; "" if it is valid."""
    try:
        if name.endswith(".py"):
            _compile(name, content, python)
        elif name.endswith(".json") and name.startswith("bot/"):
            json.loads(content)
    except SyntaxError as error:
        return f"{name}:{error.lineno or 1}: {type(error).__name__}: {error.msg}"
    except json.JSONDecodeError as error:
        return f"{name}:{error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:  # NUL, not UTF-8, nested too deeply
        return f"{name}: {str(error) or type(error).__name__}"
    return ""


def _compile(name: str, content: bytes, python: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SyntaxWarning
        tree = ast.parse(content, name, feature_version=min(_version(python), sys.version_info[:2]))
        # Compiling finds errors that parsing does not, such as a return outside a function.
        compile(tree, name, "exec", dont_inherit=True)


def _version(python: str) -> tuple[int, int]:
    major, _dot, minor = (python or "{}.{}".format(*sys.version_info)).partition(".")
    return int(major), int(minor)
