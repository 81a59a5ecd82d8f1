"""The collector connects to no private, loopback or link-local address, wherever it is led."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.news.addresses import _check
from bot.news.feeds import BadFeed
from tests.bot.raw_server import RawServer, sends

REDIRECTED = """
import sys
from bot.news.addresses import _check
from bot.news.feeds import BadFeed
from bot.news.web import FeedState, fetch

url, inside = sys.argv[1:]  # two servers on loopback; the first one stands for a public one

def check(event, arguments):
    if event == "socket.connect" and str(arguments[1][1]) == inside:
        _check(event, arguments)

sys.addaudithook(check)
try:
    fetch(url, FeedState())
except BadFeed as error:
    print(error)
"""


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.0.0.1",
        "172.31.0.2",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "224.0.0.1",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:169.254.170.2",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
    ],
)
def test_refused(address: str) -> None:
    """This machine, the VPC, the task's credentials, and all of them written as IPv6."""
    with pytest.raises(BadFeed, match="private address"):
        _check("socket.connect", (None, (address, 80)))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_public(address: str) -> None:
    """The internet; other events and local sockets do not matter."""
    _check("socket.connect", (None, (address, 80)))
    _check("socket.connect", (None, "/run/socket"))
    _check("socket.bind", (None, ("127.0.0.1", 80)))


def test_the_command(tmp_path: Path) -> None:
    """Each feed on this machine is refused before anything is sent to it."""
    with RawServer(sends(b"x")) as server:
        port = server.url.rpartition(":")[2].strip("/")
        hosts = ("127.0.0.1", "localhost", "127.1", "0x7f000001")
        feeds = " ".join(f"http://{host}:{port}/" for host in hosts)
        ended = subprocess.run(
            [sys.executable, "-m", "bot.news.collector"],
            env={"PATH": os.environ["PATH"], "NEWS_URL": str(tmp_path), "NEWS_FEEDS": feeds},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (1, 4) == (ended.returncode, ended.stderr.count('"error": "private address"'))


def test_redirect() -> None:
    """A public feed that redirects to this machine is not followed."""
    with RawServer(sends(b"<rss/>")) as inside:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n"
        with RawServer(lambda _, connection: connection.sendall(moved.encode())) as server:
            port = inside.url.rpartition(":")[2].strip("/")
            run = [sys.executable, "-c", REDIRECTED, server.url, port]
            ended = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert ("private address\n", 0) == (ended.stdout, ended.returncode), ended.stderr
