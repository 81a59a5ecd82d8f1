"""CloudWatch Logs: names, retention times and tags of log groups."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.rules import before

# API PutRetentionPolicy, retentionInDays.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_TAGS = 50
_check_constraints = constraint_rule("InvalidParameterException")


@behaves("logs.group-name", "logs.stream-name", "logs.page-too-long")
@before("logs", "*")
def check_parameters(cloud: Cloud, call: Call) -> None:
    """Check lengths, ranges and patterns of parameters."""
    _check_constraints(cloud, call)


@behaves("logs.group-exists", "logs.too-many-tags")
@before("logs", "CreateLogGroup")
def check_new_group(cloud: Cloud, call: Call) -> None:
    """Check the number of tags (API CreateLogGroup)."""
    tags = call.params.get("tags") or {}
    if len(tags) > _TAGS:
        raise _constraint_error(
            "tags", tags, f"Member must have length less than or equal to {_TAGS}"
        )


@behaves("logs.retention-not-in-list")
@before("logs", "PutRetentionPolicy")
def check_retention(cloud: Cloud, call: Call) -> None:
    """Refuse a number of days that is not in the list (API PutRetentionPolicy)."""
    days = call.params["retentionInDays"]
    if days not in RETENTION_DAYS:
        allowed = ", ".join(str(value) for value in RETENTION_DAYS)
        raise _constraint_error(
            "retentionInDays", days, f"Member must satisfy enum value set: [{allowed}]"
        )


def _constraint_error(parameter: str, value: object, constraint: str) -> AwsError:
    return AwsError(
        "InvalidParameterException",
        f"1 validation error detected: Value '{value}' at '{parameter}' failed to satisfy "
        f"constraint: {constraint}",
    )
