"""Evaluation of policies: pure functions on plain values.

Source: IAM User Guide, "Policy evaluation logic": an explicit deny wins; else something must allow,
an identity-based policy or, within the account, a resource-based one that names the caller; a
permissions boundary and a session policy allow nothing and limit what identity-based ones allow.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.permissions.conditions import hold
from provision.sandbox.aws.permissions.patterns import Context, fits, listed

Statement = dict[str, Any]


@dataclass(frozen=True)
class PermissionRequest:
    """One action on one resource by one caller; the context's keys in lower case.

    `principal` is an ARN (user, role or assumed-role) or a service (scheduler.amazonaws.com); `role`
    is the ARN of the role whose session the principal is.
    """

    principal: str
    action: str
    resource: str
    context: Context = field(default_factory=dict)
    role: str = ""

    @property
    def account(self) -> str:
        """Return the account in the principal's ARN, "" for a service."""
        parts = self.principal.split(":")
        return parts[4] if len(parts) > 4 else ""


def statements(document: Any) -> list[Statement]:
    """Return the statements of a policy document, as JSON or as read; none where it is no policy."""
    try:
        policy = json.loads(document) if isinstance(document, (str, bytes)) else document
    except ValueError:
        return []
    found = policy.get("Statement", []) if isinstance(policy, dict) else []
    return [statement for statement in listed(found) if isinstance(statement, dict)]


def verdict(policy: Sequence[Statement], request: PermissionRequest) -> str:
    """Return "Deny", "Allow" or "" by identity-based statements."""
    return _verdict([s for s in policy if _concerns(s, request)])


def resource_verdict(policy: Sequence[Statement], request: PermissionRequest) -> str:
    """Return the same by resource-based statements, or "Delegate"."""
    named = [(s, _names(s, request)) for s in policy if _concerns(s, request)]
    found = _verdict([s for s, by in named if by == "caller" or (by and s["Effect"] == "Deny")])
    return found or ("Delegate" if any(by == "account" for _, by in named) else "")


def refusal(
    request: PermissionRequest,
    identity: Sequence[Statement],
    resource: Sequence[Statement] = (),
    boundary: Sequence[Statement] | None = None,
    session: Sequence[Statement] | None = None,
) -> str:
    """Return why the request is denied, as AWS ends its message; "" where it is allowed."""
    limits = {"permissions boundary": boundary, "session policy": session}
    by_resource = resource_verdict(resource, request)
    if verdict(identity, request) == "Deny":
        return "with an explicit deny in an identity-based policy"
    if by_resource == "Deny":
        return "with an explicit deny in a resource-based policy"
    for name, policy in limits.items():
        if policy is not None and verdict(policy, request) == "Deny":
            return f"with an explicit deny in a {name}"
    if by_resource == "Allow":
        return ""
    if verdict(identity, request) != "Allow":
        return f"because no identity-based policy allows the {request.action} action"
    for name, policy in limits.items():
        if policy is not None and verdict(policy, request) != "Allow":
            return f"because no {name} allows the {request.action} action"
    return ""


def _verdict(applying: list[Statement]) -> str:
    effects = {statement.get("Effect") for statement in applying}
    return "Deny" if "Deny" in effects else "Allow" if "Allow" in effects else ""


def _concerns(statement: Statement, request: PermissionRequest) -> bool:
    """Return whether action, resource and conditions match; trust policies name no resource."""
    return (
        _element(statement, "Action", request.action, None)
        and _element(statement, "Resource", request.resource, request.context)
        and hold(statement.get("Condition", {}), request.context)
    )


def _element(statement: Statement, name: str, value: str, context: Context | None) -> bool:
    for element, wanted in ((name, True), (f"Not{name}", False)):
        if element in statement:
            fold = name == "Action"
            patterns = listed(statement[element])
            return any(fits(str(p), value, context, fold) for p in patterns) == wanted
    return name == "Resource"


def _names(statement: Statement, request: PermissionRequest) -> str:
    """Return how Principal means the caller: "caller", "account" or "" (not)."""
    if "NotPrincipal" in statement:
        return "" if _meant(statement["NotPrincipal"], request) else "caller"
    return _meant(statement.get("Principal", {}), request)


def _meant(principal: Any, request: PermissionRequest) -> str:
    if principal == "*":
        return "caller"
    kinds = principal if isinstance(principal, dict) else {}
    named = {str(name) for names in kinds.values() for name in listed(names)}
    if "*" in listed(kinds.get("AWS", [])) or named & {request.principal, request.role or "-"}:
        return "caller"
    account = request.account
    return "account" if account and named & {account, f"arn:aws:iam::{account}:root"} else ""
