"""Golden files: what was sent, compared by value, and rewritten with --update-golden."""

import difflib
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
WIDTH = 100
HINT = "Read the difference. If it is meant, run `make golden` and commit the file."


def text_of(value: Any, margin: str = "") -> str:
    """Return JSON with sorted keys, on one line where it fits."""
    line = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if not value or not isinstance(value, dict | list) or len(margin + line) < WIDTH:
        return line
    inner = margin + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {text_of(value[key], inner)}" for key in sorted(value)]
    else:
        parts = [text_of(each, inner) for each in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    lines = ",\n".join(inner + part for part in parts)
    return f"{opened}\n{lines}\n{margin}{closed}"


def compare(name: str, actual: Any, update: bool) -> None:
    """Compare with the file of that name and fail with a unified diff; or write the file."""
    file, found = FOLDER / f"{name}.json", text_of(actual) + "\n"
    if update:
        file.write_text(found, encoding="utf-8")
    expected = file.read_text(encoding="utf-8") if file.exists() else ""
    if expected != found:
        lines = difflib.unified_diff(
            expected.splitlines(), found.splitlines(), str(file), "this run", n=5, lineterm=""
        )
        pytest.fail("\n".join([*lines, HINT]), pytrace=False)
