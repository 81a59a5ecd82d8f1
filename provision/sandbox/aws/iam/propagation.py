"""IAM: the time until a new role or trust policy is known everywhere."""

from moto.iam.models import SERVICE_NAME_CONVERSION

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after

SERVICE_NAME_CONVERSION["ecs"] = "ECS"  # AWSServiceRoleForECS; moto would say ...Forecs


@behaves(
    "iam.role-fresh",
    "a new role cannot be assumed by a service for some seconds",
    "the service's own error",
    "IAM User Guide, Troubleshoot IAM: changes that I make are not always immediately visible",
)
@after("iam", "CreateRole")
def note_role(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Mark the role as not yet known everywhere (User Guide, IAM troubleshooting)."""
    cloud.iam.touched(answer["Role"]["Arn"])


@behaves(
    "iam.trust-fresh",
    "a new trust policy is not known everywhere for some seconds",
    "the service's own error",
    "IAM User Guide, Troubleshoot IAM: changes that I make are not always immediately visible",
)
@after("iam", "UpdateAssumeRolePolicy")
def note_trust_policy(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Mark the trust policy as not yet known everywhere (User Guide, IAM troubleshooting)."""
    role = cloud.iam.role(call.params["RoleName"])
    if role is not None:
        cloud.iam.touched(role.arn)
