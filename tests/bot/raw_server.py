"""A web server that sends bytes as they are, and as slowly as it likes."""

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Handler = Callable[["RawServer", socket.socket], None]


class RawServer:
    """Answers each connection with the handler, on a thread of its own."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.ended = threading.Event()
        self.requests: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self.ended.is_set():
            connection, _ = self._listening.accept()
            thread = threading.Thread(target=self._answer, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.requests.append(connection.recv(65536))
                self._handler(self, connection)
            except OSError:
                pass  # the client has gone

    def drip(self, connection: socket.socket, part: bytes, seconds: float = 0.1) -> None:
        """Send the part again and again."""
        while not self.ended.wait(seconds):
            connection.sendall(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended.set()
        with socket.create_connection(self._listening.getsockname()):
            pass  # the last one to be accepted
        for thread in self._threads:
            thread.join()
        self._listening.close()


def sends(content: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> Handler:
    """A whole answer."""

    def answer(server: RawServer, connection: socket.socket) -> None:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(content) + content)

    return answer


def drips(start: bytes, part: bytes, seconds: float = 0.1) -> Handler:
    """An answer that never ends."""

    def answer(server: RawServer, connection: socket.socket) -> None:
        connection.sendall(start)
        server.drip(connection, part, seconds)

    return answer


def is_silent(server: RawServer, connection: socket.socket) -> None:
    """No answer at all."""
    server.ended.wait()
