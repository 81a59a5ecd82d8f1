"""S3: bucket policies, and objects."""

import json
from typing import Any

import pytest
from botocore.config import Config

from tests.sandbox.aws.permissions.test_enforcement import a_user, allow
from tests.sandbox.aws.s3.test_buckets import bucket
from tests.sandbox.conftest import Account

OWN = ["arn:aws:s3:::news-1", "arn:aws:s3:::news-1/*"]


def statement(**more: Any) -> dict[str, Any]:
    """Return a statement of a bucket policy, for everybody."""
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": OWN} | more


def policy(*statements: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of PutBucketPolicy."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {"Bucket": "news-1", "Policy": document}


@pytest.mark.behaviour("s3.public-policy")
def test_public_policy(account: Account) -> None:
    """While public policies are blocked, an Allow for everybody is rejected; a Deny is not."""
    s3 = bucket(account)
    for one in (statement(), statement(Principal={"AWS": ["*"]})):
        code, status, message = account.refusal(s3.put_bucket_policy, **policy(one))
        assert ("AccessDenied", 403, True) == (code, status, "BlockPublicPolicy" in message)
    still = statement(Condition={"Bool": {"aws:SecureTransport": "true"}})
    assert "AccessDenied" == account.refusal(s3.put_bucket_policy, **policy(still))[0]
    narrow = statement(Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}})
    s3.put_bucket_policy(**policy(narrow))
    denied = policy(statement(Effect="Deny", Action="s3:PutBucketTagging"))
    s3.put_bucket_policy(**denied)
    assert json.loads(denied["Policy"]) == json.loads(
        s3.get_bucket_policy(Bucket="news-1")["Policy"]
    )


@pytest.mark.behaviour("s3.policy-json", "s3.policy-resource", "s3.policy-principal")
@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("no JSON", "must be valid JSON"),
        (policy(statement(Resource="*"))["Policy"], "Policy has invalid resource"),
        (
            policy(statement(Resource="arn:aws:s3:::news-10/*"))["Policy"],
            "Policy has invalid resource",
        ),
        (policy(statement(Action="ssm:*"))["Policy"], "Policy has invalid action"),
        (policy(allow("s3:*", OWN))["Policy"], "Missing required field Principal"),
        (
            policy(statement(Principal={"AWS": "arn:aws:iam::123456789012:user/nobody"}))["Policy"],
            "Invalid principal in policy",
        ),
    ],
)
def test_malformed_policy(account: Account, document: str, words: str) -> None:
    """MalformedPolicy, with the reason."""
    put = bucket(account).put_bucket_policy
    code, status, message = account.refusal(put, Bucket="news-1", Policy=document)
    assert ("MalformedPolicy", 400, True) == (code, status, words in message)


@pytest.mark.behaviour("s3.policy-tls-only")
def test_plain_http_is_denied(account: Account) -> None:
    """Requests without TLS are denied even to root."""
    s3 = bucket(account)
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    s3.put_bucket_policy(**policy(statement(Effect="Deny", Condition=condition)))
    s3.put_object(Bucket="news-1", Key="a", Body=b"1")
    once = Config(retries={"total_max_attempts": 1})
    plain = account.aws_session.session.client("s3", use_ssl=False, config=once)
    code, status, message = account.refusal(plain.get_object, Bucket="news-1", Key="a")
    assert ("AccessDenied", 403) == (code, status)
    assert message.endswith("with an explicit deny in a resource-based policy")


@pytest.mark.behaviour("s3.policy-grants")
def test_bucket_policy_is_enough(account: Account) -> None:
    """Within the account a bucket policy for the user allows; a deny in the user's own wins."""
    s3 = bucket(account)
    maria = a_user(account)("s3")
    s3.put_object(Bucket="news-1", Key="a", Body=b"1")
    assert "AccessDenied" == account.refusal(maria.get_object, Bucket="news-1", Key="a")[0]
    named = statement(Principal={"AWS": "arn:aws:iam::123456789012:user/maria"})
    s3.put_bucket_policy(**policy(named))
    assert b"1" == maria.get_object(Bucket="news-1", Key="a")["Body"].read()


@pytest.mark.behaviour("s3.missing-key")
def test_missing_key(account: Account) -> None:
    """NoSuchKey if the caller may list the prefix, otherwise AccessDenied."""
    bucket(account)
    reading = allow("s3:GetObject", OWN[1])
    condition = {"StringLike": {"s3:prefix": "news/*"}}
    listing = allow("s3:ListBucket", OWN[0], Condition=condition)
    maria = a_user(account, reading)("s3")
    john = a_user(account, reading, listing, name="john")("s3")
    given = {"Bucket": "news-1", "Key": "news/a"}
    code, status, message = account.refusal(maria.get_object, **given)
    assert ("AccessDenied", 403, True) == (code, status, "s3:ListBucket" in message)
    assert ("403", 403) == account.refusal(maria.head_object, **given)[:2]
    assert ("NoSuchKey", 404) == account.refusal(john.get_object, **given)[:2]
    given["Key"] = "old/a"
    assert ("AccessDenied", 403) == account.refusal(john.get_object, **given)[:2]


@pytest.mark.behaviour("s3.acl-not-supported")
def test_no_acls(account: Account) -> None:
    """With the owner enforced, as in a new bucket."""
    s3 = bucket(account)
    given = {"Bucket": "news-1", "Key": "a", "Body": b"1"}
    expected = ("AccessControlListNotSupported", 400, "The bucket does not allow ACLs")
    assert expected == account.refusal(s3.put_object, **given, ACL="public-read")
    s3.put_object(**given, ACL="bucket-owner-full-control")
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket="news-1", OwnershipControls=controls)
    s3.put_object(**given, ACL="public-read")


@pytest.mark.behaviour("s3.delete-thousand")
def test_a_thousand_at_once(account: Account) -> None:
    """1,001 are too many."""
    s3 = bucket(account)
    objects = [{"Key": str(number)} for number in range(1001)]
    refused = account.refusal(s3.delete_objects, Bucket="news-1", Delete={"Objects": objects})
    assert ("MalformedXML", 400) == refused[:2]
    s3.delete_objects(Bucket="news-1", Delete={"Objects": objects[:1000]})


@pytest.mark.behaviour("s3.delete-errors")
def test_errors_inside_a_200(account: Account) -> None:
    """One object may be deleted, the other not."""
    s3 = bucket(account)
    for key in ("a", "b"):
        s3.put_object(Bucket="news-1", Key=key, Body=b"1")
    maria = a_user(account, allow("s3:DeleteObject", OWN[0] + "/a"))("s3")
    given = {"Bucket": "news-1", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}}
    answer = maria.delete_objects(**given)
    assert [{"Key": "a"}] == answer["Deleted"]
    assert [("b", "AccessDenied")] == [(e["Key"], e["Code"]) for e in answer["Errors"]]
    assert ["b"] == [item["Key"] for item in s3.list_objects_v2(Bucket="news-1")["Contents"]]


@pytest.mark.behaviour("s3.conditional")
def test_conditional_requests(account: Account) -> None:
    """304 for an unchanged object; 412 for one that should not exist, or has changed."""
    s3 = bucket(account)
    given = {"Bucket": "news-1", "Key": "a"}
    etag = s3.put_object(**given, Body=b"1")["ETag"]
    assert "304" == account.refusal(s3.get_object, **given, IfNoneMatch=etag)[0]
    refused = account.refusal(s3.put_object, **given, Body=b"2", IfNoneMatch="*")
    assert ("PreconditionFailed", 412) == refused[:2]
    refused = account.refusal(s3.get_object, **given, IfMatch='"other"')
    assert ("PreconditionFailed", 412) == refused[:2]
    s3.put_object(**given, Body=b"2", IfMatch=etag)
    refused = account.refusal(s3.put_object, **given, Body=b"3", IfMatch=etag)
    assert ("PreconditionFailed", 412) == refused[:2]
    assert b"2" == s3.get_object(**given)["Body"].read()
