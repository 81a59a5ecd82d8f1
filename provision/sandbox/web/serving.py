"""HTTP and HTTPS servers for the sandbox's WSGI applications, on loopback."""

import contextlib
import logging
import socket
import ssl
import threading
import time
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from provision.sandbox.aws.elbv2.data_plane import DataPlane

_HANDSHAKE = 10.0  # seconds for the TLS handshake


class _QuietHandler(WSGIRequestHandler):
    """A request handler without an access log, for privacy; errors go to logging."""

    def log(self, level: str, message: str, *args: Any) -> None:
        if level == "error":  # a traceback, of which the last line is the error
            lines = (message % args if args else message).strip().splitlines()
            logging.getLogger(__name__).error("%s", lines[-1] if lines else level)


class HttpServer:
    """A WSGI application on a free port of 127.0.0.1, one thread per connection."""

    scheme = "http"

    def __init__(self, application: Any) -> None:
        self._server = self._build(application)
        # A longer backlog for many simultaneous clients.
        self._server.socket.listen(128)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def _build(self, application: Any) -> ThreadedWSGIServer:
        return ThreadedWSGIServer("127.0.0.1", 0, application, handler=_QuietHandler)

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
        """Stop the server and release the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class TlsServer(HttpServer):
    """The load balancers' data plane over TLS; the server name selects the listener.

    The handshake fails if no HTTPS listener is reachable at the name.
    """

    scheme = "https"

    def __init__(self, data_plane: DataPlane) -> None:
        self._data_plane = data_plane
        super().__init__(data_plane.wsgi)

    def _build(self, application: Any) -> ThreadedWSGIServer:
        return _HandshakeInThread(self._data_plane, application)


class _HandshakeInThread(ThreadedWSGIServer):
    """Performs each TLS handshake in the connection's thread, so that slow clients do not block others."""

    def __init__(self, data_plane: DataPlane, application: Any) -> None:
        super().__init__("127.0.0.1", 0, application, handler=_QuietHandler)
        self._data_plane = data_plane
        self._without_certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # handshakes fail
        self.ssl_context = (
            self._without_certificate
        )  # makes the request handler use the scheme https

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(_HANDSHAKE)
        try:
            context = self._data_plane.tls(_server_name(request)) or self._without_certificate
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
    """Return the server name in a client's first message, without consuming it; "" if there is none.

    OpenSSL can select the certificate by server name, but not the TLS versions, which must be known before
    the handshake. Raises TimeoutError if there is no message.
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
            time.sleep(0.01)  # incomplete
        except ssl.SSLError:
            break
    return (names[0] if names else None) or ""
