"""IAM: roles, the inline policies that say what they may do, and ECS's own role."""

import json
from typing import Any, ClassVar

from provision.clients.aws import call_or_none
from provision.i18n import _
from provision.parallel import run_all
from provision.resources.base import (
    Clients,
    Difference,
    Live,
    Resource,
    Tagged,
    flat,
    listed,
    marked,
    output,
    resource,
)

Statement = dict[str, Any]


@resource
class Role(Resource):
    """A role that one AWS service may assume. IAM is global: the name carries the region."""

    name: str
    service: str
    description: str
    arn: str = output("Arn")
    role_name: str = output("RoleName")
    at_once = True
    console = "IAM"
    not_found = ("NoSuchEntity",)
    exists = ("EntityAlreadyExists",)
    retry = (
        "DeleteConflict",
        "MalformedPolicyDocument: Invalid principal",
        "ConcurrentModification",
    )
    propagation_delay: ClassVar[float] = 10.0  # until services may assume it

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """By name and tags. IAM is global: a stack of the same name in another region is not this one."""
        iam, here = clients.aws.iam, f"-{clients.aws.region}"
        pages = iam.get_paginator("list_roles").paginate()
        named = [
            role
            for page in pages
            for role in page["Roles"]
            if role["RoleName"].startswith(stack) and role["RoleName"].endswith(here)
        ]
        tags = run_all(lambda role: iam.list_role_tags(RoleName=role["RoleName"])["Tags"], named)
        told = [(flat(some), dict(role)) for some, role in zip(tags, named, strict=True)]
        return [(some, role) for some, role in told if marked(some, stack)]

    def find(self, clients: Clients) -> Live | None:
        """By name."""
        return dict(clients.aws.iam.get_role(RoleName=self.role_name or self.name)["Role"])

    def create(self, clients: Clients) -> Live | None:
        """CreateRole."""
        answer = clients.aws.iam.create_role(
            RoleName=self.name,
            Description=self.description,
            AssumeRolePolicyDocument=json.dumps(self._trust()),
            Tags=listed(self.tags),
        )
        return dict(answer["Role"])

    def _trust(self) -> dict[str, Any]:
        trusted = {
            "Effect": "Allow",
            "Principal": {"Service": self.service},
            "Action": "sts:AssumeRole",
        }
        return {"Version": "2012-10-17", "Statement": [trusted]}

    def desired(self) -> dict[str, Any]:
        """Who may assume it."""
        return {"AssumeRolePolicyDocument": self._trust()}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """UpdateAssumeRolePolicy."""
        clients.aws.iam.update_assume_role_policy(
            RoleName=self.role_name, PolicyDocument=json.dumps(self._trust())
        )

    def delete(self, clients: Clients) -> None:
        """DeleteRole, which takes no role that has policies: those that somebody added are let go first."""
        iam, name = clients.aws.iam, self.role_name
        if call_or_none("DeleteConflict", iam.delete_role, RoleName=name) is not None:
            return
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


@resource
class RolePolicy(Resource):
    """What a role may do: an inline policy, ours when the role is ours."""

    role: Role
    role_name: str = output("RoleName")
    policy_name: str = output("PolicyName")
    at_once = True
    not_found = ("NoSuchEntity",)
    retry = ("ConcurrentModification",)
    owned_via: ClassVar[str] = "role"

    def identity(self) -> str:
        """A policy belongs to its role."""
        return self.role.identity()

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the role that it is a policy of."""
        return [Role.named_by(self.stack, role_name=live["RoleName"])]

    def statements(self) -> list[Statement]:
        """What is allowed, statement by statement."""
        raise NotImplementedError(self.kind)

    def _document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": self.statements()}

    def find(self, clients: Clients) -> Live | None:
        """By role and name."""
        answer = clients.aws.iam.get_role_policy(
            RoleName=self.role_name or self.role.role_name,
            PolicyName=self.policy_name or self.logical_id,
        )
        return {key: answer[key] for key in ("RoleName", "PolicyName", "PolicyDocument")}

    def create(self, clients: Clients) -> Live | None:
        """PutRolePolicy answers nothing, and has done what it was told."""
        self._put(clients)
        return {
            "RoleName": self.role.role_name,
            "PolicyName": self.logical_id,
            "PolicyDocument": self._document(),
        }

    def _put(self, clients: Clients) -> None:
        clients.aws.iam.put_role_policy(
            RoleName=self.role.role_name,
            PolicyName=self.logical_id,
            PolicyDocument=json.dumps(self._document()),
        )

    def desired(self) -> dict[str, Any]:
        """The whole document."""
        return {"PolicyDocument": self._document()}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """PutRolePolicy replaces it."""
        self._put(clients)

    def delete(self, clients: Clients) -> None:
        """DeleteRolePolicy."""
        clients.aws.iam.delete_role_policy(RoleName=self.role_name, PolicyName=self.policy_name)


@resource
class EcsServiceLinkedRole(Resource):
    """ECS's own role in the account, which everything of ECS's there shares: ensured, always kept."""

    arn: str = output("Arn")
    not_found = ("NoSuchEntity",)
    exists = ("InvalidInput: has been taken",)
    account_wide: ClassVar[bool] = True

    def find(self, clients: Clients) -> Live | None:
        """By its fixed name."""
        return dict(clients.aws.iam.get_role(RoleName="AWSServiceRoleForECS")["Role"])

    def create(self, clients: Clients) -> Live | None:
        """CreateServiceLinkedRole: the first use of ECS in an account."""
        answer = clients.aws.iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
        return dict(answer["Role"])

    def may_adopt(self, live: Live) -> bool:
        """It is the account's."""
        return True

    def retention_reason(self, everything: bool) -> str:
        """Other services of ECS's in the account may rest on it."""
        return _(
            "it belongs to the whole account, costs nothing, and other ECS services may use it"
        )
