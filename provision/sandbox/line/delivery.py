"""Delivery of webhooks to the bot."""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.data_plane import DataPlane
from provision.sandbox.tasks.runners import Reply, Request


class WebhookSender:
    """Sends a POST request to an https URL through the sandbox's DNS and load balancers.

    Within the process until `tls_port` is set, then through the load balancers' TLS socket; the certificate
    is verified against the sandbox's certificate authority.
    """

    def __init__(self, cloud: Cloud, data_plane: DataPlane) -> None:
        self._cloud = cloud
        self._data_plane = data_plane
        self.tls_port: int | None = None

    def resolve(self, name: str) -> list[str]:
        """Return the IPv4 addresses of a name in the sandbox's DNS."""
        return self._cloud.dns.resolve(name, "A")

    def __call__(
        self, url: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Return status and body. Raises ConnectionError, or TimeoutError after `timeout` (real) seconds."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        if parts.scheme != "https":
            raise ConnectionError("not an https URL")
        if not self.resolve(host):
            raise ConnectionError(f"{host} does not resolve")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers_with_host = [*headers.items(), ("Host", parts.netloc)]
        request = Request("POST", target, headers_with_host, body)
        if port != 443:
            raise ConnectionRefusedError(f"no listener is reachable at {host}:{port}")
        if self.tls_port is None:
            reply = self._send_in_process(host, request)
        else:
            reply = self._send_over_tls(host, self.tls_port, request, timeout)
        return reply.status, reply.body

    def _send_in_process(self, host: str, request: Request) -> Reply:
        if self._data_plane.certificate(host) is None:
            raise ConnectionError(f"{host} shows no certificate")
        return self._data_plane.forward(host, 443, request)

    def _send_over_tls(self, host: str, port: int, request: Request, timeout: float) -> Reply:
        context = ssl.create_default_context(cafile=str(self._cloud.authority.root))
        connection = http.client.HTTPConnection(host, timeout=timeout)
        try:
            # Only the sandbox's DNS resolves the name: connect by address, verify by name.
            raw = socket.create_connection(("127.0.0.1", port), timeout)
            try:
                connection.sock = context.wrap_socket(raw, server_hostname=host)
            except BaseException:
                raw.close()
                raise
            connection.request("POST", request.target, request.body, dict(request.headers))
            response = connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
