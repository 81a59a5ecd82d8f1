"""One call to AWS, read from the HTTP request, and the error that AWS answers."""

import io
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model

# The credential of Signature Version 4: KEY/date/region/service/aws4_request.
_CREDENTIAL = re.compile(r"([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
# Where botocore's service name is not the signing name.
_SIGNED_AS = {"elasticloadbalancing": "elbv2", "tagging": "resourcegroupstaggingapi"}
CUT_OFF = "provision.cut_off"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_READING = re.compile(
    r"Describe|Get|List|Head|Search|Lookup|Filter|Simulate|Test|Validate|Select|"
    r"Batch(Get|Check)|Decode|Query|Scan|AssumeRole"
)


class AwsError(Exception):
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
    unreadable: str = ""  # why its parameters could not be read


def signing_name(service: str) -> str:
    """Return the service's name in signatures."""
    return next((name for name, ours in _SIGNED_AS.items() if ours == service), service)


def buffer_body(environ: dict[str, Any]) -> bytes:
    """Return the request's body, put back into the environ so that others can read it again.

    CUT_OFF in the environ says whether the body is shorter than its Content-Length.
    """
    stream = environ["wsgi.input"]
    length = str(environ.get("CONTENT_LENGTH") or "")
    declared = int(length) if length.isdecimal() else 0
    try:
        body: bytes = (
            stream.read() if environ.get("wsgi.input_terminated") else stream.read(declared)
        )
    except OSError:  # the connection broke, or its chunks are none
        body, declared = b"", 1
    environ[CUT_OFF] = len(body) < declared or (bool(length) and not length.isdecimal())
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def signature_fields(environ: dict[str, Any]) -> dict[str, str]:
    """Return the request's signature fields, named as a presigned URL's query names them after X-Amz-.

    That is Algorithm, Credential, SignedHeaders, Signature, Date, Security-Token, and Expires of a presigned
    URL. What is missing is missing or "".
    """
    authorization = environ.get("HTTP_AUTHORIZATION")
    if authorization is None:
        query = parse_qsl(environ.get("QUERY_STRING", ""))
        return {k.removeprefix("X-Amz-"): v for k, v in query if k.startswith("X-Amz-")}
    algorithm, _, fields = authorization.partition(" ")
    return {
        **dict(field.strip().partition("=")[::2] for field in fields.split(",")),
        "Algorithm": algorithm,
        "Date": environ.get("HTTP_X_AMZ_DATE", ""),
        "Security-Token": environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""),
    }


def read_call(environ: dict[str, Any], body: bytes, time: float) -> Call | None:
    """Return the call in this request; None when it is unsigned or no operation of a known service."""
    credential = _CREDENTIAL.fullmatch(signature_fields(environ).get("Credential", ""))
    if credential is None:
        return None
    access_key, region, signing_name = credential.groups()
    service = _SIGNED_AS.get(signing_name, signing_name)
    # A copy: the request consumes its body, and moto needs it whole.
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    try:
        operation, path_params = get_service_router(service).match(request)
    except (NotFound, NotImplementedError, KeyError, ValueError, ImportError, UnknownServiceError):
        return None
    protocol = determine_request_protocol(get_service_model(service), request.content_type)
    name, unreadable = str(operation.name), ""
    params: dict[str, Any] = {}
    try:
        if protocol == "json" and not isinstance(json.loads(body or b"{}"), dict):
            raise TypeError
        parsed = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": path_params,
            }
        )
    except Exception as error:  # the parsers stumble in many ways
        unreadable = f"the request cannot be read ({type(error).__name__})"
    else:
        if isinstance(parsed, dict):
            params = parsed
        else:
            unreadable = "the body is no structure"
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
        unreadable=unreadable,
    )
