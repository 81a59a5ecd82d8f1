"""A LINE platform of our own: the Messaging API of one channel, a person who writes to the bot
(POST /_sandbox/send), and a chat page to be that person (GET /)."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, jsonify

from provision.sandbox import line_oauth
from provision.sandbox.clock import Clock
from provision.sandbox.line_api import application, invalid, json_body
from provision.sandbox.line_channel import Channel
from provision.sandbox.line_webhooks import Deliver, follow_event, text_event

PAGE = Path(__file__).with_name("page.html")
SOMEBODY = "U" + "0" * 32


class LinePlatform(Channel):
    """A LINE with one channel; `wsgi` is its application.

    `deliver` and `resolve` are Channel's. `webhook_timeout` (LINE: two seconds) and `patience`
    (for a reply that comes after the webhook's answer) are real seconds.
    """

    def __init__(
        self,
        deliver: Deliver,
        resolve: Callable[[str], list[str]],
        clock: Clock,
        *,
        webhook_timeout: float = 2.0,
        patience: float = 1.0,
    ) -> None:
        super().__init__(deliver, resolve, clock, webhook_timeout)
        self._patience = patience
        self.wsgi = application(self)
        line_oauth.add_to(self.wsgi, self)
        for method, path, view in (
            ("POST", "/_sandbox/send", self._send),
            ("POST", "/_sandbox/switch", self._switch),
            ("GET", "/_sandbox/channel", self._channel),
            ("GET", "/", self._page),
        ):
            self.wsgi.add_url_rule(path, view.__name__, view, methods=[method])

    def send(self, words: str, user: str, *, follow: bool = False) -> dict[str, Any]:
        """Play a person who writes (or adds the bot as a friend): what became of it.

        `status` is the webhook's HTTP status, None where none came; `reply` the messages that the
        person got, or None; `seconds` real time. Simulated time stands still meanwhile: the reply
        token's minute is meant for a real bot.
        """
        began = time.monotonic()
        if not self.endpoint or not self.active:
            reason = "WEBHOOK_OFF" if self.endpoint else "NO_WEBHOOK_ENDPOINT"
            return {"status": None, "reply": None, "seconds": 0.0, "reason": reason}
        with self.clock.hold():
            token, now = self.tokens.issue(user), self.clock.now()
            made = follow_event(user, token, now) if follow else text_event(words, user, token, now)
            delivery = self.send_events(self.endpoint, [made])
            reply = self.tokens.reply(token, self._patience if delivery.reason == "OK" else 0.0)
        return {
            "status": delivery.status or None,
            "reply": reply,
            "seconds": round(time.monotonic() - began, 3),
            "reason": delivery.reason,
        }

    def _send(self) -> Response:
        body = json_body()
        words, user = body.get("text", ""), body.get("user") or SOMEBODY
        follow = body.get("event") == "follow"
        if not isinstance(user, str) or not isinstance(words, str) or not (words or follow):
            raise invalid("text")
        return jsonify(self.send(words, user, follow=follow))

    def _switch(self) -> Response:
        active = json_body().get("active")
        if not isinstance(active, bool):
            raise invalid("active")
        self.active = active
        return jsonify(active=active)

    def _channel(self) -> Response:
        return jsonify(
            displayName=self.display_name,
            basicId=self.basic_id,
            endpoint=self.endpoint,
            active=self.active,
        )

    def _page(self) -> Response:
        return Response(PAGE.read_bytes(), mimetype="text/html")
