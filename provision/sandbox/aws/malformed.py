"""Requests that no service carries out: incomplete, unreadable, or without a required parameter."""

from collections.abc import Iterator
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.signing import mismatch

# What each service says of parameters that are not as its model has them; its API Reference, Common errors.
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


@behaves(
    "s3.incomplete-body",
    "a body that is shorter than its Content-Length is not carried out",
    "IncompleteBody 400",
    "Amazon S3 API Reference, List of error codes",
)
@behaves(
    "iam.incomplete-body",
    "what came of a request that was cut off is not what was signed",
    "SignatureDoesNotMatch 403",
    "AWS General Reference, Troubleshooting Signature Version 4: the payload's hash is signed",
)
@behaves(
    "ecs.incomplete-body",
    "the JSON services say it with another code",
    "InvalidSignatureException 400",
    "AWS General Reference, Troubleshooting Signature Version 4: the payload's hash is signed",
)
def refuse_cut_off(call: Call) -> AwsError:
    """Return the refusal of a request whose body ended too early."""
    if call.service == "s3":
        words = (
            "You did not provide the number of bytes specified by the Content-Length HTTP header."
        )
        return AwsError("IncompleteBody", words, 400)
    return mismatch(
        call,
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details.",
    )


@behaves(
    "ec2.parameter-missing",
    "EC2 names the required parameter that is missing",
    "MissingParameter 400",
    "Amazon EC2 API Reference, Error codes, MissingParameter",
)
@behaves(
    "iam.parameter-missing",
    "a required parameter that is missing is null, which its constraints do not allow",
    "ValidationError 400, 'Member must not be null'",
    "IAM API Reference, Common errors; botocore's models, required",
)
@behaves(
    "ecs.unreadable",
    "a body that is no JSON, or holds another type than the model says, is not read",
    "SerializationException 400",
    "AWS JSON protocols (smithy.io), serialization errors",
)
def check(call: Call) -> None:
    """Raise the refusal of a call whose parameters cannot be read, or lack one that is required."""
    if call.unreadable:
        raise refuse(call, call.unreadable)
    shape = call.model.input_shape
    if shape is None:
        return
    if wrong := next(_mistyped(shape, call.params, ""), ""):
        raise refuse(call, wrong)
    in_url = call.protocol.startswith("rest-")
    missing = [
        name
        for name in shape.required_members
        if call.params.get(name) is None
        and not (in_url and shape.members[name].serialization.get("location") in _IN_URL)
    ]
    if missing:
        raise _missing(call, missing[0])


def _missing(call: Call, name: str) -> AwsError:
    if call.service == "ec2":
        return AwsError("MissingParameter", f"The request must contain the parameter {name}", 400)
    if call.service == "s3":
        return AwsError("MalformedXML", _XML, 400)
    where = name[0].lower() + name[1:]
    return AwsError(
        _INVALID.get(call.service, "InvalidParameterException"),
        f"1 validation error detected: Value null at '{where}' failed to satisfy constraint: "
        "Member must not be null",
        400,
    )


def refuse(call: Call, words: str) -> AwsError:
    """Return the refusal of parameters that this service cannot make sense of."""
    if call.protocol == "json":
        return AwsError("SerializationException", words, 400)
    if call.service == "s3":
        return AwsError("MalformedXML", _XML, 400)
    return AwsError(_INVALID.get(call.service, "InvalidParameterException"), words, 400)


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


def _mistyped(shape: Any, value: Any, where: str) -> Iterator[str]:
    """Yield what is of another type than the model says."""
    expected = _TYPES.get(shape.type_name)
    if value is None or expected is None:
        return
    number = shape.type_name in ("integer", "long", "float", "double")
    valid = isinstance(value, expected) and not (number and isinstance(value, bool))
    if not valid:
        yield f"{where or 'the body'}: {shape.type_name} expected, {type(value).__name__} found"
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from _mistyped(member, value.get(name), f"{where}.{name}" if where else name)
    elif shape.type_name == "list":
        for item in value:
            yield from _mistyped(shape.member, item, f"{where}[]")
    elif shape.type_name == "map":
        for item in value.values():
            yield from _mistyped(shape.value, item, f"{where}.*")
