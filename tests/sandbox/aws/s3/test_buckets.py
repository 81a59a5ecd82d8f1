"""S3 buckets: names, defaults, and deletion."""

from typing import Any

import pytest

from tests.sandbox.conftest import REGION, Account

HERE = {"LocationConstraint": REGION}


def bucket(account: Account, name: str = "news-1", **more: Any) -> Any:
    """Create a bucket; return the client."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": HERE} | more))
    return s3


@pytest.mark.behaviour("s3.bucket-name")
@pytest.mark.parametrize(
    "name",
    [
        "ab-",
        "Ab-cd",
        "a..b",
        "192.168.5.4",
        "sthree-news",
        "amzn-s3-demo-news",
        "news-s3alias",
        "news--ol-s3",
        "news.mrap",
        "news--table-s3",
    ],
)
def test_bad_name(account: Account, name: str) -> None:
    """InvalidBucketName, and no bucket is created."""
    s3 = account.client("s3")
    refused = account.refusal(s3.create_bucket, Bucket=name, CreateBucketConfiguration=HERE)
    assert ("InvalidBucketName", 400, "The specified bucket is not valid.") == refused
    assert [] == s3.list_buckets()["Buckets"]


@pytest.mark.behaviour("s3.bucket-owned")
def test_own_bucket_twice(account: Account) -> None:
    """BucketAlreadyOwnedByYou."""
    create = bucket(account).create_bucket
    refused = account.refusal(create, Bucket="news-1", CreateBucketConfiguration=HERE)
    assert ("BucketAlreadyOwnedByYou", 409) == refused[:2]


@pytest.mark.behaviour("s3.expected-owner")
def test_expected_owner(account: Account) -> None:
    """A call whose ExpectedBucketOwner is another account is refused; the owner's own passes."""
    s3 = bucket(account)
    s3.create_bucket(Bucket="ours", CreateBucketConfiguration=HERE)
    own = account.client("sts").get_caller_identity()["Account"]
    s3.head_bucket(Bucket="ours", ExpectedBucketOwner=own)
    other = {"Bucket": "ours", "ExpectedBucketOwner": "999999999999"}
    assert ("403", 403) == account.refusal(s3.head_bucket, **other)[:2]
    assert "AccessDenied" == account.refusal(s3.get_bucket_tagging, **other)[0]


@pytest.mark.behaviour("s3.bucket-taken", "s3.foreign-bucket")
def test_bucket_of_another_account(account: Account) -> None:
    """Another account's bucket: its name is taken, and access is denied."""
    account.cloud.s3.other_accounts.add("news")
    s3 = account.client("s3")
    refused = account.refusal(s3.create_bucket, Bucket="news", CreateBucketConfiguration=HERE)
    assert ("BucketAlreadyExists", 409) == refused[:2]
    assert ("403", 403) == account.refusal(s3.head_bucket, Bucket="news")[:2]
    refused = account.refusal(s3.get_bucket_tagging, Bucket="news")
    assert ("AccessDenied", 403, "Access Denied") == refused


@pytest.mark.behaviour("s3.location")
def test_bucket_is_made_where_the_call_goes(account: Account) -> None:
    """A missing or different LocationConstraint is an error."""
    s3 = account.client("s3")
    assert ("IllegalLocationConstraintException", 400) == (
        account.refusal(s3.create_bucket, Bucket="news-1")[:2]
    )
    elsewhere = {"LocationConstraint": "eu-west-1"}
    refused = account.refusal(
        s3.create_bucket, Bucket="news-1", CreateBucketConfiguration=elsewhere
    )
    assert ("IllegalLocationConstraintException", 400) == refused[:2]


@pytest.mark.behaviour("s3.new-bucket")
def test_new_bucket(account: Account) -> None:
    """Public access blocked, no ACLs, encrypted."""
    s3 = bucket(account)
    block = s3.get_public_access_block(Bucket="news-1")["PublicAccessBlockConfiguration"]
    assert [True] * 4 == list(block.values())
    owner = s3.get_bucket_ownership_controls(Bucket="news-1")["OwnershipControls"]
    assert [{"ObjectOwnership": "BucketOwnerEnforced"}] == owner["Rules"]
    rules = s3.get_bucket_encryption(Bucket="news-1")["ServerSideEncryptionConfiguration"]["Rules"]
    assert "AES256" == rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]


@pytest.mark.behaviour("s3.new-bucket-tags")
def test_new_bucket_has_its_tags(account: Account) -> None:
    """Those of CreateBucketConfiguration."""
    tags = [{"Key": "a:b", "Value": "c"}]
    s3 = bucket(account, CreateBucketConfiguration={**HERE, "Tags": tags})
    assert tags == s3.get_bucket_tagging(Bucket="news-1")["TagSet"]


@pytest.mark.behaviour("s3.create-acl")
def test_new_bucket_with_an_acl(account: Account) -> None:
    """It is rejected unless ACLs are enabled."""
    s3 = account.client("s3")
    given = {"Bucket": "news-1", "CreateBucketConfiguration": HERE, "ACL": "public-read"}
    refused = account.refusal(s3.create_bucket, **given)
    assert ("InvalidBucketAclWithObjectOwnership", 400) == refused[:2]
    s3.create_bucket(**given, ObjectOwnership="ObjectWriter")


@pytest.mark.behaviour("s3.bucket-tags")
def test_too_many_tags(account: Account) -> None:
    """50."""
    s3 = bucket(account)
    tags = [{"Key": str(number), "Value": ""} for number in range(51)]
    put = s3.put_bucket_tagging
    refused = account.refusal(put, Bucket="news-1", Tagging={"TagSet": tags})
    assert ("BadRequest", 400, "Bucket tag count cannot be greater than 50") == refused
    put(Bucket="news-1", Tagging={"TagSet": tags[:50]})


@pytest.mark.behaviour("s3.bucket-not-empty")
def test_not_empty(account: Account) -> None:
    """Objects, old versions and delete markers prevent deletion."""
    s3 = bucket(account)
    s3.put_bucket_versioning(Bucket="news-1", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="news-1", Key="a", Body=b"1")
    s3.delete_object(Bucket="news-1", Key="a")
    found = s3.list_object_versions(Bucket="news-1")
    for item in found["Versions"]:
        assert ("BucketNotEmpty", 409) == account.refusal(s3.delete_bucket, Bucket="news-1")[:2]
        s3.delete_object(Bucket="news-1", Key="a", VersionId=item["VersionId"])
    code, _, message = account.refusal(s3.delete_bucket, Bucket="news-1")
    assert ("BucketNotEmpty", True) == (code, message.endswith("all versions in the bucket."))
    for item in found["DeleteMarkers"]:
        s3.delete_object(Bucket="news-1", Key="a", VersionId=item["VersionId"])
    s3.delete_bucket(Bucket="news-1")
    assert [] == s3.list_buckets()["Buckets"]
