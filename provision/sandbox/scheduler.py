"""EventBridge Scheduler: what its API refuses, and how groups go.

Sources: API Reference (CreateSchedule, CreateScheduleGroup, DeleteScheduleGroup), User Guide
"Schedule types" and "Using universal targets". Where no source gives AWS's own words, ours stand.
"""

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from provision.expressions import At, parse
from provision.sandbox.answers import input_members
from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import Answer, after, before
from provision.sandbox.schedules import PRINCIPAL, UNIVERSAL

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

# User Guide, "Using universal targets": actions that only read are no targets.
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
)


@before("scheduler", "CreateSchedule", "UpdateSchedule")
def schedule_can_be(cloud: "Cloud", call: Call) -> None:
    """API CreateSchedule: group, expression, zone, target, role."""
    given = call.params
    group = find_group(cloud, call.region, given.get("GroupName"))
    if group.arn in cloud.scheduler.leaving:
        raise Refusal("ConflictException", f"Schedule group {group.name} is being deleted.")
    _check_time(cloud, given["ScheduleExpression"], given.get("ScheduleExpressionTimezone"))
    window = given["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise _invalid("MaximumWindowInMinutes goes with the mode FLEXIBLE, and only with it.")
    _check_target(given["Target"])
    if not cloud.iam.assumable(given["Target"]["RoleArn"], PRINCIPAL, group.arn):
        raise _invalid(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        )


def _check_time(cloud: "Cloud", text: str, zone: str | None) -> None:
    try:
        expression = parse(text)
    except ValueError:
        raise _invalid(f"Invalid Schedule Expression {text}.") from None
    try:
        there = ZoneInfo(zone or "UTC")
    except (ValueError, KeyError, OSError):
        raise _invalid(f"Invalid ScheduleExpressionTimezone {zone}.") from None
    if isinstance(expression, At) and expression.moment(there) <= cloud.clock.now():
        raise _invalid(f"Invalid Schedule Expression {text}. It lies in the past.")


def _check_target(target: dict[str, Any]) -> None:
    """A universal target: an action that changes something, and its parameters as JSON."""
    match = UNIVERSAL.fullmatch(target["Arn"])
    if match is None:
        return
    members = input_members(match[1], match[2][0].upper() + match[2][1:])
    if members is None or match[2].lower().startswith(READING):
        raise _invalid(f"{target['Arn']} is not a supported target.")
    try:
        given = json.loads(target.get("Input") or "")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise _invalid("Invalid RequestJson provided. Reason: it is no JSON object.")
    known = {name[0].upper() + name[1:] for name in members}
    for name in given:
        if name not in known:
            raise _invalid(f"Invalid RequestJson provided. Reason: no such field: {name}.")


@after("scheduler", "CreateSchedule", "UpdateSchedule")
def schedule_begins(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """It is due from now on; what UpdateSchedule was not given is back to its default."""
    group = find_group(cloud, call.region, call.params.get("GroupName"))
    schedule = group.schedules[call.params["Name"]]
    schedule.state = call.params.get("State") or "ENABLED"
    cloud.scheduler.begin(schedule)


@before("scheduler", "CreateScheduleGroup")
def group_is_new(cloud: "Cloud", call: Call) -> None:
    """API CreateScheduleGroup: ConflictException."""
    name = call.params["Name"]
    if name in cloud.backend("scheduler", call.region).schedule_groups:
        raise Refusal("ConflictException", f"Schedule group {name} already exists.")


@before("scheduler", "DeleteScheduleGroup")
def group_goes(cloud: "Cloud", call: Call) -> Answer:
    """API DeleteScheduleGroup: at first DELETING, its schedules with it; the default one stays."""
    group = find_group(cloud, call.region, call.params["Name"])
    if group.name == "default":
        raise _invalid("The default schedule group cannot be deleted.")
    gone = cloud.clock.now() + cloud.delays.schedule_group
    cloud.scheduler.leaving.setdefault(group.arn, gone)
    return {}


@after("scheduler", "GetScheduleGroup")
def group_shows_its_state(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API GetScheduleGroup, State: ACTIVE or DELETING."""
    if answer["Arn"] in cloud.scheduler.leaving:
        answer["State"] = "DELETING"


@before("scheduler", "GetSchedule", "DeleteSchedule")
def schedule_is_there(cloud: "Cloud", call: Call) -> None:
    """API GetSchedule, DeleteSchedule: ResourceNotFoundException, also for the group."""
    group = find_group(cloud, call.region, call.params.get("GroupName"))
    name = call.params["Name"]
    if name not in group.schedules:
        raise Refusal("ResourceNotFoundException", f"Schedule {name} does not exist.")


def find_group(cloud: "Cloud", region: str, name: str | None) -> Any:
    """Moto's group."""
    group = cloud.backend("scheduler", region).schedule_groups.get(name or "default")
    if group is None:
        raise Refusal("ResourceNotFoundException", f"Schedule group {name} does not exist.")
    return group


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
