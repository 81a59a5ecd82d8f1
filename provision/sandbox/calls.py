"""One call to the emulated AWS, read from the HTTP request, and AWS's way of refusing it."""

import io
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model

# The credential scope of Signature Version 4: Credential=KEY/date/region/service/aws4_request.
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
# Where botocore's service name is not the signing name.
_SIGNED_AS = {"elasticloadbalancing": "elbv2", "tagging": "resourcegroupstaggingapi"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_READING = re.compile(
    r"Describe|Get|List|Head|Search|Lookup|Filter|Simulate|Test|Validate|Select|"
    r"Batch(Get|Check)|Decode|Query|Scan|AssumeRole"
)


class Refusal(Exception):
    """An error as AWS says it; `status` is the HTTP status, botocore's model decides when None."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Call:
    """One call, `service`, `operation` and `params` named as botocore names them."""

    service: str
    operation: str
    region: str
    params: dict[str, Any]
    mutating: bool
    time: float
    access_key: str
    model: Any  # moto's OperationModel
    protocol: str  # as on the wire: json, query, ec2, rest-json, rest-xml
    secure: bool = True  # over TLS; loopback, which has none, counts as that


def signing_name(service: str) -> str:
    """What a service is called in signatures."""
    return next((name for name, ours in _SIGNED_AS.items() if ours == service), service)


def buffer_body(environ: dict[str, Any]) -> bytes:
    """The request's body, put back into the environ so that others can read it again."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body: bytes = stream.read()
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def read_call(environ: dict[str, Any], body: bytes, time: float) -> Call | None:
    """The call in this request; None when it is unsigned or no operation of a known service."""
    signed = environ.get("HTTP_AUTHORIZATION") or unquote(environ.get("QUERY_STRING", ""))
    scope = _SCOPE.search(signed)  # in the query: presigned
    if scope is None:
        return None
    access_key, region, signing_name = scope.groups()
    service = _SIGNED_AS.get(signing_name, signing_name)
    # A copy: the request consumes its body, and moto needs it whole.
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    try:
        operation, path_params = get_service_router(service).match(request)
    except (NotFound, NotImplementedError, KeyError, ValueError, ImportError):
        return None
    protocol = determine_request_protocol(get_service_model(service), request.content_type)
    params = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": path_params,
        }
    )
    name = str(operation.name)
    return Call(
        service=service,
        operation=name,
        region=region,
        params=params,
        mutating=_READING.match(name) is None,
        time=time,
        access_key=access_key,
        model=operation,
        protocol=protocol,
        secure=request.scheme == "https" or request.host.partition(":")[0] in _LOOPBACK,
    )
