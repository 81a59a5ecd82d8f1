"""Bound what a server answers: http.client waits for each byte anew, and reads to the end."""

import http.client
import io
import math
import time
from contextlib import suppress
from typing import Any

MOST_BYTES = 32 << 20  # of an answer; the news of 20,000 articles has less


class BoundedResponse(http.client.HTTPResponse):
    """A response of limited size that is complete within the read timeout of its connection.

    rate: bytes for which it has a second more; for downloads.
    """

    most_bytes: float = MOST_BYTES
    rate = math.inf

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Bytes(sock, self.most_bytes, self.rate))


class _Bytes(io.RawIOBase):
    """The bytes of a socket; TimeoutError or ConnectionError beyond the bounds."""

    def __init__(self, sock: Any, most_bytes: float, rate: float) -> None:
        self._sock, self._bytes = sock, sock.makefile("rb", buffering=0)
        self._timeout, self._left, self._rate = sock.gettimeout(), most_bytes, rate
        self._end = math.inf if self._timeout is None else time.monotonic() + self._timeout

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what comes next, if that is before the end of the whole answer's time."""
        if (left := self._end - time.monotonic()) <= 0:
            raise TimeoutError("the answer takes too long")
        self._sock.settimeout(None if left == math.inf else left)
        try:
            count: int | None = self._bytes.readinto(buffer)
        finally:
            with suppress(OSError):  # it is closed
                self._sock.settimeout(self._timeout)  # for the connection's next request
        self._end += (count or 0) / self._rate
        self._left -= count or 0
        if self._left < 0:
            raise ConnectionError("the answer is too large")
        return count

    def close(self) -> None:
        """Close the file, too."""
        self._bytes.close()
        super().close()


def bound(manager: Any, response: type[BoundedResponse] = BoundedResponse) -> Any:
    """Let the responses of urllib3's PoolManager be bounded; return it. A second call changes nothing."""
    for scheme, pool in manager.pool_classes_by_scheme.items():
        if not issubclass(pool.ConnectionCls.response_class, BoundedResponse):
            connection = type("Connection", (pool.ConnectionCls,), {"response_class": response})
            own = {scheme: type("Pool", (pool,), {"ConnectionCls": connection})}
            # A new dictionary: urllib3's own is that of all managers.
            manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, **own}
    return manager
