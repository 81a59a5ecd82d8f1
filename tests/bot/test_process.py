"""`python -m bot`, as the container runs it."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": "0"}
SECRETS = {"ACCESS_TOKEN": "token-value", "CHANNEL_SECRET": "secret-value"}


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


@contextmanager
def running(**environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The bot as a process: its address, and the process, which has ended well in the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot"],
        env={**ENVIRONMENT, **SECRETS, **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines: list[str] = []
        try:
            while not (found := re.search(r"Listening at: (http://[\d.:]+)", "".join(lines))):
                lines.append(process.stderr.readline())
            yield found[1], process
        finally:
            process.send_signal(signal.SIGTERM)
        lines += process.stderr
        assert 0 == process.wait(20)
    assert all(json.loads(line)["message"] for line in lines)
    assert "-value" not in "".join(lines)


def asked(address: str, path: str = "/healthz") -> tuple[int, bytes]:
    """Status and body, on a connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_serves_until_sigterm() -> None:
    """Healthy; at SIGTERM unhealthy at once, and still there for new connections; then it ends well.
    JSON lines on stderr."""
    with running(LINGER_SECONDS="1") as (address, process):
        assert (200, b"ok") == asked(address)
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 5
        while (seen := asked(address)) == (200, b"ok"):
            assert time.monotonic() < end
        assert (503, b"stopping") == seen
        assert 404 == asked(address, "/")[0]


def test_silent_connections_do_not_keep_others_waiting() -> None:
    """More of them than there are threads: gunicorn gives each five seconds, then the thread is free."""
    with running(LINGER_SECONDS="0") as (address, _process), ExitStack() as stack:
        host, port = urlsplit(address).hostname, urlsplit(address).port
        for _ in range(400):
            stack.enter_context(socket.create_connection((host, port), 5))
        assert (200, b"ok") == asked(address)


@pytest.mark.parametrize("signature", [b"", b"X-Line-Signature: " + b"A" * 43 + b"=\r\n"])
def test_slow_bodies_do_not_keep_others_waiting(signature: bytes) -> None:
    """300 bodies that never end, signed or not: webhooks and health checks are answered meanwhile."""
    head = b"POST /webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n" + signature + b"\r\n{"
    with running(LINGER_SECONDS="0") as (address, _process), ExitStack() as stack:
        host, port = urlsplit(address).hostname, urlsplit(address).port
        for _ in range(300):
            stack.enter_context(socket.create_connection((host, port), 5)).sendall(head)
        assert (200, b"ok") == asked(address)
        assert 200 == signed_webhook(address)


def signed_webhook(address: str) -> int:
    """The status of a webhook without events, as LINE sends it to test the URL."""
    body = b'{"destination":"U","events":[]}'
    digest = hmac.new(SECRETS["CHANNEL_SECRET"].encode(), body, hashlib.sha256).digest()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    try:
        headers = {"X-Line-Signature": base64.b64encode(digest).decode()}
        connection.request("POST", "/webhook", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_bad_requests() -> None:
    """Each gets its status, over a real socket, and the next request is answered as ever."""
    big = 3_000_000
    head = b"POST /webhook HTTP/1.1\r\nHost: a\r\n"
    signed = head + b"X-Line-Signature: x\r\n"
    chunk = b"%x\r\n" % 100_000 + b"x" * 100_000 + b"\r\n"
    requests = {
        signed + b"Content-Length: %d\r\n\r\n" % big + b"x" * big: b"413",
        signed + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 30 + b"0\r\n\r\n": b"413",
        head + b"Content-Length: -1\r\n\r\n": b"400",
        head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc": b"400",
        head + b"Content-Length: 2\r\n\r\n{}": b"400",
        head + b"X-Line-Signature: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n": b"400",
        head + b"X-Line-Signature: x\r\nContent-Length: 2\r\n\r\n{}": b"401",
        b"GARBAGE\r\n\r\n": b"400",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 5000 + b"\r\n": b"4",
    }
    with running(LINGER_SECONDS="0") as (address, _):
        host, port = urlsplit(address).hostname, urlsplit(address).port
        for request, status in requests.items():
            with socket.create_connection((host, port), 20) as client:
                with suppress(ConnectionError):  # it need not read all of it
                    client.sendall(request)
                answer = client.recv(4000)
            assert answer.startswith(b"HTTP/1.1 " + status), request[:80]
            assert b"Traceback" not in answer
        assert (200, b"ok") == asked(address)
