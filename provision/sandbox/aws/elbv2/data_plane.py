"""The load balancers' data plane: from an HTTP request to its target and back."""

import itertools
import random
import secrets
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from werkzeug.datastructures import EnvironHeaders
from werkzeug.wrappers import Response

from provision.sandbox.aws.calls import buffer_body
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2.reachability import admits
from provision.sandbox.aws.elbv2.listener_tls import limit_to_policy
from provision.sandbox.aws.elbv2.routing import action_for, fixed_response, header, redirect
from provision.sandbox.tasks.runners import Reply, Request

_IDLE_TIMEOUT = 60.0  # real seconds: the default of idle_timeout.timeout_seconds
_CLIENT_ADDRESS = "203.0.113.7"  # RFC 5737: a client on the internet, for security groups
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class DataPlane:
    """The nodes of all load balancers of the account; a request's host name selects one."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._round_robin_counter = itertools.count()

    def listener(self, host: str, port: int) -> Any | None:
        """Return moto's listener that a client on the internet reaches at host:port, or None.

        The name resolves to the load balancer, which is active and internet-facing (the nodes of an internal
        one have only private addresses: Elastic Load Balancing User Guide), and its security groups allow
        connections from the internet. Hold the lock while using the listener.
        """
        with self._cloud.lock:
            load_balancer = self._cloud.dns.load_balancer(host)
            if load_balancer is None or not self._cloud.elbv2.is_active(load_balancer.arn):
                return None
            if load_balancer.scheme != "internet-facing":
                return None
            backend = self._cloud.ec2.backend(load_balancer.arn.split(":")[3])
            found = map(backend.get_security_group_from_id, load_balancer.security_groups)
            groups = [group for group in found if group is not None]
            if not admits(groups, port, address=_CLIENT_ADDRESS):
                return None
            listeners = load_balancer.listeners.values()
            return next((found for found in listeners if int(found.port) == port), None)

    def certificate(self, host: str) -> Any | None:
        """Return the certificate (trustme's LeafCert) of the HTTPS listener at this host, or None."""
        with self._cloud.lock:
            listener = self.listener(host, 443)
            if listener is None or listener.protocol != "HTTPS":
                return None
            leaves = [self._cloud.acm.leaf(arn) for arn in listener.certificates]
            return next((leaf for leaf in leaves if leaf is not None), None)

    def tls(self, host: str) -> ssl.SSLContext | None:
        """Return the TLS context of the HTTPS listener at this host, or None.

        User Guide for Application Load Balancers, Security policies.
        """
        with self._cloud.lock:
            listener, leaf = self.listener(host, 443), self.certificate(host)
            if listener is None or leaf is None:
                return None
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf.configure_cert(context)
            limit_to_policy(context, listener.ssl_policy)
            return context

    def forward(self, host: str, port: int, request: Request, client: str = "127.0.0.1") -> Reply:
        """Return the response to a request for `host` at a listener's port; only port 443 is TLS.

        Raises ConnectionError if no listener is reachable. A plain request at an HTTPS listener gets
        status 400 (Troubleshoot your load balancers, HTTP 400).
        """
        with self._cloud.lock:
            listener = self.listener(host, port)
            if listener is None:
                raise ConnectionRefusedError(f"no listener is reachable at {host}:{port}")
            if port != 443 and listener.protocol == "HTTPS":
                return _error(400, "The plain HTTP request was sent to HTTPS port")
            if port == 443 and listener.protocol != "HTTPS":
                raise ConnectionAbortedError(f"{host}:{port} does not speak TLS")
            action = action_for(listener, request, client)
            target = self._target(action) if action["Type"] == "forward" else None
        match action["Type"]:
            case "fixed-response":
                return fixed_response(action["FixedResponseConfig"])
            case "redirect":
                return redirect(action["RedirectConfig"], request, port)
        if target is None:
            return _error(503, "Service Temporarily Unavailable")
        container = self._cloud.ecs.container_at(*target)
        if container is None:
            return _error(504, "Gateway Time-out")
        try:
            return container.send(_forwarded(request, port, client), _IDLE_TIMEOUT)
        except TimeoutError:
            return _error(504, "Gateway Time-out")
        except OSError:
            return _error(502, "Bad Gateway")

    def _target(self, action: dict[str, Any]) -> tuple[str, int] | None:
        """Return a healthy target, round robin; an unhealthy one if there is no healthy one (fail open)."""
        groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or [action]
        weights = [int(group.get("Weight") or 1) for group in groups]
        arn = random.choices(groups, weights)[0]["TargetGroupArn"]
        targets = self._cloud.elbv2.targets.get(arn, {})
        for state in ("healthy", "unhealthy"):
            usable = [address for address, target in targets.items() if target.state == state]
            if usable:
                return usable[next(self._round_robin_counter) % len(usable)]
        return None

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the load balancers as a WSGI application; the scheme determines the listener's port."""
        port = 443 if environ["wsgi.url_scheme"] == "https" else 80
        body = buffer_body(environ)
        target = environ.get("REQUEST_URI") or quote(environ.get("PATH_INFO") or "/")
        request = Request(
            environ["REQUEST_METHOD"], target, list(EnvironHeaders(environ).items()), body
        )
        host = header(request, "host").partition(":")[0]
        reply = self.forward(host, port, request, environ.get("REMOTE_ADDR") or "127.0.0.1")
        response = Response(reply.body, reply.status)
        response.headers.clear()
        for name, value in reply.headers:
            if name.lower() not in _HOP_BY_HOP | {"content-length"}:
                response.headers.add(name, value)
        # RFC 9110, 8.6: a HEAD answer keeps the length of the body that is not sent.
        length = {n.lower(): v for n, v in reply.headers}.get("content-length")
        is_head = request.method == "HEAD" and length is not None
        response.headers["Content-Length"] = length if is_head else str(len(reply.body))
        return response(environ, start_response)


def _forwarded(request: Request, port: int, client: str) -> Request:
    """Return the request as the target receives it (User Guide, "HTTP headers and ALBs")."""
    headers = [(n, v) for n, v in request.headers if n.lower() not in _HOP_BY_HOP]
    before = header(request, "x-forwarded-for")
    ours = {
        "X-Forwarded-For": f"{before}, {client}" if before else client,
        "X-Forwarded-Proto": "https" if port == 443 else "http",
        "X-Forwarded-Port": str(port),
    }
    if not header(request, "x-amzn-trace-id"):
        ours["X-Amzn-Trace-Id"] = f"Root=1-{secrets.token_hex(4)}-{secrets.token_hex(12)}"
    replaced = {name.lower() for name in ours}
    unchanged = [(n, v) for n, v in headers if n.lower() not in replaced]
    return Request(request.method, request.target, [*unchanged, *ours.items()], request.body)


def _error(status: int, message: str) -> Reply:
    """Return the load balancer's own error page."""
    title = f"{status} {message}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(status, [("Server", "awselb/2.0"), ("Content-Type", "text/html")], page.encode())
