"""Route 53: ListHostedZonesByName."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before


@behaves("route53.zones-by-name-are-a-range")
@before("route53", "ListHostedZonesByName")
def list_from_name(cloud: Cloud, call: Call) -> Answer:
    """List zones from DNSName on; it is a start, not a filter (API ListHostedZonesByName)."""
    zones = sorted(cloud.route53.zones(), key=lambda zone: (_order(zone.name), zone.resource_id))
    start = _order(call.params.get("DNSName", ""))
    start_id = call.params.get("HostedZoneId", "").rpartition("/")[2]
    wanted = [zone for zone in zones if (_order(zone.name), zone.resource_id) >= (start, start_id)]
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
            for zone in wanted[:limit]
        ],
        "IsTruncated": len(wanted) > limit,
        "MaxItems": str(limit),
    }
    if call.params.get("DNSName"):
        answer["DNSName"] = call.params["DNSName"]
    if len(wanted) > limit:
        answer |= {"NextDNSName": wanted[limit].name, "NextHostedZoneId": wanted[limit].resource_id}
    return answer


def _order(name: str) -> list[str]:
    return [label for label in reversed(name.lower().rstrip(".").split(".")) if label]
