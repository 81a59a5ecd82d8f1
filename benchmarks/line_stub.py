"""A LINE that accepts every reply after a delay: `python -m benchmarks.line_stub SECONDS [CERTIFICATE.pem]`.

Prints its port. With a certificate (a PEM file with its key) it uses TLS.
"""

import asyncio
import ssl
import sys

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-line-request-id: 0\r\nContent-Length: "
)
REPLY = b'{"sentMessages":[{"id":"461230966842"}]}'
PROFILE = b'{"userId":"U","displayName":"Somebody","language":"en"}'


class Connection(asyncio.Protocol):
    """One connection from a bot."""

    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport (asyncio's protocol)."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self.received += data
        while (head := self.received.find(b"\r\n\r\n")) >= 0:
            fields = self.received[:head].lower().split(b"\r\n")
            lengths = [int(one[15:]) for one in fields if one.startswith(b"content-length:")]
            end = head + 4 + (lengths[0] if lengths else 0)
            if len(self.received) < end:
                return
            body = PROFILE if self.received.startswith(b"GET") else REPLY
            self.received = self.received[end:]
            answer = HEAD + b"%d\r\n\r\n" % len(body) + body
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, answer)


async def main(delay: float, certificate: str = "") -> None:
    """Serve until killed."""
    Connection.delay = delay
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), *sys.argv[2:]))
