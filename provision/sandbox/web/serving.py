"""Servers on loopback for the sandbox's WSGI applications, with and without TLS."""

import contextlib
import logging
import socket
import ssl
import threading
import time
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from provision.sandbox.aws.elbv2.data_plane import DataPlane

_HANDSHAKE = 10.0  # seconds for a client to finish it


class _Quiet(WSGIRequestHandler):
    """No access log: bodies and paths are people's business; errors go to logging."""

    def log(self, level: str, message: str, *args: Any) -> None:
        if level == "error":  # "Error on request:" and a traceback, of which the last line says why
            lines = (message % args if args else message).strip().splitlines()
            logging.getLogger(__name__).error("%s", lines[-1] if lines else level)


class HttpServer:
    """A WSGI application on a free port of 127.0.0.1, one thread per connection."""

    scheme = "http"

    def __init__(self, application: Any) -> None:
        self._server = self._build(application)
        # Many clients at once wait here, not at their own time-out.
        self._server.socket.listen(128)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def _build(self, application: Any) -> ThreadedWSGIServer:
        return ThreadedWSGIServer("127.0.0.1", 0, application, handler=_Quiet)

    @property
    def port(self) -> int:
        """Return the port."""
        port: int = self._server.server_address[1]
        return port

    @property
    def url(self) -> str:
        """Return the server's URL."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class TlsServer(HttpServer):
    """The front over TLS: the server name decides which listener shakes hands.

    A name for which no HTTPS listener answers ends the handshake, as a connection to it would.
    """

    scheme = "https"

    def __init__(self, front: DataPlane) -> None:
        self._front = front
        super().__init__(front.wsgi)

    def _build(self, application: Any) -> ThreadedWSGIServer:
        return _HandshakeInThread(self._front, application)


class _HandshakeInThread(ThreadedWSGIServer):
    """Each connection shakes hands in its own thread: a slow client keeps nobody else waiting."""

    def __init__(self, front: DataPlane, application: Any) -> None:
        super().__init__("127.0.0.1", 0, application, handler=_Quiet)
        self._front = front
        self._nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # has no certificate: an alert
        self.ssl_context = self._nobody  # tells the request handler that the scheme is https

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(_HANDSHAKE)
        try:
            context = self._front.tls(_server_name(request)) or self._nobody
            secured = context.wrap_socket(request, server_side=True)
        except OSError:
            return
        with secured:
            secured.settimeout(None)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                super().finish_request(secured, client_address)

    def shutdown_request(self, request: Any) -> None:
        with contextlib.suppress(OSError):
            request.close()


def _server_name(connection: socket.socket) -> str:
    """Return the name that a client's first message asks for, which stays to be read; "" where it has none.

    OpenSSL lets a listener choose its certificate by that name, but not its TLS versions: these must be
    known before. TimeoutError where the message does not come.
    """
    names: list[str | None] = []
    deadline = time.monotonic() + _HANDSHAKE
    while not names and time.monotonic() < deadline:
        incoming, context = ssl.MemoryBIO(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = lambda _object, name, _context: names.append(name)
        if not incoming.write(connection.recv(65536, socket.MSG_PEEK)):
            return ""
        try:
            context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
        except ssl.SSLWantReadError:
            time.sleep(0.01)  # a part of it
        except ssl.SSLError:
            break
    return (names[0] if names else None) or ""
