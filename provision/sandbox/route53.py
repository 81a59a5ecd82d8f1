"""Route 53: zones with name servers of their own, change batches, and changes that take time."""

import random
import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import Answer, after, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

# Route 53 gives every zone one server under each of four top-level domains, numbered in ranges.
_SERVERS = (("com", 0), ("net", 512), ("org", 1024), ("co.uk", 1536))
_ALPHABET = string.ascii_uppercase + string.digits


@dataclass
class Route53:
    """What moto does not keep: used caller references, changes, and what name servers know yet."""

    cloud: "Cloud"
    caller_references: set[str] = field(default_factory=set)
    changes: dict[str, tuple[float, str | None]] = field(default_factory=dict)
    _snapshots: dict[str, list[tuple[float, list[Any]]]] = field(default_factory=dict)

    def zones(self) -> list[Any]:
        """Moto's hosted zones."""
        return list(self.cloud.backend("route53").zones.values())

    def changed(self, zone: Any | None, comment: str | None = None) -> dict[str, Any]:
        """Note a change of this zone (None: the zone is gone); the ChangeInfo to answer with."""
        now = self.cloud.clock.now()
        change_id = "/change/C" + "".join(secrets.choice(_ALPHABET) for _ in range(20))
        self.changes[change_id] = (now, comment)
        if zone is not None:
            due = now + self.cloud.delays.route53_sync
            self._snapshots.setdefault(zone.resource_id, []).append((due, list(zone.rrsets)))
        return self.change_info(change_id)

    def change_info(self, change_id: str) -> dict[str, Any]:
        """ChangeInfo: PENDING until all name servers know, then INSYNC (API GetChange)."""
        submitted, comment = self.changes[change_id]
        synced = self.cloud.clock.now() >= submitted + self.cloud.delays.route53_sync
        info: dict[str, Any] = {
            "Id": change_id,
            "Status": "INSYNC" if synced else "PENDING",
            "SubmittedAt": datetime.fromtimestamp(submitted, UTC),
        }
        if comment:
            info["Comment"] = comment
        return info

    def published(self, zone: Any) -> list[Any]:
        """The record sets (moto's RecordSet) with which the zone's name servers answer now."""
        snapshots = self._snapshots.get(zone.resource_id, [])
        now = self.cloud.clock.now()
        while len(snapshots) > 1 and snapshots[1][0] <= now:
            snapshots.pop(0)
        return snapshots[0][1] if snapshots and snapshots[0][0] <= now else []


def name_servers() -> list[str]:
    """Four name servers as a new hosted zone gets them, without the final dot."""
    numbers = [(tld, random.randrange(first, first + 512)) for tld, first in _SERVERS]
    return [f"ns-{number}.awsdns-{number % 64:02}.{tld}" for tld, number in numbers]


@before("route53", "CreateHostedZone")
def caller_reference_is_new(cloud: "Cloud", call: Call) -> None:
    """API CreateHostedZone: a reference serves once, even when its zone was deleted since."""
    if call.params["CallerReference"] in cloud.route53.caller_references:
        raise Refusal(
            "HostedZoneAlreadyExists",
            "A hosted zone has already been created with the specified caller reference.",
        )


@after("route53", "CreateHostedZone")
def own_name_servers(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """A second zone of the same name has other name servers (Developer Guide, SOA-NSrecords)."""
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
    answer["ChangeInfo"] = cloud.route53.changed(zone)


@after("route53", "DeleteHostedZone")
def deletion_takes_time(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API DeleteHostedZone answers with a ChangeInfo like every change."""
    answer["ChangeInfo"] = cloud.route53.changed(None)


@before("route53", "GetChange")
def change_status(cloud: "Cloud", call: Call) -> Answer:
    """API GetChange; medians of other tools' logs are in Delays.route53_sync."""
    change_id = "/change/" + call.params["Id"].rpartition("/")[2]
    if change_id not in cloud.route53.changes:
        raise Refusal(
            "NoSuchChange",
            f"A change with the specified change ID {change_id.rpartition('/')[2]} does not exist.",
        )
    return {"ChangeInfo": cloud.route53.change_info(change_id)}


@before("route53", "ListHostedZonesByName")
def names_are_a_range(cloud: "Cloud", call: Call) -> Answer:
    """API ListHostedZonesByName: DNSName is where the list begins, not a filter."""
    zones = sorted(cloud.route53.zones(), key=lambda zone: (_order(zone.name), zone.resource_id))
    start = _order(call.params.get("DNSName", ""))
    start_id = call.params.get("HostedZoneId", "").rpartition("/")[2]
    wanted = [zone for zone in zones if (_order(zone.name), zone.resource_id) >= (start, start_id)]
    most = int(call.params.get("MaxItems") or 100)
    answer: Answer = {
        "HostedZones": [
            {
                "Id": zone.id,
                "Name": zone.name,
                "CallerReference": zone.caller_reference,
                "Config": {k: v for k, v in zone.config.items() if v is not None},
                "ResourceRecordSetCount": len(zone.rrsets),
            }
            for zone in wanted[:most]
        ],
        "IsTruncated": len(wanted) > most,
        "MaxItems": str(most),
    }
    if call.params.get("DNSName"):
        answer["DNSName"] = call.params["DNSName"]
    if len(wanted) > most:
        answer |= {"NextDNSName": wanted[most].name, "NextHostedZoneId": wanted[most].resource_id}
    return answer


def _order(name: str) -> list[str]:
    return [label for label in reversed(name.lower().rstrip(".").split(".")) if label]
