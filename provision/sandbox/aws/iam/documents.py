"""IAM: checks of policy documents."""

import json
import re
from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.patterns import as_list
from provision.sandbox.aws.permissions.policies import Statement, statements
from provision.sandbox.aws.rules import before

# Service principals, without ".amazonaws.com"; IAM refuses unknown ones.
_SERVICE_NAMES = """
apigateway application-autoscaling autoscaling batch cloudformation codebuild codedeploy
codepipeline delivery.logs ec2 ecs ecs-tasks ecs.application-autoscaling elasticloadbalancing events
lambda logdelivery.elasticloadbalancing logs monitoring pipes rds s3 scheduler sns sqs ssm states
vpc-flow-logs
"""
_SERVICE_PRINCIPALS = {f"{name}.amazonaws.com" for name in _SERVICE_NAMES.split()}
_PRINCIPAL_ARN = re.compile(r"arn:aws:iam::(\d{12}):(root|role/(?:.*/)?(.+)|user/(?:.*/)?(.+))")
_MAX_TRUST_POLICY = 2048  # characters, white space not counted
_MAX_INLINE_POLICIES = {
    "Role": 10240,
    "User": 2048,
    "Group": 5120,
}  # the same, of all policies together


@behaves(
    "iam.trust-malformed",
    "iam.principal-unknown",
    "iam.principal-fresh",
    "iam.trust-needs-principal",
)
@before("iam", "CreateRole", "UpdateAssumeRolePolicy")
def check_trust_policy(cloud: Cloud, call: Call) -> None:
    """Check the trust policy and its principals (API CreateRole)."""
    document = call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument")
    try:
        IAMTrustPolicyDocumentValidator(str(document)).validate()
    except MalformedPolicyDocument as malformed:
        raise _malformed(str(malformed.message)) from None
    for statement in statements(document):
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise _malformed("Missing required field Principal")
        check_principals(cloud, statement, "MalformedPolicyDocument")


@behaves("iam.policy-malformed", "iam.identity-policy-principal")
@before("iam", "PutRolePolicy", "PutUserPolicy", "PutGroupPolicy", "CreatePolicy")
def check_no_principal(cloud: Cloud, call: Call) -> None:
    """Refuse a Principal in an identity-based policy (User Guide, Principal)."""
    for statement in statements(call.params["PolicyDocument"]):
        if {"Principal", "NotPrincipal"} & statement.keys():
            raise _malformed("Policy document should not specify a principal.")


@behaves("iam.trust-size")
@before("iam", "CreateRole", "UpdateAssumeRolePolicy")
def check_trust_policy_length(cloud: Cloud, call: Call) -> None:
    """Refuse a trust policy above the default quota, which can be raised to 4,096."""
    document = call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument")
    if _size(str(document)) > _MAX_TRUST_POLICY:
        raise _limit_exceeded(f"Cannot exceed quota for ACLSizePerRole: {_MAX_TRUST_POLICY}")


@behaves("iam.inline-size")
@before("iam", "PutRolePolicy", "PutUserPolicy", "PutGroupPolicy")
def check_inline_policies_length(cloud: Cloud, call: Call) -> None:
    """Refuse inline policies that together exceed the quota."""
    kind = call.operation.removeprefix("Put").removesuffix("Policy")  # Role, User or Group
    name, backend = call.params[f"{kind}Name"], cloud.backend("iam")
    entities = {"Role": cloud.iam.role(name), "User": backend.users.get(name)}
    entity = entities.get(kind) if kind in entities else backend.groups.get(name)
    inline = dict(entity.policies) if entity is not None else {}
    inline[call.params["PolicyName"]] = call.params["PolicyDocument"]
    if sum(_size(document) for document in inline.values()) > _MAX_INLINE_POLICIES[kind]:
        raise _limit_exceeded(
            f"Maximum policy size of {_MAX_INLINE_POLICIES[kind]} bytes exceeded for {kind.lower()} {name}"
        )


def check_principals(cloud: Cloud, statement: Statement, code: str) -> None:
    """Raise an error with this code for a principal that does not exist."""
    principal = statement.get("Principal", {})
    named = principal if isinstance(principal, dict) else {"AWS": principal}
    for service in as_list(named.get("Service", [])):
        if service not in _SERVICE_PRINCIPALS:
            raise _invalid_principal(code, "SERVICE", service)
    for arn in as_list(named.get("AWS", [])):
        if not _exists(cloud, str(arn)):
            raise _invalid_principal(code, "AWS", arn)


def _exists(cloud: Cloud, principal: str) -> bool:
    if principal == "*" or re.fullmatch(r"\d{12}", principal):
        return True
    matched = _PRINCIPAL_ARN.fullmatch(principal)
    if matched is None:
        return False
    account, _, role, user = matched.groups()
    if account != cloud.account_id or not (role or user):
        return True
    if role:
        found = cloud.iam.role(principal)
        return found is not None and not cloud.iam.is_propagating(found)
    return user in cloud.backend("iam").users


def _invalid_principal(code: str, kind: str, principal: Any) -> AwsError:
    return AwsError(code, f'Invalid principal in policy: "{kind}":"{principal}"', 400)


def _size(document: str) -> int:
    try:
        return len(json.dumps(json.loads(document), separators=(",", ":"), ensure_ascii=False))
    except ValueError:
        return len(document)


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message, 400)


def _limit_exceeded(message: str) -> AwsError:
    return AwsError("LimitExceeded", message, 409)
