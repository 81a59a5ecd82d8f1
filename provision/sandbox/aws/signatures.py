"""Verification of Signature Version 4 for calls over HTTP.

Source: IAM User Guide, "Create a signed AWS API request"; Amazon S3 API Reference, "Authenticating Requests
(AWS Signature Version 4)". botocore computes the expected signature.
"""

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.datastructures import EnvironHeaders

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call, signature_fields
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.enforcement import unknown_key
from provision.sandbox.aws.signing import mismatch

_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")  # S3 only


@behaves("sts.key-unknown", "ecs.key-unknown", "s3.key-unknown", "sts.session-token")
def verify(cloud: Cloud, call: Call, environ: dict[str, Any], body: bytes) -> None:
    """Raise an error for an unknown access key or a wrong signature."""
    fields, headers = signature_fields(environ), EnvironHeaders(environ)
    with cloud.lock:
        secret = cloud.permissions.secret(call.access_key, fields.get("Security-Token", ""))
    if secret is None:
        raise unknown_key(call)
    names = fields.get("SignedHeaders", "").split(";")
    if "host" not in names or any(
        name.lower().startswith("x-amz-") and name.lower() not in names
        for name, _ in headers.items()
    ):
        raise mismatch(call, "'Host' and every x-amz-* header must be a 'SignedHeader'.")
    presigned = "HTTP_AUTHORIZATION" not in environ
    _check_payload(call, headers.get("X-Amz-Content-SHA256"), body, presigned=presigned)
    target, _, _ = environ["RAW_URI"].partition("?")
    query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    request = AWSRequest(
        environ["REQUEST_METHOD"],
        f"{environ['wsgi.url_scheme']}://{headers.get('Host')}{target}",
        {name: headers.get(name, "") for name in names},
        body,
        [(name, value) for name, value in query if name != "X-Amz-Signature"],
    )
    request.context["timestamp"] = fields.get("Date", "")
    _key, _date, region, service, _end = fields["Credential"].split("/")
    signer_class = SigV4Auth
    if call.service == "s3":
        signer_class = S3SigV4QueryAuth if presigned else S3SigV4Auth
    signer = signer_class(Credentials(call.access_key, secret), service, region)
    canonical = signer.canonical_request(request)
    expected = signer.signature(signer.string_to_sign(request, canonical), request)
    actual = fields.get("Signature", "")
    if fields.get("Algorithm") != "AWS4-HMAC-SHA256" or not hmac.compare_digest(
        expected.encode(), actual.encode()
    ):
        raise _signature_error(call)


@behaves("sts.signature-wrong", "ssm.signature-wrong", "ec2.signature-wrong")
def _signature_error(call: Call) -> AwsError:
    if call.service == "ec2":
        return unknown_key(call)
    message = (
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
    if call.service == "s3":
        message = message.replace("AWS Secret Access Key", "key").partition(" Consult")[0]
    return mismatch(call, message)


@behaves("s3.payload-hash")
def _check_payload(call: Call, claimed: str | None, body: bytes, *, presigned: bool) -> None:
    if call.service == "s3":
        if claimed is None and not presigned:
            message = "Missing required header for this request: x-amz-content-sha256"
            raise AwsError("InvalidRequest", message, 400)
        if claimed is None or claimed in _UNSIGNED:
            return
        if claimed.startswith("STREAMING-"):
            message = "A header you provided implies functionality that is not implemented."
            raise AwsError("NotImplemented", message, 501)
    if claimed is None or claimed == hashlib.sha256(body).hexdigest():
        return
    if call.service != "s3":
        raise _signature_error(call)
    message = "The provided 'x-amz-content-sha256' header does not match what was computed."
    raise AwsError("XAmzContentSHA256Mismatch", message, 400)
