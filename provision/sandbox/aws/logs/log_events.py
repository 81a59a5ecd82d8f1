"""CloudWatch Logs: writing, filtering and expiry of log events, which moto stores."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before

_DAY = 24 * 3600 * 1000  # milliseconds
_PAGE = 10_000
_BATCH = 1_048_576  # bytes
_OVERHEAD = 26  # bytes that count for each event in a batch


@behaves("logs.filter-by-stream-prefix", "logs.filter-prefix-and-names", "logs.filter-interleaves")
@before("logs", "FilterLogEvents")
def filter_events(cloud: Cloud, call: Call) -> Answer:
    """Return the events of several streams (API FilterLogEvents)."""
    params = call.params
    group = _group(cloud, call)
    names, prefix = params.get("logStreamNames") or [], params.get("logStreamNamePrefix")
    if names and prefix:
        raise _invalid("logStreamNamePrefix cannot be specified together with logStreamNames.")
    if prefix:
        names = [name for name in group.streams if name.startswith(prefix)]
        if not names:
            return {"events": [], "searchedLogStreams": []}
    events, token, _ = group.filter_log_events(
        log_group_name=group.name,
        log_stream_names=names,
        start_time=_first_timestamp(cloud, group, params.get("startTime")),
        end_time=params.get("endTime"),
        limit=int(params.get("limit") or _PAGE),
        next_token=params.get("nextToken"),
        filter_pattern=params.get("filterPattern"),
        interleaved=True,
    )
    return {"events": events, "searchedLogStreams": []} | ({"nextToken": token} if token else {})


@behaves("logs.get-ends-with-its-own-token")
@before("logs", "GetLogEvents")
def get_events(cloud: Cloud, call: Call) -> Answer:
    """Return the events of one stream (API GetLogEvents)."""
    params = call.params
    group = _group(cloud, call)
    if params["logStreamName"] not in group.streams:
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    events, backward, forward = group.get_log_events(
        params["logStreamName"],
        _first_timestamp(cloud, group, params.get("startTime")),
        params.get("endTime"),
        int(params.get("limit") or _PAGE),
        params.get("nextToken"),
        params.get("startFromHead", False),
    )
    return {"events": events, "nextBackwardToken": backward, "nextForwardToken": forward}


@behaves("logs.retention-forgets")
def _first_timestamp(cloud: Cloud, group: Any, start: int | None) -> int:
    """Return the later of `start` and the end of the retention time, in epoch milliseconds."""
    days = group.retention_in_days
    oldest = cloud.clock.now() * 1000 - int(days) * _DAY if days else 0.0
    return int(max(start or 0, oldest))


@behaves("logs.batch-over-a-day", "logs.batch-too-large")
@before("logs", "PutLogEvents")
def check_batch(cloud: Cloud, call: Call) -> None:
    """Check size and time span of a batch; moto checks order and age (API PutLogEvents)."""
    events = call.params["logEvents"]
    times = [event["timestamp"] for event in events]
    if times and max(times) - min(times) > _DAY:
        raise _invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 "
            "hours."
        )
    size = sum(len(event["message"].encode()) + _OVERHEAD for event in events)
    if size > _BATCH:
        raise _invalid(f"Upload too large: {size} bytes exceeds limit of {_BATCH}")


@behaves("logs.group-unknown")
def _group(cloud: Cloud, call: Call) -> Any:
    """Return moto's log group, by its name or its ARN."""
    named = call.params.get("logGroupName") or call.params.get("logGroupIdentifier") or ""
    name = named.split(":log-group:")[-1].removesuffix(":*")
    group = cloud.backend("logs", call.region).groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
