"""EventBridge Scheduler: checks of targets, and the calls of schedules.

Sources: EventBridge Scheduler User Guide, "Using universal targets" and "Using templated targets"; API
Reference, Target and EcsParameters. Messages that no source documents are our own.
"""

import json
import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.responses import input_shape

UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:([a-z0-9]+):([A-Za-z0-9]+)")
CLUSTER = re.compile(r"arn:aws:ecs:[a-z0-9-]+:\d{12}:cluster/[A-Za-z0-9_-]+")
# User Guide, "Using universal targets": unsupported actions begin with these words.
READING = (
    "get",
    "describe",
    "list",
    "poll",
    "receive",
    "search",
    "scan",
    "query",
    "select",
    "read",
    "lookup",
    "discover",
    "validate",
    "batchget",
    "batchdescribe",
    "transactget",
)


@behaves("scheduler.target-arn")
def check_target(target: dict[str, Any]) -> None:
    """Check a universal target or an ECS cluster; targets of other services are not checked."""
    arn = target["Arn"]
    if match := UNIVERSAL.fullmatch(arn):
        _check_universal(arn, match, target.get("Input") or "{}")
    elif CLUSTER.fullmatch(arn):
        _check_ecs(target)
    elif ":scheduler:::" in arn or not re.fullmatch(r"arn:aws:[a-z0-9-]+:[^:]*:[^:]*:.+", arn):
        raise invalid("Provided Arn is not in correct format.")


@behaves(
    "scheduler.target-action",
    "scheduler.target-reads",
    "scheduler.input-json",
    "scheduler.input-members",
)
def _check_universal(arn: str, match: re.Match[str], text: str) -> None:
    shape = input_shape(match[1], match[2][0].upper() + match[2][1:])
    if shape is None or match[2].lower().startswith(READING):
        raise invalid(f"{arn} is not a supported target.")
    try:
        input_members = json.loads(text)
    except ValueError:
        input_members = None
    if not isinstance(input_members, dict):
        raise invalid("Invalid RequestJson provided. Reason: it is no JSON object.")
    _to_api_names(shape, input_members)


@behaves("scheduler.ecs-parameters")
def _check_ecs(target: dict[str, Any]) -> None:
    parameters = target.get("EcsParameters")
    if not parameters or ":task-definition/" not in parameters.get("TaskDefinitionArn", ""):
        raise invalid("Parameter(s) EcsParameters must be specified for target: ECS.")


def _to_api_names(shape: Any, value: Any) -> Any:
    """Return the value with its members named as in the API. Raises AwsError for unknown members."""
    if shape.type_name == "list" and isinstance(value, list):
        return [_to_api_names(shape.member, item) for item in value]
    if shape.type_name != "structure" or not isinstance(value, dict):
        return value
    members = {name[0].upper() + name[1:]: name for name in shape.members}
    for name in value:
        if name not in members:
            raise invalid(f"Invalid RequestJson provided. Reason: no such field: {name}.")
    return {
        members[name]: _to_api_names(shape.members[members[name]], v) for name, v in value.items()
    }


def target_call(target: dict[str, Any], region: str, time: float) -> Call | None:
    """Return the call that a schedule with this target makes; None if the sandbox does not emulate it."""
    arn = target["Arn"]
    if match := UNIVERSAL.fullmatch(arn):
        action = match[2][0].upper() + match[2][1:]
        params = _to_api_names(
            input_shape(match[1], action), json.loads(target.get("Input") or "{}")
        )
        return Call(match[1], action, region, params, True, time, "scheduler", None, "json")
    if not CLUSTER.fullmatch(arn):
        return None
    parameters = target["EcsParameters"]
    network = (parameters.get("NetworkConfiguration") or {}).get("awsvpcConfiguration") or {}
    inner = {name[0].lower() + name[1:]: value for name, value in network.items()}
    optional = {
        "cluster": arn,
        "taskDefinition": parameters["TaskDefinitionArn"],
        "count": parameters.get("TaskCount") or 1,
        "networkConfiguration": {"awsvpcConfiguration": inner} if inner else None,
        "overrides": json.loads(target.get("Input") or "null"),
        **{
            name[0].lower() + name[1:]: parameters.get(name)
            for name in (
                "CapacityProviderStrategy",
                "EnableExecuteCommand",
                "Group",
                "LaunchType",
                "PlatformVersion",
                "PropagateTags",
                "ReferenceId",
            )
        },
    }
    params = {name: value for name, value in optional.items() if value is not None}
    return Call("ecs", "RunTask", region, params, True, time, "scheduler", None, "json")


def invalid(message: str) -> AwsError:
    """Return a ValidationException."""
    return AwsError("ValidationException", message, 400)
