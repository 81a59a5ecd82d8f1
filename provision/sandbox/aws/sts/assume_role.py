"""STS AssumeRole: the role's trust policy, and the session's duration."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.permissions.actions import context
from provision.sandbox.aws.permissions.policies import (
    PermissionRequest,
    resource_decision,
    statements,
)
from provision.sandbox.aws.rules import before

_MAX_CHAINED_DURATION = 3600  # seconds
before("sts", "*")(constraint_rule("ValidationError"))


@behaves("sts.root-assumes-no-role", "sts.trust", "sts.role-fresh")
@before("sts", "AssumeRole")
def check_trust(cloud: Cloud, call: Call) -> None:
    """Refuse callers to whom the trust policy or their own policies deny it (API AssumeRole)."""
    arn = call.params["RoleArn"]
    caller = cloud.permissions.caller(call.access_key)
    if caller is None:
        raise _denied("Roles may not be assumed by root accounts.")
    role = cloud.iam.role(arn)
    message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    if role is None or role.arn != arn or cloud.iam.is_propagating(role):
        raise _denied(message)
    keys = cloud.permissions.condition_keys(caller) | context(cloud, call)
    trust = role.assume_role_policy_document
    request = PermissionRequest(caller.arn, "sts:AssumeRole", arn, keys, caller.role)
    trusted = resource_decision(statements(trust), request)
    if trusted not in ("Allow", "Delegate"):
        raise _denied(message)
    if denied := cloud.permissions.denial_message(caller, "sts:AssumeRole", arn, keys, trust):
        raise _denied(denied)


@behaves("sts.duration")
@before("sts", "AssumeRole")
def check_duration(cloud: Cloud, call: Call) -> None:
    """Check DurationSeconds (API AssumeRole)."""
    duration, role = call.params.get("DurationSeconds"), cloud.iam.role(call.params["RoleArn"])
    caller = cloud.permissions.caller(call.access_key)
    if duration is None or role is None:
        return
    if duration > int(role.max_session_duration or 3600):
        raise _invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    if caller is not None and not caller.is_user and duration > _MAX_CHAINED_DURATION:
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining."
        )


def _denied(message: str) -> AwsError:
    return AwsError("AccessDenied", message, 403)


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message, 400)
