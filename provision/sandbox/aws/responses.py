"""Conversion between HTTP responses and AWS's errors and answers.

Protocols differ (query, JSON, REST); moto's serializers and botocore's parsers know them all.
"""

import functools
import json
import warnings
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.parsers import create_parser
from botocore.session import get_session
from moto.core.serialize import get_serializer_class

from provision.sandbox.aws.calls import AwsError, Call

Response = tuple[int, list[tuple[str, str]], bytes]


def refuse(call: Call, refusal: AwsError) -> Response:
    """Return the error as this call's service formats errors."""
    with warnings.catch_warnings():
        # Codes that every service shares (Throttling, InternalFailure) stand in no model.
        warnings.simplefilter("ignore")
        status, headers, body = _serialize(call, refusal)
    return refusal.status or status, headers, body


def unknown(environ: dict[str, Any], why: str) -> Response:
    """Refuse a request that is no operation of a known service; in JSON where it speaks JSON."""
    words = f"the sandbox knows no such operation ({why})"
    if "HTTP_X_AMZ_TARGET" in environ:
        error = {"__type": "UnknownOperationException", "message": words}
        return 400, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(error).encode()
    page = (
        "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code>"
        f"<Message>{words}</Message></Error></ErrorResponse>"
    )
    return 400, [("Content-Type", "text/xml")], page.encode()


def write(call: Call, answer: dict[str, Any]) -> Response:
    """Return the answer, a dict shaped as botocore's output for this operation, as a response."""
    return _serialize(call, answer)


def read(call: Call, response: Response) -> dict[str, Any]:
    """Return what botocore would return for this response, without ResponseMetadata."""
    status, headers, body = response
    shape = _botocore_operation(call.service, call.operation).output_shape
    answer: dict[str, Any] = create_parser(call.protocol).parse(
        {"status_code": status, "headers": dict(headers), "body": body}, shape
    )
    answer.pop("ResponseMetadata", None)
    return answer


def _serialize(call: Call, result: Any) -> Response:
    serializer = get_serializer_class(call.service, call.protocol)(operation_model=call.model)
    serialized = serializer.serialize(result)
    body = serialized["body"]
    data = body if isinstance(body, bytes) else body.encode()
    return serialized["status_code"], list(serialized["headers"].items()), data


def is_operation(service: str, operation: str) -> bool:
    """Return whether botocore knows it."""
    try:
        return _botocore_operation(service, operation) is not None
    except (UnknownServiceError, OperationNotFoundError):
        return False


def input_shape(service: str, operation: str) -> Any | None:
    """Return botocore's shape of an operation's parameters; None where there is no such operation."""
    known = is_operation(service, operation)
    return _botocore_operation(service, operation).input_shape if known else None


@functools.cache
def _botocore_operation(service: str, operation: str) -> Any:
    return _service_model(service).operation_model(operation)


@functools.cache
def _service_model(service: str) -> Any:
    return get_session().get_service_model(service)
