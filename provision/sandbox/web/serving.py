"""The HTTPS server of the load balancers, on loopback."""

import contextlib
import socket
import ssl
import time
from typing import Any

from werkzeug.serving import ThreadedWSGIServer

from provision.console.server import HttpServer, QuietHandler
from provision.sandbox.aws.elbv2.data_plane import DataPlane

_HANDSHAKE = 10.0  # seconds for the TLS handshake


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
        super().__init__("127.0.0.1", 0, application, handler=QuietHandler)
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
