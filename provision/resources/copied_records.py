"""Records of a domain's former servers, copied into its new zone: lines of `name type value`."""

from typing import Any

from provision.resource import Doors

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
