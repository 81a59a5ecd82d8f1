"""The library: the script in its documentation, and two stacks in one process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import provision
from provision import library
from tests.provision.conftest import Env
from tests.provision.shell import TIMEOUT, Person, aws_environment, environment, runtime_info

ROOT = Path(__file__).parents[2]
SETTINGS = {"domain": "example.jp", "network.vpc": "default", "news.feeds": []}


def script() -> str:
    """Return the Python of docs/library.md."""
    text = (ROOT / "docs/library.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return str(found)


def test_script_of_the_documentation(person: Person, tmp_path: Path) -> None:
    """Against the sandbox it plans, builds up to the delegation, and leaves nothing."""
    addresses = runtime_info(person)
    variables = {
        **environment(tmp_path),
        **aws_environment(addresses),
        "AWS_REGION": "ap-northeast-1",
        "AWS_CA_BUNDLE": addresses["ca"],
        "PROVISION_REGISTRY": addresses["gallery"],
        "LINE_CHANNEL_ACCESS_TOKEN": addresses["access_token"],
        "LINE_CHANNEL_SECRET": addresses["channel_secret"],
    }
    done = subprocess.run(
        [sys.executable, "-c", script(), "library.example"],
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert (0, "") == (done.returncode, done.stderr)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("USD a month: 3")
    assert "done load_balancer/news-bot " in lines
    assert any(line.startswith("enter at your registrar: ['ns-") for line in lines)
    assert "ready: False" in lines
    assert lines[-1].startswith("deleted: ")
    assert lines[-1].endswith("left: []")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({**SETTINGS, "service.cpu": 300}, "service.cpu takes"),
        ({**SETTINGS, "colour": "red"}, "there is no setting colour"),
        ({"domain": "example.jp"}, "it has no value, and no default"),
        (
            {**SETTINGS, "host": "bot.example.com"},
            "host takes the domain example.jp or a subdomain of it",
        ),
    ],
)
def test_wrong_settings(values: dict[str, object], why: str) -> None:
    """The error contains the setting and what it takes."""
    with pytest.raises(provision.UsageError) as refused:
        provision.read_settings(values)
    assert why in refused.value.why


def test_two_stacks_in_one_process(env: Env) -> None:
    """Settings and ids of the two are separate."""
    first = provision.Stack(provision.read_settings(SETTINGS))
    second = provision.Stack(provision.read_settings({**SETTINGS, "name": "other"}))
    first.load_balancer.arn = "arn:first"
    assert ("load_balancer/news-bot", "load_balancer/other") == (
        first.load_balancer.key,
        second.load_balancer.key,
    )
    assert "" == second.load_balancer.arn


def test_public_names() -> None:
    """`import provision` offers what docs/library.md lists, and raises AttributeError for the rest."""
    text = (ROOT / "docs/library.md").read_text(encoding="utf-8")
    for name in provision.__all__:
        assert getattr(provision, name) is getattr(library, name)
    for name in ("Stack", "Settings", "plan", "setup", "status", "teardown", "ProvisionError"):
        assert name in text
    with pytest.raises(AttributeError):
        _ = provision.nothing


READS = """
import provision
settings = provision.read_settings({"domain": "library.example", "network.vpc": "default"})
stack = provision.Stack(settings)
provision.plan(stack, "stack.yaml")
provision.status(stack, "stack.yaml")
"""


def test_plan_and_status_do_not_write_the_file(person: Person, tmp_path: Path) -> None:
    """Not even after a run that died and left a record that setup would remove."""
    file = tmp_path / "stack.yaml"
    file.write_text(
        "made_in:\n  account: '123456789012'\n  region: ap-northeast-1\n"
        "resources:\n  repository/former:\n    kind: Repository\n    state: creating\n"
    )
    before = file.read_bytes()
    variables = (
        environment(tmp_path)
        | aws_environment(runtime_info(person))
        | {"AWS_CA_BUNDLE": runtime_info(person)["ca"]}
    )
    done = subprocess.run(
        [sys.executable, "-c", READS],
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert before == file.read_bytes()
