"""A call to AWS, parsed from an HTTP request, and AWS's errors."""

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

# Signature Version 4: KEY/date/region/service/aws4_request.
_CREDENTIAL = re.compile(r"([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
# Signing names -> botocore's service names, where they differ.
_SERVICES = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}
TRUNCATED = "provision.truncated"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_READ_ONLY = re.compile(
    r"Describe|Get|List|Head|Search|Lookup|Filter|Simulate|Test|Validate|Select|"
    r"Batch(Get|Check)|Decode|Query|Scan|AssumeRole"
)


class AwsError(Exception):
    """An error of AWS; `status` is the HTTP status, None for that of botocore's model."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Call:
    """A call; `service`, `operation` and `params` have botocore's names."""

    service: str
    operation: str
    region: str
    params: dict[str, Any]
    mutating: bool
    time: float
    access_key: str
    model: Any  # moto's OperationModel
    protocol: str  # json, query, ec2, rest-json or rest-xml
    secure: bool = True  # over TLS, or over loopback
    unreadable: str = ""  # why its parameters could not be parsed


def signing_name(service: str) -> str:
    """Return a service's signing name."""
    return next((name for name, known in _SERVICES.items() if known == service), service)


def buffer_body(environ: dict[str, Any]) -> bytes:
    """Return the request's body, and put it back into the environ to be read again.

    Set environ[TRUNCATED] to whether the body is shorter than its Content-Length.
    """
    stream = environ["wsgi.input"]
    length = str(environ.get("CONTENT_LENGTH") or "")
    declared = int(length) if length.isdecimal() else 0
    try:
        body: bytes = (
            stream.read() if environ.get("wsgi.input_terminated") else stream.read(declared)
        )
    except OSError:  # the connection was closed, or the chunks are malformed
        body, declared = b"", 1
    environ[TRUNCATED] = len(body) < declared or (bool(length) and not length.isdecimal())
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def signature_fields(environ: dict[str, Any]) -> dict[str, str]:
    """Return the request's signature fields, named as in a presigned URL's query after X-Amz-.

    They are Algorithm, Credential, SignedHeaders, Signature, Date, Security-Token and, of a presigned URL,
    Expires. A missing field is absent or "".
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
    """Return the call in this request; None if it is unsigned or no operation of a known service."""
    credential = _CREDENTIAL.fullmatch(signature_fields(environ).get("Credential", ""))
    if credential is None:
        return None
    access_key, region, signing_name = credential.groups()
    service = _SERVICES.get(signing_name, signing_name)
    # A copy, because parsing consumes the body.
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
    except Exception as error:  # the parsers raise various errors
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
        mutating=_READ_ONLY.match(name) is None,
        time=time,
        access_key=access_key,
        model=operation,
        protocol=protocol,
        secure=request.scheme == "https" or request.host.partition(":")[0] in _LOOPBACK,
        unreadable=unreadable,
    )
