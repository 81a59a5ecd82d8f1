"""What a role may do and may not: asked of IAM, and where IAM does not simulate, read from its policies."""

from functools import partial
from typing import Any

from provision.clients import aws
from provision.engine.inspector import call_with_retries
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import Clients
from provision.resources.role import RolePolicy, Statement
from provision.verify.tree import Finding, Look, Scene, is_ready, ng, ok

TRIES = 5  # of a simulation, some six seconds: where there is none, the policies are read
# What nobody who answers LINE's messages, or starts the one who does, has to do.
NEVER = (
    "ssm:PutParameter",
    "s3:PutObject",
    "s3:DeleteObject",
    "ecs:UpdateService",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "secretsmanager:GetSecretValue",
)


def role_may(policy: RolePolicy | None) -> Look:
    """Return the check that the policy's role has it, may do what it allows, and nothing of NEVER."""

    def look(scene: Scene) -> Finding:
        finding = is_ready(policy and policy.role, policy)(scene)
        if policy is None or finding.state != "OK":
            return finding
        role, clients = policy.role, scene.run.clients
        question = partial(_simulated, clients, role.arn, policy.statements())
        doing = _("Asking IAM what {role} may do.", role=role.arn)
        try:
            return call_with_retries(question, scene.run.clock, doing, TRIES)
        except ProvisionError:  # an endpoint that does not have it, a person who may not ask
            return _read(clients, role.role_name, policy.policy_name)

    return look


def _simulated(clients: Clients, arn: str, statements: list[Statement]) -> Finding:
    """Call iam:SimulatePrincipalPolicy, which knows boundaries and the organization's policies."""
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
    granted = {action for statement in statements for action in _listed(statement["Action"])}
    never = [action for action in NEVER if action not in granted]
    more = [a for a, _resource, said in _simulate(clients, arn, never, {}) if said == "allowed"]
    return _too_much(", ".join(more)) if more else ok(_("simulated by IAM"))


def _simulate(
    clients: Clients, arn: str, actions: Any, statement: Statement
) -> list[tuple[str, str, str]]:
    """Return action, resource and decision for each of them."""
    given: dict[str, Any] = {}
    if "Resource" in statement:
        given["ResourceArns"] = [_example(resource) for resource in _listed(statement["Resource"])]
    like = statement.get("Condition", {}).get("StringLike", {})
    given["ContextEntries"] = [
        {
            "ContextKeyName": key,
            "ContextKeyType": "string",
            "ContextKeyValues": [_example(v) for v in _listed(value)],
        }
        for key, value in like.items()
    ]
    with aws.reading(_("Asking IAM what {role} may do.", role=arn)):
        answer = clients.aws.iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=_listed(actions), **given
        )
        return [
            (result["EvalActionName"], result.get("EvalResourceName", "*"), result["EvalDecision"])
            for result in answer["EvaluationResults"]
        ]


def _example(pattern: str) -> str:
    """Return a resource that matches the pattern; `*` alone stays."""
    return pattern if pattern == "*" else pattern.replace("*", "example")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _read(clients: Clients, role: str, ours: str) -> Finding:
    """Read the role's policies: exactly ours, so neither more nor less is allowed."""
    iam = clients.aws.iam
    inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    others = [name for name in inline if name != ours] + [p["PolicyName"] for p in attached]
    return _too_much(", ".join(others)) if others else ok(_("read from its policies"))


def _too_much(what: str) -> Finding:
    return ng(
        _("it may do more than the bot needs: {what}", what=what),
        _("Take that away from the role in the IAM console."),
    )
