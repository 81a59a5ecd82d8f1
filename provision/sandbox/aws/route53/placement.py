"""Route 53: checks of a record set's name in its zone."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves


@behaves("route53.name-outside-the-zone", "route53.cname-at-the-apex")
def placement_problems(wanted: Any, zone: str) -> list[str]:
    """Return the problems of a record set's name in this zone."""
    if wanted.name != zone and not wanted.name.endswith(f".{zone}"):
        return [f"RRSet with DNS name {wanted.name} is not permitted in zone {zone}"]
    if wanted.type == "CNAME" and wanted.name == zone:
        return [f"RRSet of type CNAME with DNS name {zone} is not permitted at apex in zone {zone}"]
    return []


@behaves("route53.cname-beside-others")
def conflict_problems(wanted: Any, records: list[Any], zone: str) -> list[str]:
    """Return the conflicts of a new or changed record set with others of the same name."""
    others = {record.type for record in records if record.name == wanted.name} - {wanted.type}
    sentence = f"RRSet of type {wanted.type} with DNS name {wanted.name} is not permitted"
    if wanted.type == "CNAME" and others:
        return [
            f"{sentence} as it conflicts with other records with the same DNS name in zone {zone}"
        ]
    if "CNAME" in others:
        return [
            f"{sentence} because a conflicting RRSet of type CNAME with the same DNS name already "
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
