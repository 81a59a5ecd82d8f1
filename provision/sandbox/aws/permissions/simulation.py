"""iam:SimulatePrincipalPolicy: a principal's permissions, without a call."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before


@behaves(
    "iam.simulate-principal",
    "what a user or role may do is told for each action and resource, boundaries counted in",
    "EvalDecision allowed, implicitDeny or explicitDeny",
    "IAM API Reference, SimulatePrincipalPolicy and EvaluationResult",
)
@before("iam", "SimulatePrincipalPolicy")
def simulate(cloud: Cloud, call: Call) -> Answer:
    """Answer SimulatePrincipalPolicy, without its PolicyInputList."""
    given = call.params
    principal = cloud.permissions.principal(given["PolicySourceArn"])
    if principal.entity is None:
        raise AwsError("NoSuchEntity", f"{given['PolicySourceArn']} does not exist.", 404)
    keys = {
        entry["ContextKeyName"]: _value(entry["ContextKeyValues"])
        for entry in given.get("ContextEntries") or []
    }
    results = []
    for action in given["ActionNames"]:
        for resource in given.get("ResourceArns") or ["*"]:
            why = cloud.permissions.refused(principal, action, resource, keys)
            results.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": _decision(why),
                    "MatchedStatements": [],
                    "MissingContextValues": [],
                }
            )
    return {"EvaluationResults": results, "IsTruncated": False}


def _value(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _decision(why: str) -> str:
    if not why:
        return "allowed"
    return "explicitDeny" if "explicit deny" in why else "implicitDeny"
