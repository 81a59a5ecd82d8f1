"""EventBridge: checks of rules."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import before
from provision.schedules import At, parse


@behaves("events.schedule-expression")
@before("events", "PutRule")
def check_schedule(cloud: Cloud, call: Call) -> None:
    """Refuse an invalid schedule expression (User Guide, "Schedule patterns"); rules have no at()."""
    text = call.params.get("ScheduleExpression")
    if not text:
        return
    try:
        valid = not isinstance(parse(text), At)
    except ValueError:
        valid = False
    if not valid:
        raise AwsError("ValidationException", "Parameter ScheduleExpression is not valid.")
