"""Route 53: checks of a record set's name in its zone."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves


@behaves("route53.name-outside-the-zone", "route53.cname-at-the-apex")
def placement_problems(record_set: Any, zone: str) -> list[str]:
    """Return the problems of a record set's name in this zone."""
    if record_set.name != zone and not record_set.name.endswith(f".{zone}"):
        return [f"RRSet with DNS name {record_set.name} is not permitted in zone {zone}"]
    if record_set.type == "CNAME" and record_set.name == zone:
        return [f"RRSet of type CNAME with DNS name {zone} is not permitted at apex in zone {zone}"]
    return []


@behaves("route53.cname-beside-others")
def conflict_problems(record_set: Any, records: list[Any], zone: str) -> list[str]:
    """Return the conflicts of a new or changed record set with others of the same name."""
    others = {record.type for record in records if record.name == record_set.name} - {
        record_set.type
    }
    message = f"RRSet of type {record_set.type} with DNS name {record_set.name} is not permitted"
    if record_set.type == "CNAME" and others:
        return [
            f"{message} as it conflicts with other records with the same DNS name in zone {zone}"
        ]
    if "CNAME" in others:
        return [
            f"{message} because a conflicting RRSet of type CNAME with the same DNS name already "
            f"exists in zone {zone}"
        ]
    return []


@behaves("route53.apex-records-stay")
def apex_problems(records: list[Any], zone: str) -> list[str]:
    """Return the problems with the record sets at the zone's own name."""
    types = {record.type for record in records if record.name == zone}
    needed = {
        "NS": "A HostedZone must contain at least one NS record for the zone itself.",
        "SOA": "A HostedZone must contain exactly one SOA record.",
    }
    return [message for kind, message in needed.items() if kind not in types]
