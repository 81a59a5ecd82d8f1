"""The one thing the bot says to LINE: a reply.

Not line-bot-sdk's messaging package: importing it costs 0.9 s of CPU, which at a quarter vCPU is
several seconds of cold start, it has no default timeout, and a call costs three times that of a
plain connection pool. The messages are held against LINE's own models in the tests instead.
"""

from __future__ import annotations

import json
import logging
import ssl
from typing import Any

import urllib3

from bot.parameters import Secret
from bot.replies import Message

log = logging.getLogger(__name__)

# LINE counts an answer to its webhook after two seconds as an error, and the reply lies within.
TIMEOUT_SECONDS = 1.8
CONNECTIONS = 32  # more than gunicorn has threads: none is thrown away after use


class Replies:
    """Sends replies through one pool of kept-alive connections, shared by all threads."""

    def __init__(
        self, api_url: str, access_token: Secret, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._url = f"{api_url}/v2/bot/message/reply"
        self._access_token = access_token
        # One context for all connections; urllib3 would load the CA bundle for each of them.
        secure: dict[str, Any] = (
            {"ssl_context": ssl.create_default_context()} if api_url.startswith("https:") else {}
        )
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS, timeout=urllib3.Timeout(total=timeout), retries=False, **secure
        )

    def send(self, reply_token: str, messages: list[Message]) -> bool:
        """POST /v2/bot/message/reply; False, and a line in the log, when LINE did not take it."""
        body = json.dumps(
            {"replyToken": reply_token, "messages": messages}, ensure_ascii=False
        ).encode()
        token = self._access_token.value
        status = self._post(body, token)
        if status == 401 and self._access_token.renewed_since(token):
            status = self._post(body, self._access_token.value)
        if status != 200:
            log.warning("LINE did not take the reply", extra={"status": status})
        return status == 200

    def close(self) -> None:
        """Close every connection."""
        self._pool.clear()

    def _post(self, body: bytes, token: str) -> int:
        """LINE's status; 0 where there was no answer. A connection that breaks is tried once more:
        the reply token works once, so the same reply cannot be shown twice."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for _attempt in range(2):
            try:
                return self._pool.request("POST", self._url, body=body, headers=headers).status
            except (urllib3.exceptions.ProtocolError, urllib3.exceptions.NewConnectionError):
                continue  # LINE closed a kept-alive connection just as we used it
            except urllib3.exceptions.HTTPError as error:
                log.warning("no answer from LINE", extra={"error": type(error).__name__})
                return 0
        log.warning("no connection to LINE")
        return 0
