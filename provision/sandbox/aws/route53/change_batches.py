"""Route 53: change batches, which are applied as a whole or refused."""

from collections import defaultdict
from typing import Any

from moto.route53.models import RecordSet

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.route53.aliases import alias_problems
from provision.sandbox.aws.route53.placement import (
    apex_problems,
    conflict_problems,
    placement_problems,
)
from provision.sandbox.aws.route53.records import check_kind, record_set_problems
from provision.sandbox.aws.rules import Answer, before

_MAX_CHANGES = 1000  # Developer Guide, Quotas: ResourceRecord elements in a request


@behaves("route53.one-wrong-change", "route53.prior-request-not-complete")
@before("route53", "ChangeResourceRecordSets")
def change_record_sets(cloud: Cloud, call: Call) -> Answer:
    """Apply a change batch instead of moto (API ChangeResourceRecordSets)."""
    zone_id = call.params["HostedZoneId"].rpartition("/")[2]
    zone = cloud.backend("route53").zones.get(zone_id)
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
    if cloud.route53.one_change_at_a_time and cloud.route53.has_pending_change(zone):
        raise AwsError(
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
        )
    batch = call.params["ChangeBatch"]
    records = list(zone.rrsets)
    problems = _batch_problems(batch["Changes"])
    changed = []
    for change in batch["Changes"]:
        params = change["ResourceRecordSet"]
        check_kind(change["Action"], params)
        record_set = _record_set(params)
        found = record_set_problems(params) or placement_problems(record_set, zone.name)
        problems += found or _apply(change["Action"], record_set, records)
        if change["Action"] != "DELETE":
            changed.append(record_set)
    if not problems:
        for record_set in changed:
            problems += conflict_problems(record_set, records, zone.name)
            if record_set.alias_target:
                problems += alias_problems(cloud, record_set, zone, records)
        problems += apex_problems(records, zone.name)
    if problems:
        raise AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]")
    zone.rrsets = records
    return {"ChangeInfo": cloud.route53.add_change(zone, batch.get("Comment"))}


@behaves("route53.record-twice-in-a-batch", "route53.batch-size")
def _batch_problems(changes: list[dict[str, Any]]) -> list[str]:
    if len(changes) > _MAX_CHANGES:
        return [f"Number of records limit of {_MAX_CHANGES} exceeded."]
    actions: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for change in changes:
        params = change["ResourceRecordSet"]
        key = (params["Type"], _absolute(params["Name"]), params.get("SetIdentifier", ""))
        actions[key].append(change["Action"])
    return [
        f"The request contains an invalid set of changes for a resource record set '{kind} {name}'"
        for (kind, name, _), order in actions.items()
        if len(order) > 1 and order not in (["DELETE", "CREATE"], ["DELETE", "UPSERT"])
    ]


def _record_set(params: dict[str, Any]) -> Any:
    """Return moto's RecordSet as Route 53 stores it: names in lower case with the final dot."""
    stored = dict(params)
    stored["Name"] = _absolute(params["Name"])
    if "ResourceRecords" in params:
        stored["ResourceRecords"] = [record["Value"] for record in params["ResourceRecords"]]
    if "AliasTarget" in params:
        target = params["AliasTarget"]
        stored["AliasTarget"] = {**target, "DNSName": _absolute(target["DNSName"])}
    return RecordSet(stored)


@behaves("route53.create-existing", "route53.delete-absent", "route53.delete-other-values")
def _apply(action: str, record_set: Any, records: list[Any]) -> list[str]:
    """Apply the change to `records`; return its problems."""
    index = next((i for i, other in enumerate(records) if _key(other) == _key(record_set)), None)
    label = f"resource record set [name='{record_set.name}', type='{record_set.type}']"
    if action == "CREATE" and index is not None:
        return [f"Tried to create {label} but it already exists"]
    if action == "DELETE":
        if index is None:
            return [f"Tried to delete {label} but it was not found"]
        if _content(records[index]) != _content(record_set):
            return [
                f"Tried to delete {label} but the values provided do not match the current values"
            ]
        del records[index]
    elif index is None:
        records.append(record_set)
    else:
        records[index] = record_set
    return []


def _key(record: Any) -> tuple[str, str, str | None]:
    return record.name, record.type, record.set_identifier


def _content(record: Any) -> tuple[Any, ...]:
    alias = record.alias_target and {k: v for k, v in record.alias_target.items() if v is not None}
    return int(record.ttl or 0), sorted(record.records or []), alias, record.weight, record.failover


def _absolute(name: str) -> str:
    return name.lower().rstrip(".") + "."


@behaves("route53.no-such-change")
@before("route53", "GetChange")
def get_change(cloud: Cloud, call: Call) -> Answer:
    """Return the status of a change (API GetChange)."""
    change_id = "/change/" + call.params["Id"].rpartition("/")[2]
    if change_id not in cloud.route53.changes:
        raise AwsError(
            "NoSuchChange",
            f"A change with the specified change ID {change_id.rpartition('/')[2]} does not exist.",
        )
    return {"ChangeInfo": cloud.route53.change_info(change_id)}
