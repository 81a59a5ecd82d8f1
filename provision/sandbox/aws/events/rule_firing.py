"""EventBridge: rules with a schedule, which invoke Lambda functions on the sandbox's clock.

Source: EventBridge User Guide, "Creating an Amazon EventBridge rule that runs on a schedule", "Using
resource-based policies for Amazon EventBridge"; API Reference, Target. moto stores the rules.
"""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from provision.sandbox.aws.awslambda.functions import find_function
from provision.sandbox.aws.awslambda.invocations import enqueue
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.policies import PermissionRequest, resource_decision
from provision.sandbox.aws.rules import Answer, after, before

PRINCIPAL = "events.amazonaws.com"


@after("events", "PutRule", "EnableRule")
def start_rule(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Compute when a new, changed or enabled rule is due."""
    backend = cloud.backend("events", call.region)
    rule = backend.describe_rule(call.params["Name"], call.params.get("EventBusName"))
    cloud.events.due.pop(rule.arn, None)
    if rule.scheduled_expression:
        cloud.events.start(rule)


@before("events", "PutTargets")
def check_targets(cloud: Cloud, call: Call) -> None:
    """Refuse parts of the event as input of a function, which the sandbox lacks."""
    for target in call.params["Targets"]:
        for name in ("InputPath", "InputTransformer"):
            if ":lambda:" in target["Arn"] and target.get(name):
                message = f"The sandbox passes a function the event or a constant Input, no {name}."
                raise AwsError("ValidationException", message, 400)


@behaves("events.fires", "events.disabled")
def fire_due(cloud: Cloud) -> None:
    """Invoke the targets of every rule that is due by now, in order."""
    with cloud.lock:
        now = cloud.clock.now()
        while firing := cloud.events.first_due(now):
            region, rule, time = firing
            cloud.events.schedule_next(rule, time)
            if rule.state != "DISABLED":
                for target in rule.targets:
                    _invoke(cloud, region, rule, target, time)


def _invoke(cloud: Cloud, region: str, rule: Any, target: dict[str, Any], time: float) -> None:
    """Invoke a target that is a function, and log the call."""
    if ":lambda:" not in target["Arn"]:
        return
    event = target.get("Input") or json.dumps(scheduled_event(cloud, region, rule, time))
    params = {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": event.encode()}
    call = Call("lambda", "Invoke", region, params, True, time, "events", None, "rest-json")
    outcome: int | str = 202
    try:
        function = find_function(cloud, region, target["Arn"])
        _check_permission(cloud, function, target["Arn"], rule.arn)
        qualifier = target["Arn"].rpartition(":function:")[2].partition(":")[2]
        enqueue(cloud, function, event.encode(), qualifier or None)
    except AwsError as error:
        outcome = f"{error.code}: {error.message}"
    cloud.log_call(call, PRINCIPAL, outcome)


@behaves("events.function-policy")
def _check_permission(cloud: Cloud, function: Any, arn: str, rule: str) -> None:
    """Require that the function's policy (AddPermission) lets EventBridge invoke it for this rule."""
    keys = {"aws:sourcearn": rule, "aws:sourceaccount": cloud.account_id}
    request = PermissionRequest(PRINCIPAL, "lambda:InvokeFunction", arn, keys)
    if resource_decision(function.policy.statements, request) != "Allow":
        message = f"The policy of {arn} does not allow {PRINCIPAL} to perform {request.action}"
        raise AwsError("AccessDeniedException", message, 403)


@behaves("events.scheduled-event")
def scheduled_event(cloud: Cloud, region: str, rule: Any, time: float) -> dict[str, Any]:
    """Return the event of a rule with a schedule (User Guide, "Scheduled Event")."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": cloud.account_id,
        "time": f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [rule.arn],
        "detail": {},
    }
