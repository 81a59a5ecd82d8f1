"""The two doors."""

import base64
import hashlib
import hmac
import json
import logging
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from bot.app import create_app
from bot.logs import JsonLines
from bot.newsstand import Folder, Newsstand
from bot.parameters import Secret
from bot.settings import SAMPLES, Settings

# The vector of LINE's documents ("Verify webhook signature").
BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


class Phone:
    """What LINE would show: the replies, by token. A token in `broken` raises."""

    def __init__(self) -> None:
        self.replies: dict[str, list[dict[str, Any]]] = {}
        self.broken: set[str] = set()

    def __call__(self, token: str, messages: list[dict[str, Any]]) -> bool:
        if token in self.broken:
            raise RuntimeError("a user's words")
        self.replies[token] = messages
        return True


@pytest.fixture
def phone() -> Phone:
    """Takes the replies."""
    return Phone()


@pytest.fixture
def client(phone: Phone) -> Client:
    """The bot with the sample articles, read at once."""
    return client_of(phone, Secret(SECRET))


def client_of(phone: Phone, secret: Secret) -> Client:
    """The bot with another secret."""
    stand = Newsstand(Folder(SAMPLES), run=lambda work: work())
    app = create_app(
        Settings("t", SECRET),
        reply=phone,
        newsstand=stand,
        channel_secret=secret,
        clock=lambda: 1e9,
    )
    return Client(app)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The header that LINE would send with this body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-line-signature": base64.b64encode(digest).decode()}


def post(client: Client, body: Any) -> TestResponse:
    """A webhook, rightly signed."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/webhook", data=raw, headers=signed(raw))


def said(token: str, words: str) -> dict[str, Any]:
    """A text message's event."""
    return {"type": "message", "replyToken": token, "message": {"type": "text", "text": words}}


def test_healthz(client: Client) -> None:
    """What the target group asks for."""
    response = client.get("/healthz")
    assert (200, "ok") == (response.status_code, response.text)


@pytest.mark.parametrize("header", ["x-line-signature", "X-Line-Signature", "X-LINE-SIGNATURE"])
def test_the_official_vector(client: Client, header: str) -> None:
    """LINE's own example, which is what the Verify button sends; the header's case may change."""
    assert 200 == client.post("/webhook", data=BODY, headers={header: SIGNATURE}).status_code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"x-line-signature": ""}, 400),
        ({"x-line-signature": SIGNATURE[:-1]}, 401),
        ({"x-line-signature": SIGNATURE.lower()}, 401),
        ({"x-line-signature": "ü"}, 401),
        (signed(BODY, "another"), 401),
        (signed(BODY + b" "), 401),
    ],
)
def test_a_wrong_signature(client: Client, headers: dict[str, str], status: int) -> None:
    """Missing, truncated, of another secret or of another body."""
    assert status == client.post("/webhook", data=BODY, headers=headers).status_code


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"events": {}}', b"{}", b"\xff", b"[" * 100_000],
    ids=["empty", "open", "list", "null", "object", "none", "no-utf8", "nested"],
)
def test_a_body_that_is_no_webhook(client: Client, body: bytes) -> None:
    """Signed, and still nothing to work with: 400, no traceback."""
    response = post(client, body)
    assert 400 == response.status_code
    assert "Traceback" not in response.text


def test_a_body_that_is_too_large(client: Client) -> None:
    """Refused before it is read."""
    assert 413 == post(client, b" " * 2_000_001).status_code
    assert 200 == post(client, b'{"events":[]}'.ljust(2_000_000)).status_code


def test_it_answers(client: Client, phone: Phone) -> None:
    """From a signed webhook to a reply."""
    assert 200 == post(client, {"events": [said("r", "latest")]}).status_code
    assert ["flex"] == [message["type"] for message in phone.replies["r"]]


def test_one_bad_event_costs_the_others_nothing(
    client: Client, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is on its own, and no word of a person gets into the log."""
    phone.broken.add("broken")
    events = [said("a", "latest"), said("broken", "private words"), None, 7, {}, said("b", "help")]
    with caplog.at_level(logging.INFO, "bot"):
        assert 200 == post(client, {"events": events}).status_code
    assert {"a", "b"} == set(phone.replies)
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    assert 6 == len(lines)
    assert 3 == sum(line["message"] == "an event failed" for line in lines)
    assert "RuntimeError" in {line.get("error") for line in lines}
    assert "words" not in json.dumps(lines)


def test_a_reissued_secret_is_read_again(phone: Phone) -> None:
    """The signature of the new secret works with the first request that carries it."""
    client = client_of(phone, Secret("stale", lambda: SECRET))
    assert 200 == post(client, {"events": [said("r", "help")]}).status_code
    assert {"r"} == set(phone.replies)


def test_the_secret_is_not_read_for_every_stranger(phone: Phone) -> None:
    """Wrong signatures cost one reading a minute."""
    readings: list[int] = []

    def read() -> str:
        readings.append(1)
        return SECRET

    client = client_of(phone, Secret(SECRET, read, lambda: 0.0))
    for _ in range(5):
        assert 401 == client.post("/webhook", data=BODY, headers=signed(BODY, "x")).status_code
    assert 1 == len(readings)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/webhook", 405), ("POST", "/", 404)]
)
def test_other_doors_are_closed(client: Client, method: str, path: str, status: int) -> None:
    """Nothing else answers."""
    assert status == client.open(path, method=method).status_code
