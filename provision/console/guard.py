"""Access checks: no requests by web pages of other origins, and no control paths without the token.

Any page in a browser on this machine can send requests to loopback, also by a host name of its own (DNS
rebinding). The browser identifies it in Host, Origin and Sec-Fetch-Site (Fetch Standard; W3C, Fetch Metadata
Request Headers).
"""

import hmac
import json
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

_NAMES = ("127.0.0.1", "localhost")
_BUCKET_DOMAIN = ".localhost"  # S3's virtual-hosted style; always loopback (RFC 6761)
_OWN_PAGE = ("same-origin", "none")  # Sec-Fetch-Site; none: entered by the user


class Guard:
    """A WSGI application with access checks.

    `controls` returns for a method and a path whether it is a control path. Such a request needs `token` as
    its bearer token and, with a body, the content type JSON.
    """

    def __init__(
        self,
        application: Any,
        token: str = "",
        controls: Callable[[str, str], bool] = lambda method, path: False,
    ) -> None:
        self._application, self._token, self._controls = application, token, controls

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Forward requests that are allowed, refuse others."""
        error = self._refuse(Request(environ))
        if error is None:
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        status, message = error
        challenge = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        body = json.dumps({"error": message})
        response = Response(body, status, challenge, mimetype="application/json")
        return response(environ, start_response)

    def _refuse(self, request: Request) -> tuple[int, str] | None:
        host, headers = request.environ.get("HTTP_HOST", "").lower(), request.headers
        name, _, port = host.rpartition(":")
        if port != request.environ["SERVER_PORT"] or not (
            name in _NAMES or name.endswith(_BUCKET_DOMAIN)
        ):
            return 403, "The Host header names another host."
        if request.method == "OPTIONS":
            return 403, "Other origins have no access."
        if headers.get("Origin", f"http://{host}") != f"http://{host}":
            return 403, "The request comes from another origin."
        if headers.get("Sec-Fetch-Site", "none") not in _OWN_PAGE:
            return 403, "The request comes from another site."
        if not self._controls(request.method, request.path):
            return None
        bearer = f"Bearer {self._token}".encode()
        if not hmac.compare_digest(bearer, headers.get("Authorization", "").encode()):
            return (
                401,
                "The header Authorization: Bearer TOKEN is missing, or is another sandbox's.",
            )
        if request.method in ("POST", "PUT") and request.mimetype != "application/json":
            return 415, "The Content-Type is not application/json."
        return None
