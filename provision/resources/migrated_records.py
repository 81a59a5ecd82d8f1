"""Copy the records of a domain's former servers, given as lines of `name type value`, into its new zone."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from provision.resources.base import Clients

BATCH_SIZE = 100  # record sets per call; Route 53 takes 1,000 records, and a set may hold several
TTL = 300  # seconds; short, so that corrections take effect soon


def record_sets(lines: list[str]) -> list[dict[str, Any]]:
    """Return the lines as parameters of ChangeResourceRecordSets: one record set per name and type."""
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


def create(clients: Clients, zone_id: str, lines: list[str]) -> None:
    """Create the missing records. Do not change existing ones, which somebody may have edited."""
    copies = record_sets(lines)
    names = {_name(record) for record in copies}
    existing = names.intersection(_name(record) for record in _list(clients, zone_id))
    _change(clients, zone_id, "CREATE", [r for r in copies if _name(r) not in existing])


def delete(clients: Clients, zone_id: str, lines: list[str]) -> None:
    """Delete the records that are still as copied."""
    copies = [(_name(record), _values(record)) for record in record_sets(lines)]
    unchanged = [r for r in _list(clients, zone_id) if (_name(r), _values(r)) in copies]
    _change(clients, zone_id, "DELETE", unchanged)


def foreign(clients: Clients, zone_id: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield name and type of every record except the copies and the NS and SOA of the zone itself."""
    copies = [(_name(record), _values(record)) for record in record_sets(lines)]
    for record in _without_own(_list(clients, zone_id)):
        if (_name(record), _values(record)) not in copies:
            yield _name(record)


def delete_all(clients: Clients, zone_id: str) -> None:
    """Delete every record except the NS and SOA of the zone itself, page by page.

    Deletions do not affect the pagination, because the next page starts at a record that still exists.
    """
    records = _without_own(_list(clients, zone_id))
    while batch := list(islice(records, BATCH_SIZE)):
        _change(clients, zone_id, "DELETE", batch)


def _without_own(records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the records except the SOA and NS of the zone itself. The NS may come before the SOA."""
    apex, early = "", []
    for record in records:
        if record["Type"] == "SOA":
            apex = _name(record)[0]
        elif record["Type"] == "NS" and not apex:
            early.append(record)
        elif record["Type"] != "NS" or _name(record)[0] != apex:
            yield record
    yield from (record for record in early if _name(record)[0] != apex)


def _change(clients: Clients, zone_id: str, action: str, records: list[dict[str, Any]]) -> None:
    if records:
        changes = [{"Action": action, "ResourceRecordSet": record} for record in records]
        clients.aws.route53.change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
        )


def _list(clients: Clients, zone_id: str) -> Iterator[dict[str, Any]]:
    """Yield the zone's records one by one, because a zone may have thousands."""
    pages = clients.aws.route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone_id
    )
    for page in pages:
        yield from page["ResourceRecordSets"]


def _name(record: dict[str, Any]) -> tuple[str, str]:
    return record["Name"].rstrip(".").lower(), record["Type"]


def _values(record: dict[str, Any]) -> list[str]:
    return sorted(item["Value"] for item in record.get("ResourceRecords", []))
