"""Route 53's change batches: all of it or nothing, and refused where AWS refuses."""

from typing import TYPE_CHECKING, Any

from moto.route53.models import RecordSet

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import Answer, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


@before("route53", "ChangeResourceRecordSets")
def change_record_sets(cloud: "Cloud", call: Call) -> Answer:
    """API ChangeResourceRecordSets; carried out here: moto compares with a journal of its own."""
    zone_id = call.params["HostedZoneId"].rpartition("/")[2]
    zone = cloud.backend("route53").zones.get(zone_id)
    if zone is None:
        raise Refusal("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
    batch = call.params["ChangeBatch"]
    records = list(zone.rrsets)
    problems = []
    for change in batch["Changes"]:
        wanted = _record_set(change["ResourceRecordSet"])
        problem = _misplaced(wanted, zone.name) or _apply(change["Action"], wanted, records)
        if problem:
            problems.append(problem)
    problems += _conflicts(records, zone.name) if not problems else []
    if problems:
        raise Refusal("InvalidChangeBatch", f"[{', '.join(problems)}]")
    zone.rrsets = records
    return {"ChangeInfo": cloud.route53.changed(zone, batch.get("Comment"))}


def _record_set(given: dict[str, Any]) -> Any:
    """The given record set as Route 53 keeps it: names in lower case with the final dot."""
    kept = dict(given)
    kept["Name"] = _full(given["Name"])
    if "ResourceRecords" in given:
        kept["ResourceRecords"] = [record["Value"] for record in given["ResourceRecords"]]
    if "AliasTarget" in given:
        target = given["AliasTarget"]
        kept["AliasTarget"] = {**target, "DNSName": _full(target["DNSName"])}
    elif not kept.get("ResourceRecords") or kept.get("TTL") is None:
        raise Refusal(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and "
            "ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with "
            f"[Name={kept['Name']}, Type={kept['Type']}]",
        )
    return RecordSet(kept)


def _apply(action: str, wanted: Any, records: list[Any]) -> str:
    """Carry the change out on `records`; what is wrong with it, or ""."""
    place = next((i for i, other in enumerate(records) if _key(other) == _key(wanted)), None)
    label = f"resource record set [name='{wanted.name}', type='{wanted.type}']"
    if action == "CREATE" and place is not None:
        return f"Tried to create {label} but it already exists"
    if action == "DELETE":
        if place is None:
            return f"Tried to delete {label} but it was not found"
        if _content(records[place]) != _content(wanted):
            return (
                f"Tried to delete {label} but the values provided do not match the current values"
            )
        del records[place]
    elif place is None:
        records.append(wanted)
    else:
        records[place] = wanted
    return ""


def _misplaced(wanted: Any, zone: str) -> str:
    if wanted.name == zone or wanted.name.endswith(f".{zone}"):
        if wanted.type == "CNAME" and wanted.name == zone:
            return (
                f"RRSet of type CNAME with DNS name {zone} is not permitted at apex in zone {zone}"
            )
        return ""
    return f"RRSet with DNS name {wanted.name} is not permitted in zone {zone}"


def _conflicts(records: list[Any], zone: str) -> list[str]:
    """What may not stand in a zone after the batch (RFC 1034: nothing beside a CNAME)."""
    problems = []
    apex = [record.type for record in records if record.name == zone]
    if "NS" not in apex:
        problems.append("A HostedZone must contain at least one NS record for the zone itself.")
    if "SOA" not in apex:
        problems.append("A HostedZone must contain exactly one SOA record.")
    for record in records:
        if record.type == "CNAME" and any(
            other.name == record.name and other.type != "CNAME" for other in records
        ):
            problems.append(
                f"RRSet of type CNAME with DNS name {record.name} is not permitted as it conflicts "
                f"with other records with the same DNS name in zone {zone}"
            )
    return problems


def _key(record: Any) -> tuple[str, str, str | None]:
    return record.name, record.type, record.set_identifier


def _content(record: Any) -> tuple[Any, ...]:
    alias = record.alias_target and {k: v for k, v in record.alias_target.items() if v is not None}
    return int(record.ttl or 0), sorted(record.records or []), alias, record.weight, record.failover


def _full(name: str) -> str:
    return name.lower().rstrip(".") + "."
