"""Route 53: zones with name servers of their own, change batches, and changes that take time."""

import secrets
import string
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provision.sandbox.aws.calls import Call, Refusal
from provision.sandbox.aws.constraints import constrains
from provision.sandbox.aws.rules import Answer, before, behaves

if TYPE_CHECKING:
    from provision.sandbox.aws.account import Cloud

_ALPHABET = string.ascii_uppercase + string.digits

behaves(
    "route53.parameter-outside-its-limits",
    "a TTL above 2147483647, a caller reference above 128 letters, a comment above 256 are refused",
    "InvalidInput 400",
    "Route 53 API Reference, ResourceRecordSet, CreateHostedZone; botocore model of Route 53",
)(constrains)
before("route53", "*")(constrains("InvalidInput"))


@dataclass
class Route53:
    """What moto does not keep: used caller references, changes, and what name servers know yet.

    Two races are for whoever wants them, because they would only slow everybody else down:
    `requests_a_second` (5 an account on AWS) and `one_change_at_a_time` a zone.
    """

    cloud: "Cloud"
    requests_a_second: int = 0  # 0: no limit
    one_change_at_a_time: bool = False
    caller_references: set[str] = field(default_factory=set)
    changes: dict[str, tuple[float, str | None]] = field(default_factory=dict)
    signing_keys: dict[str, dict[str, Any]] = field(default_factory=dict)  # by zone and name
    signed: set[str] = field(default_factory=set)  # ids of zones that serve signatures
    _snapshots: dict[str, list[tuple[float, list[Any]]]] = field(default_factory=dict)
    _requests: deque[float] = field(default_factory=deque)

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

    def is_busy(self, zone: Any) -> bool:
        """Whether a change of this zone is still on its way to the name servers."""
        snapshots = self._snapshots.get(zone.resource_id, [])
        return bool(snapshots) and self.cloud.clock.now() < snapshots[-1][0]

    def count_request(self) -> bool:
        """Note a request; False when it is one too many in this second."""
        now = self.cloud.clock.now()
        while self._requests and self._requests[0] <= now - 1:
            self._requests.popleft()
        if len(self._requests) >= self.requests_a_second:
            return False
        self._requests.append(now)
        return True

    @behaves(
        "route53.pending",
        "a change is PENDING until all name servers know it, tens of seconds later",
        "Status PENDING, then INSYNC",
        "Route 53 API Reference, GetChange; 37-40 s in other tools' logs",
    )
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

    @behaves(
        "route53.published-later",
        "name servers answer with a change only once it is in sync",
        "the old answer, then the new one",
        "Route 53 API Reference, GetChange: 'propagated to all Route 53 DNS servers'",
    )
    def published(self, zone: Any) -> list[Any]:
        """The record sets (moto's RecordSet) with which the zone's name servers answer now."""
        snapshots = self._snapshots.get(zone.resource_id, [])
        now = self.cloud.clock.now()
        while len(snapshots) > 1 and snapshots[1][0] <= now:
            snapshots.pop(0)
        return snapshots[0][1] if snapshots and snapshots[0][0] <= now else []


@behaves(
    "route53.five-requests-a-second",
    "more than five requests a second are refused (where a test asks for it)",
    "Throttling 400, 'Rate exceeded'",
    "Route 53 Developer Guide, Quotas: requests",
)
@before("route53", "*")
def not_too_many(cloud: "Cloud", call: Call) -> None:
    """Developer Guide, Quotas: five requests a second an account."""
    if cloud.route53.requests_a_second and not cloud.route53.count_request():
        raise Refusal("Throttling", "Rate exceeded", 400)


@behaves(
    "route53.no-such-change",
    "the change of an unknown id is an error",
    "NoSuchChange 404",
    "Route 53 API Reference, GetChange, Errors",
)
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
