"""IAM: checks of roles, users and policies, and propagation of new ones."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.rules import Answer, after, before

behaves("iam.tags", "iam.constraints")(constraint_rule)
before("iam", "*")(constraint_rule("ValidationError"))


@before("iam", "*")
def load_managed_policies(cloud: Cloud, call: Call) -> None:
    """Let moto know AWS's managed policies that the call names or lists."""
    for name in ("PolicyArn", "PermissionsBoundary"):
        if str(arn := call.params.get(name)).startswith("arn:aws:iam::aws:policy/"):
            cloud.iam.load_managed_policies(str(arn))
    if call.operation in ("ListPolicies", "GetAccountAuthorizationDetails"):
        cloud.iam.load_managed_policies()


@behaves("iam.role-name-case")
@before("iam", "CreateRole")
def check_role_name(cloud: Cloud, call: Call) -> None:
    """Refuse a name that is in use, compared without case (API CreateRole)."""
    name = call.params["RoleName"]
    if any(r.name.lower() == name.lower() for r in cloud.backend("iam").roles.values()):
        raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", 409)


@behaves("iam.delete-conflict", "iam.role-missing")
@before(
    "iam",
    "GetRole",
    "DeleteRole",
    "UpdateRole",
    "UpdateAssumeRolePolicy",
    "PutRolePolicy",
    "GetRolePolicy",
    "DeleteRolePolicy",
    "ListRolePolicies",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "ListAttachedRolePolicies",
    "TagRole",
)
def check_role_exists(cloud: Cloud, call: Call) -> None:
    """Refuse an unknown role."""
    name = call.params["RoleName"]
    if cloud.iam.role(name) is None:
        raise _no_such_entity(f"The role with name {name} cannot be found.")


@behaves("iam.role-policy-missing")
@before("iam", "GetRolePolicy", "DeleteRolePolicy")
def check_role_policy_exists(cloud: Cloud, call: Call) -> None:
    """Refuse an unknown inline policy."""
    role, name = cloud.iam.role(call.params["RoleName"]), call.params["PolicyName"]
    if role is not None and name not in role.policies:
        raise _no_such_entity(f"The role policy with name {name} cannot be found.")


@behaves("iam.boundary-missing")
@before("iam", "CreateRole", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary")
def check_boundary_exists(cloud: Cloud, call: Call) -> None:
    """Refuse an unknown boundary (API PutRolePermissionsBoundary)."""
    arn = call.params.get("PermissionsBoundary")
    if arn and arn not in cloud.backend("iam").managed_policies:
        raise _no_such_entity(f"Scope ARN: {arn} does not exist or is not attachable.")


@before("iam", "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary")
def set_user_boundary(cloud: Cloud, call: Call) -> Answer:
    """Set or remove a user's permissions boundary, which moto lacks (API PutUserPermissionsBoundary)."""
    user = cloud.backend("iam").users.get(call.params["UserName"])
    if user is None:
        raise _no_such_entity(f"The user with name {call.params['UserName']} cannot be found.")
    user.permissions_boundary_arn = call.params.get("PermissionsBoundary")
    return {}


@behaves("iam.service-linked-role-taken")
@before("iam", "CreateServiceLinkedRole")
def check_service_linked_role(cloud: Cloud, call: Call) -> None:
    """Refuse a second role of a service (API CreateServiceLinkedRole)."""
    path = f"/aws-service-role/{call.params['AWSServiceName']}/"
    for role in cloud.backend("iam").roles.values():
        if role.path == path and not call.params.get("CustomSuffix"):
            raise AwsError(
                "InvalidInput",
                f"Service role name {role.name} has been taken in this account, please try a "
                "different suffix.",
                400,
            )


@behaves("iam.service-linked-role-protected")
@before(
    "iam",
    "DeleteRole",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "UpdateAssumeRolePolicy",
)
def check_unprotected(cloud: Cloud, call: Call) -> None:
    """Refuse changes of service-linked roles (User Guide, service-linked roles)."""
    role = cloud.iam.role(call.params["RoleName"])
    if role is not None and role.path.startswith("/aws-service-role/"):
        raise AwsError(
            "UnmodifiableEntity",
            f"Cannot perform the operation on the protected role '{role.name}' - this role is "
            "only modifiable by AWS",
            400,
        )


def _no_such_entity(message: str) -> AwsError:
    return AwsError("NoSuchEntity", message, 404)


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
