"""Records of a domain's former servers, copied into its new zone: lines of `name type value`."""

from typing import Any

from provision.resource import Doors

A_CALL = 100  # record sets; Route 53 takes 1,000 records, and a set may hold several
TTL = 300  # seconds: short, because somebody may want to mend them soon


def record_sets(lines: list[str]) -> list[dict[str, Any]]:
    """The lines as ChangeResourceRecordSets takes them, a record set for each name and type."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        name, kind, value = line.split(" ", 2)
        grouped.setdefault((name, kind), []).append(value)
    return [
        {
            "Name": f"{name}.",
            "Type": kind,
            "TTL": TTL,
            "ResourceRecords": [{"Value": value} for value in values],
        }
        for (name, kind), values in grouped.items()
    ]


def put(doors: Doors, zone_id: str, lines: list[str]) -> None:
    """Creates what is not there; what is there stays, for somebody may have changed it since."""
    there = {_name(record) for record in _live(doors, zone_id)}
    _change(doors, zone_id, "CREATE", [r for r in record_sets(lines) if _name(r) not in there])


def take_away(doors: Doors, zone_id: str, lines: list[str]) -> None:
    """Deletes what still says what was copied; what somebody changed since is theirs."""
    copied = [(_name(record), _values(record)) for record in record_sets(lines)]
    ours = [r for r in _live(doors, zone_id) if (_name(r), _values(r)) in copied]
    _change(doors, zone_id, "DELETE", ours)


def others(doors: Doors, zone_id: str, lines: list[str]) -> list[tuple[str, str]]:
    """Name and type of everything in the zone besides its own NS and SOA and what was copied."""
    copied = [(_name(record), _values(record)) for record in record_sets(lines)]
    found = _added(_live(doors, zone_id))
    return [_name(record) for record in found if (_name(record), _values(record)) not in copied]


def clear(doors: Doors, zone_id: str) -> None:
    """Deletes everything but the zone's own NS and SOA."""
    found = _added(_live(doors, zone_id))
    for start in range(0, len(found), A_CALL):
        _change(doors, zone_id, "DELETE", found[start : start + A_CALL])


def _added(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the two that every zone has: its SOA, and its NS at the same name."""
    top = {_name(record)[0] for record in records if record["Type"] == "SOA"}
    return [r for r in records if r["Type"] not in ("NS", "SOA") or _name(r)[0] not in top]


def _change(doors: Doors, zone_id: str, action: str, records: list[dict[str, Any]]) -> None:
    if records:
        changes = [{"Action": action, "ResourceRecordSet": record} for record in records]
        doors.aws.route53.change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
        )


def _live(doors: Doors, zone_id: str) -> list[dict[str, Any]]:
    pages = doors.aws.route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone_id
    )
    return [record for page in pages for record in page["ResourceRecordSets"]]


def _name(record: dict[str, Any]) -> tuple[str, str]:
    return record["Name"].rstrip(".").lower(), record["Type"]


def _values(record: dict[str, Any]) -> list[str]:
    return sorted(item["Value"] for item in record.get("ResourceRecords", []))
