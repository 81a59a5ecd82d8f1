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

_API = "EventBridge Scheduler API Reference, CreateSchedule"
_TYPES = "EventBridge Scheduler User Guide, Schedule types"
_MAX_START_AGE = 300  # seconds

behaves(
    "scheduler.constraints",
    "names, windows and retry policies have alphabets, lengths and ranges",
    "ValidationException 400",
    "botocore model of EventBridge Scheduler: Name, MaximumWindowInMinutes, RetryPolicy and others",
)(constraint_rule)
before("scheduler", "*")(constraint_rule("ValidationException"))


@behaves(
    "scheduler.client-token",
    "the same ClientToken with the same parameters is the same call, with others a conflict",
    "the first answer; ConflictException 409",
    f"{_API}, ClientToken",
)
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
    "scheduler.group-missing",
    "a schedule's group has to be there",
    "ResourceNotFoundException 404",
    f"{_API}, Errors",
)
@behaves(
    "scheduler.group-leaving",
    "nothing is made in a group that is being deleted",
    "ConflictException 409",
    "EventBridge Scheduler User Guide, Deleting a schedule group",
)
@behaves(
    "scheduler.role-trust",
    "the role of a target is one that Scheduler can assume",
    "ValidationException 400",
    "EventBridge Scheduler User Guide, Setting up the execution role; terraform-provider-aws, "
    "aws_scheduler_schedule retries it",
)
@behaves(
    "scheduler.window",
    "a maximum window goes with the mode FLEXIBLE, and only with it",
    "ValidationException 400",
    "EventBridge Scheduler API Reference, FlexibleTimeWindow",
)
@before("scheduler", "CreateSchedule", "UpdateSchedule")
def check_schedule(cloud: Cloud, call: Call) -> None:
    """Check group, expression, time zone, dates, window, target and role (API CreateSchedule)."""
    given = call.params
    group = find_group(cloud, call.region, given.get("GroupName"))
    if group.arn in cloud.scheduler.deleting:
        raise AwsError("ConflictException", f"Schedule group {group.name} is being deleted.")
    _check_time(cloud, given["ScheduleExpression"], given.get("ScheduleExpressionTimezone"))
    _check_dates(cloud, given)
    window = given["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise invalid("MaximumWindowInMinutes goes with the mode FLEXIBLE, and only with it.")
    check_target(given["Target"])
    if not cloud.iam.can_be_assumed(given["Target"]["RoleArn"], PRINCIPAL, group.arn):
        raise invalid(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        )


@behaves(
    "scheduler.cron",
    "a cron expression has six fields with values of their ranges, and ? in one of the two days",
    "ValidationException 400, Invalid Schedule Expression",
    f"{_TYPES}: cron-based schedules",
)
@behaves(
    "scheduler.rate",
    "a rate is a positive number of minutes, hours or days",
    "ValidationException 400, Invalid Schedule Expression",
    f"{_TYPES}: rate-based schedules",
)
@behaves(
    "scheduler.at-past",
    "a moment that has passed is no schedule",
    "ValidationException 400",
    f"{_TYPES}: one-time schedules",
)
@behaves(
    "scheduler.zone",
    "a time zone is one of the IANA database",
    "ValidationException 400",
    f"{_TYPES}: time zones",
)
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


@behaves(
    "scheduler.dates",
    "a schedule does not start in the past, nor end before it starts",
    "ValidationException 400",
    f"{_API}, StartDate and EndDate",
)
def _check_dates(cloud: Cloud, given: dict[str, Any]) -> None:
    start, end, now = epoch(given.get("StartDate")), epoch(given.get("EndDate")), cloud.clock.now()
    if start is not None and start < now - _MAX_START_AGE:
        raise invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if end is not None and end <= max(now, start or 0):
        raise invalid("The EndDate you specify must be later than now and than the StartDate.")


@behaves(
    "scheduler.update-resets",
    "UpdateSchedule sets what it is not given back to its default: ENABLED, no action at the end",
    "GetSchedule answers the defaults",
    "EventBridge Scheduler API Reference, UpdateSchedule",
)
@after("scheduler", "CreateSchedule", "UpdateSchedule")
def start_schedule(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set parameters that are not given to their defaults; compute when the schedule is due."""
    group = find_group(cloud, call.region, call.params.get("GroupName"))
    schedule = group.schedules[call.params["Name"]]
    schedule.state = call.params.get("State") or "ENABLED"
    schedule.action_after_completion = call.params.get("ActionAfterCompletion") or "NONE"
    cloud.scheduler.start(schedule)


@behaves(
    "scheduler.schedule-missing",
    "a schedule that is not there is neither shown, changed nor deleted",
    "ResourceNotFoundException 404",
    "EventBridge Scheduler API Reference, GetSchedule, Errors",
    moto="moto refuses it as well",
)
@before("scheduler", "GetSchedule", "UpdateSchedule", "DeleteSchedule")
def check_schedule_exists(cloud: Cloud, call: Call) -> None:
    """Refuse unknown schedules and groups (API GetSchedule, DeleteSchedule)."""
    group = find_group(cloud, call.region, call.params.get("GroupName"))
    name = call.params["Name"]
    if name not in group.schedules:
        raise AwsError("ResourceNotFoundException", f"Schedule {name} does not exist.")
