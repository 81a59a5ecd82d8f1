"""Route 53: checks of an alias record's target."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud

_ELB = ".elb.amazonaws.com."
# Domains of AWS services that the sandbox does not emulate; targets there are not checked.
_OTHER_SERVICES = (".amazonaws.com.", ".cloudfront.net.", ".awsglobalaccelerator.com.", ".on.aws.")


@behaves("route53.alias-in-another-zone", "route53.alias-to-nothing")
def alias_problems(cloud: Cloud, record_set: Any, own_zone: Any, records: list[Any]) -> list[str]:
    """Return the problems of an alias's target; `record_set` and `records` are moto's RecordSets."""
    target = record_set.alias_target
    name, zone_id = target["DNSName"].lower(), target["HostedZoneId"]
    tried = (
        f"Tried to create an alias that targets {name}, type {record_set.type} in zone {zone_id}"
    )
    outside, missing = (
        f"{tried}, but the alias target name does not lie within the target zone",
        f"{tried}, but that target was not found",
    )
    if name.endswith(_ELB):
        load_balancer = cloud.elbv2.by_dns_name(name)
        if load_balancer is None:
            return [missing]
        inside = load_balancer.canonical_hosted_zone_id == zone_id
        return [] if inside else [outside, missing]
    zone = cloud.backend("route53").zones.get(zone_id)
    if zone is None:
        return [] if name.endswith(_OTHER_SERVICES) else [outside, missing]
    if name != zone.name and not name.endswith(f".{zone.name}"):
        return [outside, missing]
    records_there = records if zone is own_zone else zone.rrsets
    found = any(record.name == name and record.type == record_set.type for record in records_there)
    return [] if found else [missing]
