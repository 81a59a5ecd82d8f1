"""EventBridge Scheduler: invocation of schedules on the sandbox's clock.

moto stores groups and schedules, state.py when they are due. AWS fires within the minute (User Guide,
"Schedule types"); the sandbox fires on the second, and does not retry a failed call.
"""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.enforcement import check_permissions
from provision.sandbox.aws.permissions.principals import Principal
from provision.sandbox.aws.rules import rules_before
from provision.sandbox.aws.scheduler.state import PRINCIPAL
from provision.sandbox.aws.scheduler.targets import target_call


@behaves("scheduler.fires", "scheduler.disabled", "scheduler.deleted-after-completion")
def fire_due(cloud: Cloud) -> None:
    """Fire every schedule that is due by now, in order, and remove deleted groups."""
    with cloud.lock:
        now = cloud.clock.now()
        while firing := cloud.scheduler.first_due(now):
            region, group, schedule, time = firing
            cloud.scheduler.due[schedule.arn] = cloud.scheduler.next_time(schedule, time, time)
            if schedule.state != "DISABLED":
                _fire(cloud, region, group, schedule, time)
            completed = cloud.scheduler.due[schedule.arn] is None
            if completed and schedule.action_after_completion == "DELETE":
                group.schedules.pop(schedule.name, None)
        for region in cloud.regions("scheduler"):
            groups = cloud.backend("scheduler", region).schedule_groups
            for group in list(groups.values()):
                if cloud.scheduler.deleting.get(group.arn, now + 1) <= now:
                    del groups[group.name], cloud.scheduler.deleting[group.arn]


def _fire(cloud: Cloud, region: str, group: Any, schedule: Any, time: float) -> None:
    """Call the target with the schedule's role, and log the call."""
    call = target_call(schedule.target, region, time)
    if call is None:
        return
    outcome: int | str = 200
    role = schedule.target["RoleArn"].rpartition("/")[2]
    caller = f"arn:aws:sts::{cloud.account_id}:assumed-role/{role}/{schedule.name}"
    try:
        _call_target(cloud, call, schedule.target["RoleArn"], group.arn, caller)
    except AwsError as error:
        outcome = f"{error.code}: {error.message}"
    cloud.log_call(call, caller, outcome)


@behaves("scheduler.role-may", "scheduler.run-task")
def _call_target(cloud: Cloud, call: Call, role_arn: str, group: str, caller: str) -> None:
    if not cloud.iam.can_be_assumed(role_arn, PRINCIPAL, group):
        raise AwsError("AccessDeniedException", f"Scheduler cannot assume {role_arn}")
    check_permissions(cloud, call, Principal(caller, cloud.iam.role(role_arn)))
    for rule in rules_before(call):
        if rule(cloud, call) is not None:
            return
    raise AwsError("NotEmulated", f"{call.service}:{call.operation}")
