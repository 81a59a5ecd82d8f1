"""The supply chain: locks with hashes, the list of the image's packages, the base image's age."""

import json
import re
import runpy
import subprocess
import sys
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from provision.image import base
from tests.provision.test_image import _list_in_setup

ROOT = Path(__file__).parent.parent
OLD_DAYS = 180  # after which the base image lacks half a year of Debian's security updates


def pins(lock: str) -> dict[str, str]:
    """Return the locked versions by name. Each line has a hash."""
    text = (ROOT / lock).read_text()
    found = re.findall(r"^([a-z0-9-]+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)
    assert len(re.findall(r"^\S+==", text, re.M)) == len(found)
    return {canonicalize_name(name): version for name, version in found}


def test_tools_lock() -> None:
    """It has every package that setup.py installs for the command, within setup.py's bounds."""
    locked = pins("requirements.txt")
    wanted = [Requirement(line) for line in _list_in_setup("tool")]
    outside = [
        str(one)
        for one in wanted
        if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0"))
    ]
    assert [] == outside


def test_locks_agree() -> None:
    """A package that both the command and the bot use has one version."""
    tool, bot = pins("requirements.txt"), pins("bot/requirements.txt")
    assert {} == {name: tool[name] for name in tool.keys() & bot.keys() if tool[name] != bot[name]}


def test_list_of_packages_in_the_image() -> None:
    """bot/sbom.cdx.json is CycloneDX, and has exactly the lock's packages."""
    document = json.loads((ROOT / "bot/sbom.cdx.json").read_text())
    assert ("CycloneDX", "1.6") == (document["bomFormat"], document["specVersion"])
    assert pins("bot/requirements.txt") == {
        canonicalize_name(one["name"]): one["version"] for one in document["components"]
    }


def old_base(pinned: str, today: date) -> str:
    """Return a warning about a base image's age; "" for a new one."""
    days = (today - date.fromisoformat(pinned)).days
    return f"the base image was pinned {days} days ago" if days > OLD_DAYS else ""


@pytest.mark.parametrize(
    ("today", "warning"),
    [
        (date(2027, 3, 30), ""),
        (date(2027, 3, 31), "the base image was pinned 181 days ago"),
    ],
)
def test_age(today: date, warning: str) -> None:
    """Half a year is allowed."""
    assert warning == old_base("2026-10-01", today)


@pytest.mark.filterwarnings("default:the base image")
def test_base_image_is_not_old() -> None:
    """Old, it is a warning below the tests' results: set a new digest and its date."""
    if warning := old_base(base.PINNED, date.today()):
        warnings.warn(f"{warning}: see DEFAULT in provision/image/base.py", stacklevel=1)


def report(*dependencies: dict[str, Any]) -> Any:
    """Return what the audit says about pip-audit's findings."""
    function = runpy.run_path(str(ROOT / ".ci/audit.py"))["report"]
    return function(json.dumps({"dependencies": dependencies, "fixes": []}))


def test_audit() -> None:
    """A vulnerable package is named and fails; one that the service does not know is counted."""
    sound = {"name": "click", "version": "8.5.1", "vulns": []}
    unknown = {"name": "bot", "skip_reason": "Dependency not found on PyPI"}
    flaw = {"id": "PYSEC-2026-1", "fix_versions": ["3.1", "3.2"], "aliases": []}
    assert (0, "1 of 1 locked packages were checked for known vulnerabilities") == report(sound)
    assert report(sound, unknown) == (
        0,
        "1 of 2 locked packages were checked for known vulnerabilities; the service does not know the others",
    )
    assert report(sound, {"name": "rich", "version": "3.0", "vulns": [flaw]}) == (
        1,
        "rich 3.0: PYSEC-2026-1, fixed in 3.1, 3.2",
    )


def test_audit_without_its_service() -> None:
    """One sentence, and exit status 0."""
    command = [sys.executable, str(ROOT / ".ci/audit.py"), "http://127.0.0.1:9/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(
        "make check: nothing was checked for known vulnerabilities: http:"
    )
