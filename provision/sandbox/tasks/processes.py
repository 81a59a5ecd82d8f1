"""Tasks as local processes, which run their image's program or this checkout's bot."""

import collections
import contextlib
import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from provision.sandbox.aws.ecr.image_store import CannotPullError
from provision.sandbox.tasks import supervise
from provision.sandbox.tasks.rootfs import UnpackedImage
from provision.sandbox.tasks.runners import Command, Reply, Request, base_environment

_CHECKOUT = Path(__file__).parents[3]
COMMAND: Command = (sys.executable, "-m", "bot")


class ProcessTasks:
    """Starts each task as a process on a free port of 127.0.0.1, from its image if that has layers.

    Other images are replaced by the bot of this checkout, with `command`. The process has the task's
    environment variables, PORT and HOST from the sandbox, and a few of this process's. `extra` are variables
    that Fargate would add (AWS's endpoint, credentials); the task's own take precedence. `python` in a
    command is this interpreter.
    """

    def __init__(self, command: Command = COMMAND) -> None:
        self.command = command
        self.extra: dict[str, str] = {}
        self.unpacked: Callable[[str], UnpackedImage | None] = lambda image: None
        self._tasks: list[ProcessTask] = []

    def start(
        self, environment: dict[str, str], image: str, port: int, command: Command = ()
    ) -> "ProcessTask":
        """Start a process for a container."""
        self._tasks = [task for task in self._tasks if task.exit_code is None]
        found = self.unpacked(image) or self._checkout
        run = command or found.command
        if not run:
            raise CannotPullError("no command specified")
        if run[0] in ("python", "python3"):
            run = (sys.executable, *run[1:])
        variables_of_task = {**base_environment(), **found.environment, **self.extra, **environment}
        task = ProcessTask(run, variables_of_task, found.folder)
        self._tasks.append(task)
        return task

    @property
    def _checkout(self) -> UnpackedImage:
        variables = {"PYTHONPATH": str(_CHECKOUT), "PYTHONUNBUFFERED": "1"}
        return UnpackedImage(variables, _CHECKOUT, self.command)

    def close(self) -> None:
        """Kill every process."""
        for task in self._tasks:
            task.kill()


class ProcessTask:
    """The process group of one container, and the pipes to it."""

    def __init__(self, command: Command, environment: dict[str, str], folder: Path) -> None:
        self.address = ("127.0.0.1", _free_port())
        address_variables = {"HOST": self.address[0], "PORT": str(self.address[1])}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", supervise.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment | address_variables,
            cwd=folder,
            start_new_session=True,  # the terminal's signals go only to the sandbox
        )
        self._lines: collections.deque[str] = collections.deque(maxlen=2000)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """Return the exit code as Docker does; None while the process runs."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def ready(self, seconds: float) -> bool:
        """Wait until the container responds or has ended; return whether it responds."""
        end = time.monotonic() + seconds
        while self.exit_code is None and time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.send(Request("GET", "/healthz", [("Host", "localhost")]), 5)
                return True
            time.sleep(0.02)
        return False

    def send(self, request: Request, seconds: float) -> Reply:
        """Send one HTTP request to the container."""
        connection = http.client.HTTPConnection(*self.address, timeout=seconds)
        try:
            connection.putrequest(
                request.method, request.target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers:
                if name.lower() not in ("connection", "content-length"):
                    connection.putheader(name, value)
            connection.putheader("Connection", "close")
            connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body)
            response = connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP answer: {type(error).__name__}") from error
        finally:
            connection.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line.decode(errors="replace").rstrip("\r\n"))

    def lines(self) -> list[str]:
        """Return the output since the last call."""
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        if self.exit_code is not None:
            self._close_pipes()
        return lines

    def terminate(self) -> None:
        """Send SIGTERM."""
        if self.exit_code is None:
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # the supervisor kills the process group
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._close_pipes()

    def _close_pipes(self) -> None:
        """Read the remaining output and close the pipes of a process that has ended."""
        self._reader.join(2)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
