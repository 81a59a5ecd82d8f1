"""Create IAM roles, their inline policies, and ECS's service-linked role."""

import json
from typing import Any

from provision.clients.aws import list_items
from provision.clients.aws_errors import call_or_none
from provision.i18n import _
from provision.parallel import run_all
from provision.resources.base import (
    AccountWide,
    Clients,
    Deletion,
    Difference,
    Errors,
    FoundSettings,
    Live,
    Permission,
    Polling,
    Resource,
    Tagged,
    arn_pattern,
    has_stack_tag,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)

Statement = dict[str, Any]
PATH = "/provision/"  # of the roles, so that an administrator's policies can name them all
BOUNDARY = "PermissionsBoundary.PermissionsBoundaryArn"
LINKED_ROLE = "AWSServiceRoleForECS"
LINKED_ROLE_PATH = "/aws-service-role/ecs.amazonaws.com/"


@resource
class Role(Resource):
    """A role that one AWS service may assume. IAM is global, so the name contains the region."""

    name: str
    service: str
    description: str
    source: str = ""  # the ARN for which the service assumes it, with {partition} and {account}
    boundary: str = ""  # the ARN of a permissions boundary that the account requires
    arn: str = output("Arn", arn_pattern())
    role_name: str = output("RoleName")
    deletion = Deletion(immediate=True)
    console = "IAM"
    errors = Errors(
        not_found=("NoSuchEntity",),
        exists=("EntityAlreadyExists",),
        retry=(
            "DeleteConflict",
            "MalformedPolicyDocument: Invalid principal",
            "ConcurrentModification",
        ),
    )
    polling = Polling(
        propagation_delay=10.0,  # until services can assume it
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        name = identity_in(self.key)
        role, to_service = f"role{PATH}{name}", {"iam:PassedToService": self.service}
        passed = Permission(
            "deploy", "iam", "PassRole", role, condition={"StringEquals": to_service}
        )
        creating = "CreateRole PutRolePermissionsBoundary" if self.boundary else "CreateRole"
        return [
            Permission("read", "iam", "ListRoles"),
            Permission("read", "iam", "ListRoleTags", f"role{PATH}{self.stack}*"),
            Permission("read", "iam", "GetRole", f"{role} role/{name}"),  # without path: not found
            Permission("read", "iam", "SimulatePrincipalPolicy", role),
            *([passed] if self.service else []),
            Permission("create", "iam", creating, role, condition=_within(self.boundary)),
            Permission("create", "iam", "TagRole UpdateAssumeRolePolicy", role),
            Permission("delete", "iam", "DeleteRole", role),
            Permission("delete", "iam", "ListRolePolicies ListAttachedRolePolicies", role),
            Permission("delete", "iam", "DeleteRolePolicy DetachRolePolicy", role),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return the roles of the stack in this region, by name and tags."""
        iam, suffix = clients.aws.iam, f"-{clients.aws.region}"
        roles = [
            dict(role)
            for role in list_items(iam, "list_roles", "Roles")
            if role["RoleName"].startswith(stack) and role["RoleName"].endswith(suffix)
        ]

        def with_tags(role: Live) -> Tagged:
            tags = list_items(iam, "list_role_tags", "Tags", RoleName=role["RoleName"])
            return tags_to_dict(tags), role

        return [
            (tags, role) for tags, role in run_all(with_tags, roles) if has_stack_tag(tags, stack)
        ]

    def find(self, clients: Clients) -> Live | None:
        """Find the role by name."""
        return dict(clients.aws.iam.get_role(RoleName=self.role_name or self.name)["Role"])

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return the permissions boundary, which GetRole returns and ListRoles does not."""
        boundary = live.get("PermissionsBoundary") or {}
        return {"aws.permissions_boundary": boundary.get("PermissionsBoundaryArn", "")}

    def create(self, clients: Clients) -> Live | None:
        """Call CreateRole."""
        answer = clients.aws.iam.create_role(
            RoleName=self.name,
            Path=PATH,
            Description=self.description,
            AssumeRolePolicyDocument=json.dumps(self._trust_policy(clients.aws.caller())),
            Tags=tags_to_list(self.tags),
            **({"PermissionsBoundary": self.boundary} if self.boundary else {}),
        )
        boundary = {"PermissionsBoundaryArn": self.boundary} if self.boundary else None
        return {**answer["Role"], "PermissionsBoundary": boundary}

    def _trust_policy(self, arn: str) -> dict[str, Any]:
        """Return the policy by which the service assumes the role for resources of this account only.

        arn: any ARN of the account; "" if the role does not exist yet. Source: IAM User Guide, "The confused
        deputy problem".
        """
        parts = arn.split(":")
        partition, account = (parts[1], parts[4]) if arn else ("", "")
        source = self.source.format(partition=partition, account=account)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": self.service},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account},
                **({"ArnLike": {"aws:SourceArn": source}} if source else {}),
            },
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def desired(self) -> dict[str, Any]:
        """Return the trust policy, and the permissions boundary if one is set."""
        boundary = {BOUNDARY: self.boundary} if self.boundary else {}
        return {"AssumeRolePolicyDocument": self._trust_policy(self.arn), **boundary}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call PutRolePermissionsBoundary and UpdateAssumeRolePolicy."""
        iam, paths = clients.aws.iam, [difference.path for difference in differences]
        if BOUNDARY in paths:
            iam.put_role_permissions_boundary(
                RoleName=self.role_name, PermissionsBoundary=self.boundary
            )
        if any(path.startswith("AssumeRolePolicyDocument") for path in paths):
            iam.update_assume_role_policy(
                RoleName=self.role_name, PolicyDocument=json.dumps(self._trust_policy(self.arn))
            )

    def delete(self, clients: Clients) -> None:
        """Call DeleteRole. If policies prevent it (somebody added them), remove them first."""
        iam, name = clients.aws.iam, self.role_name
        if call_or_none("DeleteConflict", iam.delete_role, RoleName=name) is not None:
            return
        attached = "list_attached_role_policies", "AttachedPolicies"
        for policy in list_items(iam, *attached, RoleName=name):
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        for inline in list_items(iam, "list_role_policies", "PolicyNames", RoleName=name):
            iam.delete_role_policy(RoleName=name, PolicyName=inline)
        iam.delete_role(RoleName=name)


def _within(boundary: str) -> dict[str, dict[str, str]]:
    """Return the condition that the role has, or gets, this permissions boundary; none for "".

    Source: IAM User Guide, "Delegating responsibility to others using permissions boundaries".
    """
    return {"StringEquals": {"iam:PermissionsBoundary": boundary}} if boundary else {}


@resource
class RolePolicy(Resource):
    """An inline policy, owned through its role."""

    role: Role
    role_name: str = output("RoleName")
    policy_name: str = output("PolicyName")
    deletion = Deletion(immediate=True)
    errors = Errors(
        not_found=("NoSuchEntity",),
        retry=("ConcurrentModification",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        role = f"role{PATH}{identity_in(self.key)}"
        bounded = _within(self.role.boundary if self.role else "")
        return [
            Permission("read", "iam", "GetRolePolicy", role),
            Permission("create", "iam", "PutRolePolicy", role, condition=bounded),
            Permission("delete", "iam", "DeleteRolePolicy", role),
        ]

    def identity(self) -> str:
        """Return the role's identity."""
        return self.role.identity()

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the policy's role."""
        name = live["RoleName"]
        return [Role.from_record(self.stack, name, {"role_name": name})]

    def statements(self) -> list[Statement]:
        """Return the policy's statements."""
        raise NotImplementedError(self.kind)

    def _document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": self.statements()}

    def exists_within(self) -> list[Resource]:
        """Return the role."""
        return [self.role]

    def find(self, clients: Clients) -> Live | None:
        """Find the policy by role and name."""
        answer = clients.aws.iam.get_role_policy(
            RoleName=self.role_name or self.role.role_name,
            PolicyName=self.policy_name or self.logical_id,
        )
        return {key: answer[key] for key in ("RoleName", "PolicyName", "PolicyDocument")}

    def create(self, clients: Clients) -> Live | None:
        """Call PutRolePolicy, which returns nothing."""
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
        """Return the whole document."""
        return {"PolicyDocument": self._document()}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call PutRolePolicy, which replaces the policy."""
        self._put(clients)

    def delete(self, clients: Clients) -> None:
        """Call DeleteRolePolicy."""
        clients.aws.iam.delete_role_policy(RoleName=self.role_name, PolicyName=self.policy_name)


@resource
class EcsServiceLinkedRole(AccountWide):
    """ECS's service-linked role, one per account."""

    arn: str = output("Arn", arn_pattern())
    errors = Errors(
        not_found=("NoSuchEntity",),
        exists=("InvalidInput: has been taken",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        service = "ecs.amazonaws.com"
        return [
            Permission(
                "read",
                "iam",
                "GetRole",
                f"role/{LINKED_ROLE} role/aws-service-role/{service}/{LINKED_ROLE}",
            ),
            Permission(
                "create",
                "iam",
                "CreateServiceLinkedRole",
                f"role/aws-service-role/{service}/*",
                condition={"StringEquals": {"iam:AWSServiceName": service}},
            ),
        ]

    def find(self, clients: Clients) -> Live | None:
        """Find the role by its recorded name, else by its fixed one."""
        name = self.arn.rpartition("/")[2] or LINKED_ROLE
        return dict(clients.aws.iam.get_role(RoleName=name)["Role"])

    def create(self, clients: Clients) -> Live | None:
        """Call CreateServiceLinkedRole. The role is missing until an account first uses ECS.

        EntityAlreadyExists is the answer of emulators that give it another name: find it by its path.
        """
        iam = clients.aws.iam
        create, service = iam.create_service_linked_role, "ecs.amazonaws.com"
        if answer := call_or_none("EntityAlreadyExists", create, AWSServiceName=service):
            return dict(answer["Role"])
        roles = list_items(iam, "list_roles", "Roles", PathPrefix=LINKED_ROLE_PATH)
        return next((dict(role) for role in roles if role["Path"] == LINKED_ROLE_PATH), None)

    def may_adopt(self, live: Live) -> bool:
        """Adopt it, because it belongs to the account."""
        return True

    def retention_reason(self, everything: bool) -> str:
        """Keep it always, because other ECS services in the account may need it."""
        return _(
            "it belongs to the whole account, costs nothing, and other ECS services may use it"
        )
