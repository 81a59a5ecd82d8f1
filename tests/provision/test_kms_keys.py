"""Parameters and a bucket that were there before, under customer managed KMS keys."""

import json
from typing import Any

import pytest

from provision.resources.advice import advice
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env


def create_key(env: Env) -> str:
    """Create a customer managed key; return its ARN."""
    return str(env.aws_session.client("kms").create_key(Description="ours")["KeyMetadata"]["Arn"])


def put_parameters(env: Env, key: str) -> None:
    """Create LINE's two parameters by hand, under this key."""
    secrets = {
        "ACCESS_TOKEN": env.secrets.access_token,
        "CHANNEL_SECRET": env.secrets.channel_secret,
    }
    for name, value in secrets.items():
        env.aws_session.client("ssm").put_parameter(
            Name=name, Value=value, Type="SecureString", KeyId=key
        )


def kms_statements(env: Env, role: str) -> list[dict[str, Any]]:
    """Return the statements about KMS in a role's only policy."""
    iam, name = env.aws_session.client("iam"), f"news-bot-{role}-ap-northeast-1"
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    document = json.loads(document) if isinstance(document, str) else document
    return [s for s in document["Statement"] if "kms" in str(s["Action"])]


@pytest.mark.parametrize("given", ["arn", "id", "alias"])
def test_parameters_under_an_own_key(env: Env, given: str) -> None:
    """ECS and the bot may decrypt with that key, through Parameter Store only, and the tasks start."""
    key = create_key(env)
    env.aws_session.client("kms").create_alias(AliasName="alias/line", TargetKeyId=key)
    put_parameters(env, {"arn": key, "id": key.rpartition("/")[2], "alias": "alias/line"}[given])
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    expected = [
        {
            "Sid": "DecryptTheSecrets",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": [key],
            "Condition": {"StringEquals": {"kms:ViaService": ["ssm.ap-northeast-1.amazonaws.com"]}},
        }
    ]
    assert expected == kms_statements(env, "execution")
    assert expected == kms_statements(env, "task")
    assert [] == kms_statements(env, "collector")
    env.changes()
    again = env.setup()
    assert ([], []) == (again.errors, env.changes())


def test_parameters_under_aws_own_key(env: Env) -> None:
    """The account's default key needs no permission."""
    put_parameters(env, "alias/aws/ssm")
    assert [] == env.setup().errors
    assert [] == kms_statements(env, "execution")
    assert "key_arn" not in StackFile(env.path).records["access_token/ACCESS_TOKEN"].outputs


def test_changed_secret_keeps_the_key(env: Env) -> None:
    """A consented update is written under the same key."""
    key = create_key(env)
    put_parameters(env, key)
    env.setup()
    stack = env.stack()
    stack.access_token.load_from_record(
        StackFile(env.path).records["access_token/ACCESS_TOKEN"].outputs
    )
    sent: dict[str, Any] = {}
    env.aws_session.request = lambda operation, params: (
        sent.update(params) if operation == "PutParameter" else None
    )
    stack.access_token.update(env.clients(), {}, [])
    assert key == sent["KeyId"]


def test_bucket_under_an_own_key(env: Env) -> None:
    """The bot may decrypt, and the collector also encrypt, through S3."""
    key = create_key(env)
    s3 = env.aws_session.client("s3")
    location: Any = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket="our-news", CreateBucketConfiguration=location)
    default: Any = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket="our-news",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    env.set(news__bucket="our-news")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    (reading,), (writing,) = kms_statements(env, "task"), kms_statements(env, "collector")
    assert ["kms:Decrypt"] == reading["Action"]
    assert ["kms:Decrypt", "kms:GenerateDataKey"] == writing["Action"]
    via = {"StringEquals": {"kms:ViaService": ["s3.ap-northeast-1.amazonaws.com"]}}
    assert ([key], via) == (reading["Resource"], reading["Condition"])
    assert ([key], via) == (writing["Resource"], writing["Condition"])


def test_advice_for_a_key_that_may_not_be_used() -> None:
    """ECS's words for it lead to the key, not to the secret."""
    reason = (
        "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: The "
        "ciphertext refers to a customer master key that does not exist, does not exist in this region, or "
        "you are not allowed to access."
    )
    assert (
        "The role may not use the KMS key of a parameter: run `provision setup`, which allows it, and allow "
        "it in the key's own policy."
    ) == advice(reason)


def test_task_without_the_key_does_not_start(env: Env) -> None:
    """The sandbox's ECS says what AWS's does where the permission was taken away."""
    put_parameters(env, create_key(env))
    env.setup()
    iam = env.aws_session.client("iam")
    name = "news-bot-execution-ap-northeast-1"
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    document["Statement"] = [s for s in document["Statement"] if s["Sid"] != "DecryptTheSecrets"]
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    ecs = env.aws_session.client("ecs")
    ecs.update_service(cluster="news-bot", service="news-bot", forceNewDeployment=True)
    env.clock.advance(60)
    stopped = ecs.list_tasks(cluster="news-bot", desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(cluster="news-bot", tasks=stopped)["tasks"]
    assert any(
        "The ciphertext refers to a customer master key" in t["stoppedReason"] for t in tasks
    )
