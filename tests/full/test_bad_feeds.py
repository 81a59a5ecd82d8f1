"""Nine bad feeds of all kinds beside a good one; the collector as a process, as on ECS."""

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.news.cache import Cache
from bot.news.store import Folder
from tests.bot.raw_server import RawServer, drips, is_silent, sends

pytestmark = pytest.mark.full

ROOT = Path(__file__).parent.parent.parent
OK = b"HTTP/1.1 200 OK\r\n"
GOOD = b"<rss><channel><title>T</title><item><title>good</title></item></channel></rss>"
START = b"<rss><channel><title>T</title><item><title>x</title></item>"


def redirects_slowly(server: RawServer, connection: socket.socket) -> None:
    """A redirect to itself, nine seconds later."""
    server.ended.wait(9)
    connection.sendall(b"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")


BAD = [
    sends(b"", b"HTTP/1.1 503 X\r\nRetry-After: 86400\r\n"),
    drips(OK + b"Content-Length: 100000\r\n\r\n", b"x", 1),
    drips(OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n\x1f\r\n"),
    drips(OK, b"X-A: a", 0.5),
    drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    is_silent,
    redirects_slowly,
    sends(START + b"<a" * 1_900_000),  # some ten seconds and 400 MB
    sends(START + b"<description>" + "あ".encode() * 2_000_000),  # too large
]


def test_bad_feeds_delay_nothing(tmp_path: Path) -> None:
    """The good one, which is the last, is published within a minute, and the run ends."""
    began = time.monotonic()
    with ExitStack() as stack:
        urls = [stack.enter_context(RawServer(one)).url for one in (*BAD, sends(GOOD))]
        environment = {"PATH": os.environ["PATH"], "NEWS_URL": str(tmp_path), "PRIVATE_FEEDS": "1"}
        ended = subprocess.run(
            [sys.executable, "-m", "bot.news.collector"],
            cwd=ROOT,
            env={**environment, "NEWS_FEEDS": " ".join(urls)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    seconds = time.monotonic() - began
    print(f"\n{seconds:.0f} s\n{ended.stderr}")
    assert 0 == ended.returncode
    articles = Cache(Folder(str(tmp_path)), run=lambda work: work()).articles()
    assert "good" in [article.title for article in articles.newest()]
    assert seconds < 60
