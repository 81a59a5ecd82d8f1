"""S3: names, what a new bucket has, and what deleting one refuses."""

import json

import pytest

from tests.sandbox.conftest import REGION, Account

HERE = {"LocationConstraint": REGION}


@pytest.mark.parametrize(
    "name",
    [
        "ab-",
        "Ab-cd",
        "a..b",
        "192.168.5.4",
        "sthree-news",
        "news-s3alias",
        "news--ol-s3",
    ],
)
def test_bad_name(account: Account, name: str) -> None:
    """InvalidBucketName, and there is no bucket."""
    s3 = account.client("s3")
    refused = account.refusal(s3.create_bucket, Bucket=name, CreateBucketConfiguration=HERE)
    assert ("InvalidBucketName", 400) == refused[:2]
    assert [] == s3.list_buckets()["Buckets"]


def test_new_bucket(account: Account) -> None:
    """Public access blocked, no ACLs, encrypted, and with the tags it was given."""
    s3 = account.client("s3")
    tags = [{"Key": "a:b", "Value": "c"}]
    s3.create_bucket(Bucket="news-1", CreateBucketConfiguration={**HERE, "Tags": tags})
    block = s3.get_public_access_block(Bucket="news-1")["PublicAccessBlockConfiguration"]
    assert [True] * 4 == list(block.values())
    owner = s3.get_bucket_ownership_controls(Bucket="news-1")["OwnershipControls"]
    assert [{"ObjectOwnership": "BucketOwnerEnforced"}] == owner["Rules"]
    rules = s3.get_bucket_encryption(Bucket="news-1")["ServerSideEncryptionConfiguration"]["Rules"]
    assert "AES256" == rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    assert tags == s3.get_bucket_tagging(Bucket="news-1")["TagSet"]
    refused = account.refusal(s3.create_bucket, Bucket="news-1", CreateBucketConfiguration=HERE)
    assert ("BucketAlreadyOwnedByYou", 409) == refused[:2]


def test_not_empty(account: Account) -> None:
    """Objects, old versions and delete markers keep a bucket from being deleted."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="news-1", CreateBucketConfiguration=HERE)
    s3.put_bucket_versioning(Bucket="news-1", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="news-1", Key="a", Body=b"1")
    s3.delete_object(Bucket="news-1", Key="a")
    assert ("BucketNotEmpty", 409) == account.refusal(s3.delete_bucket, Bucket="news-1")[:2]
    found = s3.list_object_versions(Bucket="news-1")
    for item in found["Versions"]:
        s3.delete_object(Bucket="news-1", Key="a", VersionId=item["VersionId"])
    assert "BucketNotEmpty" == account.refusal(s3.delete_bucket, Bucket="news-1")[0]
    for item in found["DeleteMarkers"]:
        s3.delete_object(Bucket="news-1", Key="a", VersionId=item["VersionId"])
    s3.delete_bucket(Bucket="news-1")
    assert [] == s3.list_buckets()["Buckets"]


def test_public_policy(account: Account) -> None:
    """While public policies are blocked, an Allow for everybody is refused; a Deny is not."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="news-1", CreateBucketConfiguration=HERE)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    refused = account.refusal(s3.put_bucket_policy, Bucket="news-1", Policy=policy)
    assert ("AccessDenied", 403) == refused[:2]
    denied = policy.replace("Allow", "Deny")
    s3.put_bucket_policy(Bucket="news-1", Policy=denied)
    assert json.loads(denied) == json.loads(s3.get_bucket_policy(Bucket="news-1")["Policy"])
