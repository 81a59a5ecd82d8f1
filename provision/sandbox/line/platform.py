"""A LINE platform: the Messaging API of one channel, and users who send messages to the bot.

POST /_sandbox/send sends a message as a user; GET / is a chat page for it.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, jsonify

from provision.sandbox.clock import SimulatedClock
from provision.sandbox.line import oauth
from provision.sandbox.line.api import application, invalid, json_body
from provision.sandbox.line.channel import Channel
from provision.sandbox.line.webhooks import (
    REDELIVERIES,
    Deliver,
    Delivery,
    follow_event,
    postback_event,
    redelivered,
    text_event,
)

PAGE = Path(__file__).parents[1] / "web/page.html"
SOMEBODY = "U" + "0" * 32


class LinePlatform(Channel):
    """A LINE platform with one channel; `wsgi` is its WSGI application.

    `deliver` and `resolve` are Channel's. `webhook_timeout` (LINE: two seconds) and `reply_timeout` (for a
    reply after the webhook's response) are real seconds.
    """

    def __init__(
        self,
        deliver: Deliver,
        resolve: Callable[[str], list[str]],
        clock: SimulatedClock,
        *,
        webhook_timeout: float = 2.0,
        reply_timeout: float = 1.0,
    ) -> None:
        super().__init__(deliver, resolve, clock, webhook_timeout)
        self._reply_timeout = reply_timeout
        self.wsgi = application(self)
        oauth.add_to(self.wsgi, self)
        for method, path, view in (
            ("POST", "/_sandbox/send", self._send),
            ("POST", "/_sandbox/switch", self._switch),
            ("GET", "/_sandbox/channel", self._channel),
            ("GET", "/", self._page),
        ):
            self.wsgi.add_url_rule(path, view.__name__, view, methods=[method])

    def send(
        self, text: str, user: str, *, follow: bool = False, postback: str = "", language: str = ""
    ) -> dict[str, Any]:
        """Send a message, follow or postback event as a user; return the outcome as JSON.

        `status` is the HTTP status of the last delivery or None, `reply` the messages of the reply or None,
        `seconds` real time, `deliveries` more than one only with redelivery.
        """
        started = time.monotonic()
        if not self.endpoint or not self.active:
            reason = "WEBHOOK_OFF" if self.endpoint else "NO_WEBHOOK_ENDPOINT"
            return _outcome(Delivery(0, reason, ""), None, 0.0, 0)
        self.languages[user] = language or self.languages.get(user, "")
        token, now = self.tokens.issue(user), self.clock.now()
        if follow:
            event = follow_event(user, token, now)
        elif postback:
            event = postback_event(postback, user, token, now)
        else:
            event = text_event(text, user, token, now)
        delivery, count = self._send_webhook(event)
        reply = self.tokens.reply(token, self._reply_timeout if delivery.reason == "OK" else 0.0)
        return _outcome(delivery, reply, time.monotonic() - started, count)

    def _send_webhook(self, event: dict[str, Any]) -> tuple[Delivery, int]:
        """Deliver an event, and redeliver it if that is on; return the last delivery and their number.

        Simulated time stops during a delivery because the reply token's lifetime is for a bot in real time.
        """
        with self.clock.hold():
            delivery = self.send_events(self.endpoint, [event])
        count = 1
        for pause in REDELIVERIES if self.redelivery else ():
            if delivery.reason == "OK":
                break
            self.clock.sleep(pause)
            self.tokens.renew(event["replyToken"])
            with self.clock.hold():
                delivery = self.send_events(self.endpoint, [redelivered(event)])
            count += 1
        return delivery, count

    def _send(self) -> Response:
        body = json_body()
        text, user = body.get("text", ""), body.get("user") or SOMEBODY
        postback, follow = body.get("postback", ""), body.get("event") == "follow"
        language = body.get("language", "")
        if not all(isinstance(given, str) for given in (text, user, postback, language)):
            raise invalid("text")
        if not (text or follow or postback):
            raise invalid("text")
        outcome = self.send(text, user, follow=follow, postback=postback, language=language)
        return jsonify(outcome)

    def _switch(self) -> Response:
        switches = json_body()
        for name in switches or ["active"]:
            if name not in ("active", "redelivery") or not isinstance(switches.get(name), bool):
                raise invalid(name)
        for name, value in switches.items():
            setattr(self, name, value)
        return jsonify(active=self.active, redelivery=self.redelivery)

    def _channel(self) -> Response:
        return jsonify(
            displayName=self.display_name,
            basicId=self.basic_id,
            endpoint=self.endpoint,
            active=self.active,
            redelivery=self.redelivery,
        )

    def _page(self) -> Response:
        headers = {"Content-Security-Policy": "frame-ancestors 'none'"}
        return Response(PAGE.read_bytes(), headers=headers, mimetype="text/html")


def _outcome(
    delivery: Delivery, reply: list[dict[str, Any]] | None, seconds: float, deliveries: int
) -> dict[str, Any]:
    return {
        "status": delivery.status or None,
        "reply": reply,
        "seconds": round(seconds, 3),
        "reason": delivery.reason,
        "deliveries": deliveries,
    }
