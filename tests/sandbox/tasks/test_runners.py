"""Containers: as processes of this machine, and inside the test's own process."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.sandbox.tasks.processes import ProcessTasks
from provision.sandbox.tasks.runners import InlineTasks, Request

# A web server that tells its environment and its request; SIGTERM ends it with 0.
SERVER = """
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = repr((self.path, body, self.headers["X-Given"], os.environ.get("SECRET"),
                     os.environ.get("INHERITED"), os.getpid())).encode()
        self.send_response(201)
        self.end_headers()
        self.wfile.write(text)
    do_GET = do_POST
    def log_message(self, *arguments):
        pass
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("it begins", flush=True)
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def waited(condition: Callable[[], bool]) -> bool:
    """Return whether the condition holds within five real seconds."""
    end = time.monotonic() + 5
    while not condition():
        if time.monotonic() > end:
            return False
        threading.Event().wait(0.01)
    return True


@pytest.fixture
def processes() -> Iterator[ProcessTasks]:
    made = ProcessTasks((sys.executable, "-I", "-S", "-c", SERVER))
    yield made
    made.close()


def test_process_answers_with_its_own_environment(processes: ProcessTasks) -> None:
    """It gets its variables and not ours, and the complete request; its output is kept; SIGTERM ends it."""
    os.environ["INHERITED"] = "of the test"
    try:
        task = processes.start({"SECRET": "from Parameter Store"}, "example/bot", 8080)
    finally:
        del os.environ["INHERITED"]
    assert task.ready(10)
    reply = task.send(Request("POST", "/a?b=%20", [("Host", "x"), ("X-Given", "1")], b"\0raw"), 5)
    assert 201 == reply.status
    received = eval(reply.body)
    assert ("/a?b=%20", b"\0raw", "1", "from Parameter Store", None) == received[:5]
    assert ["it begins"] == task.lines()
    task.terminate()
    assert waited(lambda: task.exit_code is not None)
    assert 0 == task.exit_code
    with pytest.raises(ConnectionError):
        task.send(Request("GET", "/", []), 5)


def test_process_is_killed_with_its_group(processes: ProcessTasks) -> None:
    """kill leaves no process, not even one that ignores SIGTERM."""
    task = processes.start({}, "example/bot", 8080)
    assert task.ready(10)
    body = task.send(Request("POST", "/", [("Host", "x")]), 5).body
    worker = eval(body)[5]
    task.kill()
    assert 137 == task.exit_code
    assert waited(lambda: not Path(f"/proc/{worker}").exists())


def test_process_that_ends_at_once() -> None:
    """ready is false; exit code and output are available."""
    runner = ProcessTasks((sys.executable, "-I", "-S", "-c", "import sys; sys.exit('no token')"))
    task = runner.start({}, "example/bot", 8080)
    assert not task.ready(10)
    assert 1 == task.exit_code
    assert ["no token"] == task.lines()
    runner.close()


def test_process_of_a_task_with_a_command(processes: ProcessTasks) -> None:
    """The task's command replaces the image's; `python` is this interpreter."""
    command = ("python", "-I", "-S", "-c", "import sys; print(sys.executable); sys.exit(4)")
    task = processes.start({}, "example/bot", 8080, command)
    assert not task.ready(10)
    assert 4 == task.exit_code
    assert [sys.executable] == task.lines()


def test_process_of_a_killed_sandbox_ends() -> None:
    """The end of stdin, after the sandbox was killed, ends the task."""
    runner = ProcessTasks((sys.executable, "-I", "-S", "-c", SERVER))
    task = runner.start({}, "example/bot", 8080)
    assert task.ready(10)
    assert task._process.stdin is not None
    task._process.stdin.close()
    assert waited(lambda: task.exit_code is not None)
    runner.close()


def test_inline_container_that_fails_to_build() -> None:
    """An exception of the factory is a crash at start, and is in its log."""

    def broken(environment: dict[str, str]) -> Any:
        raise KeyError("ACCESS_TOKEN")

    task = InlineTasks(broken).start({}, "example/bot", 8080)
    assert not task.ready(1)
    assert 1 == task.exit_code
    assert ["KeyError: 'ACCESS_TOKEN'"] == task.lines()
    with pytest.raises(ConnectionError):
        task.send(Request("GET", "/", []), 1)


def test_inline_container_gets_the_raw_request() -> None:
    """Body and headers are unchanged: a webhook's signature is over raw bytes."""

    def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("X-Back", environ["HTTP_X_LINE_SIGNATURE"])])
        return [body, environ["QUERY_STRING"].encode()]

    task = InlineTasks(lambda environment: echo).start({}, "example/bot", 8080)
    request = Request("POST", "/webhook?a=1", [("x-line-signature", "abc=")], "にゅ".encode())
    reply = task.send(request, 1)
    assert "にゅa=1".encode() == reply.body
    assert ("X-Back", "abc=") in reply.headers
