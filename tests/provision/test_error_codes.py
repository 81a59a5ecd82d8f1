"""How the error codes of AWS's documentation are translated, each by name.

Sources: botocore's retry data (data/_retry.json, retries/standard.py), "Common Errors" of the services' API
references, EC2's "Error codes for the Amazon EC2 API", S3's "Error responses".
"""

import re

import pytest
from botocore.exceptions import ClientError

from provision.clients import aws_errors
from provision.errors import Pending, ProvisionError

# HTTP statuses by code.
THROTTLING = {
    "BandwidthLimitExceeded": 400,
    "EC2ThrottledException": 503,
    "PriorRequestNotComplete": 400,  # Route 53
    "ProvisionedThroughputExceededException": 400,
    "RequestLimitExceeded": 503,  # EC2
    "RequestThrottled": 400,
    "RequestThrottledException": 400,
    "SlowDown": 503,  # S3
    "ThrottledException": 400,
    "Throttling": 400,  # IAM, Elastic Load Balancing, Route 53, STS
    "ThrottlingException": 400,  # ECS, ECR, ACM, Logs, Scheduler, SSM
    "TooManyRequestsException": 429,
    "TooManyUpdates": 400,  # SSM
    "TransactionInProgressException": 400,
}
# Throttling to botocore, but to ACM, ECR, ECS, IAM and Logs it is a quota: waiting does not help.
QUOTA = "LimitExceededException"
SIGN_IN = {
    "AuthFailure": 401,  # EC2
    "ExpiredToken": 403,
    "ExpiredTokenException": 400,
    "IncompleteSignature": 400,
    "IncompleteSignatureException": 400,
    "InvalidAccessKeyId": 403,  # S3
    "InvalidClientTokenId": 403,
    "InvalidSignatureException": 400,
    "InvalidToken": 400,  # S3
    "MissingAuthenticationToken": 403,
    "MissingAuthenticationTokenException": 400,
    "RequestExpired": 400,
    "SignatureDoesNotMatch": 403,
    "TokenRefreshRequired": 400,  # S3
    "UnrecognizedClientException": 400,
}
FORBIDDEN = {
    "AccessDenied": 403,
    "AccessDeniedException": 400,
    "NotAuthorized": 400,
    "UnauthorizedAccess": 403,
    "UnauthorizedOperation": 403,  # EC2
}


def client_error(code: str, status: int) -> ClientError:
    """Return an error as AWS answers it."""
    error = {"Error": {"Code": code, "Message": "so AWS says"}}
    return ClientError({**error, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")


@pytest.mark.parametrize("code", THROTTLING)
def test_throttling(code: str) -> None:
    """It is retried later; nothing was carried out."""
    with pytest.raises(Pending, match=code) as waiting, aws_errors.translate_errors("doing"):
        raise client_error(code, THROTTLING[code])
    assert waiting.value.refused


@pytest.mark.parametrize(
    ("code", "taken"),
    [
        ("AlreadyExistsException", True),  # Application Auto Scaling, WAF
        ("EntityAlreadyExists", True),  # IAM
        ("BucketAlreadyOwnedByYou", True),  # S3
        ("AddressAlreadyInUse", True),
        ("Resource.AlreadyAssociated", True),  # EC2
        ("DuplicateLoadBalancerName", True),  # Elastic Load Balancing
        ("InvalidGroup.Duplicate", True),  # EC2
        ("DuplicateTagKeys", False),  # Elastic Load Balancing: of the request itself
        ("DuplicateTagKeysException", False),
        ("Conflict", False),
    ],
)
def test_name_is_taken(code: str, taken: bool) -> None:
    """A create call's code says so, also one that the resource does not declare."""
    with (
        pytest.raises(aws_errors.AlreadyExists if taken else ProvisionError),
        aws_errors.translate_errors("doing", exists=()),
    ):
        raise client_error(code, 400)


@pytest.mark.parametrize(
    ("code", "status", "then"),
    [
        *((code, status, "Sign in to AWS again") for code, status in SIGN_IN.items()),
        *((code, status, "administrator") for code, status in FORBIDDEN.items()),
        (QUOTA, 400, ""),
    ],
)
def test_permanent_errors(code: str, status: int, then: str) -> None:
    """They are not retried; AWS's message is shown with advice."""
    with pytest.raises(ProvisionError) as refusal, aws_errors.translate_errors("doing"):
        raise client_error(code, status)
    assert f"{code}: so AWS says" == refusal.value.why
    assert re.search(then, str(refusal.value))
