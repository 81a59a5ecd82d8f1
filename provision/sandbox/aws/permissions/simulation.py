"""IAM: SimulatePrincipalPolicy."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before


@behaves("iam.simulate-principal")
@before("iam", "SimulatePrincipalPolicy")
def simulate(cloud: Cloud, call: Call) -> Answer:
    """Simulate a principal's policies, without PolicyInputList (API SimulatePrincipalPolicy)."""
    params = call.params
    principal = cloud.permissions.principal(params["PolicySourceArn"])
    if principal.entity is None:
        raise AwsError("NoSuchEntity", f"{params['PolicySourceArn']} does not exist.", 404)
    keys = {
        entry["ContextKeyName"]: _value(entry["ContextKeyValues"])
        for entry in params.get("ContextEntries") or []
    }
    results = []
    for action in params["ActionNames"]:
        for resource in params.get("ResourceArns") or ["*"]:
            denial = cloud.permissions.denial_message(principal, action, resource, keys)
            results.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": _decision(denial),
                    "MatchedStatements": [],
                    "MissingContextValues": [],
                }
            )
    return {"EvaluationResults": results, "IsTruncated": False}


def _value(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _decision(denial: str) -> str:
    if not denial:
        return "allowed"
    return "explicitDeny" if "explicit deny" in denial else "implicitDeny"
