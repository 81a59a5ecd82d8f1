"""The first checks of AWS: whether a call is signed, when, and for which region."""

import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from werkzeug.test import Client

from tests.sandbox.conftest import REGION, Account

IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"
ROLES = "Action=ListRoles&Version=2010-05-08"


def send(
    account: Account,
    service: str,
    body: str,
    minutes: float = 0,
    region: str = REGION,
    signed: bool = True,
) -> Any:
    """Send a call signed so many minutes from now; return status and body."""
    stamp = datetime.now(UTC) + timedelta(minutes=minutes)
    signed_for = f"AKIAIOSFODNN7EXAMPLE/{stamp:%Y%m%d}/{region}/{service}/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={signed_for}, SignedHeaders=host, Signature=0",
        "X-Amz-Date": f"{stamp:%Y%m%dT%H%M%SZ}",
        "Host": f"{service}.{region}.amazonaws.com",
    }
    if not signed:
        del headers["Authorization"]
    method = "GET" if service == "s3" else "POST"
    if service == "ssm":
        headers["X-Amz-Target"] = "AmazonSSM.DescribeParameters"
        headers["Content-Type"] = "application/x-amz-json-1.1"
    elif service != "s3":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    response = Client(account.aws_session).open("/", method=method, data=body, headers=headers)
    return response.status_code, response.get_data(as_text=True)


@pytest.mark.behaviour("sts.unsigned", "ecs.unsigned")
@pytest.mark.parametrize(
    ("service", "body", "code", "status"),
    [
        ("sts", IDENTITY, "<Code>MissingAuthenticationToken</Code>", 403),
        ("ssm", "{}", '"MissingAuthenticationTokenException"', 400),
    ],
)
def test_unsigned(account: Account, service: str, body: str, code: str, status: int) -> None:
    """A call without a signature is rejected."""
    answered, text = send(account, service, body, signed=False)
    assert status == answered
    assert code in text


@pytest.mark.behaviour("route53.unsigned", "s3.unsigned")
@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/2013-04-01/hostedzone", "<Code>MissingAuthenticationToken</Code>"),
        ("GET", "/schedules", "Missing Authentication Token"),
        ("GET", "/", "<Code>AccessDenied</Code>"),
        ("GET", "/news/a", "<Code>AccessDenied</Code>"),
        ("PUT", "/news", "<Code>AccessDenied</Code>"),
    ],
)
def test_unsigned_path(account: Account, method: str, path: str, code: str) -> None:
    """Also where the path has the action: Route 53, Scheduler, S3."""
    response = Client(account.aws_session).open(path, method=method)
    assert 403 == response.status_code
    assert code in response.get_data(as_text=True)


@pytest.mark.behaviour("iam.clock-wrong", "ssm.clock-wrong", "ec2.clock-wrong", "s3.clock-wrong")
@pytest.mark.parametrize("minutes", [-20, 20])
@pytest.mark.parametrize(
    ("service", "body", "code", "status"),
    [
        ("iam", ROLES, "SignatureDoesNotMatch", 403),
        ("ssm", "{}", "InvalidSignatureException", 400),
        ("ec2", "Action=DescribeVpcs&Version=2016-11-15", "RequestExpired", 400),
        ("s3", "", "RequestTimeTooSkewed", 403),
    ],
)
def test_clock_is_wrong(
    account: Account, service: str, body: str, minutes: int, code: str, status: int
) -> None:
    """Slow or fast: rejected with each service's error."""
    answered, text = send(account, service, body, minutes)
    assert status == answered
    assert code in text


def test_clock_is_a_little_wrong(account: Account) -> None:
    """Four minutes are accepted everywhere, fourteen by S3 only."""
    assert 200 == send(account, "iam", ROLES, 4)[0]
    assert 200 == send(account, "s3", "", -14)[0]
    expected = "Signature expired: "
    assert expected in send(account, "iam", ROLES, -14)[1]


@pytest.mark.behaviour("iam.region-unknown")
def test_region_unknown(account: Account) -> None:
    """Signed for a region that does not exist."""
    status, text = send(account, "iam", ROLES, region="ap-northeast-9")
    assert 403 == status
    assert "Credential should be scoped to a valid region." in text


def test_presigned_urls_are_calls_too(account: Account) -> None:
    """Signed in the query: it is answered and logged."""
    s3 = account.aws_session.session.client("s3", config=Config(signature_version="s3v4"))
    s3.create_bucket(Bucket="news", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="news", Key="a", Body=b"1")
    url = s3.generate_presigned_url("get_object", {"Bucket": "news", "Key": "a"})
    target = urllib.request.Request(url)
    response = Client(account.aws_session).get(target.selector, headers={"Host": target.host})
    assert (200, b"1") == (response.status_code, response.get_data())
    assert "GetObject" == account.cloud.log[-1]["operation"]
