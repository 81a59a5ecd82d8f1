"""What a command imports before it does anything; `benchmarks/startup.py` measures the times."""

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
SLOW_IMPORTS = {"boto3", "botocore", "rich", "questionary", "linebot", "dns"}
COMPLETION = {
    "_PROVISION_COMPLETE": "bash_complete",
    "COMP_WORDS": "provision st",
    "COMP_CWORD": "1",
}


def loaded_modules(folder: Path, *words: str, **more: str) -> set[str]:
    """Return the modules that the command has loaded when it ends, beyond those of click."""
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
def test_quick_commands_load_no_slow_module(
    tmp_path: Path, words: list[str], more: dict[str, str]
) -> None:
    """Help, version, completion and usage errors."""
    found = loaded_modules(tmp_path, *words, **more)
    assert set() == SLOW_IMPORTS & found


def test_japanese_help_loads_no_slow_module(tmp_path: Path) -> None:
    """Of rich only the module with the widths of characters is loaded."""
    found = loaded_modules(tmp_path, "--lang", "ja", "--help")
    assert {"rich"} == SLOW_IMPORTS & found
    assert set() == {"rich.console", "rich.text", "rich.live"} & found


def test_version(tmp_path: Path) -> None:
    """The version in the code is the packaged one, as setup.py reads it there."""
    done = Person(tmp_path, environment(tmp_path)).types("--version")
    assert f"provision, version {__version__}\n" == done.stdout
