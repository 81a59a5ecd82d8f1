"""The clock: the machine's, or the sandbox's own."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from provision import environment
from provision.clock import SandboxClock, WallClock
from provision.console.server import HttpServer
from provision.environment import clock_at
from provision.errors import ProvisionError

Serve = Callable[[Any], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Yield a function that serves this body for every GET; a number is a status."""
    servers: list[HttpServer] = []

    def served(answer: Any) -> str:
        @Request.application
        def application(request: Request) -> Response:
            if request.path != "/_sandbox/clock" or isinstance(answer, int):
                return Response("no", answer if isinstance(answer, int) else 404)
            return Response(answer() if callable(answer) else answer)

        servers.append(HttpServer(application))
        return servers[-1].url

    yield served
    for server in servers:
        server.close()


def test_sandbox_clock(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox's time is used; a thousand of its seconds pass in a real millisecond."""
    url = serve(lambda: json.dumps({"now": 5.0, "speed": 1e6}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", url + "/")
    clock = environment.clock()
    assert isinstance(clock, SandboxClock)
    assert 5.0 <= clock.now()
    clock.sleep(1000)


def test_sandbox_clock_is_read_every_50_ms() -> None:
    """In between it goes on at the sandbox's speed, which may be changed."""
    readings = iter([(100.0, 20.0), (102.0, 1.0)])
    real = iter([0.0, 0.0, 0.0, 0.04, 0.04, 0.06, 0.06, 0.07, 0.08, 0.09])
    clock = SandboxClock(lambda: next(readings), lambda: next(real))
    assert [100.0, 100.8, 102.01, 102.03] == [round(clock.now(), 6) for _read in range(4)]


@pytest.mark.parametrize(
    "answer",
    [
        404,
        500,
        "",
        "no json",
        "[]",
        "{}",
        '"now"',
        '{"now": 1}',
        '{"now": "x", "speed": 1}',
        '{"now": null, "speed": 1}',
        '{"now": 1, "speed": 0}',
        '{"now": 1, "speed": -1}',
        '{"now": 1, "speed": NaN}',
        '{"now": 1, "speed": Infinity}',
        b"\xff",
    ],
)
def test_other_endpoint_uses_the_wall_clock(serve: Serve, answer: Any) -> None:
    """An AWS-compatible endpoint other than the sandbox has no clock of its own."""
    assert isinstance(clock_at(serve(answer)), WallClock)


@pytest.mark.parametrize(
    "url", ["", "https://sts.amazonaws.com", "http://192.0.2.1:80", "nonsense"]
)
def test_only_local_endpoints_are_asked_for_a_clock(url: str) -> None:
    """No such request is sent to AWS."""
    assert isinstance(clock_at(url), WallClock)


def test_server_without_http_uses_the_wall_clock() -> None:
    """Anything may listen on that port."""
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example.jp ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        clock = clock_at(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert isinstance(clock, WallClock)


def test_stopped_sandbox_is_an_error() -> None:
    """If the sandbox ends during a run, the error says what to do."""

    @Request.application
    def application(request: Request) -> Response:
        return Response('{"now": 1, "speed": 2}')

    server = HttpServer(application)
    clock = clock_at(server.url)
    server.close()
    with pytest.raises(ProvisionError, match="provision sandbox"):
        clock.now()


def test_wall_clock() -> None:
    """It goes forwards; sleeping 0 takes no time."""
    clock = WallClock()
    before = clock.now()
    clock.sleep(0)
    assert before <= clock.now() < before + 60
