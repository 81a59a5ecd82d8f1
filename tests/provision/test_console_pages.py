"""The console page's files: what is served, in which language, with which headers."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from provision import i18n
from provision.console.pages import FILES, Pages
from provision.console.words import words


@pytest.fixture
def client() -> Client:
    """Return a client of the sandbox's page."""
    return Client(Pages(Response("behind it"), sandbox=True))


@pytest.fixture
def japanese() -> Iterator[None]:
    """Speak Japanese, and afterwards what was spoken before."""
    before = i18n.language()
    i18n.use("ja")
    yield
    i18n.use(before)


def test_page(client: Client) -> None:
    """At the root, with all that it needs on the same server: nothing is fetched from elsewhere."""
    page = client.get("/")
    assert "text/html; charset=utf-8" == page.headers["Content-Type"]
    assert '<html lang="en">' in page.text
    assert "/_sandbox/send" in page.text
    links = re.findall(r"""(?:src|href)="(/[^"]+)""", page.text)
    assert ["/console/console.css", "/console/console.js"] == links
    for file in FILES.iterdir():
        text = file.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[\w.]+", text))
        assert addresses <= {"http://www.w3.org"}, file.name


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/console/console.css", "text/css; charset=utf-8"),
        ("/console/console.js", "text/javascript; charset=utf-8"),
        ("/console/chat.js", "text/javascript; charset=utf-8"),
        ("/console/words.json", "application/json"),
    ],
)
def test_files(client: Client, path: str, kind: str) -> None:
    """Each with its type, never kept by the browser, never taken for another type."""
    response = client.get(path)
    assert (200, kind) == (response.status_code, response.headers["Content-Type"])
    assert "nosniff" == response.headers["X-Content-Type-Options"]
    assert "no-store" == response.headers["Cache-Control"]
    assert "no-referrer" == response.headers["Referrer-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/console/../words.py",
        "/console/%2e%2e/words.py",
        "/console//etc/passwd",
        "/console/none.js",
    ],
)
def test_other_files(client: Client, path: str) -> None:
    """Nothing outside the folder is served."""
    response = client.get(path)
    assert "def words" not in response.text
    assert "root:" not in response.text
    if path != "/console/":
        assert 404 == response.status_code


def test_methods(client: Client) -> None:
    """The page can only be read; other paths go to what is behind it."""
    assert 405 == client.post("/").status_code
    assert 405 == client.put("/console/console.js").status_code
    assert "behind it" == client.get("/v2/bot/info").text


@pytest.mark.usefixtures("japanese")
def test_japanese(client: Client) -> None:
    """The page speaks the language of the tool."""
    assert '<html lang="ja">' in client.get("/").text
    document = json.loads(client.get("/console/words.json").text)
    assert ("ja", True) == (document["language"], document["sandbox"])
    assert "スタック" == document["words"]["stack"]
    assert (
        "ボットのサーバーがエラー（{status}）を返しました。"
        in document["words"]["ERROR_STATUS_CODE"]
    )


def test_every_sentence_is_used() -> None:
    """The page asks for no sentence that does not exist, and each that exists is asked for."""
    scripts = "".join(file.read_text(encoding="utf-8") for file in FILES.glob("*.js"))
    markup = (FILES / "console.html").read_text(encoding="utf-8")
    asked = set(re.findall(r"""say\("(\w+)"[,)]""", scripts)) | set(
        re.findall(r'data-word="(\w+)"', markup)
    )
    known = set(words())
    assert set() == asked - known
    composed = {
        *("chat", "stack", "registrar", "line", "calls", "webhooks", "faults"),
        *(name for name in known if name.startswith("told_") or name.endswith("_about")),
        *("follow", "unfollow", "join", "leave"),
        *("happy", "sad", "surprised", "love"),
        *("active", "redelivery", "auto_reply", "greeting"),
        *("no_spot", "slow_dns", "throttle", "s3_down", "broken_feed"),
        *("region", "url", "tasks", "cost", "next"),
        *("NO_WEBHOOK_ENDPOINT", "WEBHOOK_OFF", "COULD_NOT_CONNECT", "REQUEST_TIMEOUT"),
        *("ERROR_STATUS_CODE", "OK"),
    }
    assert set() == known - asked - composed


def test_look_is_taken_again_when_it_is_old() -> None:
    """After the given seconds, and after twice the time that a look takes."""
    from provision.cli.console import Look

    now, took, looks = [0.0], [1.0], [0]

    def read() -> dict[str, Any]:
        now[0] += took[0]
        looks[0] += 1
        return {"look": looks[0]}

    look = Look(read, 5.0, lambda: now[0])
    assert {"look": 1} == look()
    now[0] = 5.9
    assert {"look": 1} == look()
    now[0], took[0] = 6.0, 10.0
    assert {"look": 2} == look()
    now[0] = 35.9
    assert {"look": 2} == look()
    now[0] = 36.0
    assert {"look": 3} == look()
