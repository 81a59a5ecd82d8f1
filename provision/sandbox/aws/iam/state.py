"""IAM: the age of roles, and which services can assume them."""

import functools
import json
from dataclasses import dataclass, field
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import SERVICE_NAME_CONVERSION, AWSManagedPolicy

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.permissions.policies import (
    PermissionRequest,
    resource_decision,
    statements,
)

SERVICE_NAME_CONVERSION["ecs"] = "ECS"  # AWSServiceRoleForECS, not ...Forecs as in moto


@dataclass
class Iam:
    """When roles and their trust policies were last changed, by ARN, on the sandbox's clock."""

    account: Account
    _changed_at: dict[str, float] = field(default_factory=dict)

    @behaves("iam.managed-policies")
    def load_managed_policies(self, arn: str = "") -> None:
        """Give moto the AWS managed policy of this ARN, or all for ""; by itself it has all or none."""
        backend = self.account.backend("iam")
        wanted = {arn.rpartition("/")[2]} if arn else set(_managed_policies())
        loaded = {policy.name for policy in backend.aws_managed_policies}
        for name in sorted(wanted & _managed_policies().keys() - loaded):
            data = _managed_policies()[name]
            policy = AWSManagedPolicy.from_data(
                name, self.account.account_id, backend.region_name, data
            )
            backend.aws_managed_policies.append(policy)
            backend.managed_policies[policy.arn] = policy

    def role(self, arn_or_name: str) -> Any | None:
        """Return moto's role, or None."""
        name = arn_or_name.rpartition("/")[2]
        for role in self.account.backend("iam").roles.values():
            if role.name == name and arn_or_name in (name, role.arn):
                return role
        return None

    def is_propagating(self, role: Any) -> bool:
        """Return whether the role or its trust policy changed less than `delays.role` ago."""
        due = self._changed_at.get(role.arn, 0) + self.account.delays.role
        return bool(self.account.clock.now() < due)

    @behaves("iam.trust-of-services")
    def can_be_assumed(self, arn_or_name: str, principal: str, source: str = "") -> bool:
        """Return whether the service `principal` (ecs-tasks.amazonaws.com) can assume this role now.

        `source` is the ARN for the condition key aws:SourceArn. A new role or trust policy takes
        `delays.role` to propagate.
        """
        role = self.role(arn_or_name)
        if role is None or self.is_propagating(role):
            return False
        keys = {"aws:sourceaccount": self.account.account_id}
        request = PermissionRequest(
            principal,
            "sts:AssumeRole",
            role.arn,
            keys | ({"aws:sourcearn": source} if source else {}),
        )
        return resource_decision(statements(role.assume_role_policy_document), request) == "Allow"

    def mark_changed(self, arn: str) -> None:
        """Record that the role or its trust policy changed now."""
        self._changed_at[arn] = self.account.clock.now()


@functools.cache
def _managed_policies() -> dict[str, Any]:
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies
