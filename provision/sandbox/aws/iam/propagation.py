"""IAM as it lives: roles that other services cannot assume yet, and who may assume them at all.

What the API refuses is in iam_entities.py and iam_documents.py.
"""

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
def role_is_fresh(cloud: Cloud, call: Call, answer: Answer) -> None:
    """User Guide, IAM troubleshooting: changes are not immediately visible everywhere."""
    cloud.iam.touched(answer["Role"]["Arn"])


@behaves(
    "iam.trust-fresh",
    "a new trust policy is not known everywhere for some seconds",
    "the service's own error",
    "IAM User Guide, Troubleshoot IAM: changes that I make are not always immediately visible",
)
@after("iam", "UpdateAssumeRolePolicy")
def trust_is_fresh(cloud: Cloud, call: Call, answer: Answer) -> None:
    """User Guide, IAM troubleshooting: changes are not immediately visible everywhere."""
    role = cloud.iam.role(call.params["RoleName"])
    if role is not None:
        cloud.iam.touched(role.arn)
