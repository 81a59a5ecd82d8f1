"""boto3 calls to a WSGI application in the same process, without sockets."""

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from werkzeug.test import run_wsgi_app

from provision.sandbox.faults.faults import ConnectionDroppedError, NoAnswerError

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


def attach(session: Any, application: WsgiApplication) -> None:
    """Make all clients of this boto3 session, existing and future ones, call `application`.

    A dropped connection raises botocore's ConnectionClosedError, as a socket does, and a missing response its
    ReadTimeoutError, without waiting.
    """

    def before_send(request: Any, **_: Any) -> AWSResponse:
        try:
            chunks, status, headers = run_wsgi_app(application, _environ(request), buffered=True)
        except NoAnswerError as silence:
            raise ReadTimeoutError(endpoint_url=request.url) from silence
        except ConnectionDroppedError as dropped:
            raise ConnectionClosedError(endpoint_url=request.url) from dropped
        return AWSResponse(
            request.url, int(status.split()[0]), dict(headers), _Raw(b"".join(chunks))
        )

    session.events.register("before-send", before_send)


class _Raw(io.BytesIO):
    """The part of urllib3's response that botocore uses."""

    def stream(self, amt: int = 65536, **_: Any) -> Iterable[bytes]:
        while chunk := self.read(amt):
            yield chunk

    def release_conn(self) -> None:
        """Do nothing: there is no connection to release."""


def _environ(request: Any) -> dict[str, Any]:
    url = urlsplit(request.url)
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    body = body.encode() if isinstance(body, str) else bytes(body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path) or "/",
        "RAW_URI": url.path or "/",
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port or 443),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,  # read to its end, even with Transfer-Encoding
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode() if isinstance(value, bytes) else str(value)
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
