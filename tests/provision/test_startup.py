"""What a command loads before it does anything: `benchmarks/startup.py` has the times, this the counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provision import __version__
from tests.provision.shell import Person, environment

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
OWN = {  # the command line itself; what a verb does is loaded when it runs
    "provision",
    "provision.cli",
    "provision.cli.commands",
    "provision.cli.main",
    "provision.errors",
    "provision.cli.options",
    "provision.i18n",
}
NOT_FOR_THIS = {"boto3", "botocore", "rich", "questionary", "yaml", "linebot", "jmespath", "dns"}
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
        timeout=60,
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
    """Help, version, completion, usage errors load the command line, and no library but click."""
    found = loaded(tmp_path, *words, **more)
    assert OWN == {name for name in found if name.partition(".")[0] == "provision"}
    assert set() == NOT_FOR_THIS & found


def test_help_in_japanese(tmp_path: Path) -> None:
    """The translations are YAML: nothing else is loaded for them."""
    found = loaded(tmp_path, "--lang", "ja", "--help")
    assert OWN == {name for name in found if name.partition(".")[0] == "provision"}
    assert {"yaml"} == NOT_FOR_THIS & found


def test_version_is_said_once(tmp_path: Path) -> None:
    """The one in the code is the one that is packaged (setup.py reads it there)."""
    done = Person(tmp_path, environment(tmp_path)).types("--version")
    assert f"provision, version {__version__}\n" == done.stdout
