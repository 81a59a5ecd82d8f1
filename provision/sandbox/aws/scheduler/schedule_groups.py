"""EventBridge Scheduler: how groups come and go.

Source: API Reference (CreateScheduleGroup, DeleteScheduleGroup).
"""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call, Refusal
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after, before
from provision.sandbox.aws.scheduler.targets import invalid


@behaves(
    "scheduler.group-exists",
    "there is one group of a name",
    "ConflictException 409",
    "EventBridge Scheduler API Reference, CreateScheduleGroup, Errors",
)
@before("scheduler", "CreateScheduleGroup")
def group_is_new(cloud: Cloud, call: Call) -> None:
    """API CreateScheduleGroup: ConflictException."""
    name = call.params["Name"]
    if name in cloud.backend("scheduler", call.region).schedule_groups:
        raise Refusal("ConflictException", f"Schedule group {name} already exists.")


@behaves(
    "scheduler.group-goes",
    "a deleted group is DELETING for a while and takes its schedules with it",
    "State DELETING, then ResourceNotFoundException 404",
    "EventBridge Scheduler API Reference, DeleteScheduleGroup",
)
@behaves(
    "scheduler.group-default",
    "the default group is not deleted",
    "ValidationException 400",
    "EventBridge Scheduler User Guide, Managing a schedule group",
)
@before("scheduler", "DeleteScheduleGroup")
def group_goes(cloud: Cloud, call: Call) -> Answer:
    """API DeleteScheduleGroup: at first DELETING, its schedules with it; the default one stays."""
    group = find_group(cloud, call.region, call.params["Name"])
    if group.name == "default":
        raise invalid("The default schedule group cannot be deleted.")
    gone = cloud.clock.now() + cloud.delays.schedule_group
    cloud.scheduler.leaving.setdefault(group.arn, gone)
    return {}


@after("scheduler", "GetScheduleGroup")
def group_shows_its_state(cloud: Cloud, call: Call, answer: Answer) -> None:
    """API GetScheduleGroup, State: ACTIVE or DELETING."""
    if answer["Arn"] in cloud.scheduler.leaving:
        answer["State"] = "DELETING"


def find_group(cloud: Cloud, region: str, name: str | None) -> Any:
    """Moto's group."""
    group = cloud.backend("scheduler", region).schedule_groups.get(name or "default")
    if group is None:
        raise Refusal("ResourceNotFoundException", f"Schedule group {name} does not exist.")
    return group
