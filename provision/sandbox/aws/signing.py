"""Checks of the presence, date and region of a call's signature.

signatures.py verifies the signature itself, for calls over HTTP.
"""

import html
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

# Signing names of the services whose errors are XML without a query; those of the others are JSON.
_REST_XML = ("cloudfront", "route53", "s3", "s3express", "s3-object-lambda", "s3-outposts")
_CBOR = "rpc-v2-cbor"
_STAMP = "%Y%m%dT%H%M%SZ"
_SKEW = timedelta(minutes=5)
_MAX_EXPIRES = 604_800  # seconds for which a presigned URL is valid at most
_S3_SKEW = timedelta(minutes=15)  # API Reference, List of error codes, RequestTimeTooSkewed


@behaves("sts.unsigned", "ecs.unsigned", "route53.unsigned", "s3.unsigned")
def refuse(environ: dict[str, Any], body: bytes) -> Response:
    """Return the response to a request without a signature, or for no operation of the sandbox."""
    scope = signature_fields(environ).get("Credential", "").split("/")
    has_target = "HTTP_X_AMZ_TARGET" in environ
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    is_query = form or body.startswith(b"Action=") or b"&Action=" in body
    if len(scope) == 5:
        message = f"The sandbox does not have this operation of {scope[3]}"
        if environ.get("HTTP_SMITHY_PROTOCOL") == _CBOR:
            return _cbor(400, "UnknownOperationException", message)
        if is_query or scope[3] in _REST_XML:
            return _xml(400, "InvalidAction", message)
        return _json(400 if has_target else 404, "UnknownOperationException", message)
    code, message = "MissingAuthenticationToken", "Missing Authentication Token"
    if has_target or _is_operation_of("scheduler", environ):
        return _json(400 if has_target else 403, f"{code}Exception", message)
    if is_query or _is_operation_of("route53", environ):
        return _xml(403, code, message)
    page = (
        "<Error><Code>AccessDenied</Code><Message>Access Denied</Message>"
        f"<RequestId>{uuid.uuid4()}</RequestId></Error>"
    )
    return 403, [("Content-Type", "text/xml")], page.encode()


def _json(status: int, code: str, message: str) -> Response:
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
    return status, headers, json.dumps({"__type": code, "message": message}).encode()


def _cbor(status: int, code: str, message: str) -> Response:
    texts = [text.encode() for text in ("__type", code, "message", message)]
    body = b"\xa2" + b"".join(b"\x79" + len(text).to_bytes(2) + text for text in texts)
    return status, [("Content-Type", "application/cbor"), ("smithy-protocol", _CBOR)], body


def _xml(status: int, code: str, message: str) -> Response:
    page = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
        f"<Message>{html.escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return status, [("Content-Type", "text/xml")], page.encode()


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
