"""EventBridge Scheduler: schedule groups.

Source: API Reference (CreateScheduleGroup, DeleteScheduleGroup).
"""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after, before
from provision.sandbox.aws.scheduler.targets import invalid


@behaves("scheduler.group-exists")
@before("scheduler", "CreateScheduleGroup")
def check_new_group(cloud: Cloud, call: Call) -> None:
    """Refuse a name that is in use (API CreateScheduleGroup)."""
    name = call.params["Name"]
    if name in cloud.backend("scheduler", call.region).schedule_groups:
        raise AwsError("ConflictException", f"Schedule group {name} already exists.")


@behaves("scheduler.group-goes", "scheduler.group-default")
@before("scheduler", "DeleteScheduleGroup")
def delete_group(cloud: Cloud, call: Call) -> Answer:
    """Set a group to DELETING, except the default group (API DeleteScheduleGroup)."""
    group = find_group(cloud, call.region, call.params["Name"])
    if group.name == "default":
        raise invalid("The default schedule group cannot be deleted.")
    due = cloud.clock.now() + cloud.delays.schedule_group
    cloud.scheduler.deleting.setdefault(group.arn, due)
    return {}


@after("scheduler", "GetScheduleGroup")
def show_state(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set the state of a group that is being deleted (API GetScheduleGroup, State)."""
    if answer["Arn"] in cloud.scheduler.deleting:
        answer["State"] = "DELETING"


def find_group(cloud: Cloud, region: str, name: str | None) -> Any:
    """Return moto's schedule group; None is the default group. Raises AwsError if there is none."""
    group = cloud.backend("scheduler", region).schedule_groups.get(name or "default")
    if group is None:
        raise AwsError("ResourceNotFoundException", f"Schedule group {name} does not exist.")
    return group
