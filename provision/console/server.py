"""An HTTP server for WSGI applications, on loopback."""

import contextlib
import logging
import socket
import threading
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler


class QuietHandler(WSGIRequestHandler):
    """A request handler without an access log, for privacy; errors go to logging."""

    def log(self, level: str, message: str, *args: Any) -> None:
        """Log an error; ignore the rest."""
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
        return ThreadedWSGIServer("127.0.0.1", 0, application, handler=QuietHandler)

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
        stopping = threading.Thread(target=self._server.shutdown)
        stopping.start()
        with contextlib.suppress(OSError):  # a connection wakes the server, which looks every 50 ms
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        stopping.join()
        self._server.server_close()
        self._thread.join()
