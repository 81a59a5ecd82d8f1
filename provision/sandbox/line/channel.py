"""A channel: its ids, secrets, webhook URL and reply tokens."""

import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from provision.sandbox.clock import SimulatedClock
from provision.sandbox.line.chats import Journal
from provision.sandbox.line.webhooks import Deliver, Delivery, ReplyTokens, deliver_events

STATELESS_SECONDS = 900  # for which a stateless token is valid
SWITCHES = ("active", "redelivery", "auto_reply", "greeting")


class Channel:
    """A Messaging API channel with random ids and secrets.

    `deliver` sends webhooks, `resolve` returns the addresses of a host name, `timeout` (LINE: two seconds)
    is in real seconds. `endpoint` is empty until it is set. SWITCHES are settings of LINE's consoles, which
    no API changes: "Use webhook", "Webhook redelivery", "Auto-reply messages" and "Greeting messages".
    """

    def __init__(
        self,
        deliver: Deliver,
        resolve: Callable[[str], list[str]],
        clock: SimulatedClock,
        timeout: float = 2.0,
    ) -> None:
        self.access_token = secrets.token_urlsafe(129)
        self.channel_secret = secrets.token_hex(16)
        self.channel_id = str(1_650_000_000 + secrets.randbelow(10_000_000))
        self._stateless: dict[str, float] = {}  # when each stateless token expires
        self.user_id = "U" + secrets.token_hex(16)
        self.basic_id = "@" + secrets.token_hex(4)
        self.display_name = "News"
        self.endpoint = ""
        self.active = True
        self.redelivery = False
        self.auto_reply = False  # a new channel has both switched on
        self.greeting = False
        self.other_servers: set[str] = set()  # hosts outside AWS that answer every webhook
        self.languages: dict[str, str] = {}  # by the id of users who sent a message; "": unknown
        self.clock = clock
        self.chats = Journal(clock.now)  # what was said, with the chat's id
        self.webhooks = Journal(clock.now)
        self.tokens = ReplyTokens(clock.now, self._show_reply)
        self._deliver, self._resolve = deliver, resolve
        self._timeout = timeout

    def switches(self) -> dict[str, bool]:
        """Return the state of each switch."""
        return {name: getattr(self, name) for name in SWITCHES}

    def issue_token(self) -> str:
        """Return a new stateless token."""
        now = self.clock.now()
        valid = {token: end for token, end in self._stateless.items() if now < end}
        token = secrets.token_urlsafe(90)
        self._stateless = {**valid, token: now + STATELESS_SECONDS}
        return token

    def accepts(self, token: str) -> bool:
        """Return whether it is the long-lived token, or a stateless one that has not expired."""
        if hmac.compare_digest(token.encode("utf-8", "replace"), self.access_token.encode()):
            return True
        return self.clock.now() < self._stateless.get(token, 0.0)

    def resolve(self, host: str) -> list[str]:
        """Return the IPv4 addresses of a host; other servers have one of documentation (RFC 5737)."""
        return ["192.0.2.1"] if host in self.other_servers else self._resolve(host)

    def _post(
        self, url: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Send a webhook; see Deliver."""
        if urlsplit(url).hostname in self.other_servers:
            return 200, b""
        return self._deliver(url, body, headers, timeout)

    def send_events(self, url: str, events: list[Any]) -> Delivery:
        """Send a signed webhook to the URL."""
        started = time.monotonic()
        delivery = deliver_events(
            self._post, url, events, self.user_id, self.channel_secret, self._timeout
        )
        self.webhooks.add(
            url=url,
            events=events,
            seconds=round(time.monotonic() - started, 3),
            status=delivery.status or None,
            reason=delivery.reason,
            detail=delivery.detail,
            body=delivery.body,
        )
        return delivery

    def _show_reply(self, chat: str, messages: list[dict[str, Any]]) -> None:
        self.chats.add(chat=chat, sender="bot", messages=messages)
