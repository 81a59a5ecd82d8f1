"""Access logs of the load balancer in a bucket of their own."""

import json
from typing import Any

from provision.pricing import prices
from provision.resources.bucket import AccessLogBucket
from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env
from tests.provision.finished_stack import plan_and_status
from tests.provision.test_external_use import outputs

LIFECYCLE = {
    "ID": "provision",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    "Expiration": {"Days": 30},
}


def attributes(env: Env) -> dict[str, str]:
    """Return the load balancer's attributes of access logs."""
    found = env.aws_session.client("elbv2").describe_load_balancer_attributes(
        LoadBalancerArn=outputs(env, "load_balancer")["arn"]
    )["Attributes"]
    return {one["Key"]: one["Value"] for one in found if one["Key"].startswith("access_logs")}


def enabled(bucket: str) -> dict[str, str]:
    """Return the attributes with logs in this bucket."""
    return {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": bucket,
        "access_logs.s3.prefix": "",
    }


def setup_with_logs(env: Env) -> str:
    """Run setup with access logs; return the bucket's name."""
    env.set(load_balancer__access_logs="on")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    return str(outputs(env, "access_log_bucket")["bucket"])


def test_bucket_and_attributes(env: Env) -> None:
    """The policy lets Elastic Load Balancing write this account's logs; they expire."""
    name = setup_with_logs(env)
    s3: Any = env.aws_session.client("s3")
    assert name.startswith("news-bot-access-logs-")
    assert enabled(name) == attributes(env)
    tls, delivery = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert {"Bool": {"aws:SecureTransport": "false"}} == tls["Condition"]
    assert {
        "Sid": "LogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/AWSLogs/123456789012/*",
    } == delivery
    assert [LIFECYCLE] == s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    (file,) = s3.list_objects_v2(Bucket=name)["Contents"]
    assert "AWSLogs/123456789012/ELBAccessLogTestFile" == file["Key"]
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_changes_by_hand_are_shown_and_reverted(env: Env) -> None:
    """Logs switched off, their policy and their lifecycle deleted."""
    name = setup_with_logs(env)
    s3 = env.aws_session.client("s3")
    env.aws_session.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=outputs(env, "load_balancer")["arn"],
        Attributes=[{"Key": "access_logs.s3.enabled", "Value": "false"}],
    )
    s3.delete_bucket_policy(Bucket=name)
    s3.delete_bucket_lifecycle(Bucket=name)
    assert {
        ("load_balancer", 'Attributes."access_logs.s3.enabled"'),
        ("access_log_bucket", "Policy"),
        ("access_log_bucket", "Lifecycle"),
    } == plan_and_status(env).differences
    env.setup()
    assert set() == plan_and_status(env).differences
    assert enabled(name) == attributes(env)


def test_teardown_takes_the_logs(env: Env) -> None:
    """Also without --everything, which keeps the bucket of the news."""
    name = setup_with_logs(env)
    key = "AWSLogs/123456789012/elasticloadbalancing/ap-northeast-1/2026/01/01/log.gz"
    env.aws_session.client("s3").put_object(Bucket=name, Key=key, Body=b"1")
    result = env.teardown(everything=False)
    assert ([], []) == (result.errors, result.left)
    assert {"zone/example.jp", "news_bucket"} <= set(result.kept)
    assert "access_log_bucket" in result.deleted
    assert 1 == env.inventory()["bucket"]


def test_setting_is_taken_back(env: Env) -> None:
    """The load balancer logs no more, and the bucket goes with its logs."""
    name = setup_with_logs(env)
    env.set(load_balancer__access_logs="off")
    seen = plan_and_status(env)
    assert {"load_balancer": "update", "access_log_bucket": "delete"} == seen.actions
    assert [] == env.setup().errors
    assert {**enabled(name), "access_logs.s3.enabled": "false"} == attributes(env)
    assert WHOLE["bucket"] == env.inventory()["bucket"]
    assert {} == plan_and_status(env).actions


def test_logs_switched_on_by_hand_stay(env: Env) -> None:
    """They go into somebody's own bucket."""
    env.setup()
    s3 = env.aws_session.client("s3")
    s3.create_bucket(
        Bucket="their-logs", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::their-logs/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket="their-logs", Policy=policy)
    env.aws_session.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=outputs(env, "load_balancer")["arn"],
        Attributes=[
            {"Key": "access_logs.s3.enabled", "Value": "true"},
            {"Key": "access_logs.s3.bucket", "Value": "their-logs"},
        ],
    )
    assert {} == plan_and_status(env).actions
    env.setup()
    assert enabled("their-logs") == attributes(env)


def test_pause_and_resume(env: Env) -> None:
    """The bucket stays, and the new load balancer logs into it."""
    name = setup_with_logs(env)
    env.engine().pause()
    assert "access_log_bucket" in StackFile(env.path).records
    env.setup()
    assert enabled(name) == attributes(env)


def test_price() -> None:
    """One file from each of three zones every five minutes: 26,280 a month."""
    assert 0.12 == round(AccessLogBucket().costs(prices("ap-northeast-1")), 2)
    assert 0.13 == round(AccessLogBucket().costs(prices("us-east-1")), 2)
