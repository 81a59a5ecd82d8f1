"""IAM: propagation of new roles and trust policies."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after


@behaves("iam.role-fresh")
@after("iam", "CreateRole")
def start_role_propagation(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Start the propagation of a new role (User Guide, IAM troubleshooting)."""
    cloud.iam.mark_changed(answer["Role"]["Arn"])


@behaves("iam.trust-fresh")
@after("iam", "UpdateAssumeRolePolicy")
def start_trust_propagation(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Start the propagation of a new trust policy (User Guide, IAM troubleshooting)."""
    role = cloud.iam.role(call.params["RoleName"])
    if role is not None:
        cloud.iam.mark_changed(role.arn)
