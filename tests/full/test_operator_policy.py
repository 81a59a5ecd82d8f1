"""Each action of `provision policy` is needed: without it a command fails."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.provision.operator import SCENARIOS, open_operator, play
from tests.provision.operator import root as root

pytestmark = pytest.mark.full
# Actions without which every command succeeds, with the reason to allow them.
DISPENSABLE = {
    "ecs:StopTask": "stops a collector that runs during a teardown",
    "logs:GetLogEvents": "tells why a task stopped",
}


def test_each_action_is_needed(
    root: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For each action a scenario that needs it is played without it, until one of its commands fails."""
    needed: dict[str, set[str]] = {}
    allowed: set[str] = set()

    def run(name: str, denied: str = "") -> bool:
        """Return whether every command succeeded."""
        folder = tmp_path / (name + denied.replace(":", "-"))
        folder.mkdir()
        with (
            monkeypatch.context() as patches,
            open_operator(root, folder, patches, capsys) as operator,
        ):
            try:
                for document in play(operator, name, denied):
                    for statement in json.loads(document)["Statement"]:
                        allowed.update(statement["Action"])
            except AssertionError:
                return False
            for action in operator.checks(allowed=True):
                needed.setdefault(action, set()).add(name)
            return True

    assert all(run(name) for name in SCENARIOS)
    spare = {a for a in sorted(allowed) if all(run(name, a) for name in sorted(needed.get(a, ())))}
    assert set(DISPENSABLE) == spare
