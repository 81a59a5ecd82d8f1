"""The least-privilege IAM policy of the person who runs provision, from the resources' permissions."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provision.resources.base import Permission, Resource, kinds

Statement = dict[str, Any]

# The purposes of the permissions that each command needs. "": every command.
PURPOSES: Mapping[str, tuple[str, ...]] = {
    "": ("read", "secret", "deploy", "retire", "create", "delete"),
    "setup": ("read", "secret", "deploy", "create"),
    "deploy": ("read", "secret", "deploy", "retire"),
    "status": ("read",),
    "teardown": ("read", "secret", "delete"),
}
MAX_SIZE = 6144  # characters of a managed policy; IAM User Guide, "IAM and AWS STS quotas"
# Where their ARNs have region and account, for services that have no region there.
PLACES = {"iam": ":{number}", "route53": ":", "s3": ":"}


@dataclass(frozen=True)
class Account:
    """The stack, and where it is. partition: aws, or that of China or of a government."""

    stack: str
    number: str
    region: str
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource, given by its part after the account; see Permission."""
        if resource == "*":
            return "*"
        if "::" in resource:
            service, _separator, resource = resource.partition("::")
        place = PLACES.get(service, f"{self.region}:{{number}}").format(number=self.number)
        return f"arn:{self.partition}:{service}:{place}:{resource}"


def statements(resources: Iterable[Resource], account: Account, verb: str = "") -> list[Statement]:
    """Return the statements for a command (see PURPOSES), those with equal resources in one.

    resources: those of stack.py and those recorded in stack.yaml.
    """
    actions: dict[str, set[str]] = defaultdict(set)
    for permission in _permissions(resources, account.stack):
        if permission.purpose in PURPOSES[verb]:
            scope = json.dumps(_scope(permission, account), sort_keys=True)
            actions[scope] |= {f"{permission.service}:{a}" for a in permission.actions.split()}
    by_actions: dict[str, list[Any]] = defaultdict(list)
    for scope, names in actions.items():
        arns, condition = json.loads(scope)
        by_actions[json.dumps([sorted(names), condition])] += arns
    found = []
    for key, arns in by_actions.items():
        names, condition = json.loads(key)
        found.append(
            {
                "Effect": "Allow",
                "Action": names,
                "Resource": sorted(set(arns)),
                **({"Condition": condition} if condition else {}),
            }
        )
    return sorted(found, key=lambda one: (one["Action"], one["Resource"]))


def _permissions(resources: Iterable[Resource], stack: str) -> list[Permission]:
    """Return the resources' permissions, and what listing the other kinds needs.

    What is only recorded is not created again, and its permissions boundary is not known.
    """
    found = [
        permission
        for resource in resources
        for permission in resource.operator_permissions()
        if not (resource.recorded_key and permission.purpose == "create")
    ]
    for name, kind in kinds().items():
        unused = kind.from_record(stack, f"{name}/{stack}", {})
        found += [one for one in unused.operator_permissions() if one.purpose == "read"]
    return found


def _scope(permission: Permission, account: Account) -> tuple[list[str], dict[str, Any]]:
    """Return the ARNs and the conditions of a permission."""
    arns = sorted(account.arn(permission.service, part) for part in permission.resource.split())
    condition = {name: dict(keys) for name, keys in permission.condition.items()}
    equal = condition.setdefault("StringEquals", {})
    if permission.tag:
        equal[f"aws:{permission.tag}/provision:stack"] = account.stack
    if arns == ["*"] and permission.service not in PLACES and not permission.any_region:
        equal["aws:RequestedRegion"] = account.region
    return arns, {name: keys for name, keys in condition.items() if keys}


def is_unbounded(found: list[Statement]) -> bool:
    """Return whether the statements allow to give a role permissions without a permissions boundary."""
    return any("iam:PutRolePolicy" in one["Action"] and "Condition" not in one for one in found)


def document(found: list[Statement]) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": found}


def documents(found: list[Statement]) -> list[str]:
    """Return the statements as policy documents of at most MAX_SIZE characters, a line for each statement."""
    parts: list[list[Statement]] = [[]]
    for statement in found:
        if len(_text([*parts[-1], statement])) > MAX_SIZE:
            parts.append([])
        parts[-1].append(statement)
    return [_text(part) for part in parts]


def _text(found: list[Statement]) -> str:
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in found)
    return f'{{"Version":"2012-10-17","Statement":[\n{lines}\n]}}\n'
