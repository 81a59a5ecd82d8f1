"""`make live`, run against a sandbox as if it were AWS: to the end, and after a kill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from provision.environment import enter_name_servers
from tests.provision.shell import ROOT, aws_environment, running_sandbox

pytestmark = pytest.mark.full
LIVE = [sys.executable, "-m", "pytest", "-s", "-p", "no:xdist", "-m", "live", "tests/live"]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of a user with an account, a delegated zone and a LINE channel."""
    with running_sandbox(tmp_path, speed=100) as (addresses, environ):
        own = aws_environment(addresses)
        runtime = json.loads((tmp_path / "provision/sandbox.json").read_text())
        zone = boto3.client(
            "route53",
            region_name="ap-northeast-1",
            endpoint_url=own["AWS_ENDPOINT_URL"],
            aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
        ).create_hosted_zone(Name="example.jp", CallerReference="by-hand")
        servers = zone["DelegationSet"]["NameServers"]
        enter_name_servers(runtime, "example.jp", servers)
        yield {
            **environ,
            **own,
            "PROVISION_FRONT": addresses["front"],
            "PROVISION_REGISTRY": addresses["gallery"],
            "AWS_CA_BUNDLE": addresses["ca"],
            "LINE_CHANNEL_ACCESS_TOKEN": runtime["access_token"],
            "LINE_CHANNEL_SECRET": runtime["channel_secret"],
            "LIVE_DOMAIN": "example.jp",
            "LIVE_FEEDS": addresses["news"],
            "LIVE_FOLDER": str(tmp_path / "live"),
            "LIVE_YES": "1",
        }


def run_live_suite(environ: dict[str, str]) -> tuple[int, str]:
    """Run the live suite; return its exit status and output."""
    run = subprocess.run(LIVE, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=600)
    return run.returncode, run.stdout


def test_live_suite_leaves_nothing(account: dict[str, str], tmp_path: Path) -> None:
    """The suite shows the cost first, passes, and leaves nothing."""
    status, output = run_live_suite(account)
    assert 0 == status, output
    assert output.index("USD an hour") < output.index("$ provision setup")
    assert [", left: 0"] == [
        line[line.index(",") :] for line in output.splitlines() if "left:" in line
    ]
    assert not (tmp_path / "live").exists()


def test_killed_live_suite_is_cleaned_up(account: dict[str, str], tmp_path: Path) -> None:
    """After `kill -9` during setup the next run first deletes what was left, then passes."""
    stack = tmp_path / "live/stack.yaml"
    with subprocess.Popen(
        LIVE,
        cwd=ROOT,
        env=account,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if "load_balancer/" in line and "creating" in line:
                break
        os.killpg(first.pid, signal.SIGKILL)
    assert "resources:" in stack.read_text()
    status, output = run_live_suite(account)
    assert 0 == status, output
    assert 2 == output.count("left: 0")
    assert not stack.parent.exists()
