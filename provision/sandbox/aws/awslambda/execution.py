"""Lambda: run a function's code once, in a separate process."""

import io
import json
import signal
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.sandbox.aws.awslambda import bootstrap
from provision.sandbox.tasks import supervise

_TIMED_OUT = 128 + signal.SIGALRM


@dataclass(frozen=True)
class Outcome:
    """The result of a run; times in seconds, memory in MB."""

    payload: bytes
    error: bool
    timed_out: bool
    lines: list[str]
    init: float
    duration: float
    memory: int


class Execution:
    """A run of a function; `start` it, and `finish` it when it `has_ended`."""

    def __init__(
        self,
        code: bytes,
        event: bytes,
        environment: dict[str, str],
        *,
        request_id: str,
        arn: str,
        timeout: int,
    ) -> None:
        self._code, self._event, self._environment = code, event, environment
        self.request_id, self._arn, self._timeout = request_id, arn, timeout
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Extract the code and start the process."""
        self._place = tempfile.TemporaryDirectory(prefix="provision-function-")
        self._folder = Path(self._place.name)
        code = self._folder / "code"
        zipfile.ZipFile(io.BytesIO(self._code)).extractall(code)
        (self._folder / "event").write_bytes(self._event)
        arguments = [str(self._folder), self.request_id, self._arn, str(self._timeout)]
        supervisor = [sys.executable, "-I", "-S", supervise.__file__]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*supervisor, sys.executable, "-I", "-u", bootstrap.__file__, *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment | {"LAMBDA_TASK_ROOT": str(code)},
                cwd=code,
                start_new_session=True,  # the terminal's signals go only to the sandbox
            )

    def has_ended(self, *, wait: bool = False) -> bool:
        """Return whether the process has ended; with `wait`, once it has."""
        if self._process is None:
            return False
        return (self._process.wait() if wait else self._process.poll()) is not None

    def finish(self) -> Outcome:
        """Return the outcome of the process that has ended, and remove its files."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        status, file = self._process.returncode, self._folder / "outcome"
        found: dict[str, Any] = json.loads(file.read_bytes()) if file.exists() else {}
        lines = (self._folder / "log").read_text("utf-8", "replace").splitlines()
        self._place.cleanup()
        timed_out = status == _TIMED_OUT and "payload" not in found
        payload = found.get("payload") or json.dumps(self._failure(status, timed_out=timed_out))
        return Outcome(
            payload.encode(),
            found.get("error", True),
            timed_out,
            lines,
            found.get("init", 0.0),
            found.get("duration", float(self._timeout) if timed_out else 0.0),
            found.get("memory", 0),
        )

    def _failure(self, status: int, *, timed_out: bool) -> dict[str, str]:
        """Return Lambda's document for a process that ended without a response."""
        if timed_out:
            kind, reason = "Sandbox.Timedout", f"Task timed out after {self._timeout}.00 seconds"
        elif status == 0:
            kind, reason = "Runtime.ExitError", "Runtime exited without providing a reason"
        else:
            how = f"exit status {status}"
            if status > 128:
                how = f"signal: {(signal.strsignal(status - 128) or '').lower()}"
            kind, reason = "Runtime.ExitError", f"Runtime exited with error: {how}"
        message = f"RequestId: {self.request_id} Error: {reason}"
        return {"errorType": kind, "errorMessage": message}

    def kill(self) -> None:
        """Kill the process, and remove its files."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()  # the supervisor kills the process group
            self._process.wait(10)
            self._place.cleanup()
