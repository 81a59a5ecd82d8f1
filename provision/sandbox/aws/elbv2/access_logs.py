"""Elastic Load Balancing: access logs in S3 (User Guide for Application Load Balancers, "Access logs")."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.policies import (
    PermissionRequest,
    resource_decision,
    statements,
)
from provision.sandbox.aws.rules import Answer, after, before

_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
_ENABLED = "access_logs.s3.enabled"


@behaves("elbv2.access-logs-bucket")
@before("elbv2", "ModifyLoadBalancerAttributes")
def check_bucket(cloud: Cloud, call: Call) -> None:
    """Refuse a bucket that is not in the region, or whose policy does not allow the delivery of logs."""
    found = _attributes(cloud, call)
    if found.get(_ENABLED) != "true":
        return
    name, key = found.get("access_logs.s3.bucket", ""), _test_file(cloud, found)
    bucket = cloud.backend("s3").buckets.get(name)
    request = PermissionRequest(
        _DELIVERY, "s3:PutObject", f"arn:aws:s3:::{name}/{key}", {"aws:securetransport": "true"}
    )
    allowed = resource_decision(statements(cloud.s3.policies.get(name)), request) == "Allow"
    if bucket is None or bucket.region_name != call.region or not allowed:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Access Denied for bucket: {name}. Please check S3bucket permission",
        )


@behaves("elbv2.access-logs-test-file")
@after("elbv2", "ModifyLoadBalancerAttributes")
def write_test_file(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Write the file with which Elastic Load Balancing checks its permission."""
    given = {each["Key"]: each.get("Value") for each in call.params["Attributes"]}
    if given.get(_ENABLED) == "true":
        found = _attributes(cloud, call)
        name = found["access_logs.s3.bucket"]
        cloud.backend("s3").put_object(name, _test_file(cloud, found), b"")


def _attributes(cloud: Cloud, call: Call) -> dict[str, str]:
    """Return the load balancer's attributes as the call leaves them."""
    load_balancer = cloud.elbv2.load_balancer(call.region, call.params["LoadBalancerArn"])
    before = load_balancer.attrs if load_balancer else {}
    return {**before, **{each["Key"]: each.get("Value", "") for each in call.params["Attributes"]}}


def _test_file(cloud: Cloud, attributes: dict[str, str]) -> str:
    prefix = attributes.get("access_logs.s3.prefix", "")
    folder = f"{prefix}/AWSLogs" if prefix else "AWSLogs"
    return f"{folder}/{cloud.account_id}/ELBAccessLogTestFile"
