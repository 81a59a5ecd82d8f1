"""LINE's webhook and the health check."""

import base64
import hashlib
import hmac
import io
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.app import create_app
from bot.config import SAMPLES, Config
from bot.handlers import COMMANDS, News
from bot.line import Outcome
from bot.logs import JsonLines
from bot.messages import Message
from bot.news.cache import Cache
from bot.news.store import Folder
from bot.secrets import Secret
from bot.text import Language

# The vector of LINE's documents ("Verify webhook signature").
BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


class Phone:
    """LINE: the replies by token. A token in `broken` raises; one in `outcomes` has that outcome; one in
    `gates` is held back until its event is set."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Message]] = {}
        self.count: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.outcomes: dict[str, Outcome] = {}
        self.gates: dict[str, threading.Event] = {}

    def reply(self, reply_token: str, messages: list[Message], plain: list[Message]) -> Outcome:
        if reply_token in self.broken:
            raise RuntimeError("a user's words")
        if reply_token in self.gates:
            assert self.gates[reply_token].wait(20)
        outcome = self.outcomes.get(reply_token, Outcome.TAKEN)
        if outcome is Outcome.TAKEN:
            self.replies[reply_token] = messages
            self.count[reply_token] += 1
        return outcome

    def language(self, user_id: str) -> Language | None:
        return None


@pytest.fixture
def phone() -> Phone:
    """Takes the replies."""
    return Phone()


@pytest.fixture
def client(phone: Phone) -> FlaskClient:
    """The bot with the sample articles, read at once."""
    return client_of(phone, Secret(SECRET))


def app_of(phone: Phone, secret: Secret, clock: Callable[[], float] = lambda: 1e9) -> Flask:
    """The bot with another secret."""
    cache = Cache(Folder(SAMPLES), run=lambda work: work())
    config = Config("t", SECRET, threads=16)
    return create_app(config, line=phone, cache=cache, channel_secret=secret, clock=clock)


def client_of(phone: Phone, secret: Secret) -> FlaskClient:
    """A client of that."""
    return app_of(phone, secret).test_client()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The header that LINE would send with this body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-line-signature": base64.b64encode(digest).decode()}


def post(client: FlaskClient, body: Any) -> TestResponse:
    """A webhook, rightly signed."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/webhook", data=raw, headers=signed(raw))


def said(token: str, words: str) -> dict[str, Any]:
    """A text message's event."""
    return {"type": "message", "replyToken": token, "message": {"type": "text", "text": words}}


def test_healthz(client: FlaskClient) -> None:
    """What the target group asks for."""
    response = client.get("/healthz")
    assert (200, "ok") == (response.status_code, response.text)


@pytest.mark.parametrize("header", ["x-line-signature", "X-Line-Signature", "X-LINE-SIGNATURE"])
def test_the_official_vector(client: FlaskClient, header: str) -> None:
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
def test_a_wrong_signature(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    """Missing, truncated, of another secret or of another body."""
    assert status == client.post("/webhook", data=BODY, headers=headers).status_code


def test_strangers_do_not_fill_the_log(phone: Phone, caplog: pytest.LogCaptureFixture) -> None:
    """One line a minute for each status of a webhook, and none for other paths."""
    now = [1e9]
    client = app_of(phone, Secret(SECRET), lambda: now[0]).test_client()

    def logged(seconds: float) -> list[int]:
        now[0] = 1e9 + seconds
        caplog.clear()
        for path in ("/webhook", "/", "/webhook"):
            client.post(path, data=BODY)
        client.post("/webhook", data=BODY, headers=signed(BODY, "x"))
        return [record.__dict__["status"] for record in caplog.records]

    assert [400, 401] == logged(0)
    assert [] == logged(59.9)
    assert [400, 401] == logged(60)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"events": {}}', b"{}", b"\xff", b"[" * 100_000],
    ids=["empty", "open", "list", "null", "object", "none", "no-utf8", "nested"],
)
def test_a_body_that_is_no_webhook(client: FlaskClient, body: bytes) -> None:
    """Signed, and still nothing to work with: 400, no traceback."""
    response = post(client, body)
    assert 400 == response.status_code
    assert "Traceback" not in response.text


def test_a_body_that_is_too_large(client: FlaskClient) -> None:
    """Refused before it is read."""
    assert 413 == post(client, b" " * 2_000_001).status_code
    chunked = {**signed(b""), "Transfer-Encoding": "chunked"}
    source = {"wsgi.input_terminated": True}
    answer = client.post(
        "/webhook",
        input_stream=io.BytesIO(b" " * 2_000_001),
        headers=chunked,
        environ_overrides=source,
    )
    assert 413 == answer.status_code
    assert 200 == post(client, b'{"events":[]}'.ljust(2_000_000)).status_code


def test_it_answers(client: FlaskClient, phone: Phone) -> None:
    """From a signed webhook to a reply."""
    assert 200 == post(client, {"events": [said("r", "latest")]}).status_code
    assert ["flex"] == [message["type"] for message in phone.replies["r"]]


def test_one_bad_event_costs_the_others_nothing(
    client: FlaskClient, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is on its own, the request is acknowledged, and no word of a person gets into the log."""
    phone.broken.add("broken")
    events = [said("a", "latest"), said("broken", "private words"), None, 7, {}, said("b", "help")]
    with caplog.at_level(logging.INFO, "bot"):
        assert 200 == post(client, {"events": events}).status_code
    assert {"a", "b"} == set(phone.replies)
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    outcomes = sorted(line["outcome"] for line in lines if line["message"] == "event")
    assert ["silent", "silent", "silent", "taken", "taken"] == outcomes
    (failed,) = [line for line in lines if line["message"] == "an event failed"]
    assert ("RuntimeError", "app.py") == (failed["error"], failed["where"].partition(":")[0])
    assert 1 == len({line["request"] for line in lines})
    assert "words" not in json.dumps(lines)


def test_a_command_that_raises(
    client: FlaskClient,
    phone: Phone,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It says that it failed, and the log where, without a person's words."""

    def broken(event: Any, news: News) -> Message:
        raise RuntimeError(event.message.text)

    monkeypatch.setitem(COMMANDS, "weather", broken)
    assert 200 == post(client, {"events": [said("r", "weather")]}).status_code
    assert "Something went wrong" in phone.replies["r"][0]["text"]
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert ("RuntimeError", "handlers.py") == (
        record.__dict__["error"],
        record.__dict__["where"].partition(":")[0],
    )
    assert "weather" not in caplog.text


HOSTILE = [
    {"timestamp": 10**400},
    {"timestamp": -(10**400)},
    {"replyToken": "\ud800"},
    {"webhookEventId": "\ud800"},
    {"message": {"type": "text", "text": "\ud800"}},
    {"message": {"type": "text", "text": "a", "emojis": [{"index": 10**400, "length": 10**400}]}},
    {"source": {"type": "user", "userId": "\ud800"}},
    {"type": "postback", "postback": {"data": "[" * 300}},
    {"type": "postback", "postback": {"data": "help", "params": {"date": 7}}},
    {"source": {"type": "group"}, "message": {"type": "text", "text": "a", "mention": [None]}},
    {"type": "follow", "follow": {"isUnblocked": "yes"}},
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=map(str, range(len(HOSTILE))))
def test_hostile_events(client: FlaskClient, phone: Phone, hostile: dict[str, Any]) -> None:
    """No event makes its request fail, or the next delivery of it wait."""
    events = [{**said("r", "help"), "webhookEventId": "e", **hostile}, said("good", "latest")]
    assert [200, 200] == [post(client, {"events": events}).status_code for _ in range(2)]
    assert "good" in phone.replies


def test_a_number_that_python_refuses_to_read(client: FlaskClient, phone: Phone) -> None:
    """More than 4,300 digits in one event cost the one beside it nothing."""
    body = json.dumps({"events": [{**said("r", "help"), "timestamp": 1}, said("good", "help")]})
    long = body.replace('"timestamp": 1', '"timestamp": ' + "1" * 5000).encode()
    assert 200 == post(client, long).status_code
    assert {"r", "good"} == set(phone.replies)


class Broken:
    """A body that cannot be read, as gunicorn's is after a wrong chunk."""

    def read(self, size: int = -1) -> bytes:
        raise RuntimeError("InvalidChunkSize")


def test_a_body_that_cannot_be_read(client: FlaskClient) -> None:
    """400; and without a signature it is not read at all."""
    for headers, status in ((signed(b""), 400), ({}, 400)):
        answer = client.post(
            "/webhook",
            headers={**headers, "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input": Broken(), "wsgi.input_terminated": True},
        )
        assert status == answer.status_code
    assert "signature header is missing" in answer.text


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.TAKEN, 200),
        (Outcome.SPENT, 200),
        (Outcome.REFUSED, 200),
        (Outcome.FAILED, 500),
    ],
)
def test_acknowledged_is_what_cannot_be_mended(
    client: FlaskClient, phone: Phone, outcome: Outcome, status: int
) -> None:
    """500 asks LINE to deliver the event again."""
    phone.outcomes["r"] = outcome
    assert status == post(client, {"events": [said("r", "help")]}).status_code


@pytest.mark.parametrize(
    ("age", "replied"), [(0, True), (1199, True), (1201, False), (10**9, False), (-99, True)]
)
def test_old_events_are_dropped(
    client: FlaskClient, phone: Phone, caplog: pytest.LogCaptureFixture, age: int, replied: bool
) -> None:
    """Twenty minutes after the event no token works: acknowledged, and a line in the log."""
    event = {**said("r", "help"), "timestamp": (10**9 - age) * 1000}
    assert 200 == post(client, {"events": [event]}).status_code
    assert replied == ("r" in phone.replies)
    assert replied == ("too old to answer" not in caplog.text)


def test_a_second_delivery_is_not_answered_again(client: FlaskClient, phone: Phone) -> None:
    """Known by its webhookEventId, whatever else is in it."""
    event = {**said("r", "help"), "webhookEventId": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    assert 200 == post(client, {"events": [event]}).status_code
    again = {**event, "replyToken": "s", "deliveryContext": {"isRedelivery": True}}
    assert 200 == post(client, {"events": [again]}).status_code
    assert {"r"} == set(phone.replies)


def test_what_failed_is_answered_at_the_next_delivery(client: FlaskClient, phone: Phone) -> None:
    """A failed event is not remembered."""
    event = {**said("r", "help"), "webhookEventId": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    phone.outcomes["r"] = Outcome.FAILED
    assert 500 == post(client, {"events": [event]}).status_code
    del phone.outcomes["r"]
    assert 200 == post(client, {"events": [event]}).status_code
    assert {"r"} == set(phone.replies)


def test_a_thousand_events_in_one_request(client: FlaskClient, phone: Phone) -> None:
    """All are answered once, however often LINE has to bring them on a busy machine; a few of a kind
    that nobody knows among them."""
    events = [{**said(str(n), "help"), "webhookEventId": f"id-{n}"} for n in range(1000)]
    deliveries = 0
    while post(client, {"events": [*events, *[{"type": "new"}] * 9]}).status_code != 200:
        deliveries += 1
        assert deliveries < 10
    assert {str(n): 1 for n in range(1000)} == dict(phone.count)


def test_stopping(phone: Phone) -> None:
    """Unhealthy, and still answering."""
    app = app_of(phone, Secret(SECRET))
    app.config["STOPPING"] = b"\1"
    client = app.test_client()
    assert 503 == client.get("/healthz").status_code
    assert 200 == post(client, {"events": [said("r", "help")]}).status_code
    assert {"r"} == set(phone.replies)


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


def test_secrets_that_are_rotated_twice(phone: Phone) -> None:
    """Each new secret works at once, or within a minute of the last reading; a former one not any more,
    and what a stranger signs never."""
    stored, now = ["first"], [0.0]
    client = client_of(phone, Secret("first", lambda: stored[-1], lambda: now[0]))

    def statuses(at: float) -> dict[str, int]:
        now[0] = at
        who = ["stranger", *dict.fromkeys(["first", *stored])]
        sent = {
            name: client.post("/webhook", data=BODY, headers=signed(BODY, name)) for name in who
        }
        return {name: answer.status_code for name, answer in sent.items()}

    assert {"stranger": 401, "first": 200} == statuses(0)
    stored.append("second")  # what the stranger sent has cost this minute's reading
    assert {"stranger": 401, "first": 200, "second": 401} == statuses(59.9)
    assert {"stranger": 401, "first": 401, "second": 200} == statuses(60)
    stored.append("third")
    assert {"stranger": 401, "first": 401, "second": 200, "third": 401} == statuses(119.9)
    now[0] = 120  # this time the new secret comes before any stranger
    assert 200 == client.post("/webhook", data=BODY, headers=signed(BODY, "third")).status_code
    assert {"stranger": 401, "first": 401, "second": 401, "third": 200} == statuses(121)


def test_line_is_answered_within_two_seconds(client: FlaskClient, phone: Phone) -> None:
    """A reply that takes longer goes on; the next delivery is not answered again."""
    gate = phone.gates["r"] = threading.Event()
    event = {**said("r", "help"), "webhookEventId": "e"}
    started = time.monotonic()
    assert 500 == post(client, {"events": [event]}).status_code
    assert 1.5 < time.monotonic() - started < 10  # 1.8 s, on a machine that is not too busy
    gate.set()
    assert 200 == post(client, {"events": [event]}).status_code
    assert {"r": 1} == dict(phone.count)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/webhook", 405), ("POST", "/", 404), ("POST", "/healthz", 405)],
)
def test_nothing_else_answers(client: FlaskClient, method: str, path: str, status: int) -> None:
    """Other paths and methods."""
    assert status == client.open(path, method=method).status_code
