"""gunicorn's threaded worker, as a container behind a load balancer needs it.

Four things are other than in gunicorn 27's gthread, on whose insides this builds (setup.py holds it
to that version): a SIGTERM does not close the door at once, a connection takes a thread only when it
has said something, keeps it while it goes on talking, and loses it when a request does not come to its
end.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import random
import select
import selectors
import socket
import time
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from bot.settings import Settings

log = logging.getLogger(__name__)

# For a request's head and body to come in. LINE waits two seconds for everything.
REQUEST_SECONDS = 5.0
# How long a thread waits for the next request of the connection that it has just served.
STAY_SECONDS = 0.5


class Log(Logger):  # type: ignore[misc]
    """gunicorn's own messages; not its access log, which costs a tenth of an answer to make up even
    where nobody reads it. The bot tells of its requests itself."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """Keeps accepting for a while after SIGTERM: a target may stay registered that long."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.alive: bool
        self._leaving_at: float | None = None
        self._reading: dict[Any, float] = {}  # connection: when its request must have come
        self._staying: set[Any] = set()  # connections whose threads wait for the next request

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: unhealthy from now on; the door closes later."""
        if self._leaving_at is None:
            seconds = Settings.from_environment().linger_seconds
            self._leaving_at = time.monotonic() + seconds
            # Not in the signal's handler, which may have interrupted a thread that holds a lock.
            self.method_queue.defer(self._leave, seconds)

    def init_process(self) -> None:
        """On one CPU, whichever: the interpreter runs one thread at a time anyway. Handing its lock from
        CPU to CPU costs a third of an answer, and under a quota more: who holds it may be stopped on one
        CPU while the others wait on another (measured at a quarter CPU: 155 answers a second, not 265)."""
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {random.choice(sorted(os.sched_getaffinity(0)))})
        super().init_process()

    def _leave(self, seconds: float) -> None:
        log.info("leaving", extra={"seconds": seconds})
        if hasattr(self, "wsgi"):
            self.wsgi.leave()

    def notify(self) -> None:
        """Called once a second at least, and after whatever happens."""
        super().notify()
        now = time.monotonic()
        if self._leaving_at is not None and now >= self._leaving_at and self.alive:
            self.alive = False  # the loop closes the door, and ends what has come in
        for connection, end in self._reading.copy().items():
            if now > end:
                self._stop_reading(connection)

    def _stop_reading(self, connection: Any) -> None:
        """The thread that waits for more of the request sees its end."""
        self._reading.pop(connection, None)
        with contextlib.suppress(OSError):  # it has just gone
            connection.sock.shutdown(socket.SHUT_RD)

    def accept(self, listener: socket.socket) -> None:
        """A new connection waits for its first bytes here, and not on one of the threads."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection = TConn(self.cfg, client, address, listener.getsockname())
        connection.timeout = time.monotonic() + self.cfg.keepalive
        self.nr_conns += 1
        self.pending_conns.append(connection)
        ready = functools.partial(self.on_pending_socket_readable, connection)
        self.poller.register(client, selectors.EVENT_READ, ready)

    def _cap_keepalive(self, deadline: float) -> None:
        """Nor do those that have said nothing yet keep a stopping worker."""
        super()._cap_keepalive(deadline)
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, deadline)

    def handle(self, conn: Any) -> Any:
        """Requests of one connection, on a thread, as long as one follows another."""
        while True:
            self._reading[conn] = time.monotonic() + REQUEST_SECONDS
            try:
                kept = super().handle(conn)
            finally:
                self._reading.pop(conn, None)
            if kept is not True or not self._stays(conn):
                return kept

    def _stays(self, conn: Any) -> bool:
        """Does the next request come at once? To give the connection back to the loop and to be woken
        by it costs a third of a request's CPU, so a thread waits a moment, if enough others are free."""
        if not self.alive or len(self._staying) >= self.cfg.threads // 2:
            return False
        self._staying.add(conn)
        try:
            poll = select.poll()
            poll.register(conn.sock, select.POLLIN)
            return bool(poll.poll(STAY_SECONDS * 1000))
        finally:
            self._staying.discard(conn)

    def run(self) -> None:
        """Serve until the end, and then end what goes on."""
        super().run()
        self.wsgi.close()
