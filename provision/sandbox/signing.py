"""What AWS looks at before it looks at the call: is it signed, when, and for which region.

The signature itself is not checked: the sandbox takes any secret.
"""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from provision.sandbox.answers import Response
from provision.sandbox.calls import Call, Refusal
from provision.sandbox.regions import known
from provision.sandbox.rules import behaves

_STAMP = "%Y%m%dT%H%M%SZ"
_SKEW = timedelta(minutes=5)
_S3_SKEW = timedelta(minutes=15)  # API Reference, List of error codes, RequestTimeTooSkewed


@behaves(
    "sts.unsigned",
    "a query without a signature is refused",
    "MissingAuthenticationToken 403",
    "AWS STS API Reference, Common Error Types",
)
@behaves(
    "ecs.unsigned",
    "a JSON call without a signature is refused",
    "MissingAuthenticationTokenException 400",
    "Amazon ECS API Reference, Common Error Types",
)
def refuse_unsigned(environ: dict[str, Any], body: bytes) -> Response | None:
    """The refusal of a call that bears no signature; None where there is one, or none is needed."""
    if environ.get("HTTP_AUTHORIZATION") or "X-Amz-" in environ.get("QUERY_STRING", ""):
        return None
    if "HTTP_X_AMZ_TARGET" in environ:
        told = {
            "__type": "MissingAuthenticationTokenException",
            "message": "Missing Authentication Token",
        }
        return 400, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(told).encode()
    if body.startswith(b"Action=") or b"&Action=" in body:
        page = (
            "<ErrorResponse><Error><Type>Sender</Type><Code>MissingAuthenticationToken</Code>"
            "<Message>Request is missing Authentication Token</Message></Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        )
        return 403, [("Content-Type", "text/xml")], page.encode()
    return None  # S3 knows calls of nobody in particular


def check(call: Call, environ: dict[str, Any]) -> None:
    """Raises the refusal of a signature that is too old or too young, or for no region of AWS's."""
    _check_region(call)
    stamp = environ.get("HTTP_X_AMZ_DATE", "")
    # Real time, whatever the sandbox's clock says: callers sign with their own clock.
    now = datetime.fromtimestamp(time.time(), UTC).replace(microsecond=0)
    skew = _S3_SKEW if call.service == "s3" else _SKEW
    if stamp and abs(now - datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)) > skew:
        raise _skewed(call, stamp, now)


@behaves(
    "iam.clock-wrong",
    "a caller whose clock is more than five minutes off is refused",
    "SignatureDoesNotMatch 403",
    "AWS General Reference, Troubleshooting Signature Version 4, Signature expired",
)
@behaves(
    "ssm.clock-wrong",
    "the JSON services say it with another code",
    "InvalidSignatureException 400",
    "AWS General Reference, Troubleshooting Signature Version 4, Signature expired",
)
@behaves(
    "ec2.clock-wrong",
    "EC2 says it with a code of its own",
    "RequestExpired 400",
    "Amazon EC2 API Reference, Error codes, RequestExpired",
)
@behaves(
    "s3.clock-wrong",
    "S3 lets clocks differ by fifteen minutes and says it with a code of its own",
    "RequestTimeTooSkewed 403",
    "Amazon S3 API Reference, List of error codes",
)
def _skewed(call: Call, stamp: str, now: datetime) -> Refusal:
    if call.service == "s3":
        words = "The difference between the request time and the current time is too large."
        return Refusal("RequestTimeTooSkewed", words, 403)
    if call.service == "ec2":
        return Refusal("RequestExpired", "Request has expired.", 400)
    today = now.strftime(_STAMP)
    if stamp < today:
        bound = (now - _SKEW).strftime(_STAMP)
        words = f"Signature expired: {stamp} is now earlier than {bound} ({today} - 5 min.)"
    else:
        bound = (now + _SKEW).strftime(_STAMP)
        words = f"Signature not yet current: {stamp} is still later than {bound} ({today} + 5 min.)"
    return _mismatch(call, words)


@behaves(
    "iam.region-unknown",
    "a call signed for a region that does not exist is refused",
    "SignatureDoesNotMatch 403",
    "AWS General Reference, Troubleshooting Signature Version 4, Credential scope",
)
def _check_region(call: Call) -> None:
    if not known(call.region):
        raise _mismatch(call, "Credential should be scoped to a valid region.")


def _mismatch(call: Call, words: str) -> Refusal:
    if call.protocol in ("query", "ec2", "rest-xml"):
        return Refusal("SignatureDoesNotMatch", words, 403)
    return Refusal("InvalidSignatureException", words, 403 if call.protocol == "rest-json" else 400)
