"""Refusal of requests that are truncated, unreadable, or lack a required parameter."""

from collections.abc import Iterator
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.signing import mismatch

# Each service's error code for invalid parameters; API References, Common errors.
_INVALID = {
    "acm": "ValidationException",
    "ec2": "InvalidParameterValue",
    "elbv2": "ValidationError",
    "iam": "ValidationError",
    "route53": "InvalidInput",
    "s3": "MalformedXML",
    "scheduler": "ValidationException",
    "ssm": "ValidationException",
    "sts": "ValidationError",
}
_XML = "The XML you provided was not well-formed or did not validate against our published schema"
_IN_URL = ("uri", "querystring", "header", "headers")


@behaves("s3.incomplete-body", "iam.incomplete-body", "ecs.incomplete-body")
def truncated_body(call: Call) -> AwsError:
    """Return the error for a request with a truncated body."""
    if call.service == "s3":
        message = (
            "You did not provide the number of bytes specified by the Content-Length HTTP header."
        )
        return AwsError("IncompleteBody", message, 400)
    return mismatch(
        call,
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details.",
    )


@behaves("ec2.parameter-missing", "iam.parameter-missing", "ecs.unreadable")
def check(call: Call) -> None:
    """Raise an error for a call with unreadable parameters, or without a required one."""
    if call.unreadable:
        raise invalid_request(call, call.unreadable)
    shape = call.model.input_shape
    if shape is None:
        return
    if wrong := next(_type_errors(shape, call.params, ""), ""):
        raise invalid_request(call, wrong)
    in_url = call.protocol.startswith("rest-")
    missing = [
        name
        for name in shape.required_members
        if call.params.get(name) is None
        and not (in_url and shape.members[name].serialization.get("location") in _IN_URL)
    ]
    if missing:
        raise _missing_parameter(call, missing[0])


def _missing_parameter(call: Call, name: str) -> AwsError:
    if call.service == "ec2":
        return AwsError("MissingParameter", f"The request must contain the parameter {name}", 400)
    if call.service == "s3":
        return AwsError("MalformedXML", _XML, 400)
    path = name[0].lower() + name[1:]
    return AwsError(
        _INVALID.get(call.service, "InvalidParameterException"),
        f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: "
        "Member must not be null",
        400,
    )


def invalid_request(call: Call, message: str) -> AwsError:
    """Return the service's error for invalid parameters."""
    if call.protocol == "json":
        return AwsError("SerializationException", message, 400)
    if call.service == "s3":
        return AwsError("MalformedXML", _XML, 400)
    return AwsError(_INVALID.get(call.service, "InvalidParameterException"), message, 400)


def unsupported(call: Call) -> AwsError:
    """Return the error for an operation that the sandbox does not have; botocore does not retry it."""
    message = f"The sandbox does not have {call.service} {call.operation}"
    if call.protocol in ("json", "rest-json"):
        return AwsError(
            "UnknownOperationException", message, 404 if "rest" in call.protocol else 400
        )
    return AwsError("InvalidAction", message, 400)


_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list, tuple),
    "map": (dict,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


def _type_errors(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Yield the values that have another type than in the model."""
    expected = _TYPES.get(shape.type_name)
    if value is None or expected is None:
        return
    number = shape.type_name in ("integer", "long", "float", "double")
    valid = isinstance(value, expected) and not (number and isinstance(value, bool))
    if not valid:
        yield f"{path or 'the body'}: {shape.type_name} expected, {type(value).__name__} found"
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from _type_errors(member, value.get(name), f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        for item in value:
            yield from _type_errors(shape.member, item, f"{path}[]")
    elif shape.type_name == "map":
        for item in value.values():
            yield from _type_errors(shape.value, item, f"{path}.*")
