"""Which time it is: the machine's, or a sandbox's that tells its own."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from provision import environment
from provision.clock import SandboxClock, WallClock
from provision.environment import clock_at
from provision.errors import ProvisionError
from provision.sandbox.web.serving import HttpServer

Serve = Callable[[Any], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answers every GET with this body; a number is a status."""
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


def test_sandbox_tells_time_and_speed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own seconds; a thousand of them pass in a real millisecond."""
    times = iter([5.0, 6.0, 7.5])
    url = serve(lambda: json.dumps({"now": next(times), "speed": 1e6}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", url + "/")
    clock = environment.clock()
    assert isinstance(clock, SandboxClock)
    assert [6.0, 7.5] == [clock.now(), clock.now()]
    clock.sleep(1000)


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
def test_anything_else_is_the_wall_clock(serve: Serve, answer: Any) -> None:
    """An AWS-compatible endpoint that is no sandbox has no time of its own."""
    assert isinstance(clock_at(serve(answer)), WallClock)


@pytest.mark.parametrize(
    "url", ["", "https://sts.amazonaws.com", "http://192.0.2.1:80", "nonsense"]
)
def test_nobody_is_asked_but_this_machine(url: str) -> None:
    """AWS itself would be told nothing by such a question."""
    assert isinstance(clock_at(url), WallClock)


def test_server_that_speaks_no_http_is_none() -> None:
    """Whatever listens on that port: the wall clock."""
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


def test_sandbox_that_stopped_is_a_refusal() -> None:
    """In the middle of a walk: what next, and no traceback."""

    @Request.application
    def application(request: Request) -> Response:
        return Response('{"now": 1, "speed": 2}')

    server = HttpServer(application)
    clock = clock_at(server.url)
    server.close()
    with pytest.raises(ProvisionError, match="provision sandbox"):
        clock.now()


def test_wall_clock() -> None:
    """Goes forwards; sleeping nothing takes nothing."""
    clock = WallClock()
    before = clock.now()
    clock.sleep(0)
    assert before <= clock.now() < before + 60
