"""A LINE platform: the Messaging API of one channel, and users who send messages to the bot.

POST /_sandbox/send sends a message as a user; GET /_sandbox/chat returns a conversation, GET
/_sandbox/webhooks what LINE sent and the bot's server answered. The page (provision/console) uses them.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, jsonify, request

from provision.i18n import _
from provision.sandbox.clock import SimulatedClock
from provision.sandbox.line import oauth
from provision.sandbox.line.api import application, invalid, json_body
from provision.sandbox.line.channel import SWITCHES, Channel
from provision.sandbox.line.webhooks import (
    REDELIVERIES,
    Deliver,
    Delivery,
    redelivered,
    source_of,
    sticker_message,
    text_message,
)
from provision.sandbox.line.webhooks import event as make_event

EVENTS = ("follow", "unfollow", "join", "leave")
SILENT = ("unfollow", "leave")  # events without a reply token
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
        self._blocked: set[str] = set()  # users who have blocked the bot
        self.wsgi = application(self)
        oauth.add_to(self.wsgi, self)
        for method, path, view in (
            ("POST", "/_sandbox/send", self._send),
            ("POST", "/_sandbox/switch", self._switch),
            ("GET", "/_sandbox/channel", self._channel),
            ("GET", "/_sandbox/chat", self._chat),
            ("GET", "/_sandbox/webhooks", self._webhooks),
        ):
            self.wsgi.add_url_rule(path, view.__name__, view, methods=[method])

    def send(
        self,
        text: str,
        user: str,
        *,
        event: str = "",
        postback: str = "",
        sticker: Mapping[str, str] | None = None,
        group: str = "",
        mention: bool = False,
        language: str = "",
    ) -> dict[str, Any]:
        """Do something as a user; return the outcome as JSON.

        It is a text (in a group with `mention` of the bot), a sticker, a postback with a text to display, or
        an event without content: one of EVENTS. `status` is the HTTP status of the last delivery or None,
        `reply` the messages of the reply or None, `seconds` real time, `deliveries` more than one only with
        redelivery.
        """
        started, chat = time.monotonic(), group or user
        kind, content = self._content(text, event, postback, sticker, mention)
        shown = {"event": kind} if kind in EVENTS else content
        self.chats.add(chat=chat, sender=user, **shown, **({"display": text} if postback else {}))
        if kind == "follow":
            content["follow"] = {"isUnblocked": user in self._blocked}
        (self._blocked.add if kind == "unfollow" else self._blocked.discard)(user)
        self._answer_by_itself(kind, chat)
        if not self.endpoint or not self.active:
            reason = "WEBHOOK_OFF" if self.endpoint else "NO_WEBHOOK_ENDPOINT"
            return self._outcome(chat, Delivery(0, reason, ""), None, 0.0, 0)
        self.languages[user] = language or self.languages.get(user, "")
        token, now = self.tokens.issue(chat), self.clock.now()
        reply_token = "" if kind in SILENT else token
        sent = {**make_event(kind, source_of(user, group), reply_token, now), **content}
        delivery, count = self._send_webhook(sent, token)
        wait = self._reply_timeout if delivery.reason == "OK" and reply_token else 0.0
        reply = self.tokens.reply(token, wait)
        return self._outcome(chat, delivery, reply, time.monotonic() - started, count)

    def _content(
        self,
        text: str,
        event: str,
        postback: str,
        sticker: Mapping[str, str] | None,
        mention: bool,
    ) -> tuple[str, dict[str, Any]]:
        """Return the type of the event, and its own properties."""
        if event:
            return event, {}
        if postback:
            return "postback", {"postback": {"data": postback}}
        if sticker:
            return "message", {
                "message": sticker_message(sticker["packageId"], sticker["stickerId"])
            }
        mentioned = self.user_id if mention else ""
        return "message", {"message": text_message(text, mentioned, self.display_name)}

    def _answer_by_itself(self, kind: str, chat: str) -> None:
        """Show what LINE itself sends, in one-on-one chats, where its switches are on."""
        texts = {
            "message": _(
                "Thank you for your message. This account cannot answer individually. "
                "(LINE sent this: auto-reply messages are on.)"
            ),
            "follow": _(
                "Nice to meet you! Thank you for adding me as a friend. "
                "(LINE sent this: greeting messages are on.)"
            ),
        }
        is_on = self.auto_reply if kind == "message" else self.greeting
        if kind in texts and is_on and chat.startswith("U"):
            messages = [{"type": "text", "text": texts[kind]}]
            self.chats.add(chat=chat, sender="line", messages=messages)

    def _send_webhook(self, event: dict[str, Any], token: str) -> tuple[Delivery, int]:
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
            self.tokens.renew(token)
            with self.clock.hold():
                delivery = self.send_events(self.endpoint, [redelivered(event)])
            count += 1
        return delivery, count

    def _outcome(
        self,
        chat: str,
        delivery: Delivery,
        reply: list[dict[str, Any]] | None,
        seconds: float,
        deliveries: int,
    ) -> dict[str, Any]:
        if reply is None:
            self.chats.add(
                chat=chat, sender="", reason=delivery.reason, status=delivery.status or None
            )
        return {
            "status": delivery.status or None,
            "reply": reply,
            "seconds": round(seconds, 3),
            "reason": delivery.reason,
            "deliveries": deliveries,
        }

    def _send(self) -> Response:
        body = json_body()
        text, user = body.get("text", ""), body.get("user") or SOMEBODY
        given = {name: body.get(name, "") for name in ("event", "postback", "language", "group")}
        if not all(isinstance(value, str) for value in (text, user, *given.values())):
            raise invalid("text")
        sticker, mention = body.get("sticker"), body.get("mention", False)
        if given["event"] and given["event"] not in EVENTS:
            raise invalid("event")
        if sticker is not None and not _is_sticker(sticker):
            raise invalid("sticker")
        if not isinstance(mention, bool):
            raise invalid("mention")
        if not (text or sticker or given["event"] or given["postback"]):
            raise invalid("text")
        return jsonify(self.send(text, user, sticker=sticker, mention=mention, **given))

    def _switch(self) -> Response:
        switches = json_body()
        for name in switches or ["active"]:
            if name not in SWITCHES or not isinstance(switches.get(name), bool):
                raise invalid(name)
        for name, value in switches.items():
            setattr(self, name, value)
        return jsonify(self.switches())

    def _channel(self) -> Response:
        return jsonify(
            displayName=self.display_name,
            basicId=self.basic_id,
            endpoint=self.endpoint,
            **self.switches(),
        )

    def _chat(self) -> Response:
        """Return the entries of all chats or of one ?chat=, ?after= a number."""
        chat = request.args.get("chat", "")
        return jsonify(self.chats.after(_after(), **({"chat": chat} if chat else {})))

    def _webhooks(self) -> Response:
        """Return the webhooks ?after= a number."""
        return jsonify(self.webhooks.after(_after()))


def _after() -> int:
    try:
        return int(request.args.get("after", "0"))
    except ValueError:
        raise invalid("after") from None


def _is_sticker(given: Any) -> bool:
    names = ("packageId", "stickerId")
    return isinstance(given, dict) and all(isinstance(given.get(name), str) for name in names)
