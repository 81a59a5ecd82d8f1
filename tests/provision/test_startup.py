"""What a command loads before it does anything: `benchmarks/startup.py` has the times, this the counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provision import __version__
from tests.provision.shell import TIMEOUT, Person, environment

COUNTED = """
import json, sys
import click
before = set(sys.modules)
sys.argv[0] = "provision"
from provision.cli import main
try:
    main.main()
finally:
    print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
"""
NOT_FOR_THIS = {"boto3", "botocore", "rich", "questionary", "linebot", "dns"}  # slow to import
COMPLETION = {
    "_PROVISION_COMPLETE": "bash_complete",
    "COMP_WORDS": "provision st",
    "COMP_CWORD": "1",
}


def loaded(folder: Path, *words: str, **more: str) -> set[str]:
    """The modules that the command has loaded when it ends, beyond those of click itself."""
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, *words],
        env={**environment(folder), **more},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["--help"], {}),
        (["setup", "--help"], {}),
        (["--version"], {}),
        ([], COMPLETION),
        ([], {"_PROVISION_COMPLETE": "bash_source"}),
        (["nonsense"], {}),
        (["status", "--nonsense"], {}),
        (["setup", "--wait", "soon"], {}),
    ],
)
def test_what_is_said_at_once(tmp_path: Path, words: list[str], more: dict[str, str]) -> None:
    """Help, version, completion and usage errors load no library that is slow to import."""
    found = loaded(tmp_path, *words, **more)
    assert set() == NOT_FOR_THIS & found


def test_help_in_japanese(tmp_path: Path) -> None:
    """Of rich only the widths of characters are loaded."""
    found = loaded(tmp_path, "--lang", "ja", "--help")
    assert {"rich"} == NOT_FOR_THIS & found
    assert set() == {"rich.console", "rich.text", "rich.live"} & found


def test_version_is_said_once(tmp_path: Path) -> None:
    """The one in the code is the one that is packaged (setup.py reads it there)."""
    done = Person(tmp_path, environment(tmp_path)).types("--version")
    assert f"provision, version {__version__}\n" == done.stdout
