"""Route 53: checks of a record set's name in its zone."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves


@behaves(
    "route53.name-outside-the-zone",
    "a record's name lies in its zone",
    "InvalidChangeBatch 400, 'RRSet with DNS name ... is not permitted in zone ...'",
    "terraform-aws-asg-dns-handler#38",
)
@behaves(
    "route53.cname-at-the-apex",
    "there is no CNAME at a zone's own name",
    "InvalidChangeBatch 400, '... is not permitted at apex in zone ...'",
    "Route 53 Developer Guide, Supported DNS record types, CNAME",
)
def placement_problems(wanted: Any, zone: str) -> list[str]:
    """Return the problems of a record set's name in this zone."""
    if wanted.name != zone and not wanted.name.endswith(f".{zone}"):
        return [f"RRSet with DNS name {wanted.name} is not permitted in zone {zone}"]
    if wanted.type == "CNAME" and wanted.name == zone:
        return [f"RRSet of type CNAME with DNS name {zone} is not permitted at apex in zone {zone}"]
    return []


@behaves(
    "route53.cname-beside-others",
    "nothing stands beside a CNAME, whichever of them comes second",
    "InvalidChangeBatch 400, 'RRSet of type ... is not permitted ...'",
    "RFC 1034, section 3.6.2; capitalone/Particle-Cloud-Framework#113",
)
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


@behaves(
    "route53.apex-records-stay",
    "a zone's own NS and SOA records are not deleted",
    "InvalidChangeBatch 400, 'A HostedZone must contain ...'",
    "Route 53 Developer Guide, NS and SOA records that Route 53 creates",
)
def apex_problems(records: list[Any], zone: str) -> list[str]:
    """Return the problems with the record sets at the zone's own name."""
    types = {record.type for record in records if record.name == zone}
    needed = {
        "NS": "A HostedZone must contain at least one NS record for the zone itself.",
        "SOA": "A HostedZone must contain exactly one SOA record.",
    }
    return [message for kind, message in needed.items() if kind not in types]
