"""A LINE that takes every reply after a while: `python -m benchmarks.line_stub SECONDS` prints its port."""

import asyncio
import sys

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-line-request-id: 0\r\n"
    b'Content-Length: 38\r\n\r\n{"sentMessages":[{"id":"461230966842"}]}'
).replace(b"Content-Length: 38", b"Content-Length: 40")


class Connection(asyncio.Protocol):
    """One connection of a bot."""

    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self.received += data
        while (head := self.received.find(b"\r\n\r\n")) >= 0:
            fields = self.received[:head].lower().split(b"\r\n")
            lengths = [int(one[15:]) for one in fields if one.startswith(b"content-length:")]
            end = head + 4 + (lengths[0] if lengths else 0)
            if len(self.received) < end:
                return
            self.received = self.received[end:]
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, ANSWER)


async def main(delay: float) -> None:
    """Serve until the end."""
    Connection.delay = delay
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
