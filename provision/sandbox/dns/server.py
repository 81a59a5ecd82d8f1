"""A DNS server over UDP and TCP, on one free port of the loopback interface."""

import socketserver
import struct
import threading
from collections.abc import Callable

from dnslib import DNSRecord

Respond = Callable[[bytes], bytes]
_UDP_PAYLOAD = 1232  # bytes without fragmentation (DNS flag day 2020); longer responses use TCP


class DnsServer:
    """Serves `respond`, a function from query to response in wire format, until closed."""

    def __init__(self, respond: Respond) -> None:
        self._udp, self._tcp, port = _bind(respond)
        self._address = "127.0.0.1", port
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            for server in (self._udp, self._tcp)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port, the same for UDP and TCP."""
        return self._address

    def close(self) -> None:
        """Stop the servers and release the port."""
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        query, connection = self.request
        answer = self.server.respond(query)  # type: ignore[attr-defined]
        if len(answer) > _UDP_PAYLOAD:
            answer = DNSRecord.parse(answer).truncate().pack()
        if answer:
            connection.sendto(answer, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self) -> None:
        while len(prefix := self.rfile.read(2)) == 2:
            query = self.rfile.read(*struct.unpack("!H", prefix))
            answer = self.server.respond(query)  # type: ignore[attr-defined]
            if not answer:
                return
            self.wfile.write(struct.pack("!H", len(answer)) + answer)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 65535


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


def _bind(respond: Respond) -> tuple[_UdpServer, _TcpServer, int]:
    """Bind both servers to the same free port."""
    for _ in range(20):
        tcp = _TcpServer(("127.0.0.1", 0), _Tcp)
        port = int(tcp.socket.getsockname()[1])
        try:
            udp = _UdpServer(("127.0.0.1", port), _Udp)
        except OSError:
            tcp.server_close()
            continue
        tcp.respond = udp.respond = respond  # type: ignore[attr-defined]
        return udp, tcp, port
    raise OSError("no port is free for both UDP and TCP on 127.0.0.1")
