"""The sandbox's LINE: what it sends, accepts, and rejects."""

import json
import re
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from bot.messages import uri
from provision.sandbox.clock import ManualClock
from provision.sandbox.line.messages import KINDS, problems
from provision.sandbox.line.platform import LinePlatform
from provision.sandbox.line.webhooks import signature, ulid
from tests.openapi import needs_description, violations

ENDPOINT = "https://bot.example.jp/webhook"
HI = [{"type": "text", "text": "hi"}]


class Bot:
    """The webhook's server: returns `status`, or raises it; `says` is its reply."""

    def __init__(self) -> None:
        self.status: int | Exception = 200
        self.says: Any = HI
        self.received: list[tuple[str, bytes, dict[str, str]]] = []
        self.answers: list[TestResponse] = []
        self.platform: LinePlatform

    def deliver(
        self, url: str, body: bytes, headers: dict[str, str], _: float
    ) -> tuple[int, bytes]:
        self.received.append((url, body, headers))
        if isinstance(self.status, Exception):
            raise self.status
        for event in json.loads(body)["events"]:
            if self.says is not None:
                self.answers.append(reply(self.platform, event["replyToken"], self.says))
        return self.status, b""

    def document(self) -> dict[str, Any]:
        """Return the last webhook."""
        return dict(json.loads(self.received[-1][1]))


@pytest.fixture
def clock() -> ManualClock:
    """Return a manual clock."""
    return ManualClock()


@pytest.fixture
def bot() -> Bot:
    """Return a bot that replies."""
    return Bot()


@pytest.fixture
def platform(bot: Bot, clock: ManualClock) -> LinePlatform:
    """Return a LINE that knows one host and waits for no late reply."""
    known = {"bot.example.jp": ["127.0.0.1"]}
    bot.platform = LinePlatform(
        bot.deliver, lambda name: known.get(name, []), clock, reply_timeout=0
    )
    return bot.platform


def call(
    platform: LinePlatform, method: str, path: str, body: Any = None, **more: Any
) -> TestResponse:
    """Call the API with the channel's token."""
    headers = {"Authorization": f"Bearer {platform.access_token}", **more}
    return Client(platform.wsgi).open(path, method=method, json=body, headers=headers)


def reply(platform: LinePlatform, token: str, messages: Any, **more: str) -> TestResponse:
    """POST /v2/bot/message/reply."""
    body = {"replyToken": token, "messages": messages}
    return call(platform, "POST", "/v2/bot/message/reply", body, **more)


def put_endpoint(platform: LinePlatform, url: Any = ENDPOINT) -> TestResponse:
    """PUT the webhook endpoint."""
    return call(platform, "PUT", "/v2/bot/channel/webhook/endpoint", {"endpoint": url})


def send(platform: LinePlatform, **body: Any) -> dict[str, Any]:
    """Send a message as a user."""
    return dict(Client(platform.wsgi).post("/_sandbox/send", json=body).get_json())


def test_signature_vector() -> None:
    """The example of LINE's documentation."""
    body = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
    expected = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="
    assert expected == signature("8c570fa6dd201bb328f1c1eac23a96d8", body)


def test_ulids_sort_by_time() -> None:
    """26 characters of Crockford's alphabet, with the time first."""
    assert re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", ulid(1_800_000_000.0))
    assert ulid(1_800_000_000.0) < ulid(1_800_000_000.001)
    assert "01ARYZ6S41" == ulid(1469918176.385)[:10]


def test_every_channel_has_its_own_secrets(bot: Bot, clock: ManualClock) -> None:
    """They differ between runs."""
    one, two = (LinePlatform(bot.deliver, lambda _: [], clock) for _ in range(2))
    for name in ("access_token", "channel_secret", "user_id", "basic_id"):
        assert getattr(one, name) != getattr(two, name)


@pytest.mark.parametrize(
    "path", ["/v2/bot/info", "/v2/bot/channel/webhook/endpoint", "/v2/unknown"]
)
@pytest.mark.parametrize("header", [None, "Bearer wrong", "ü"])
def test_a_wrong_token(platform: LinePlatform, path: str, header: str | None) -> None:
    """401 with LINE's message."""
    headers = {"Authorization": header} if header else {}
    response = Client(platform.wsgi).get(path, headers=headers)
    assert 401 == response.status_code
    expected = (
        "Authentication failed. Confirm that the access token in the authorization header is valid."
    )
    assert {"message": expected} == response.get_json()


def test_info(platform: LinePlatform) -> None:
    """The bot's name and ids."""
    info = call(platform, "GET", "/v2/bot/info").get_json()
    assert (platform.user_id, platform.basic_id) == (info["userId"], info["basicId"])
    assert "bot" == info["chatMode"]
    assert re.fullmatch("U[0-9a-f]{32}", info["userId"])


def test_webhook_endpoint(platform: LinePlatform) -> None:
    """404 before one is set; `active` is the console's switch, without an API."""
    path = "/v2/bot/channel/webhook/endpoint"
    assert 404 == call(platform, "GET", path).status_code
    assert (200, {}) == ((put := put_endpoint(platform)).status_code, put.get_json())
    assert {"endpoint": ENDPOINT, "active": True} == call(platform, "GET", path).get_json()
    Client(platform.wsgi).post("/_sandbox/switch", json={"active": False})
    call(platform, "PUT", path, {"endpoint": ENDPOINT, "active": True})
    assert {"endpoint": ENDPOINT, "active": False} == call(platform, "GET", path).get_json()


@pytest.mark.parametrize(
    "url",
    ["http://bot.example.jp/", "https://", "https:///x", "", None, 5, "https://a.jp/" + "x" * 488],
)
def test_an_endpoint_must_be_https_and_short(platform: LinePlatform, url: Any) -> None:
    """400, and the old one is kept."""
    put_endpoint(platform)
    assert 400 == put_endpoint(platform, url).status_code
    assert ENDPOINT == platform.endpoint
    assert 200 == put_endpoint(platform, "https://a.jp/" + "x" * 487).status_code


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (200, "OK", 200),
        (502, "ERROR_STATUS_CODE", 502),
        (TimeoutError(), "REQUEST_TIMEOUT", 0),
        (ConnectionRefusedError(), "COULD_NOT_CONNECT", 0),
    ],
)
def test_webhook_test(
    platform: LinePlatform, bot: Bot, status: int | Exception, reason: str, code: int
) -> None:
    """A signed webhook without events is sent, whether or not the switch is on."""
    put_endpoint(platform)
    platform.active = False
    bot.status = status
    answer = call(platform, "POST", "/v2/bot/channel/webhook/test").get_json()
    assert (reason == "OK", reason, code) == (
        answer["success"],
        answer["reason"],
        answer["statusCode"],
    )
    assert "2026-05-28T20:26:40.000Z" == answer["timestamp"]
    url, body, headers = bot.received[0]
    assert ENDPOINT == url
    assert {"destination": platform.user_id, "events": []} == json.loads(body)
    assert signature(platform.channel_secret, body) == headers["x-line-signature"]


def test_webhook_test_of_another_endpoint(platform: LinePlatform, bot: Bot) -> None:
    """`endpoint` in the body is tested and not set; an unknown host name is a 400."""
    path = "/v2/bot/channel/webhook/test"
    assert 404 == call(platform, "POST", path).status_code
    other = {"endpoint": "https://bot.example.jp/other"}
    assert 200 == call(platform, "POST", path, other).status_code
    assert [other["endpoint"]] == [url for url, _, _ in bot.received]
    assert "" == platform.endpoint
    assert 400 == call(platform, "POST", path, {"endpoint": "https://nowhere.jp/"}).status_code
    assert 400 == call(platform, "POST", path, {"endpoint": "http://bot.example.jp/"}).status_code


def test_message_and_reply(platform: LinePlatform, bot: Bot) -> None:
    """From the text to the reply, with all properties of a message event."""
    put_endpoint(platform)
    outcome = send(platform, text="こんにちは", user="U1")
    assert (200, HI, "OK") == (outcome["status"], outcome["reply"], outcome["reason"])
    (event,) = bot.document()["events"]
    assert ("message", "active", "U1") == (event["type"], event["mode"], event["source"]["userId"])
    assert "こんにちは" == event["message"]["text"]
    assert {"isRedelivery": False} == event["deliveryContext"]
    assert event["message"]["quoteToken"]
    assert 1_780_000_000_000 == event["timestamp"]


STICKER = {"packageId": "446", "stickerId": "1988"}
# What a person can do on the page.
ACTIONS: list[dict[str, Any]] = [
    {"text": "hi"},
    {"sticker": STICKER},
    {"postback": "data"},
    {"event": "follow"},
    {"event": "unfollow"},
    {"text": "hi", "group": "C1"},
    {"text": "hi", "group": "C1", "mention": True},
    {"event": "join", "group": "C1"},
    {"event": "leave", "group": "C1"},
]


@needs_description
@pytest.mark.parametrize("body", ACTIONS, ids=str)
def test_webhooks_are_as_line_describes_them(
    platform: LinePlatform, bot: Bot, body: dict[str, Any]
) -> None:
    """They are validated against webhook.yml."""
    put_endpoint(platform)
    send(platform, **body)
    assert [] == violations("webhook.yml", "CallbackRequest", bot.document())


@pytest.mark.parametrize("body", ACTIONS, ids=str)
def test_the_sdk_knows_our_events(platform: LinePlatform, bot: Bot, body: dict[str, Any]) -> None:
    """line-bot-sdk's parser accepts signature and events."""
    from linebot.v3 import WebhookParser

    put_endpoint(platform)
    send(platform, user="U1", **body)
    _, raw, headers = bot.received[0]
    (event,) = WebhookParser(platform.channel_secret).parse(
        raw.decode(), headers["x-line-signature"]
    )
    expected = "postback" if "postback" in body else body.get("event", "message")
    assert expected == event.type
    assert f"{expected.capitalize()}Event" == type(event).__name__


def test_a_bot_that_says_nothing(platform: LinePlatform, bot: Bot) -> None:
    """No reply, but the status."""
    put_endpoint(platform)
    bot.says = None
    assert (200, None) == ((outcome := send(platform, text="hi"))["status"], outcome["reply"])


@pytest.mark.parametrize(
    ("status", "expected"),
    [(500, (500, "ERROR_STATUS_CODE")), (TimeoutError(), (None, "REQUEST_TIMEOUT"))],
)
def test_a_bot_that_fails(
    platform: LinePlatform, bot: Bot, status: int | Exception, expected: tuple[int | None, str]
) -> None:
    """The user gets no answer; the sandbox returns the reason."""
    put_endpoint(platform)
    bot.status, bot.says = status, None
    outcome = send(platform, text="hi")
    assert expected == (outcome["status"], outcome["reason"])
    assert outcome["reply"] is None


def switch(platform: LinePlatform, **switches: Any) -> TestResponse:
    """Turn the console's switches."""
    return Client(platform.wsgi).post("/_sandbox/switch", json=switches)


def test_redelivery(platform: LinePlatform, bot: Bot, clock: ManualClock) -> None:
    """Off by default. Switched on, an unacknowledged event is sent again, equal except for one flag, and an
    unused token works again.
    """
    put_endpoint(platform)
    bot.status, says, bot.says = 500, bot.says, None
    assert 1 == send(platform, text="hi")["deliveries"]
    expected = {"active": True, "redelivery": True, "auto_reply": False, "greeting": False}
    assert expected == switch(platform, redelivery=True).get_json()
    bot.received.clear()

    def recover() -> None:
        if len(bot.received) == 3:
            bot.status, bot.says = 200, says

    clock.on_advance(recover)
    outcome = send(platform, text="hi")
    assert (200, says, 4) == (outcome["status"], outcome["reply"], outcome["deliveries"])
    first, *others = [json.loads(body)["events"][0] for _, body, _ in bot.received]
    assert [{**first, "deliveryContext": {"isRedelivery": True}}] * 3 == others


def test_redelivery_ends(platform: LinePlatform, bot: Bot) -> None:
    """After a while LINE gives up."""
    put_endpoint(platform)
    switch(platform, redelivery=True)
    bot.status, bot.says = TimeoutError(), None
    outcome = send(platform, text="hi")
    assert (None, 7) == (outcome["status"], outcome["deliveries"])


@pytest.mark.parametrize("switches", [{}, {"active": 1}, {"other": True}])
def test_switches_are_on_or_off(platform: LinePlatform, switches: dict[str, Any]) -> None:
    """There are two."""
    assert 400 == switch(platform, **switches).status_code


def test_nothing_is_sent_without_an_endpoint_or_with_the_switch_off(
    platform: LinePlatform, bot: Bot
) -> None:
    """As with LINE, the user then gets no answer."""
    assert "NO_WEBHOOK_ENDPOINT" == send(platform, text="hi")["reason"]
    put_endpoint(platform)
    platform.active = False
    assert "WEBHOOK_OFF" == send(platform, text="hi")["reason"]
    assert [] == bot.received


def test_a_reply_token_works_once(platform: LinePlatform) -> None:
    """The second time, and for an unknown token: Invalid reply token."""
    token = platform.tokens.issue("U1")
    first = reply(platform, token, HI)
    assert (200, 1) == (first.status_code, len(first.get_json()["sentMessages"]))
    for used in (token, "unknown"):
        response = reply(platform, used, HI)
        assert (400, {"message": "Invalid reply token"}) == (
            response.status_code,
            response.get_json(),
        )


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (61, 400)])
def test_a_reply_token_lives_a_minute(
    platform: LinePlatform, clock: ManualClock, seconds: float, status: int
) -> None:
    """In simulated time."""
    token = platform.tokens.issue("U1")
    clock.advance(seconds)
    assert status == reply(platform, token, HI).status_code


@pytest.mark.parametrize(("age", "status"), [(1200, 200), (1201, 400)])
def test_a_redelivered_token_lives_again(
    platform: LinePlatform, clock: ManualClock, age: float, status: int
) -> None:
    """A minute from the redelivery, up to twenty from the event."""
    token = platform.tokens.issue("U1")
    clock.advance(age - 60)
    platform.tokens.renew(token)
    clock.advance(60)
    assert status == reply(platform, token, HI).status_code


def test_a_refused_reply_leaves_the_token(platform: LinePlatform) -> None:
    """Invalid messages or a retry key (for push only): 400, and the token stays valid."""
    token = platform.tokens.issue("U1")
    assert 400 == reply(platform, token, []).status_code
    assert 400 == reply(platform, token, HI, **{"X-Line-Retry-Key": "k"}).status_code
    assert 200 == reply(platform, token, HI).status_code


def test_validate_says_what_is_wrong_and_where(platform: LinePlatform) -> None:
    """With LINE's format of details."""
    path = "/v2/bot/message/validate/reply"
    assert 200 == call(platform, "POST", path, {"messages": HI}).status_code
    wrong = {"messages": [{"type": "text", "text": ""}, {"type": "bogus"}]}
    response = call(platform, "POST", path, wrong)
    assert 400 == response.status_code
    assert "The request body has 2 error(s)" == response.get_json()["message"]
    expected = {"message": "May not be empty", "property": "messages[0].text"}
    assert expected == response.get_json()["details"][0]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"chatId": "U1"}, 202),
        ({"chatId": "U1", "loadingSeconds": 60}, 202),
        ({"chatId": "U1", "loadingSeconds": 7}, 400),
        ({"chatId": "U1", "loadingSeconds": 65}, 400),
        ({"chatId": "U1", "loadingSeconds": True}, 400),
        ({"chatId": "C1"}, 400),
        ({}, 400),
    ],
)
def test_loading(platform: LinePlatform, body: dict[str, Any], status: int) -> None:
    """User chats only, 5 to 60 seconds in steps of five."""
    assert status == call(platform, "POST", "/v2/bot/chat/loading/start", body).status_code


@pytest.mark.parametrize("path", ["/v2/bot/message/reply", "/_sandbox/send", "/_sandbox/switch"])
@pytest.mark.parametrize("body", ["{", "[]", ""])
def test_bodies_that_are_no_objects(platform: LinePlatform, path: str, body: str) -> None:
    """400, never a traceback."""
    headers = {"Authorization": f"Bearer {platform.access_token}"}
    assert 400 == Client(platform.wsgi).post(path, data=body, headers=headers).status_code


def test_channel(platform: LinePlatform) -> None:
    """What the page shows of it, without secrets."""
    channel = Client(platform.wsgi).get("/_sandbox/channel").get_json()
    assert {
        "displayName": "News",
        "basicId": platform.basic_id,
        "endpoint": "",
        "active": True,
        "redelivery": False,
        "auto_reply": False,
        "greeting": False,
    } == channel


def chat(platform: LinePlatform, chat: str, after: int = 0) -> list[dict[str, Any]]:
    """Return the entries of a conversation; of all with ""."""
    query = {"chat": chat, "after": after}
    return list(Client(platform.wsgi).get("/_sandbox/chat", query_string=query).get_json())


def test_conversation(platform: LinePlatform, bot: Bot) -> None:
    """What was said in a chat is kept in order, each chat's by itself, so that a page can be reloaded."""
    put_endpoint(platform)
    send(platform, event="follow", user="U1")
    send(platform, text="hi", user="U1")
    send(platform, text="hi", user="U2", group="C1", mention=True)
    bot.status, bot.says = 503, None
    send(platform, sticker=STICKER, user="U1")
    told = [
        (
            entry["sender"],
            entry.get("event"),
            entry.get("message", {}).get("text"),
            entry.get("messages"),
            entry.get("reason"),
        )
        for entry in chat(platform, "U1")
    ]
    assert [
        ("U1", "follow", None, None, None),
        ("bot", None, None, HI, None),
        ("U1", None, "hi", None, None),
        ("bot", None, None, HI, None),
        ("U1", None, None, None, None),
        ("", None, None, None, "ERROR_STATUS_CODE"),
    ] == told
    assert "1988" == chat(platform, "U1")[-2]["message"]["stickerId"]
    assert 503 == chat(platform, "U1")[-1]["status"]
    assert 1_780_000_000.0 == chat(platform, "U1")[0]["time"]
    last = chat(platform, "U1")[-2]["number"]
    assert ["ERROR_STATUS_CODE"] == [entry["reason"] for entry in chat(platform, "U1", last)]
    assert ["U2", "bot"] == [entry["sender"] for entry in chat(platform, "C1")]
    assert [] == chat(platform, "U2")
    assert ["U1", "bot", "U1", "bot", "U2", "bot", "U1", ""] == [
        entry["sender"] for entry in chat(platform, "")
    ]


def test_late_reply_is_in_the_conversation(platform: LinePlatform, bot: Bot) -> None:
    """A bot that answers after LINE has given up on its server still reaches the person."""
    put_endpoint(platform)
    bot.status, bot.says = TimeoutError(), None
    send(platform, text="hi", user="U1")
    (event,) = bot.document()["events"]
    assert 200 == reply(platform, event["replyToken"], HI).status_code
    assert HI == chat(platform, "U1")[-1]["messages"]


@pytest.mark.parametrize(("event", "has_token"), [("join", True), ("leave", False)])
def test_group_event(platform: LinePlatform, bot: Bot, event: str, has_token: bool) -> None:
    """It names group and user; when the bot has left there is nobody to reply to."""
    put_endpoint(platform)
    bot.says = HI if has_token else None
    outcome = send(platform, event=event, user="U1", group="C1")
    (sent,) = bot.document()["events"]
    assert {"type": "group", "groupId": "C1", "userId": "U1"} == sent["source"]
    assert has_token == ("replyToken" in sent)
    assert (HI if has_token else None) == outcome["reply"]


def test_mention(platform: LinePlatform, bot: Bot) -> None:
    """The text begins with the bot's name, and the event says whom it means."""
    put_endpoint(platform)
    send(platform, text="latest", user="U1", group="C1", mention=True)
    message = bot.document()["events"][0]["message"]
    assert "@News latest" == message["text"]
    assert [
        {"index": 0, "length": 5, "type": "user", "userId": platform.user_id, "isSelf": True}
    ] == message["mention"]["mentionees"]


def test_follow_after_a_block(platform: LinePlatform, bot: Bot) -> None:
    """LINE says so; the next friend is a new one."""
    put_endpoint(platform)
    bot.says = None
    for event in ("follow", "unfollow", "follow", "follow"):
        send(platform, event=event, user="U1")
    events = [json.loads(body)["events"][0] for _, body, _ in bot.received]
    assert [{"isUnblocked": False}, None, {"isUnblocked": True}, {"isUnblocked": False}] == [
        event.get("follow") for event in events
    ]


def test_what_line_sends_by_itself(platform: LinePlatform) -> None:
    """Nothing, until its switches are on; and never in a group."""
    put_endpoint(platform)
    send(platform, event="follow", user="U1")
    switch(platform, auto_reply=True, greeting=True)
    send(platform, event="follow", user="U2")
    send(platform, text="hi", user="U2")
    send(platform, text="hi", user="U2", group="C1")
    texts = [
        entry["messages"][0]["text"]
        for name in ("U1", "U2", "C1")
        for entry in chat(platform, name)
        if entry["sender"] == "line"
    ]
    assert [
        "Nice to meet you! Thank you for adding me as a friend. (LINE sent this: greeting messages are on.)",
        "Thank you for your message. This account cannot answer individually. "
        "(LINE sent this: auto-reply messages are on.)",
    ] == texts


def test_webhooks_are_kept(platform: LinePlatform, bot: Bot) -> None:
    """Each with request and response; the verify button's as well."""
    put_endpoint(platform)
    call(platform, "POST", "/v2/bot/channel/webhook/test")
    bot.status = 500
    send(platform, text="hi", user="U1")
    verified, sent = Client(platform.wsgi).get("/_sandbox/webhooks").get_json()
    assert (1, [], 200, "OK") == tuple(
        verified[name] for name in ("number", "events", "status", "reason")
    )
    assert (ENDPOINT, 500, "ERROR_STATUS_CODE") == (sent["url"], sent["status"], sent["reason"])
    assert bot.document()["events"] == sent["events"]
    later = Client(platform.wsgi).get("/_sandbox/webhooks?after=1").get_json()
    assert [sent] == later


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": 5},
        {"event": "dance"},
        {"sticker": {"packageId": "446"}},
        {"sticker": "446"},
        {"text": "hi", "group": ["C1"]},
        {"text": "hi", "mention": "yes"},
    ],
    ids=str,
)
def test_wrong_send(platform: LinePlatform, body: dict[str, Any]) -> None:
    """400, and nothing is sent or kept."""
    assert 400 == Client(platform.wsgi).post("/_sandbox/send", json=body).status_code
    assert [] == platform.chats.after(0)
    assert 400 == Client(platform.wsgi).get("/_sandbox/chat?after=first").status_code


def flex(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a bubble with these components, as a message."""
    body = {"type": "box", "layout": "vertical", "contents": list(parts)}
    return {"type": "flex", "altText": "a", "contents": {"type": "bubble", "body": body}, **more}


def quick(count: int, label: str = "l", **action: Any) -> dict[str, Any]:
    """Return a text message with that many quick replies."""
    item = {"type": "action", "action": {"type": "message", "label": label, "text": "t", **action}}
    return {"type": "text", "text": "t", "quickReply": {"items": [item] * count}}


def button(**action: Any) -> dict[str, Any]:
    """Return a bubble with one button."""
    return flex({"type": "button", "action": {"label": "l", **action}})


def carousel(count: int, size: int = 1) -> dict[str, Any]:
    """Return that many bubbles, each with a text of that length."""
    bubble = flex({"type": "text", "text": "x" * size})["contents"]
    contents = {"type": "carousel", "contents": [bubble] * count}
    return {"type": "flex", "altText": "a", "contents": contents}


# Each limit of the reference: the last that is taken, the first that is not.
LIMITS: list[tuple[Any, Any]] = [
    ({"type": "text", "text": "😀" * 2500}, {"type": "text", "text": "😀" * 2500 + "x"}),
    (flex({"type": "text", "text": "a"}, altText="x"), flex({"type": "text", "text": ""})),
    ({**carousel(1), "altText": "x" * 1500}, {**carousel(1), "altText": "x" * 1501}),
    (carousel(12), carousel(13)),
    (carousel(10, 4880), carousel(10, 4999)),
    (
        flex(*[{"type": "text", "text": "x" * 4900}] * 6),
        flex(*[{"type": "text", "text": "x" * 5000}] * 6),
    ),
    (quick(13), quick(14)),
    (quick(1, "x" * 20), quick(1, "x" * 21)),
    (quick(1, text="x" * 300), quick(1, text="x" * 301)),
    (
        button(type="message", text="t", label="x" * 40),
        button(type="message", text="t", label="x" * 41),
    ),
    (button(type="postback", data="x" * 300), button(type="postback", data="x" * 301)),
    (
        button(type="uri", uri="https://e.jp/" + "x" * 987),
        button(type="uri", uri="https://e.jp/" + "x" * 988),
    ),
    (button(type="uri", uri="tel:09001234567"), button(type="uri", uri="ftp://e.jp/")),
    (button(type="uri", uri="line://nv/chat"), button(type="uri", uri="https://e.jp/あ")),
    (button(type="message", text="t"), button(type="shout", text="t")),
    (
        flex({"type": "image", "url": "https://e.jp/i"}),
        flex({"type": "image", "url": "http://e.jp/i"}),
    ),
    (flex({"type": "separator"}), flex({"type": "line"})),
    (flex({"type": "filler"}), flex({"type": "box", "layout": "round", "contents": []})),
    (flex(), {"type": "flex", "altText": "a", "contents": {"type": "bubble"}}),
    (flex(), {"type": "flex", "altText": "a", "contents": {"type": "page"}}),
    (quick(1), quick(0)),
]


@pytest.mark.parametrize(("taken", "refused"), LIMITS, ids=[str(n) for n in range(len(LIMITS))])
def test_limits(taken: dict[str, Any], refused: dict[str, Any]) -> None:
    """Limits that the description lacks: exactly one violation beyond each."""
    assert [] == problems([taken])
    assert 1 == len(problems([refused]))


@pytest.mark.parametrize("messages", [None, {}, [], HI * 6, [None], ["text"], [{}]])
def test_messages_are_a_list_of_one_to_five(messages: Any) -> None:
    """Each is an object of a known type."""
    assert [] == problems(HI * 5)
    assert 1 == len(problems(messages))


@needs_description
def test_every_kind_of_message_is_known() -> None:
    """The description's kinds except coupons, which an account has to have."""
    from tests.openapi import schemas

    described = schemas("messaging-api.yml")["Message"]["discriminator"]["mapping"]
    assert set(described) - {"coupon"} == set(KINDS)


def test_bots_url_encoding_is_accepted() -> None:
    """The sandbox's check accepts the bot's encoding of URLs."""
    address = uri("https://例え.jp/道 1?q=あ[]")
    assert [] == problems([button(type="uri", uri=address)])
