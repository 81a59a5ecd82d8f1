"""An unreliable LINE API."""

import io
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

OUTAGE_EVERY, OUTAGE_SECONDS = 15.0, 3.0  # longer than a bot retries


class UnreliableLine:
    """An unreliable LINE API; counts accepted replies by their token."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]]) -> None:
        self._wsgi = wsgi
        self.accepted: Counter[str] = Counter()
        self.refused = 0  # repeated replies, rejected by their token
        self._chosen = random.Random(1)
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request (WSGI), and count replies."""
        if environ["PATH_INFO"] != "/v2/bot/message/reply":
            return self._wsgi(environ, start_response)
        with self._lock:
            dice = self._chosen.random()
        if dice < 0.02 or time.monotonic() % OUTAGE_EVERY < OUTAGE_SECONDS:
            return _error(start_response)
        if dice < 0.04:
            time.sleep(2.5)  # longer than a webhook may take
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        statuses: list[str] = []

        def note(status: str, headers: Any, *more: Any) -> Any:
            statuses.append(status)
            return start_response(status, headers, *more) if dice > 0.06 else None

        answer = b"".join(self._wsgi(environ, note))
        with self._lock:
            if statuses[0].startswith("200"):
                self.accepted[json.loads(body)["replyToken"]] += 1
            elif b"Invalid reply token" in answer:
                self.refused += 1
        return [answer] if dice > 0.06 else _error(start_response)


def _error(start_response: Any) -> Iterable[bytes]:
    start_response("500 Internal Server Error", [("Content-Length", "0")])
    return [b""]
