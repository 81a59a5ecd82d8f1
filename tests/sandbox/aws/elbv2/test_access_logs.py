"""Elastic Load Balancing: access logs."""

import json
from typing import Any

import pytest

from tests.sandbox.conftest import Account

LOGS = [
    {"Key": "access_logs.s3.enabled", "Value": "true"},
    {"Key": "access_logs.s3.bucket", "Value": "logs"},
]
DENIED = (
    "InvalidConfigurationRequest",
    400,
    "Access Denied for bucket: logs. Please check S3bucket permission",
)
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::logs/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def delivery(
    resource: str, principal: str = "logdelivery.elasticloadbalancing.amazonaws.com"
) -> Any:
    """Return the statement that lets a service write objects."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::logs/{resource}",
    }


def create_bucket(account: Account, *statements: Any, region: str = "ap-northeast-1") -> None:
    """Create the bucket with a policy."""
    s3 = account.aws_session.session.client("s3", region_name=region)
    s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": region})
    if statements:
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(policy))


@pytest.mark.behaviour("elbv2.access-logs-test-file")
def test_logs_are_enabled(account: Account) -> None:
    """Elastic Load Balancing writes a file into the bucket; a later change of other attributes none."""
    create_bucket(account, TLS_ONLY, delivery("AWSLogs/123456789012/*"))
    arn = account.load_balancer()["LoadBalancerArn"]
    elbv2, s3 = account.client("elbv2"), account.client("s3")
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=LOGS)
    (file,) = s3.list_objects_v2(Bucket="logs")["Contents"]
    assert "AWSLogs/123456789012/ELBAccessLogTestFile" == file["Key"]
    s3.delete_object(Bucket="logs", Key=file["Key"])
    timeout = [{"Key": "idle_timeout.timeout_seconds", "Value": "61"}]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=timeout)
    assert "Contents" not in s3.list_objects_v2(Bucket="logs")


@pytest.mark.behaviour("elbv2.access-logs-bucket")
@pytest.mark.parametrize(
    ("region", "statements"),
    [
        ("ap-northeast-1", []),
        ("ap-northeast-1", [delivery("AWSLogs/999999999999/*")]),
        ("ap-northeast-1", [delivery("*", "delivery.logs.amazonaws.com")]),
        ("us-west-2", [delivery("*")]),
        ("", []),
    ],
)
def test_bucket_is_refused(account: Account, region: str, statements: list[Any]) -> None:
    """Without a policy for this account's logs, in another region, and where there is none."""
    if region:
        create_bucket(account, *statements, region=region)
    arn = account.load_balancer()["LoadBalancerArn"]
    modify = account.client("elbv2").modify_load_balancer_attributes
    assert DENIED == account.refusal(modify, LoadBalancerArn=arn, Attributes=LOGS)
