"""Conversion between HTTP responses and botocore's outputs and errors.

moto's serializers and botocore's parsers implement all protocols (query, JSON, REST).
"""

import functools
import warnings
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.parsers import create_parser
from botocore.session import get_session
from moto.core.serialize import get_serializer_class

from provision.sandbox.aws.calls import AwsError, Call

Response = tuple[int, list[tuple[str, str]], bytes]


def error_response(call: Call, error: AwsError) -> Response:
    """Return the error in the format of this call's service."""
    with warnings.catch_warnings():
        # Common errors (Throttling, InternalFailure) are in no model.
        warnings.simplefilter("ignore")
        status, headers, body = _serialize(call, error)
    return error.status or status, headers, body


def write(call: Call, answer: dict[str, Any]) -> Response:
    """Return the response for `answer`, a dict shaped as botocore's output of this operation."""
    status, headers, body = _serialize(call, answer)
    members = call.model.output_shape.members if call.model.output_shape else {}
    for name, member in members.items():
        if member.serialization.get("location") == "statusCode":  # moto's serializers omit it
            status = answer.get(name, status)
    return status, headers, body


def read(call: Call, response: Response) -> dict[str, Any]:
    """Return botocore's output for this response, without ResponseMetadata."""
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
    """Return whether botocore has this operation."""
    try:
        return _botocore_operation(service, operation) is not None
    except (UnknownServiceError, OperationNotFoundError):
        return False


def input_shape(service: str, operation: str) -> Any | None:
    """Return botocore's shape of an operation's parameters; None if there is no such operation."""
    known = is_operation(service, operation)
    return _botocore_operation(service, operation).input_shape if known else None


def output_shape(service: str, operation: str) -> Any | None:
    """Return botocore's shape of an operation's result; None if it has none."""
    known = is_operation(service, operation)
    return _botocore_operation(service, operation).output_shape if known else None


@functools.cache
def _botocore_operation(service: str, operation: str) -> Any:
    return _service_model(service).operation_model(operation)


@functools.cache
def _service_model(service: str) -> Any:
    return get_session().get_service_model(service)
