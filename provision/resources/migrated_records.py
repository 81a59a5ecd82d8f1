"""Records of a domain's former servers, copied into its new zone: lines of `name type value`."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from provision.resources.base import Clients

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


def put(clients: Clients, zone_id: str, lines: list[str]) -> None:
    """Creates what is not there; what is there stays, for somebody may have changed it since."""
    wanted = record_sets(lines)
    names = {_name(record) for record in wanted}
    there = names.intersection(_name(record) for record in _live(clients, zone_id))
    _change(clients, zone_id, "CREATE", [r for r in wanted if _name(r) not in there])


def take_away(clients: Clients, zone_id: str, lines: list[str]) -> None:
    """Deletes what still says what was copied; what somebody changed since is theirs."""
    copied = [(_name(record), _values(record)) for record in record_sets(lines)]
    ours = [r for r in _live(clients, zone_id) if (_name(r), _values(r)) in copied]
    _change(clients, zone_id, "DELETE", ours)


def others(clients: Clients, zone_id: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    """Name and type of everything in the zone besides its own NS and SOA and what was copied."""
    copied = [(_name(record), _values(record)) for record in record_sets(lines)]
    for record in _added(_live(clients, zone_id)):
        if (_name(record), _values(record)) not in copied:
            yield _name(record)


def clear(clients: Clients, zone_id: str) -> None:
    """Deletes everything but the zone's own NS and SOA, while it is listed.

    The next page begins with a record that is still there.
    """
    found = _added(_live(clients, zone_id))
    while some := list(islice(found, A_CALL)):
        _change(clients, zone_id, "DELETE", some)


def _added(records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Without the two that every zone has: its SOA, and its NS at the same name, which is listed before."""
    top, early = "", []
    for record in records:
        if record["Type"] == "SOA":
            top = _name(record)[0]
        elif record["Type"] == "NS" and not top:
            early.append(record)
        elif record["Type"] != "NS" or _name(record)[0] != top:
            yield record
    yield from (record for record in early if _name(record)[0] != top)


def _change(clients: Clients, zone_id: str, action: str, records: list[dict[str, Any]]) -> None:
    if records:
        changes = [{"Action": action, "ResourceRecordSet": record} for record in records]
        clients.aws.route53.change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
        )


def _live(clients: Clients, zone_id: str) -> Iterator[dict[str, Any]]:
    """One by one: people keep thousands in a zone."""
    pages = clients.aws.route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone_id
    )
    for page in pages:
        yield from page["ResourceRecordSets"]


def _name(record: dict[str, Any]) -> tuple[str, str]:
    return record["Name"].rstrip(".").lower(), record["Type"]


def _values(record: dict[str, Any]) -> list[str]:
    return sorted(item["Value"] for item in record.get("ResourceRecords", []))
