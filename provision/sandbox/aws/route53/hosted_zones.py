"""Route 53: hosted zones, their names and name servers."""

import random

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.route53.domain_names import domain_name_problem
from provision.sandbox.aws.rules import Answer, after, before

_MAX_RECORDS = 10_000  # record sets per hosted zone (Developer Guide, Quotas)
# Each zone has one name server under each of four top-level domains, with numbers from these on.
_SERVERS = (("com", 0), ("net", 512), ("org", 1024), ("co.uk", 1536))


def name_servers() -> list[str]:
    """Return four name servers for a new hosted zone, without the final dot."""
    numbers = [(tld, random.randrange(first, first + 512)) for tld, first in _SERVERS]
    return [f"ns-{number}.awsdns-{number % 64:02}.{tld}" for tld, number in numbers]


@behaves("route53.zone-name", "route53.unknown-delegation-set")
@before("route53", "CreateHostedZone")
def check_new_zone(cloud: Cloud, call: Call) -> None:
    """Check name and comment (API CreateHostedZone, Errors)."""
    name = call.params["Name"]
    problem = domain_name_problem(name)
    if not problem and "." not in name.rstrip("."):
        problem = f"A hosted zone cannot be created for the top-level domain {name}"
    if problem:
        raise AwsError("InvalidDomainName", problem)
    delegation_set = call.params.get("DelegationSetId", "").rpartition("/")[2]
    if delegation_set and delegation_set not in cloud.backend("route53").delegation_sets:
        raise AwsError(
            "NoSuchDelegationSet",
            f"A reusable delegation set with ID {delegation_set} does not exist.",
        )


@behaves("route53.caller-reference-used")
@before("route53", "CreateHostedZone")
def check_caller_reference(cloud: Cloud, call: Call) -> None:
    """Refuse a reference used before, even by a deleted zone (API CreateHostedZone)."""
    if call.params["CallerReference"] in cloud.route53.caller_references:
        raise AwsError(
            "HostedZoneAlreadyExists",
            "A hosted zone has already been created with the specified caller reference.",
        )


@behaves("route53.own-name-servers")
@after("route53", "CreateHostedZone")
def assign_name_servers(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Assign four name servers and set NS and SOA records (Developer Guide, SOA-NSrecords)."""
    zone = cloud.backend("route53").zones[answer["HostedZone"]["Id"].rpartition("/")[2]]
    servers = name_servers()
    if zone.delegation_set is not None and "DelegationSetId" not in call.params:
        zone.delegation_set.name_servers = servers
        answer.get("DelegationSet", {})["NameServers"] = servers
    servers = zone.delegation_set.name_servers if zone.delegation_set else servers
    soa = f"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    for record_set in zone.rrsets:
        record_set.records = [f"{s}." for s in servers] if record_set.type == "NS" else [soa]
        record_set.ttl = 172800 if record_set.type == "NS" else 900
    cloud.route53.caller_references.add(call.params["CallerReference"])
    answer["ChangeInfo"] = cloud.route53.add_change(zone)


@behaves("route53.zone-not-empty")
@before("route53", "DeleteHostedZone")
def check_zone_empty(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a zone with records, delegations included (API DeleteHostedZone)."""
    zone = cloud.backend("route53").zones.get(call.params["Id"].rpartition("/")[2])
    own = ("NS", "SOA")
    if zone is not None and any(r.name != zone.name or r.type not in own for r in zone.rrsets):
        raise AwsError(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets  and so cannot "
            "be deleted.",
        )


@after("route53", "DeleteHostedZone")
def answer_change(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Add ChangeInfo to the response (API DeleteHostedZone)."""
    answer["ChangeInfo"] = cloud.route53.add_change(None)


@behaves("route53.zone-limit")
@before("route53", "GetHostedZoneLimit")
def show_limit(cloud: Cloud, call: Call) -> Answer:
    """Return how many record sets a zone may have, and has (API GetHostedZoneLimit)."""
    zone_id, kind = call.params["HostedZoneId"].rpartition("/")[2], call.params["Type"]
    zone = cloud.backend("route53").zones.get(zone_id)
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
    if kind != "MAX_RRSETS_BY_ZONE":  # the other type is for private zones
        raise AwsError("HostedZoneNotPrivate", f"The hosted zone {zone_id} is not private.")
    return {"Limit": {"Type": kind, "Value": _MAX_RECORDS}, "Count": len(zone.rrsets)}


@behaves("route53.zones-by-name-are-a-range")
@before("route53", "ListHostedZonesByName")
def list_from_name(cloud: Cloud, call: Call) -> Answer:
    """List zones from DNSName on; it is a start, not a filter (API ListHostedZonesByName)."""
    zones = sorted(cloud.route53.zones(), key=lambda zone: (_order(zone.name), zone.resource_id))
    start = _order(call.params.get("DNSName", ""))
    start_id = call.params.get("HostedZoneId", "").rpartition("/")[2]
    selected = [
        zone for zone in zones if (_order(zone.name), zone.resource_id) >= (start, start_id)
    ]
    limit = int(call.params.get("MaxItems") or 100)
    answer: Answer = {
        "HostedZones": [
            {
                "Id": zone.id,
                "Name": zone.name,
                "CallerReference": zone.caller_reference,
                "Config": {k: v for k, v in zone.config.items() if v is not None},
                "ResourceRecordSetCount": len(zone.rrsets),
            }
            for zone in selected[:limit]
        ],
        "IsTruncated": len(selected) > limit,
        "MaxItems": str(limit),
    }
    if call.params.get("DNSName"):
        answer["DNSName"] = call.params["DNSName"]
    if len(selected) > limit:
        answer |= {
            "NextDNSName": selected[limit].name,
            "NextHostedZoneId": selected[limit].resource_id,
        }
    return answer


def _order(name: str) -> list[str]:
    return [label for label in reversed(name.lower().rstrip(".").split(".")) if label]


@behaves("route53.test-dns-answer")
@before("route53", "TestDNSAnswer")
def answer_query(cloud: Cloud, call: Call) -> Answer:
    """Answer as one of the zone's name servers, delegated or not (API TestDNSAnswer)."""
    params = call.params
    zone_id, name = params["HostedZoneId"].rpartition("/")[2], params["RecordName"].lower()
    zone = cloud.backend("route53").zones.get(zone_id)
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
    found = cloud.dns.lookup_in_zone(zone, name.rstrip(".") + ".", params["RecordType"])
    return {
        "Nameserver": zone.delegation_set.name_servers[0],
        "RecordName": params["RecordName"],
        "RecordType": params["RecordType"],
        "RecordData": [record.value for record in found or []],
        "ResponseCode": "NXDOMAIN" if found is None else "NOERROR",
        "Protocol": "UDP",
    }
