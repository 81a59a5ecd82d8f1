"""Kept-alive HTTP connections to one server, shared by all threads.

http.client and not urllib3: a reply of 8 KB costs 65 us of CPU here and 160 us there (measured on
one core), and an answer that is late can go on being waited for by another thread. No redirects,
no proxies, no retries: the callers know what a second try means.
"""

from __future__ import annotations

import http.client
import select
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_SECONDS = 1.0
IDLE_SECONDS = 50.0  # load balancers close what has been idle for a minute
MOST_BYTES = 1_000_000
KEPT = 128  # more than the bot has threads: none is thrown away after use

# What may go wrong while talking: no connection, a broken one, a timeout, no HTTP.
Broken = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage


class Exchange:
    """A request that was sent, and its connection, which goes back into the pool with the answer."""

    def __init__(self, pool: Connections, connection: http.client.HTTPConnection) -> None:
        self._pool = pool
        self._connection = connection

    def answer(self, seconds: float, most: int = MOST_BYTES) -> Answer:
        """The answer, of at most so many bytes. TimeoutError when none has begun by then: ask again.
        Else one of Broken."""
        connection = self._connection
        if seconds <= 0:
            raise TimeoutError
        connection.sock.settimeout(seconds)
        try:
            response = connection.getresponse()
        except TimeoutError:
            raise
        except Broken:
            connection.close()
            raise
        try:
            answer = Answer(response.status, _whole(response, most), response.headers)
        except Broken as error:
            connection.close()
            raise http.client.HTTPException("the answer broke off") from error
        if response.will_close:
            connection.close()
        else:
            self._pool.give_back(connection)
        return answer

    def close(self) -> None:
        """Nobody waits for it any more."""
        self._connection.close()


class Connections:
    """The pool. `url` is the server's, with a path that is put before every other one; `authorities`
    a PEM file in place of the system's."""

    def __init__(self, url: str, authorities: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not the address of a server: {url}")
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        # One context for all connections: each would load the CA bundle again.
        secure = parts.scheme == "https"
        self._secure = ssl.create_default_context(cafile=authorities) if secure else None
        self._kept: list[tuple[float, http.client.HTTPConnection]] = []
        self._lock = threading.Lock()

    def send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], seconds: float
    ) -> Exchange:
        """Send a request; connecting and sending take at most so long. Raises one of Broken.

        A connection that the server closed just as it was used is tried again on a new one where
        the request could not be written; a server that read it may have done what it says.
        """
        for connection in (self._take(), self._new()):
            if connection is None:
                continue
            connection.timeout = min(CONNECT_SECONDS, seconds)
            try:
                if connection.sock is not None:
                    connection.sock.settimeout(seconds)
                connection.request(method, self._prefix + path, body, headers)
            except (BrokenPipeError, ConnectionResetError, http.client.CannotSendRequest):
                connection.close()
                continue
            except Broken:
                connection.close()
                raise
            return Exchange(self, connection)
        raise ConnectionError("no connection")

    def _new(self) -> http.client.HTTPConnection:
        if self._secure is None:
            return http.client.HTTPConnection(self._host, self._port)
        return http.client.HTTPSConnection(self._host, self._port, context=self._secure)

    def _take(self) -> http.client.HTTPConnection | None:
        """A kept connection that the server has not closed; the one used last is the likeliest."""
        while True:
            with self._lock:
                if not self._kept:
                    return None
                since, connection = self._kept.pop()
            if time.monotonic() - since < IDLE_SECONDS and not _readable(connection):
                return connection
            connection.close()

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        """Keep it for the next request."""
        with self._lock:
            if len(self._kept) < KEPT:
                self._kept.append((time.monotonic(), connection))
                return
        connection.close()

    def close(self) -> None:
        """Close what is kept."""
        with self._lock:
            kept, self._kept = self._kept, []
        for _since, connection in kept:
            connection.close()


def _readable(connection: http.client.HTTPConnection) -> bool:
    """Between an answer and the next request only a close makes a connection readable."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _whole(response: http.client.HTTPResponse, most: int) -> bytes:
    body = response.read(most + 1)
    if len(body) > most or response.read(1):
        raise http.client.HTTPException("the answer is too large")
    return body
