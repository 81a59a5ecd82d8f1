"""STS GetCallerIdentity: the root user, whose key the sandbox's own is."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import after


@behaves("sts.caller-is-root")
@after("sts", "GetCallerIdentity")
def name_root(cloud: Cloud, call: Call, answer: dict[str, Any]) -> None:
    """Name the account's root user where moto invents a user."""
    if cloud.permissions.caller(call.access_key) is None:
        answer["Arn"] = cloud.permissions.caller_arn(call.access_key)
        answer["UserId"] = answer["Account"]
