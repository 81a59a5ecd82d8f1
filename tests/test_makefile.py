"""What `make` says at once where it cannot go on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OLD = 'sys.version_info = (3, 10, 13, "final", 0)'
BARE = 'sys.modules["ensurepip"] = None'  # as on Debian without python3-venv


def python(folder: Path, lacks: str) -> str:
    """A Python that begins with this statement."""
    path = folder / "python3"
    path.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import runpy, sys; {lacks}; sys.argv.pop(0); "
        'runpy.run_path(sys.argv[0], run_name="__main__")\' "$@"\n'
    )
    path.chmod(0o755)
    return str(path)


def make(goal: str, *variables: str) -> subprocess.CompletedProcess[str]:
    """The goal in this checkout, with these variables and not with those of a make around it (MAKEFLAGS)."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("M")}
    command = ["make", goal, *variables]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("goal", ["demo", "test"])
@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        (OLD, "provision needs Python 3.11 or newer; {python} is 3.10.13: make PYTHON=python3."),
        (
            BARE,
            "{python} cannot make virtual environments; on Debian and Ubuntu install python3-venv",
        ),
    ],
    ids=["old", "bare"],
)
def test_python_that_will_not_do(tmp_path: Path, goal: str, lacks: str, said: str) -> None:
    """One sentence, and no environment is made: pip would find it out after minutes."""
    path = python(tmp_path, lacks)
    done = make(goal, f"VENV={tmp_path}/venv", f"PYTHON={path}")
    assert (2, "") == (done.returncode, done.stdout)
    sentence, makes_own = done.stderr.splitlines()
    assert sentence.startswith(said.format(python=path))
    assert "***" in makes_own
    assert not (tmp_path / "venv").exists()


def test_no_python(tmp_path: Path) -> None:
    """A name that is no command."""
    done = make("demo", f"VENV={tmp_path}/venv", "PYTHON=python3-of-nobody")
    assert 2 == done.returncode
    assert "provision needs Python 3.11 or newer; python3-of-nobody is not here" in done.stderr


@pytest.mark.parametrize("lacks", [OLD, BARE], ids=["old", "bare"])
def test_no_other_python(tmp_path: Path, lacks: str) -> None:
    """`make oldest` runs nothing where the system's Python will not do, or is the one that make uses."""
    done = make("oldest", f"OLDEST={python(tmp_path, lacks)}")
    assert 0 == done.returncode
    assert done.stdout == (
        "make oldest: there is no other Python here that it could use; nothing was run\n"
    )


def test_the_same_python() -> None:
    """Nothing is run twice."""
    done = make("oldest", f"OLDEST={sys.executable}", f"PYTHON={sys.executable}")
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.endswith("that make uses anyway; nothing was run\n")
