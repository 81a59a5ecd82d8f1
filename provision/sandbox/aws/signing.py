"""Checks of the presence, date and region of a call's signature.

signatures.py verifies the signature itself, for calls over HTTP.
"""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.request import Request
from moto.core.routing import NotFound, get_service_router

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call, signature_fields
from provision.sandbox.aws.regions import exists
from provision.sandbox.aws.responses import Response

_STAMP = "%Y%m%dT%H%M%SZ"
_SKEW = timedelta(minutes=5)
_MAX_EXPIRES = 604_800  # seconds for which a presigned URL is valid at most
_S3_SKEW = timedelta(minutes=15)  # API Reference, List of error codes, RequestTimeTooSkewed


@behaves("sts.unsigned", "ecs.unsigned", "route53.unsigned", "s3.unsigned")
def refuse_unsigned(environ: dict[str, Any], body: bytes) -> Response:
    """Return the response to a request without a signature, or for no operation."""
    signed = "Credential" in signature_fields(environ)
    code = "InvalidAction" if signed else "MissingAuthenticationToken"
    message = "Could not find operation." if signed else "Missing Authentication Token"
    if "HTTP_X_AMZ_TARGET" in environ:
        error = {"__type": "UnknownOperationException" if signed else f"{code}Exception"}
        headers = [("Content-Type", "application/x-amz-json-1.1")]
        return 400, headers, json.dumps(error | {"message": message}).encode()
    if _is_operation_of("scheduler", environ):
        headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", f"{code}Exception")]
        return 403, headers, json.dumps({"message": message}).encode()
    query = body.startswith(b"Action=") or b"&Action=" in body
    if query or _is_operation_of("route53", environ):
        page = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
            f"</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        )
    else:
        page = (
            "<Error><Code>AccessDenied</Code><Message>Access Denied</Message>"
            f"<RequestId>{uuid.uuid4()}</RequestId></Error>"
        )
    return 403, [("Content-Type", "text/xml")], page.encode()


def _is_operation_of(service: str, environ: dict[str, Any]) -> bool:
    """Return whether method and path are those of an operation of this service."""
    try:
        return get_service_router(service).match(Request(environ)) is not None
    except (NotFound, NotImplementedError):
        return False


@behaves("s3.presigned-expires")
def check(call: Call, environ: dict[str, Any]) -> None:
    """Raise an error for a signature that has expired or is from the future, or for an unknown region."""
    _check_region(call)
    fields = signature_fields(environ)
    stamp, expires = fields.get("Date", ""), fields.get("Expires")
    # Real time, not the sandbox's clock: clients sign with their own clock.
    now = datetime.fromtimestamp(time.time(), UTC).replace(microsecond=0)
    skew = _S3_SKEW if call.service == "s3" else _SKEW
    try:
        signed_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
        validity = skew if expires is None else timedelta(seconds=min(int(expires), _MAX_EXPIRES))
    except ValueError:
        message = f"Date must be in ISO-8601 'basic format'. Got '{stamp}'."
        raise mismatch(call, message) from None
    if now > signed_at + validity and expires is not None and call.service == "s3":
        raise AwsError("AccessDenied", "Request has expired", 403)
    if now > signed_at + validity or now < signed_at - skew:
        raise _skewed(call, stamp, now)


@behaves("iam.clock-wrong", "ssm.clock-wrong", "ec2.clock-wrong", "s3.clock-wrong")
def _skewed(call: Call, stamp: str, now: datetime) -> AwsError:
    if call.service == "s3":
        message = "The difference between the request time and the current time is too large."
        return AwsError("RequestTimeTooSkewed", message, 403)
    if call.service == "ec2":
        return AwsError("RequestExpired", "Request has expired.", 400)
    current = now.strftime(_STAMP)
    if stamp < current:
        limit = (now - _SKEW).strftime(_STAMP)
        message = f"Signature expired: {stamp} is now earlier than {limit} ({current} - 5 min.)"
    else:
        limit = (now + _SKEW).strftime(_STAMP)
        message = (
            f"Signature not yet current: {stamp} is still later than {limit} ({current} + 5 min.)"
        )
    return mismatch(call, message)


@behaves("iam.region-unknown")
def _check_region(call: Call) -> None:
    if not exists(call.region):
        raise mismatch(call, "Credential should be scoped to a valid region.")


def mismatch(call: Call, message: str) -> AwsError:
    """Return the signature error of this call's service."""
    if call.protocol in ("query", "ec2", "rest-xml"):
        return AwsError("SignatureDoesNotMatch", message, 403)
    return AwsError(
        "InvalidSignatureException", message, 403 if call.protocol == "rest-json" else 400
    )
