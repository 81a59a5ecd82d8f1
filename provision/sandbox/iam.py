"""IAM: roles that other services cannot assume yet, and who may assume them at all."""

import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import SERVICE_NAME_CONVERSION, AWSManagedPolicy

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import Answer, after, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

SERVICE_NAME_CONVERSION["ecs"] = "ECS"  # AWSServiceRoleForECS; moto would say ...Forecs
_SEEDED = ("AmazonECSTaskExecutionRolePolicy",)  # moto has AWS's managed policies: all or none
# Service principals are one name per service; IAM refuses those it does not know.
_KNOWN = """
apigateway application-autoscaling autoscaling batch cloudformation codebuild codedeploy
codepipeline ec2 ecs ecs-tasks ecs.application-autoscaling elasticloadbalancing events lambda logs
monitoring pipes rds s3 scheduler sns sqs ssm states vpc-flow-logs
"""
_SERVICES = {f"{name}.amazonaws.com" for name in _KNOWN.split()}
_PRINCIPAL_ARN = re.compile(r"arn:aws:iam::(\d{12}):(root|role/(?:.*/)?(.+)|user/(?:.*/)?(.+))")


@dataclass
class Iam:
    """When roles came to be, on the sandbox's clock."""

    cloud: "Cloud"
    _since: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        backend = self.cloud.backend("iam")
        for name in _SEEDED:
            policy = AWSManagedPolicy.from_data(
                name, self.cloud.account, backend.region_name, _managed_policies()[name]
            )
            backend.aws_managed_policies.append(policy)
            backend.managed_policies[policy.arn] = policy

    def role(self, arn_or_name: str) -> Any | None:
        """Moto's role, or None."""
        name = arn_or_name.rpartition("/")[2]
        for role in self.cloud.backend("iam").roles.values():
            if role.name == name and arn_or_name in (name, role.arn):
                return role
        return None

    def assumable(self, arn_or_name: str, principal: str) -> bool:
        """Whether the service `principal` (ecs-tasks.amazonaws.com) can assume this role by now.

        A new role, and a new trust policy, take `delays.role` to be known everywhere.
        """
        role = self.role(arn_or_name)
        if role is None:
            return False
        fresh = self.cloud.clock.now() < self._since.get(role.arn, 0) + self.cloud.delays.role
        trusted = any(
            statement.get("Effect") == "Allow" and principal in _listed(services)
            for statement in _statements(role.assume_role_policy_document)
            for services in [_principals(statement).get("Service", [])]
        )
        return trusted and not fresh

    def allows(self, arn_or_name: str, action: str, resource: str) -> bool:
        """Whether the role's inline policies allow that: no deny, and an allow, conditions unread."""
        role = self.role(arn_or_name)
        found = [
            statement["Effect"]
            for document in (role.policies if role else {}).values()
            for statement in _statements(document)
            if _matches(statement.get("Action", []), action.lower(), str.lower)
            and _matches(statement.get("Resource", []), resource, str)
        ]
        return "Deny" not in found and "Allow" in found

    def statements(self, document: str) -> list[dict[str, Any]]:
        """The statements of a policy document, of any service's."""
        return _statements(document)

    def touched(self, arn: str) -> None:
        """The role or its trust policy is new from now on."""
        self._since[arn] = self.cloud.clock.now()


@functools.cache
def _managed_policies() -> dict[str, Any]:
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


@before("iam", "CreateRole")
@before("iam", "UpdateAssumeRolePolicy")
def principals_are_known(cloud: "Cloud", call: Call) -> None:
    """API CreateRole, MalformedPolicyDocument: a principal that does not exist (yet)."""
    document = call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument")
    for statement in _statements(document or "{}"):
        principals = _principals(statement)
        for service in _listed(principals.get("Service", [])):
            if service not in _SERVICES:
                raise _unknown_principal("SERVICE", service)
        for arn in _listed(principals.get("AWS", [])):
            if not _exists(cloud, arn):
                raise _unknown_principal("AWS", arn)


@after("iam", "CreateRole")
def role_is_fresh(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """User Guide, IAM troubleshooting: changes are not immediately visible everywhere."""
    cloud.iam.touched(answer["Role"]["Arn"])


@after("iam", "UpdateAssumeRolePolicy")
def trust_is_fresh(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """User Guide, IAM troubleshooting: changes are not immediately visible everywhere."""
    role = cloud.iam.role(call.params["RoleName"])
    if role is not None:
        cloud.iam.touched(role.arn)


@before("iam", "CreateServiceLinkedRole")
def one_service_linked_role(cloud: "Cloud", call: Call) -> None:
    """API CreateServiceLinkedRole, InvalidInput: the second one of a service."""
    path = f"/aws-service-role/{call.params['AWSServiceName']}/"
    for role in cloud.backend("iam").roles.values():
        if role.path == path and not call.params.get("CustomSuffix"):
            raise Refusal(
                "InvalidInput",
                f"Service role name {role.name} has been taken in this account, please try a "
                "different suffix.",
            )


def _exists(cloud: "Cloud", principal: str) -> bool:
    if principal == "*" or re.fullmatch(r"\d{12}", principal):
        return True
    matched = _PRINCIPAL_ARN.fullmatch(principal)
    if matched is None:
        return False
    account, _, role, user = matched.groups()
    if account != cloud.account or not (role or user):
        return True
    if role:
        return cloud.iam.role(principal) is not None
    return user in cloud.backend("iam").users


def _unknown_principal(kind: str, principal: str) -> Refusal:
    return Refusal(
        "MalformedPolicyDocument", f'Invalid principal in policy: "{kind}":"{principal}"'
    )


def _statements(document: str) -> list[dict[str, Any]]:
    """The statements of a policy document; moto refuses what is no JSON."""
    try:
        policy = json.loads(document)
    except ValueError:
        return []
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    return [s for s in _listed(statements) if isinstance(s, dict)]


def _matches(patterns: Any, value: str, fold: Callable[[str], str]) -> bool:
    """Whether one of the patterns (* and ?, as IAM reads them) fits."""
    return any(
        re.fullmatch(
            "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in fold(pattern)),
            value,
        )
        for pattern in _listed(patterns)
    )


def _principals(statement: dict[str, Any]) -> dict[str, Any]:
    principal = statement.get("Principal", {})
    return principal if isinstance(principal, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
