"""The news bucket: created, adopted, rejected, found again, kept and emptied."""

import json
from typing import Any

import pytest
from moto.backends import get_backend

from provision.engine.plan import plan
from provision.errors import ProvisionError
from provision.pricing import prices
from provision.resources.bucket import NewsBucket
from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env, PowerCut

HERE = {"LocationConstraint": "ap-northeast-1"}


def bucket_name(env: Env) -> str:
    """Return the name of the bucket recorded in the file."""
    return str(StackFile(env.path).records["news_bucket"].outputs["bucket"])


def test_new_bucket(env: Env) -> None:
    """Private, owned by the account, encrypted, TLS only, tagged."""
    env.setup()
    s3, name = env.aws_session.client("s3"), bucket_name(env)
    assert name.startswith("news-bot-news-")
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert [True] * 4 == list(block.values())
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert ("Deny", "s3:*") == (statement["Effect"], statement["Action"])
    assert {"Bool": {"aws:SecureTransport": "false"}} == statement["Condition"]
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert {"provision:stack": "news-bot", "provision:resource": "news_bucket"} == tags


def test_changes_by_hand_are_reverted(env: Env) -> None:
    """Whatever was opened is closed again; foreign tags stay."""
    env.setup()
    s3, name = env.aws_session.client("s3"), bucket_name(env)
    s3.delete_public_access_block(Bucket=name)
    s3.delete_bucket_policy(Bucket=name)
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "cost", "Value": "1"}]})
    env.changes()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert 4 == len(env.changes())
    tags = {tag["Key"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert {"cost", "provision:stack", "provision:resource"} == tags
    env.setup()
    assert [] == env.changes()


def test_existing_bucket_is_adopted(env: Env) -> None:
    """It is not changed, and it and its objects survive --everything."""
    s3 = env.aws_session.client("s3")
    s3.create_bucket(
        Bucket="my-news", CreateBucketConfiguration=HERE, ObjectOwnership="ObjectWriter"
    )
    s3.delete_public_access_block(Bucket="my-news")
    s3.put_object(Bucket="my-news", Key="a", Body=b"1")
    env.set(news__bucket="my-news")
    env.changes()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert "adopted" == StackFile(env.path).records["news_bucket/my-news"].state
    assert ("adopted", "news_bucket/my-news", "") in env.events
    result = env.teardown(everything=True)
    assert "it was there before provision" == result.kept["news_bucket/my-news"]
    assert [] == [call for call in env.changes() if call.startswith("PutBucket")]
    assert "ObjectWriter" in str(s3.get_bucket_ownership_controls(Bucket="my-news"))
    assert b"1" == s3.get_object(Bucket="my-news", Key="a")["Body"].read()


def test_named_bucket_is_created(env: Env) -> None:
    """It is created under the given name, and deleted with --everything."""
    env.set(news__bucket="my-news")
    env.setup()
    assert WHOLE == env.inventory()
    assert ["my-news"] == [
        b["Name"] for b in env.aws_session.client("s3").list_buckets()["Buckets"]
    ]
    env.teardown()
    assert {} == env.inventory()


def test_name_taken_by_another_account(env: Env) -> None:
    """Bucket names are global: the error suggests another one; the rest is created."""
    other: Any = get_backend("s3")["999999999999"]["aws"]
    other.create_bucket("my-news", "ap-northeast-1")
    env.set(news__bucket="my-news")
    outcome = env.setup(wait=0)
    assert ["Could not create the bucket my-news."] == [refusal.what for refusal in outcome.errors]
    assert "news.bucket" in outcome.errors[0].then
    assert "news_bucket/my-news" not in StackFile(env.path).records


def test_bucket_is_kept_without_everything(env: Env) -> None:
    """--everything deletes all versions and delete markers, 1,000 per call."""
    env.setup()
    s3, name = env.aws_session.client("s3"), bucket_name(env)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    bucket = get_backend("s3")[env.sandbox.cloud.account_id]["aws"].buckets[name]
    for number in range(1001):
        s3.put_object(Bucket=name, Key=f"news/{number}", Body=b"1")
    s3.delete_object(Bucket=name, Key="news/1")
    assert "--everything" in env.teardown(everything=False).kept["news_bucket"]
    assert 1002 == len(list(bucket.keys))  # and what the collector wrote
    env.changes()
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert 2 == env.changes().count("DeleteObjects")  # a thousand per call, and no empty one
    assert {} == env.inventory()


class FailingS3:
    """An S3 client whose delete call returns 200 with an error for the object."""

    def __init__(self, code: str) -> None:
        self.code = code

    def list_object_versions(self, **_: Any) -> dict[str, Any]:
        return {"Versions": [{"Key": "a", "VersionId": "1"}]}

    def delete_objects(self, **_: Any) -> dict[str, Any]:
        return {"Errors": [{"Key": "a", "Code": self.code, "Message": "no"}]}


def test_error_inside_a_200_response(env: Env) -> None:
    """The error names the object that was not deleted; the bucket is not touched."""
    bucket = NewsBucket("my-news")
    bucket.load_from_record({"bucket": "my-news"})
    clients = env.engine().clients
    failing = type(clients)(
        type("Account", (), {"s3": FailingS3("AccessDenied")})(), clients.dns, clients.line
    )
    with pytest.raises(ProvisionError, match="a: AccessDenied: no"):
        bucket.delete(failing)


def test_no_second_bucket_while_the_first_is_not_listed(env: Env) -> None:
    """After a power cut right after CreateBucket the next run creates no bucket of another name."""
    env.sandbox.cloud.lag.set_seconds(20, ["s3"])

    def cut(operation: str) -> None:
        if operation == "PutPublicAccessBlock":
            env.aws_session.cut(operation)

    env.aws_session.before = cut
    with pytest.raises(PowerCut):
        env.setup()
    env.aws_session.free()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    env.clock.advance(20)
    assert [bucket_name(env)] == [
        b["Name"] for b in env.aws_session.client("s3").list_buckets()["Buckets"]
    ]


@pytest.mark.parametrize("region", ["ap-northeast-1", "us-west-2"])
def test_plan_says_where_an_existing_bucket_is(env: Env, region: str) -> None:
    """In another region each request costs more time, and money."""
    elsewhere = env.aws.in_region(region).s3
    where = {"LocationConstraint": region}
    elsewhere.create_bucket(Bucket="my-news", CreateBucketConfiguration=where)
    env.set(news__bucket="my-news")
    steps = plan(env.engine().inspect(), [], prices("ap-northeast-1")).steps
    note = (
        "the bucket is in us-west-2: each request from ap-northeast-1 takes longer, and AWS charges for the "
        "transfer between regions"
    )
    notes = [step.notes for step in steps if step.kind == "NewsBucket"]
    assert [[note] if region == "us-west-2" else []] == notes
