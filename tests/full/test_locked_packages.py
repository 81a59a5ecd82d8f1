"""The collector and the bot with exactly the packages of bot/requirements.txt, as in the image.

Here there are more: one that only this environment has is missed by no other test.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import SAMPLES
from bot.news.cache import Cache
from bot.news.store import Folder
from tests.bot.raw_server import RawServer, sends

pytestmark = pytest.mark.full

ROOT = Path(__file__).parent.parent.parent
FEED = '<?xml version="1.0" encoding="EUC-JP"?><rss><channel><title>T</title>{}</channel></rss>'
ITEM = "<item><title>東京の&lt;b&gt;天気&lt;/b&gt;</title><pubDate>14 Jan 2027 15:00 JST</pubDate></item>"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with the lock's packages and nothing else."""
    folder = tmp_path_factory.mktemp("locked")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin/python")
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    lock = ["--only-binary=:all:", "-r", str(ROOT / "bot/requirements.txt")]
    subprocess.run([python, "-m", "pip", *install, *lock], check=True)
    return python


@pytest.fixture
def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "AWS_REGION": "ap-northeast-1"}


def test_packages_are_complete(python: str) -> None:
    """Each package has what it asks for."""
    subprocess.run([python, "-m", "pip", "check"], check=True)


def test_collector(python: str, environment: dict[str, str], tmp_path: Path) -> None:
    """A feed is read; a Japanese domain is looked up, and fails as any other name that is not there."""
    with RawServer(sends(FEED.format(ITEM).encode("euc_jp"))) as server:
        environment |= {"NEWS_URL": str(tmp_path), "NEWS_DAYS": "3650", "PRIVATE_FEEDS": "1"}
        environment["NEWS_FEEDS"] = f"{server.url} http://日本語.invalid/feed"
        run = [python, "-m", "bot.news.collector"]
        ended = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert 0 == ended.returncode, ended.stderr
    assert '"error": "ConnectionError", "feed": "日本語.invalid/feed"' in ended.stderr
    articles = Cache(Folder(str(tmp_path)), run=lambda work: work()).articles()
    assert ["東京の天気"] == [article.title for article in articles.newest()]


@pytest.fixture
def port(python: str, environment: dict[str, str]) -> Iterator[int]:
    """The port of a bot in that environment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    secrets = {"ACCESS_TOKEN": "t", "CHANNEL_SECRET": "s", "NEWS_URL": SAMPLES}
    where = {"HOST": "127.0.0.1", "PORT": str(port), "LINGER_SECONDS": "0"}
    with subprocess.Popen(
        [python, "-m", "bot"], env={**environment, **secrets, **where}
    ) as process:
        yield port
        process.terminate()


def test_bot(port: int) -> None:
    """It starts, and is healthy."""
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                assert b"ok" == answer.read()
                return
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.2)
