"""A plain moto server at AWS_ENDPOINT_URL: an AWS-compatible endpoint that runs no tasks."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from provision.console.server import HttpServer
from provision.sandbox.clock import RunningClock
from provision.sandbox.line.platform import LinePlatform
from tests.provision.shell import Person, environment

SETS = ["--set", "domain=example.jp", "--set", "network.vpc=default", "--set", "image.uri=a/b:1"]
TIMEOUT = 300  # seconds: a service that never starts times out after 90, also on a slow machine


@pytest.fixture
def moto(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the environment with moto as AWS, and our LINE platform as LINE; no DNS server answers."""
    line = LinePlatform(lambda *_: (200, b""), lambda name: [], RunningClock(1))
    api = HttpServer(line.wsgi)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    empty = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    urllib.request.urlopen(empty).close()  # moto has one account per process
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "LINE_API_URL": api.url,
        "PROVISION_DNS": "127.0.0.1:9",
        "LINE_CHANNEL_ACCESS_TOKEN": line.access_token,
        "LINE_CHANNEL_SECRET": line.channel_secret,
    }
    urllib.request.urlopen(empty).close()
    server.stop()
    api.close()


@pytest.mark.full
def test_setup_fails_with_a_reason_and_teardown_leaves_nothing(
    moto: dict[str, str], tmp_path: Path
) -> None:
    """Exit status 1 or 3 in time, no traceback, and nothing is left afterwards."""
    person = Person(tmp_path, environment(tmp_path))
    began = time.monotonic()
    command = [sys.executable, "-m", "provision", "setup", "--yes", "--wait", "0", *SETS]
    setup = subprocess.run(
        command,
        cwd=tmp_path,
        env={**person.environ, **moto},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert setup.returncode in (1, 3), setup.stderr
    assert time.monotonic() - began < TIMEOUT
    assert "Traceback" not in setup.stderr
    assert "next:" in setup.stderr
    teardown = person.types("teardown", "--yes", "--everything", "--json", **moto)
    assert (0, []) == (teardown.returncode, json.loads(teardown.stdout)["left"]), teardown.stderr
