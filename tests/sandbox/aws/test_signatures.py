"""Calls over HTTP: access keys, and signatures over the whole request."""

import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from werkzeug.test import Client

from provision.sandbox.aws.keys import Keys
from tests.sandbox.conftest import REGION, Account

READS = [
    ("sts", "get_caller_identity"),
    ("iam", "list_roles"),
    ("ec2", "describe_vpcs"),
    ("elbv2", "describe_load_balancers"),
    ("ssm", "describe_parameters"),
    ("ecs", "list_clusters"),
    ("route53", "list_hosted_zones"),
    ("scheduler", "list_schedules"),
    ("s3", "list_buckets"),
]
Change = Callable[[Any], None]


def root(account: Account) -> dict[str, Any]:
    """Return the credentials of the account's root."""
    keys = account.cloud.keys
    return {"AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key}


def outside(account: Account, credentials: dict[str, Any], change: Change | None = None) -> Any:
    """Return a function that creates clients outside this process."""
    return account.aws_session.caller(credentials, verified=True, change=change)


@pytest.mark.parametrize(("service", "operation"), READS)
def test_valid_signature(account: Account, service: str, operation: str) -> None:
    """Root's key is accepted in every protocol, though the sandbox's clock differs from real time."""
    answer = getattr(outside(account, root(account))(service), operation)()
    assert 200 == answer["ResponseMetadata"]["HTTPStatusCode"]


def test_key_is_new_in_every_run() -> None:
    """Another run's key is invalid."""
    one, other = Keys(), Keys()
    assert one.access_key_id != other.access_key_id
    assert one.secret_access_key != other.secret_access_key
    assert one.token != other.token
    assert 20 == len(one.access_key_id)
    assert 40 == len(one.secret_access_key)
    assert one.secret_access_key not in repr(one)
    assert one.token not in repr(one)


@pytest.mark.behaviour("sts.key-unknown", "ecs.key-unknown", "s3.key-unknown")
@pytest.mark.parametrize("key", ["a", "testing", "sandbox", "AKIAIOSFODNN7EXAMPLE"])
@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId", 403),
        ("ec2", "describe_vpcs", "AuthFailure", 401),
        ("ecs", "list_clusters", "UnrecognizedClientException", 400),
        ("route53", "list_hosted_zones", "InvalidClientTokenId", 403),
        ("scheduler", "list_schedules", "UnrecognizedClientException", 403),
        ("s3", "list_buckets", "InvalidAccessKeyId", 403),
    ],
)
def test_key_unknown(
    account: Account, service: str, operation: str, code: str, status: int, key: str
) -> None:
    """An unknown key is rejected with each service's error, and is not in the log."""
    client = outside(account, {"AccessKeyId": key, "SecretAccessKey": "secret"})(service)
    assert (code, status) == account.refusal(getattr(client, operation))[:2]
    assert [] == list(account.cloud.log)


@pytest.mark.behaviour("sts.signature-wrong", "ssm.signature-wrong", "ec2.signature-wrong")
@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("sts", "get_caller_identity", "SignatureDoesNotMatch", 403),
        ("iam", "list_roles", "SignatureDoesNotMatch", 403),
        ("ec2", "describe_vpcs", "AuthFailure", 401),
        ("ssm", "describe_parameters", "InvalidSignatureException", 400),
        ("ecs", "list_clusters", "InvalidSignatureException", 400),
        ("route53", "list_hosted_zones", "SignatureDoesNotMatch", 403),
        ("scheduler", "list_schedules", "InvalidSignatureException", 403),
        ("s3", "list_buckets", "SignatureDoesNotMatch", 403),
    ],
)
def test_secret_wrong(
    account: Account, service: str, operation: str, code: str, status: int
) -> None:
    """Root's key with another secret."""
    client = outside(account, root(account) | {"SecretAccessKey": "secret"})(service)
    assert (code, status) == account.refusal(getattr(client, operation))[:2]


def body(request: Any) -> None:
    """Change the action."""
    request.body = request.body.replace("ListRoles", "ListUsers")
    assert "ListUsers" in request.body


def query(request: Any) -> None:
    """Change the query."""
    request.url += "?Action=ListUsers"


def path(request: Any) -> None:
    """Change the path."""
    request.url = request.url.rstrip("/") + "/other"


def method(request: Any) -> None:
    """Change the method."""
    request.method = "PUT"


def host(request: Any) -> None:
    """Change the host."""
    request.url = request.url.replace("iam", "sts")


def content_type(request: Any) -> None:
    """Change a signed header."""
    del request.headers["Content-Type"]
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"


def date(request: Any) -> None:
    """Use a later date."""
    stamp = datetime.now(UTC) + timedelta(minutes=1)
    del request.headers["X-Amz-Date"]
    request.headers["X-Amz-Date"] = f"{stamp:%Y%m%dT%H%M%SZ}"


def no_date(request: Any) -> None:
    """Remove the date."""
    del request.headers["X-Amz-Date"]


def added(request: Any) -> None:
    """Add an AWS header that is not signed."""
    request.headers["X-Amz-Target"] = "AmazonEC2ContainerServiceV20141113.RunTask"


def other_region(request: Any) -> None:
    """Use the signature of another region."""
    written = request.headers["Authorization"].decode()
    del request.headers["Authorization"]
    request.headers["Authorization"] = written.replace("us-east-1", "eu-west-1")


def no_signature(request: Any) -> None:
    """Send only the access key."""
    written = request.headers["Authorization"].decode()
    del request.headers["Authorization"]
    request.headers["Authorization"] = written.partition(", SignedHeaders")[0]


def fewer_headers(request: Any) -> None:
    """Claim that fewer headers are signed."""
    written = request.headers["Authorization"].decode()
    del request.headers["Authorization"]
    request.headers["Authorization"] = written.replace("content-type;", "")


CHANGES = [body, query, path, method, host, content_type, date, no_date, added, other_region]
CHANGES += [no_signature, fewer_headers]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_altered_after_signing(account: Account, change: Change) -> None:
    """Every part of the request is covered."""
    iam = outside(account, root(account), change)("iam")
    assert ("SignatureDoesNotMatch", 403) == account.refusal(iam.list_roles)[:2]


def call_signed_at(account: Account, minutes: float) -> str:
    """Return the response to a call correctly signed so many minutes from now."""
    keys = account.cloud.keys
    moment = f"{datetime.now(UTC) + timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}"
    request = AWSRequest(
        "POST",
        f"https://iam.{REGION}.amazonaws.com/",
        {"Content-Type": "application/x-www-form-urlencoded", "X-Amz-Date": moment},
        b"Action=ListRoles&Version=2010-05-08",
    )
    request.context["timestamp"] = moment
    signer = SigV4Auth(Credentials(keys.access_key_id, keys.secret_access_key), "iam", REGION)
    words = signer.string_to_sign(request, signer.canonical_request(request))
    given = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={signer.signature(words, request)}"
    )
    response = Client(account.aws_session.from_outside).post(
        "/",
        data=request.data,
        headers={
            "Host": f"iam.{REGION}.amazonaws.com",
            "Authorization": given,
            **dict(request.headers.items()),
        },
    )
    return response.get_data(as_text=True)


def test_old_signature(account: Account) -> None:
    """It is valid for five minutes of real time in both directions, however fast the sandbox's clock."""
    account.clock.advance(3600)
    assert "<ListRolesResult>" in call_signed_at(account, -4)
    assert "Signature expired: " in call_signed_at(account, -6)
    assert "<ListRolesResult>" in call_signed_at(account, 4)
    assert "Signature not yet current: " in call_signed_at(account, 6)


def test_user(account: Account) -> None:
    """A user's key with its secret has the user's permissions; with another user's secret it is rejected."""
    iam = account.client("iam")
    keys = {}
    for name in ("ann", "ben"):
        iam.create_user(UserName=name)
        keys[name] = iam.create_access_key(UserName=name)["AccessKey"]
    identity = outside(account, keys["ann"])("sts").get_caller_identity()
    assert "arn:aws:iam::123456789012:user/ann" == identity["Arn"]
    denied = account.refusal(outside(account, keys["ann"])("ecs").list_clusters)
    assert ("AccessDeniedException", 400) == denied[:2]
    mixed = keys["ann"] | {"SecretAccessKey": keys["ben"]["SecretAccessKey"]}
    refused = account.refusal(outside(account, mixed)("sts").get_caller_identity)
    assert ("SignatureDoesNotMatch", 403) == refused[:2]
    iam.delete_access_key(UserName="ann", AccessKeyId=keys["ann"]["AccessKeyId"])
    gone = account.refusal(outside(account, keys["ann"])("sts").get_caller_identity)
    assert ("InvalidClientTokenId", 403) == gone[:2]


@pytest.mark.behaviour("sts.session-token")
@pytest.mark.parametrize("token", [None, "another"])
def test_session_token(account: Account, token: str | None) -> None:
    """A session's key, secret and token belong together."""
    session = account.cloud.permissions.credentials("arn:aws:iam::123456789012:role/bot", "task")
    given = {
        "AccessKeyId": session["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": session["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": session["AWS_SESSION_TOKEN"],
    }
    identity = outside(account, given)("sts").get_caller_identity()
    assert "arn:aws:sts::123456789012:assumed-role/bot/task" == identity["Arn"]
    given["SessionToken"] = token
    refused = account.refusal(outside(account, given)("sts").get_caller_identity)
    assert ("InvalidClientTokenId", 403) == refused[:2]


def test_token_of_a_key_that_has_none(account: Account) -> None:
    """Root's key has no session token."""
    client = outside(account, root(account) | {"SessionToken": "some"})("sts")
    assert ("InvalidClientTokenId", 403) == account.refusal(client.get_caller_identity)[:2]


def bucket(account: Account) -> Any:
    """Return root's S3 client over HTTP, with a bucket that has one object."""
    s3 = outside(account, root(account))("s3")
    s3.create_bucket(Bucket="news", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="news", Key="a b/ü+~.json", Body=b"1", Metadata={"by": "a  b"})
    return s3


def test_s3_keys_of_any_letters(account: Account) -> None:
    """S3 signs its paths without normalising them."""
    s3 = bucket(account)
    assert b"1" == s3.get_object(Bucket="news", Key="a b/ü+~.json")["Body"].read()
    listed = s3.list_objects_v2(Bucket="news", Prefix="a b/", StartAfter="a")["Contents"]
    assert ["a b/ü+~.json"] == [entry["Key"] for entry in listed]


@pytest.mark.behaviour("s3.payload-hash")
def test_s3_payload(account: Account) -> None:
    """The body has to match its hash; a missing or unsigned payload hash is rejected."""
    bucket(account)

    def body_changes(request: Any) -> None:
        request.body = b"2"

    def hash_goes(request: Any) -> None:
        del request.headers["X-Amz-Content-SHA256"]

    for change, code in (
        (body_changes, "XAmzContentSHA256Mismatch"),
        (hash_goes, "InvalidRequest"),
    ):
        # Over TLS boto3 does not sign bodies.
        s3 = outside(account, root(account), change)(
            "s3", endpoint_url=f"http://s3.{REGION}.amazonaws.com"
        )
        assert (code, 400) == account.refusal(s3.put_object, Bucket="news", Key="c", Body=b"1")[:2]


def fetch(account: Account, url: str) -> tuple[int, str]:
    """Return what a browser gets at this URL."""
    target = urllib.request.Request(url)
    client = Client(account.aws_session.from_outside)
    response = client.get(target.selector, headers={"Host": target.host})
    return response.status_code, response.get_data(as_text=True)


def presigned_url(account: Account, seconds: int, expires: int) -> str:
    """Return the object's URL, presigned that many seconds ago for so many seconds."""
    keys, moment = account.cloud.keys, datetime.now(UTC) - timedelta(seconds=seconds)
    request = AWSRequest("GET", f"https://s3.{REGION}.amazonaws.com/news/a%20b/%C3%BC%2B~.json")
    request.context["timestamp"] = f"{moment:%Y%m%dT%H%M%SZ}"
    credentials = Credentials(keys.access_key_id, keys.secret_access_key)
    signer = S3SigV4QueryAuth(credentials, "s3", REGION, expires)
    signer._modify_request_before_signing(request)
    words = signer.string_to_sign(request, signer.canonical_request(request))
    return f"{request.url}&X-Amz-Signature={signer.signature(words, request)}"


@pytest.mark.behaviour("s3.presigned-expires")
def test_presigned(account: Account) -> None:
    """A presigned URL is valid for its one request, until it expires."""
    bucket(account)
    assert (200, "1") == fetch(account, presigned_url(account, 0, 60))
    assert (200, "1") == fetch(account, presigned_url(account, 86_400, 90_000))
    status, text = fetch(account, presigned_url(account, 61, 60))
    assert (403, True) == (status, "Request has expired" in text)
    status, text = fetch(account, presigned_url(account, 700_000, 900_000))
    assert (403, True) == (status, "Request has expired" in text)
    for old, new in (("json", "yaml"), ("Expires=60", "Expires=6000"), ("/news/", "/newz/")):
        status, text = fetch(account, presigned_url(account, 0, 60).replace(old, new))
        assert (403, True) == (status, "SignatureDoesNotMatch" in text)


def test_older_signatures(account: Account) -> None:
    """S3's Signature Version 2 is not accepted for new buckets: it counts as unsigned."""
    s3 = account.aws_session.session.client("s3", config=Config(signature_version="s3"))
    bucket(account)
    url = s3.generate_presigned_url("get_object", {"Bucket": "news", "Key": "a"})
    assert "&Signature=" in url
    assert 403 == fetch(account, url)[0]
    client = Client(account.aws_session.from_outside)
    authorization = f"AWS {account.cloud.keys.access_key_id}:c2lnbmF0dXJl"
    assert 403 == client.get("/news/a", headers={"Authorization": authorization}).status_code


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/", "/moto-api/data.json"])
@pytest.mark.parametrize("signed", [False, True])
def test_motos_own_api_is_disabled(account: Account, path: str, signed: bool) -> None:
    """moto's server would reset the account for anybody."""
    bucket(account)
    headers = {}
    if signed:
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={account.cloud.keys.access_key_id}/20260101/{REGION}/s3/"
            "aws4_request, SignedHeaders=host, Signature=0"
        )
    for application in (account.aws_session, account.aws_session.from_outside):
        response = Client(application).post(path, headers=headers)
        assert (400 if signed else 403) == response.status_code
    assert 1 == len(account.client("s3").list_buckets()["Buckets"])


def test_no_cors_headers(account: Account) -> None:
    """moto's server would allow every origin."""
    headers = {"Origin": "http://evil.example"}
    response = Client(account.aws_session).get("/", headers=headers)
    assert [] == [name for name, _ in response.headers if name.startswith("Access-Control")]
