"""Evaluation of policies, as pure functions.

Source: IAM User Guide, "Policy evaluation logic": an explicit deny wins; otherwise an identity-based policy
must allow the request or, within the account, a resource-based one that names the caller; a permissions
boundary and a session policy only limit what identity-based ones allow.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.permissions.conditions import conditions_match
from provision.sandbox.aws.permissions.patterns import Context, as_list, matches

Statement = dict[str, Any]


@dataclass(frozen=True)
class PermissionRequest:
    """One action on one resource by one caller; `context` has condition keys in lower case.

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
    """Return the statements of a policy document (JSON or parsed); [] if it is no policy."""
    try:
        policy = json.loads(document) if isinstance(document, (str, bytes)) else document
    except ValueError:
        return []
    found = policy.get("Statement", []) if isinstance(policy, dict) else []
    return [statement for statement in as_list(found) if isinstance(statement, dict)]


def decision(policy: Sequence[Statement], request: PermissionRequest) -> str:
    """Return "Deny", "Allow" or "" (neither) by identity-based statements."""
    return _decide([s for s in policy if _applies(s, request)])


def resource_decision(policy: Sequence[Statement], request: PermissionRequest) -> str:
    """Return "Deny", "Allow", "Delegate" (to the account's policies) or "" by resource-based statements."""
    named = [(s, _match_principal(s, request)) for s in policy if _applies(s, request)]
    found = _decide([s for s, by in named if by == "caller" or (by and s["Effect"] == "Deny")])
    return found or ("Delegate" if any(by == "account" for _, by in named) else "")


def denial_reason(
    request: PermissionRequest,
    identity: Sequence[Statement],
    resource: Sequence[Statement] = (),
    boundary: Sequence[Statement] | None = None,
    session: Sequence[Statement] | None = None,
) -> str:
    """Return why the request is denied, the end of AWS's message; "" if it is allowed."""
    limits = {"permissions boundary": boundary, "session policy": session}
    by_resource = resource_decision(resource, request)
    if decision(identity, request) == "Deny":
        return "with an explicit deny in an identity-based policy"
    if by_resource == "Deny":
        return "with an explicit deny in a resource-based policy"
    for name, policy in limits.items():
        if policy is not None and decision(policy, request) == "Deny":
            return f"with an explicit deny in a {name}"
    if by_resource == "Allow":
        return ""
    if decision(identity, request) != "Allow":
        return f"because no identity-based policy allows the {request.action} action"
    for name, policy in limits.items():
        if policy is not None and decision(policy, request) != "Allow":
            return f"because no {name} allows the {request.action} action"
    return ""


def _decide(applying: list[Statement]) -> str:
    effects = {statement.get("Effect") for statement in applying}
    return "Deny" if "Deny" in effects else "Allow" if "Allow" in effects else ""


def _applies(statement: Statement, request: PermissionRequest) -> bool:
    """Return whether action, resource (which trust policies lack) and conditions match."""
    return (
        _matches_element(statement, "Action", request.action, None)
        and _matches_element(statement, "Resource", request.resource, request.context)
        and conditions_match(statement.get("Condition", {}), request.context)
    )


def _matches_element(statement: Statement, name: str, value: str, context: Context | None) -> bool:
    for element, wanted in ((name, True), (f"Not{name}", False)):
        if element in statement:
            fold = name == "Action"
            patterns = as_list(statement[element])
            return any(matches(str(p), value, context, fold) for p in patterns) == wanted
    return name == "Resource"


def _match_principal(statement: Statement, request: PermissionRequest) -> str:
    """Return what of the caller Principal matches: "caller", "account" or "" (nothing)."""
    if "NotPrincipal" in statement:
        return "" if _match_principal_element(statement["NotPrincipal"], request) else "caller"
    return _match_principal_element(statement.get("Principal", {}), request)


def _match_principal_element(principal: Any, request: PermissionRequest) -> str:
    if principal == "*":
        return "caller"
    kinds = principal if isinstance(principal, dict) else {}
    named = {str(name) for names in kinds.values() for name in as_list(names)}
    if "*" in as_list(kinds.get("AWS", [])) or named & {request.principal, request.role or "-"}:
        return "caller"
    account = request.account
    return "account" if account and named & {account, f"arn:aws:iam::{account}:root"} else ""
