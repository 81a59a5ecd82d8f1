"""Delivery of a webhook from the sandbox's LINE to the bot: by name, over verified TLS."""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.data_plane import DataPlane
from provision.sandbox.tasks.runners import Reply, Request


class WebhookSender:
    """Carries one POST to an https URL of the sandbox's internet.

    In this process until `front_port` is set; from then on through the front's socket, where the
    certificate is verified as a client on the internet verifies it, only against the sandbox's CA.
    """

    def __init__(self, cloud: Cloud, front: DataPlane) -> None:
        self._cloud = cloud
        self._front = front
        self.front_port: int | None = None

    def resolve(self, name: str) -> list[str]:
        """Return the IPv4 addresses of a name, as the sandbox's DNS answers."""
        return self._cloud.dns.resolve(name, "A")

    def __call__(
        self, url: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Return status and body; ConnectionError, TimeoutError after `timeout` (real) seconds."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        if parts.scheme != "https":
            raise ConnectionError("not an https URL")
        if not self.resolve(host):
            raise ConnectionError(f"{host} does not resolve")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = [*headers.items(), ("Host", parts.netloc)]
        request = Request("POST", target, named, body)
        if port != 443:
            raise ConnectionRefusedError(f"nobody answers at {host}:{port}")
        if self.front_port is None:
            reply = self._inside(host, request)
        else:
            reply = self._outside(host, self.front_port, request, timeout)
        return reply.status, reply.body

    def _inside(self, host: str, request: Request) -> Reply:
        if self._front.certificate(host) is None:
            raise ConnectionError(f"{host} shows no certificate")
        return self._front.forward(host, 443, request)

    def _outside(self, host: str, port: int, request: Request, timeout: float) -> Reply:
        context = ssl.create_default_context(cafile=str(self._cloud.authority.root))
        connection = http.client.HTTPConnection(host, timeout=timeout)
        try:
            # The name is the sandbox's, not this machine's: connect by address, verify by name.
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
