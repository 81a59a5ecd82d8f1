"""IAM: checks of policy documents."""

import json
import re
from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.patterns import listed
from provision.sandbox.aws.permissions.policies import Statement, statements
from provision.sandbox.aws.rules import before

# Service principals are one name per service; IAM refuses those it does not know.
_KNOWN = """
apigateway application-autoscaling autoscaling batch cloudformation codebuild codedeploy
codepipeline ec2 ecs ecs-tasks ecs.application-autoscaling elasticloadbalancing events lambda logs
monitoring pipes rds s3 scheduler sns sqs ssm states vpc-flow-logs
"""
_SERVICES = {f"{name}.amazonaws.com" for name in _KNOWN.split()}
_PRINCIPAL_ARN = re.compile(r"arn:aws:iam::(\d{12}):(root|role/(?:.*/)?(.+)|user/(?:.*/)?(.+))")
_QUOTAS = "IAM User Guide, IAM and AWS STS quotas"
_TRUST, _INLINE, _MANAGED = 2048, {"Role": 10240, "User": 2048, "Group": 5120}, 6144


@behaves(
    "iam.trust-malformed",
    "CreateRole takes no trust policy that is malformed",
    "MalformedPolicyDocument 400",
    "IAM API Reference, CreateRole, Errors; IAM User Guide, Grammar of the IAM JSON policy language",
)
@behaves(
    "iam.principal-unknown",
    "a trust policy names only services, roles and users that exist",
    "MalformedPolicyDocument 400, Invalid principal in policy",
    "IAM User Guide, Troubleshoot IAM roles: MalformedPolicyDocument; terraform-provider-aws retries it",
)
@behaves(
    "iam.principal-fresh",
    "a role made a moment ago is not known yet where a policy names it",
    "MalformedPolicyDocument 400, Invalid principal in policy",
    "IAM User Guide, Troubleshoot IAM: changes are not always immediately visible; "
    "terraform-provider-aws, aws_iam_role retries it",
)
@behaves(
    "iam.trust-needs-principal",
    "a trust policy names a principal in every statement",
    "MalformedPolicyDocument 400",
    "IAM User Guide, AWS JSON policy elements: Principal",
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


@behaves(
    "iam.policy-malformed",
    "a policy that is malformed is refused, with what is wrong",
    "MalformedPolicyDocument 400",
    "IAM User Guide, Grammar of the IAM JSON policy language",
    moto="moto refuses it as well",
)
@behaves(
    "iam.identity-policy-principal",
    "a policy of a role or user names no principal",
    "MalformedPolicyDocument 400",
    "IAM User Guide, AWS JSON policy elements: Principal",
)
@before("iam", "PutRolePolicy", "PutUserPolicy", "PutGroupPolicy", "CreatePolicy")
def check_no_principal(cloud: Cloud, call: Call) -> None:
    """Refuse a Principal in an identity-based policy (User Guide, Principal)."""
    for statement in statements(call.params["PolicyDocument"]):
        if {"Principal", "NotPrincipal"} & statement.keys():
            raise _malformed("Policy document should not specify a principal.")


@behaves(
    "iam.trust-size",
    "a trust policy is at most 2,048 characters long, white space not counted",
    "LimitExceeded 409",
    _QUOTAS,
)
@before("iam", "CreateRole", "UpdateAssumeRolePolicy")
def check_trust_policy_length(cloud: Cloud, call: Call) -> None:
    """Refuse more characters than the default quota, which can be raised to 4,096."""
    document = call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument")
    if _size(str(document)) > _TRUST:
        raise _too_much(f"Cannot exceed quota for ACLSizePerRole: {_TRUST}")


@behaves(
    "iam.inline-size",
    "all inline policies of a role are at most 10,240 characters long, white space not counted",
    "LimitExceeded 409",
    _QUOTAS,
)
@before("iam", "PutRolePolicy", "PutUserPolicy", "PutGroupPolicy")
def check_inline_policies_length(cloud: Cloud, call: Call) -> None:
    """Refuse inline policies that together exceed the quota."""
    kind = call.operation.removeprefix("Put").removesuffix("Policy")
    name, backend = call.params[f"{kind}Name"], cloud.backend("iam")
    holders = {"Role": cloud.iam.role(name), "User": backend.users.get(name)}
    holder = holders.get(kind) if kind in holders else backend.groups.get(name)
    inline = dict(holder.policies) if holder is not None else {}
    inline[call.params["PolicyName"]] = call.params["PolicyDocument"]
    if sum(_size(document) for document in inline.values()) > _INLINE[kind]:
        raise _too_much(
            f"Maximum policy size of {_INLINE[kind]} bytes exceeded for {kind.lower()} {name}"
        )


@behaves(
    "iam.managed-size",
    "a managed policy is at most 6,144 characters long, white space not counted",
    "LimitExceeded 409",
    _QUOTAS,
)
@before("iam", "CreatePolicy", "CreatePolicyVersion")
def check_managed_policy_length(cloud: Cloud, call: Call) -> None:
    """Refuse more characters than the quota (User Guide, quotas)."""
    if _size(call.params["PolicyDocument"]) > _MANAGED:
        raise _too_much(f"Cannot exceed quota for PolicySize: {_MANAGED}")


def check_principals(cloud: Cloud, statement: Statement, code: str) -> None:
    """Raise MalformedPolicyDocument for a principal that does not exist."""
    principal = statement.get("Principal", {})
    named = principal if isinstance(principal, dict) else {"AWS": principal}
    for service in listed(named.get("Service", [])):
        if service not in _SERVICES:
            raise _unknown(code, "SERVICE", service)
    for arn in listed(named.get("AWS", [])):
        if not _exists(cloud, str(arn)):
            raise _unknown(code, "AWS", arn)


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
        return found is not None and not cloud.iam.fresh(found)
    return user in cloud.backend("iam").users


def _unknown(code: str, kind: str, principal: Any) -> AwsError:
    return AwsError(code, f'Invalid principal in policy: "{kind}":"{principal}"', 400)


def _size(document: str) -> int:
    try:
        return len(json.dumps(json.loads(document), separators=(",", ":"), ensure_ascii=False))
    except ValueError:
        return len(document)


def _malformed(words: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", words, 400)


def _too_much(words: str) -> AwsError:
    return AwsError("LimitExceeded", words, 409)
