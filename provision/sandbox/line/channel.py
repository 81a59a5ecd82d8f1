"""A channel: its ids, secrets, webhook URL and reply tokens."""

import secrets
from collections.abc import Callable
from typing import Any

from provision.sandbox.clock import SimulatedClock
from provision.sandbox.line.webhooks import Deliver, Delivery, ReplyTokens, deliver_events


class Channel:
    """A Messaging API channel with random ids and secrets.

    `deliver` sends webhooks, `resolve` returns the addresses of a host name, `timeout` (LINE: two seconds)
    is in real seconds. `endpoint` is empty until it is set; `active` and `redelivery` are the settings "Use
    webhook" and "Webhook redelivery" of LINE's console, which no API changes.
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
        self.user_id = "U" + secrets.token_hex(16)
        self.basic_id = "@" + secrets.token_hex(4)
        self.display_name = "News"
        self.endpoint = ""
        self.active = True
        self.redelivery = False
        self.languages: dict[str, str] = {}  # by the id of users who sent a message; "": unknown
        self.clock = clock
        self.resolve = resolve
        self.tokens = ReplyTokens(clock.now)
        self._deliver = deliver
        self._timeout = timeout

    def send_events(self, url: str, events: list[Any]) -> Delivery:
        """Send a signed webhook to the URL."""
        return deliver_events(
            self._deliver, url, events, self.user_id, self.channel_secret, self._timeout
        )
