"""CloudWatch Logs: the retention times that exist."""

from typing import TYPE_CHECKING

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

# API PutRetentionPolicy, retentionInDays.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


@before("logs", "PutRetentionPolicy")
def retention_exists(cloud: "Cloud", call: Call) -> None:
    """API PutRetentionPolicy: days from a list, not any number."""
    days = call.params["retentionInDays"]
    if days not in RETENTION_DAYS:
        allowed = ", ".join(str(value) for value in RETENTION_DAYS)
        raise Refusal(
            "InvalidParameterException",
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{allowed}]",
        )
