"""Servers on loopback for the sandbox's WSGI applications, with and without TLS."""

import contextlib
import logging
import ssl
import threading
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from provision.sandbox.front import Front

_HANDSHAKE = 10.0  # seconds for a client to finish it


class _Quiet(WSGIRequestHandler):
    """No access log: bodies and paths are people's business; errors go to logging."""

    def log(self, type: str, message: str, *args: Any) -> None:
        if type == "error":
            logging.getLogger(__name__).error(message, *args)


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
        port: int = self._server.server_address[1]
        return port

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class TlsServer(HttpServer):
    """The front over TLS: the server name decides which listener's certificate is shown.

    A name for which no HTTPS listener answers ends the handshake, as a connection to it would.
    """

    scheme = "https"

    def __init__(self, front: Front) -> None:
        self._front = front
        super().__init__(front.wsgi)

    def _build(self, application: Any) -> ThreadedWSGIServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sni_callback = self._choose
        return _HandshakeInThread(context, application)

    def _choose(self, connection: Any, name: str | None, _: ssl.SSLContext) -> int | None:
        leaf = self._front.certificate(name) if name else None
        if leaf is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        chosen = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        chosen.minimum_version = ssl.TLSVersion.TLSv1_2
        leaf.configure_cert(chosen)
        connection.context = chosen
        return None


class _HandshakeInThread(ThreadedWSGIServer):
    """Each connection shakes hands in its own thread: a slow client keeps nobody else waiting."""

    def __init__(self, context: ssl.SSLContext, application: Any) -> None:
        super().__init__("127.0.0.1", 0, application, handler=_Quiet)
        self.ssl_context = context  # also tells the request handler that the scheme is https

    def finish_request(self, request: Any, client_address: Any) -> None:
        assert isinstance(self.ssl_context, ssl.SSLContext)
        request.settimeout(_HANDSHAKE)
        try:
            secured = self.ssl_context.wrap_socket(request, server_side=True)
        except OSError:
            return
        with secured:
            secured.settimeout(None)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                super().finish_request(secured, client_address)

    def shutdown_request(self, request: Any) -> None:
        with contextlib.suppress(OSError):
            request.close()
