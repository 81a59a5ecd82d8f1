"""`python -m bot`, as the container runs it."""

import json
import os
import re
import signal
import subprocess
import sys
from urllib.request import urlopen

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": "0"}


def test_a_missing_secret_ends_it_with_a_sentence() -> None:
    """Exit status 1, the variable's name, no traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "bot"],
        env={**ENVIRONMENT, "ACCESS_TOKEN": "token-value"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert 1 == ended.returncode
    assert "CHANNEL_SECRET" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "token-value" not in ended.stderr


def test_it_serves_until_sigterm() -> None:
    """Healthy on its port, JSON lines on stderr, exit status 0."""
    secrets = {"ACCESS_TOKEN": "token-value", "CHANNEL_SECRET": "secret-value"}
    with subprocess.Popen(
        [sys.executable, "-m", "bot"],
        env={**ENVIRONMENT, **secrets},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines: list[str] = []
        health = None
        try:
            for line in process.stderr:
                lines.append(line)
                if found := re.search(r"Listening at: (http://[\d.:]+)", line):
                    with urlopen(f"{found[1]}/healthz", timeout=20) as response:
                        health = (response.status, response.read())
                    break
        finally:
            process.send_signal(signal.SIGTERM)
        lines += process.stderr
        assert 0 == process.wait(20)
    assert (200, b"ok") == health
    assert all(json.loads(line)["message"] for line in lines)
    assert "-value" not in "".join(lines)
