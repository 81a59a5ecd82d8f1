"""The two doors."""

import base64
import hashlib
import hmac
import io
import json
import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from bot.app import App, create_app
from bot.counters import Counters
from bot.inbox import Inbox
from bot.line import Outcome
from bot.logs import JsonLines
from bot.newsstand import Newsstand
from bot.parameters import Secret
from bot.replies import Message
from bot.settings import SAMPLES, Settings
from bot.sources import Folder

# The vector of LINE's documents ("Verify webhook signature").
BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


class Phone:
    """What LINE would show: the replies, by token. A token in `broken` raises; one in `outcomes` has
    that outcome, None meaning that LINE does not answer in time."""

    def __init__(self) -> None:
        self.replies: dict[str, list[dict[str, Any]]] = {}
        self.count: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.outcomes: dict[str, Outcome] = {}

    def __call__(self, token: str, messages: list[Message], plain: list[Message]) -> "Call":
        return Call(self, token, messages)


class Call:
    """One reply to the phone."""

    def __init__(self, phone: Phone, token: str, messages: list[Message]) -> None:
        self._phone, self._token, self._messages = phone, token, messages

    def advance(self, until: float) -> Outcome | None:
        if self._token in self._phone.broken:
            raise RuntimeError("a user's words")
        outcome = self._phone.outcomes.get(self._token, Outcome.TAKEN)
        if outcome is Outcome.TAKEN:
            self._phone.replies[self._token] = self._messages
            self._phone.count[self._token] += 1
        return outcome

    def give_up(self) -> None:
        """Nothing is held."""


@pytest.fixture
def phone() -> Phone:
    """Takes the replies."""
    return Phone()


@pytest.fixture
def client(phone: Phone) -> Client:
    """The bot with the sample articles, read at once."""
    return client_of(phone, Secret(SECRET))


def app_of(phone: Phone, secret: Secret) -> App:
    """The bot with another secret."""
    stand = Newsstand(Folder(SAMPLES), run=lambda work: work())
    return create_app(
        Settings("t", SECRET),
        reply=phone,
        newsstand=stand,
        channel_secret=secret,
        clock=lambda: 1e9,
    )


def client_of(phone: Phone, secret: Secret) -> Client:
    """A client of that."""
    return Client(app_of(phone, secret))


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


def test_it_answers(client: Client, phone: Phone) -> None:
    """From a signed webhook to a reply."""
    assert 200 == post(client, {"events": [said("r", "latest")]}).status_code
    assert ["flex"] == [message["type"] for message in phone.replies["r"]]


def test_one_bad_event_costs_the_others_nothing(
    client: Client, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is on its own, and no word of a person gets into the log. What raised may do better on the
    next delivery; what is no event is none."""
    phone.broken.add("broken")
    events = [said("a", "latest"), said("broken", "private words"), None, 7, {}, said("b", "help")]
    with caplog.at_level(logging.INFO, "bot"):
        assert 500 == post(client, {"events": events}).status_code
    assert {"a", "b"} == set(phone.replies)
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    outcomes = sorted(line["outcome"] for line in lines if line["message"] == "event")
    assert ["failed", "silent", "silent", "silent", "taken", "taken"] == outcomes
    assert "RuntimeError" in {line.get("error") for line in lines}
    assert 1 == len({line["request"] for line in lines})
    assert "words" not in json.dumps(lines)


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
    client: Client, phone: Phone, outcome: Outcome, status: int
) -> None:
    """500 asks LINE to deliver the event again."""
    phone.outcomes["r"] = outcome
    assert status == post(client, {"events": [said("r", "help")]}).status_code


@pytest.mark.parametrize(
    ("age", "replied"), [(0, True), (1199, True), (1201, False), (10**9, False), (-99, True)]
)
def test_old_events_are_dropped(
    client: Client, phone: Phone, caplog: pytest.LogCaptureFixture, age: int, replied: bool
) -> None:
    """Twenty minutes after the event no token works: acknowledged, and a line in the log."""
    event = {**said("r", "help"), "timestamp": (10**9 - age) * 1000}
    assert 200 == post(client, {"events": [event]}).status_code
    assert replied == ("r" in phone.replies)
    assert replied == ("an old event is dropped" not in caplog.text)


def test_a_second_delivery_is_not_answered_again(client: Client, phone: Phone) -> None:
    """Known by its webhookEventId, whatever else is in it."""
    event = {**said("r", "help"), "webhookEventId": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    assert 200 == post(client, {"events": [event]}).status_code
    again = {**event, "replyToken": "s", "deliveryContext": {"isRedelivery": True}}
    assert 200 == post(client, {"events": [again]}).status_code
    assert {"r"} == set(phone.replies)


def test_what_failed_is_answered_at_the_next_delivery(client: Client, phone: Phone) -> None:
    """A failed event is not remembered."""
    event = {**said("r", "help"), "webhookEventId": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    phone.outcomes["r"] = Outcome.FAILED
    assert 500 == post(client, {"events": [event]}).status_code
    del phone.outcomes["r"]
    assert 200 == post(client, {"events": [event]}).status_code
    assert {"r"} == set(phone.replies)


def test_a_thousand_events_in_one_request(client: Client, phone: Phone) -> None:
    """All are answered once, however often LINE has to bring them on a busy machine; a few of a kind
    that nobody knows among them."""
    events = [{**said(str(n), "help"), "webhookEventId": f"id-{n}"} for n in range(1000)]
    deliveries = 0
    while post(client, {"events": [*events, *[{"type": "new"}] * 9]}).status_code != 200:
        deliveries += 1
        assert deliveries < 10
    assert {str(n): 1 for n in range(1000)} == dict(phone.count)


def test_leaving(phone: Phone) -> None:
    """Unhealthy, and still answering."""
    app = app_of(phone, Secret(SECRET))
    app.leave()
    client = Client(app)
    assert 503 == client.get("/healthz").status_code
    assert 200 == post(client, {"events": [said("r", "help")]}).status_code
    assert {"r"} == set(phone.replies)
    app.close()


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


class Waiting(Inbox):
    """Notes for how long a webhook may keep LINE waiting."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def take(self, events: Sequence[Any], until: float) -> bool:
        self.seconds.append(until - time.monotonic())
        return True


def test_line_is_answered_within_two_seconds() -> None:
    """LINE counts more as an error: 1.8 s, and the way back."""
    inbox = Waiting()
    app = App(Secret(SECRET), inbox, Counters())
    assert 200 == post(Client(app), {"events": []}).status_code
    assert 1.5 < inbox.seconds[0] <= 1.8


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/webhook", 405), ("POST", "/", 404), ("POST", "/healthz", 405)],
)
def test_other_doors_are_closed(client: Client, method: str, path: str, status: int) -> None:
    """Nothing else answers."""
    assert status == client.open(path, method=method).status_code
