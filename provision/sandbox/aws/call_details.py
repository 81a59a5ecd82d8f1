"""Request and response of a call as JSON, without what AWS's models mark as secret."""

from typing import Any

from provision.sandbox.aws import responses
from provision.sandbox.aws.calls import Call

SECRET = "***"
BYTES = "(bytes)"
LONG = 2_000  # characters of a text


def describe_call(call: Call, response: responses.Response | None) -> dict[str, Any]:
    """Return both; the response is None if there was none, or it is not kept."""
    answer = None if response is None else _read(call, response)
    return {
        "service": call.service,
        "operation": call.operation,
        "request": _plain(call.params, responses.input_shape(call.service, call.operation)),
        "response": answer,
    }


def _read(call: Call, response: responses.Response) -> Any:
    shape = responses.output_shape(call.service, call.operation)
    try:
        answer = responses.read(call, response)
    except Exception as error:  # botocore's parsers raise various errors on what a fault left
        return {"unreadable": type(error).__name__}
    return _plain(answer, shape if response[0] < 300 else None)


def _plain(value: Any, shape: Any) -> Any:
    """Return the value as JSON."""
    if shape is not None and shape.metadata.get("sensitive"):
        return SECRET
    if isinstance(value, dict):
        members = getattr(shape, "members", {})
        inner = getattr(shape, "value", None)
        return {str(key): _plain(each, members.get(key, inner)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, getattr(shape, "member", None)) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray):
        return BYTES
    text = str(value)
    return text if len(text) <= LONG else f"{text[:LONG]}…"
