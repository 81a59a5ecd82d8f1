"""Check a role's permissions with IAM's policy simulator, or by its policies if that is not available."""

from functools import partial
from typing import Any

from provision import retries
from provision.clients import aws_errors
from provision.clients.aws import list_items
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import Clients
from provision.resources.role import RolePolicy, Statement
from provision.verify.tree import CheckContext, CheckFunction, Finding, is_ready, ng, ok

POLICY_LISTS = ("list_role_policies", "list_attached_role_policies")
TRIES = 5  # of a simulation, about six seconds
# Actions that none of the roles needs.
NEVER = (
    "ssm:PutParameter",
    "s3:PutObject",
    "s3:DeleteObject",
    "ecs:UpdateService",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "secretsmanager:GetSecretValue",
)


def role_has_permissions(policy: RolePolicy | None) -> CheckFunction:
    """Return a check that the role has the policy and its permissions, and none of NEVER."""

    def check(context: CheckContext) -> Finding:
        finding = is_ready(policy and policy.role, policy)(context)
        if policy is None or finding.state != "OK":
            return finding
        role, clients = policy.role, context.run.clients
        simulate = partial(_check_by_simulation, clients, role.arn, policy.statements())
        doing = _("Could not ask IAM what {role} may do.", role=role.arn)
        try:
            return retries.call(simulate, context.run.clock, doing, TRIES)
        except ProvisionError:  # not supported by the endpoint, or access denied
            return _check_by_policies(clients, role.role_name, policy.policy_name)

    return check


def _check_by_simulation(clients: Clients, arn: str, statements: list[Statement]) -> Finding:
    """Check with SimulatePrincipalPolicy, which evaluates permissions boundaries and SCPs too."""
    for statement in statements:
        for action, resource, decision in _simulate(clients, arn, statement["Action"], statement):
            if decision == "allowed":
                continue
            reason = _(
                "{action} on {resource} is not allowed ({decision})",
                action=action,
                resource=resource,
                decision=decision,
            )
            return ng(reason, _("Ask the account's administrator which policy forbids it."))
    granted = {action for statement in statements for action in _as_list(statement["Action"])}
    never = [action for action in NEVER if action not in granted]
    more = [
        a for a, _resource, decision in _simulate(clients, arn, never, {}) if decision == "allowed"
    ]
    return _excess_permissions(", ".join(more)) if more else ok(_("simulated by IAM"))


def simulate(
    clients: Clients, principal: str, actions: list[str], **parameters: Any
) -> list[dict[str, Any]]:
    """Return the results of IAM's policy simulator (SimulatePrincipalPolicy).

    Raise UnknownState, also if it did not evaluate one of the actions.
    """
    with aws_errors.reading(_("Could not ask IAM what {role} may do.", role=principal)):
        parameters |= {"PolicySourceArn": principal, "ActionNames": actions}
        simulation = "simulate_principal_policy", "EvaluationResults"
        results = list_items(clients.aws.iam, *simulation, **parameters)
        evaluated = {result["EvalActionName"] for result in results}
        for action in actions:
            if action not in evaluated:
                raise KeyError(action)
    return results


def _simulate(
    clients: Clients, arn: str, actions: Any, statement: Statement
) -> list[tuple[str, str, str]]:
    """Ask the policy simulator. Return action, resource and decision of each result."""
    parameters: dict[str, Any] = {}
    if "Resource" in statement:
        parameters["ResourceArns"] = [
            _example(resource) for resource in _as_list(statement["Resource"])
        ]
    condition = statement.get("Condition", {})
    like = {**condition.get("StringLike", {}), **condition.get("StringEquals", {})}
    parameters["ContextEntries"] = [
        {
            "ContextKeyName": key,
            "ContextKeyType": "string",
            "ContextKeyValues": [_example(v) for v in _as_list(value)],
        }
        for key, value in like.items()
    ]
    return [
        (result["EvalActionName"], result.get("EvalResourceName", "*"), result["EvalDecision"])
        for result in simulate(clients, arn, _as_list(actions), **parameters)
    ]


def _example(pattern: str) -> str:
    """Return an example that matches the pattern; "*" is returned unchanged."""
    return pattern if pattern == "*" else pattern.replace("*", "example")


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _check_by_policies(clients: Clients, role: str, ours: str) -> Finding:
    """Check that the role has no other policies than `ours`."""
    lists = [clients.aws.iam.get_paginator(name) for name in POLICY_LISTS]
    pages = [page for each in lists for page in each.paginate(RoleName=role)]
    inline = [name for page in pages for name in page.get("PolicyNames", [])]
    attached = [p["PolicyName"] for page in pages for p in page.get("AttachedPolicies", [])]
    others = [name for name in inline if name != ours] + attached
    return _excess_permissions(", ".join(others)) if others else ok(_("read from its policies"))


def _excess_permissions(excess: str) -> Finding:
    return ng(
        _("it may do more than the bot needs: {what}", what=excess),
        _("Remove it from the role in the IAM console."),
    )
