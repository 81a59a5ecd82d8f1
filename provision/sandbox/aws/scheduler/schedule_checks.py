"""EventBridge Scheduler: checks of schedules.

Sources: API Reference (CreateSchedule), User Guide "Schedule types". Messages that no source
documents are our own.
"""

from typing import Any
from zoneinfo import ZoneInfo

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.rules import Answer, after, before
from provision.sandbox.aws.scheduler.schedule_groups import find_group
from provision.sandbox.aws.scheduler.state import PRINCIPAL, epoch
from provision.sandbox.aws.scheduler.targets import check_target, invalid
from provision.schedules import At, parse

_MAX_START_AGE = 300  # seconds

behaves("scheduler.constraints")(constraint_rule)
before("scheduler", "*")(constraint_rule("ValidationException"))


@behaves("scheduler.client-token")
@before("scheduler", "CreateSchedule", "CreateScheduleGroup")
def answer_repeated_token(cloud: Cloud, call: Call) -> Answer | None:
    """Return the first response to a repeated ClientToken, which boto3 generates (API CreateSchedule)."""
    token = call.params.get("ClientToken")
    previous = cloud.scheduler.tokens.get((call.region, call.operation, str(token)))
    if token is None or previous is None:
        return None
    if previous[0] != call.params:
        message = f"The ClientToken {token} was used with other parameters."
        raise AwsError("ConflictException", message, 409)
    return previous[1]


@after("scheduler", "CreateSchedule", "CreateScheduleGroup")
def remember_token(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Store the response for the ClientToken."""
    if token := call.params.get("ClientToken"):
        cloud.scheduler.tokens[call.region, call.operation, token] = (call.params, dict(answer))


@behaves(
    "scheduler.group-missing", "scheduler.group-leaving", "scheduler.role-trust", "scheduler.window"
)
@before("scheduler", "CreateSchedule", "UpdateSchedule")
def check_schedule(cloud: Cloud, call: Call) -> None:
    """Check group, expression, time zone, dates, window, target and role (API CreateSchedule)."""
    params = call.params
    group = find_group(cloud, call.region, params.get("GroupName"))
    if group.arn in cloud.scheduler.deleting:
        raise AwsError("ConflictException", f"Schedule group {group.name} is being deleted.")
    _check_time(cloud, params["ScheduleExpression"], params.get("ScheduleExpressionTimezone"))
    _check_dates(cloud, params)
    window = params["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise invalid("MaximumWindowInMinutes goes with the mode FLEXIBLE, and only with it.")
    check_target(params["Target"])
    if not cloud.iam.can_be_assumed(params["Target"]["RoleArn"], PRINCIPAL, group.arn):
        raise invalid(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        )


@behaves("scheduler.cron", "scheduler.rate", "scheduler.at-past", "scheduler.zone")
def _check_time(cloud: Cloud, text: str, zone: str | None) -> None:
    try:
        expression = parse(text)
    except ValueError:
        raise invalid(f"Invalid Schedule Expression {text}.") from None
    try:
        time_zone = ZoneInfo(zone or "UTC")
    except (ValueError, KeyError, OSError):
        raise invalid(f"Invalid ScheduleExpressionTimezone {zone}.") from None
    if isinstance(expression, At) and expression.moment(time_zone) <= cloud.clock.now():
        raise invalid(f"Invalid Schedule Expression {text}. It lies in the past.")


@behaves("scheduler.dates")
def _check_dates(cloud: Cloud, params: dict[str, Any]) -> None:
    start, end, now = (
        epoch(params.get("StartDate")),
        epoch(params.get("EndDate")),
        cloud.clock.now(),
    )
    if start is not None and start < now - _MAX_START_AGE:
        raise invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if end is not None and end <= max(now, start or 0):
        raise invalid("The EndDate you specify must be later than now and than the StartDate.")


@behaves("scheduler.update-resets")
@after("scheduler", "CreateSchedule", "UpdateSchedule")
def start_schedule(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set parameters that are not given to their defaults; compute when the schedule is due."""
    group = find_group(cloud, call.region, call.params.get("GroupName"))
    schedule = group.schedules[call.params["Name"]]
    schedule.state = call.params.get("State") or "ENABLED"
    schedule.action_after_completion = call.params.get("ActionAfterCompletion") or "NONE"
    cloud.scheduler.start(schedule)


@behaves("scheduler.schedule-missing")
@before("scheduler", "GetSchedule", "UpdateSchedule", "DeleteSchedule")
def check_schedule_exists(cloud: Cloud, call: Call) -> None:
    """Refuse unknown schedules and groups (API GetSchedule, DeleteSchedule)."""
    group = find_group(cloud, call.region, call.params.get("GroupName"))
    name = call.params["Name"]
    if name not in group.schedules:
        raise AwsError("ResourceNotFoundException", f"Schedule {name} does not exist.")
