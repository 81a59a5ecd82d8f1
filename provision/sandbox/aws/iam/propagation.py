"""IAM: propagation of new roles and trust policies."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after


@behaves(
    "iam.role-fresh",
    "a new role cannot be assumed by a service for some seconds",
    "the service's own error",
    "IAM User Guide, Troubleshoot IAM: changes that I make are not always immediately visible",
)
@after("iam", "CreateRole")
def start_role_propagation(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Start the propagation of a new role (User Guide, IAM troubleshooting)."""
    cloud.iam.mark_changed(answer["Role"]["Arn"])


@behaves(
    "iam.trust-fresh",
    "a new trust policy is not known everywhere for some seconds",
    "the service's own error",
    "IAM User Guide, Troubleshoot IAM: changes that I make are not always immediately visible",
)
@after("iam", "UpdateAssumeRolePolicy")
def start_trust_propagation(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Start the propagation of a new trust policy (User Guide, IAM troubleshooting)."""
    role = cloud.iam.role(call.params["RoleName"])
    if role is not None:
        cloud.iam.mark_changed(role.arn)
