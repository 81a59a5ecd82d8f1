"""An HTTP server whose answers are arbitrary bytes."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from hypothesis import strategies as st

from tests.fuzz.inputs import TEXTS

STATUSES = [*([200] * 8), 201, 202, 204, 301, 302, 307, 400, 401, 403, 404, 407, 413, 429, 500, 503]
NAMES = [
    *("Location", "WWW-Authenticate", "Content-Type", "Retry-After", "Date", "Content-Encoding"),
    *("Docker-Content-Digest", "Set-Cookie", "Transfer-Encoding", "Content-Length", "X"),
]
VALUES = [
    *("gzip", "deflate", "identity", "chunked", "application/json", "text/html; charset=x"),
    *(
        "Basic",
        'Bearer realm="{url}/token?x=1",service="s",scope="r"',
        'Bearer realm="//"',
        "Bearer =",
    ),
    *(
        "{url}/v2/next",
        "/",
        "//",
        "http://[::1",
        "http://192.0.2.1/",
        "ftp://x/",
        "https://\u3042/",
    ),
    *("0", "-1", "1", "99999999999999999999", "Mon, 30 Nov 2026 17:00:00 GMT", "soon"),
    *(text for text in TEXTS if len(text) < 1000 and "\n" not in text),
]
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=3)
BROKEN = [
    b"",
    b"x",
    b"HTTP/1.1",
    b"HTTP/1.1 999999 x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"\r\n\r\n\r\n",
]


@st.composite
def answers(draw: st.DrawFn, bodies: st.SearchStrategy[bytes], url: str) -> bytes:
    """Generate HTTP answers with these bodies, some of which are broken. url: the server's."""
    if draw(st.integers(0, 29)) == 0:
        return draw(st.sampled_from(BROKEN) | st.binary(max_size=60))
    body = draw(bodies)
    lines = [f"HTTP/1.1 {draw(st.sampled_from(STATUSES))} x", "Connection: close"]
    lines += [f"{name}: {value.replace('{url}', url)}" for name, value in draw(HEADERS)]
    length = draw(st.sampled_from([len(body), len(body), len(body), None, 0, len(body) + 1]))
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    """Answers request after request with the bytes that `answers` returns for the request's first line."""

    def __init__(self) -> None:
        self.answer: Callable[[str], bytes] = lambda line: b""
        self.requests = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _address = self._listening.accept()
            with connection, suppress(OSError):
                if self._read(connection):
                    return

    def _read(self, connection: socket.socket) -> bool:
        """Read a request, and answer it; return whether it is the one that ends the server."""
        content = b""
        while b"\r\n\r\n" not in content:
            part = connection.recv(65536)
            if not part:
                return content == b"end"
            content += part
        head, _end, body = content.partition(b"\r\n\r\n")
        length = next(
            (
                int(line[15:])
                for line in head.lower().split(b"\r\n")
                if line[:15] == b"content-length:"
            ),
            0,
        )
        while len(body) < length and (part := connection.recv(65536)):
            body += part
        self.requests += 1
        connection.sendall(self.answer(head.split(b"\r\n")[0].decode()))
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with socket.create_connection(self._listening.getsockname()) as last:
            last.sendall(b"end")
        self._thread.join()
        self._listening.close()
