"""Task runners, which start the container of a task, and containers within a test's process."""

import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from werkzeug.test import EnvironBuilder, run_wsgi_app

Headers = list[tuple[str, str]]
Command = tuple[str, ...]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
Program = Callable[[dict[str, str]], int]  # the container's environment -> its exit code
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZDIR", "LD_LIBRARY_PATH")


def base_environment() -> dict[str, str]:
    """Return the few variables of this process that a process of a container or function needs too."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {"HOME": tempfile.gettempdir()}


@dataclass(frozen=True)
class Request:
    """An HTTP request to a container; `target` is the path with its query, as sent."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """A container's HTTP response."""

    status: int
    headers: Headers
    body: bytes


class RunningTask(Protocol):
    """A started container."""

    @property
    def exit_code(self) -> int | None:
        """Return the exit code (128 + N after signal N); None while the container runs."""

    def ready(self, seconds: float) -> bool:
        """Wait up to `seconds` (real) until it responds to HTTP or ends; return whether it responds."""

    def send(self, request: Request, seconds: float) -> Reply:
        """Send one request. Raises ConnectionError, or TimeoutError after `seconds` (real)."""

    def lines(self) -> list[str]:
        """Return the output to stdout and stderr since the last call."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Kill it and release its resources."""


class TaskRunner(Protocol):
    """Starts containers."""

    def start(
        self, environment: dict[str, str], image: str, port: int, command: Command = ()
    ) -> RunningTask:
        """Start a container of `image`, which listens on `port`, with these environment variables.

        `command` replaces the image's own if it is not empty.
        """

    def close(self) -> None:
        """Kill all running containers."""


def healthy_application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Respond to every request with status 200."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


class InlineTasks:
    """Containers without a process, for tests; `application(environment)` returns the WSGI application.

    Instead, a command in `programs` is called with the environment and returns the exit code. If either
    raises, the container ends with code 1.
    """

    def __init__(
        self,
        application: Callable[[dict[str, str]], Application] = lambda _: healthy_application,
        programs: Mapping[Command, Program] = MappingProxyType({}),
    ) -> None:
        self.application = application
        self.programs = dict(programs)
        self.started: list[InlineTask] = []

    def start(
        self, environment: dict[str, str], image: str, port: int, command: Command = ()
    ) -> "InlineTask":
        """Start the application as a container."""
        task = InlineTask(environment, image, port, command)
        try:
            if program := self.programs.get(command):
                task.end(program(environment))
            else:
                task.application = self.application(environment)
        except Exception as error:
            task.end(1, f"{type(error).__name__}: {error}")
        self.started.append(task)
        return task

    def close(self) -> None:
        """Kill every container."""
        for task in self.started:
            task.kill()


class InlineTask:
    """A container without a process."""

    def __init__(
        self, environment: dict[str, str], image: str, port: int, command: Command = ()
    ) -> None:
        self.environment = environment
        self.image = image
        self.port = port
        self.command = command
        self.application: Application = healthy_application
        self.exit_code: int | None = None
        self.on_terminate: Callable[[], None] = lambda: self.end(0)
        self._lines: list[str] = []
        self._lock = threading.Lock()

    def end(self, code: int, line: str = "") -> None:
        """End the container with this exit code, unless it has ended."""
        with self._lock:
            if line:
                self._lines.append(line)
            if self.exit_code is None:
                self.exit_code = code

    def ready(self, seconds: float) -> bool:
        """Return whether the container has not ended."""
        return self.exit_code is None

    def send(self, request: Request, seconds: float) -> Reply:
        """Call the application with one HTTP request."""
        if self.exit_code is not None:
            raise ConnectionRefusedError("the container has ended")
        errors = io.StringIO()
        builder = EnvironBuilder(
            path=request.target,
            method=request.method,
            headers=request.headers,
            input_stream=io.BytesIO(request.body),
            content_length=len(request.body),
            errors_stream=errors,
        )
        chunks, status, headers = run_wsgi_app(self.application, builder.get_environ(), True)
        self._log(errors.getvalue())
        return Reply(int(status.split()[0]), list(headers.items()), b"".join(chunks))

    def _log(self, text: str) -> None:
        with self._lock:
            self._lines.extend(text.splitlines())

    def lines(self) -> list[str]:
        """Return the output since the last call."""
        with self._lock:
            lines, self._lines = self._lines, []
        return lines

    def terminate(self) -> None:
        """Call `on_terminate`, as SIGTERM."""
        self.on_terminate()

    def kill(self) -> None:
        """End with exit code 137."""
        self.end(137)
