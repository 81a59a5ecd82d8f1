"""What `make` reports at once when it cannot go on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OLD = 'sys.version_info = (3, 10, 13, "final", 0)'
BARE = 'sys.modules["ensurepip"] = None'  # as on Debian without python3-venv


def fake_python(folder: Path, statement: str) -> str:
    """Create a Python that begins with this statement."""
    path = folder / "python3"
    path.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import runpy, sys; {statement}; sys.argv.pop(0); "
        'runpy.run_path(sys.argv[0], run_name="__main__")\' "$@"\n'
    )
    path.chmod(0o755)
    return str(path)


def make(goal: str, *variables: str) -> subprocess.CompletedProcess[str]:
    """Run the goal in this checkout with these variables, without those of an outer make (MAKEFLAGS)."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("M")}
    command = ["make", goal, *variables]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("goal", ["demo", "test"])
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (OLD, "provision needs Python 3.11 or newer; {python} is 3.10.13: make PYTHON=python3."),
        (
            BARE,
            "{python} cannot make virtual environments; on Debian and Ubuntu install python3-venv",
        ),
    ],
    ids=["old", "bare"],
)
def test_unsuitable_python(tmp_path: Path, goal: str, statement: str, message: str) -> None:
    """One sentence, and no environment is created: pip would fail only after minutes."""
    path = fake_python(tmp_path, statement)
    done = make(goal, f"VENV={tmp_path}/venv", f"PYTHON={path}")
    assert (2, "") == (done.returncode, done.stdout)
    sentence, makes_own = done.stderr.splitlines()
    assert sentence.startswith(message.format(python=path))
    assert "***" in makes_own
    assert not (tmp_path / "venv").exists()


def test_missing_python(tmp_path: Path) -> None:
    """A command that does not exist."""
    done = make("demo", f"VENV={tmp_path}/venv", "PYTHON=python3-of-nobody")
    assert 2 == done.returncode
    assert "provision needs Python 3.11 or newer; python3-of-nobody is not here" in done.stderr


@pytest.mark.parametrize("statement", [OLD, BARE], ids=["old", "bare"])
def test_oldest_without_another_python(tmp_path: Path, statement: str) -> None:
    """`make oldest` runs nothing if the system's Python is unsuitable."""
    done = make("oldest", f"OLDEST={fake_python(tmp_path, statement)}")
    assert 0 == done.returncode
    assert done.stdout == (
        "make oldest: there is no other Python here that it could use; nothing was run\n"
    )


def test_oldest_with_the_same_python() -> None:
    """Nothing is run twice."""
    done = make("oldest", f"OLDEST={sys.executable}", f"PYTHON={sys.executable}")
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.endswith("that make uses anyway; nothing was run\n")
