"""Route 53: what moto does not keep of hosted zones and their changes."""

import secrets
import string
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves

_ALPHABET = string.ascii_uppercase + string.digits


@dataclass
class Route53:
    """What moto does not keep: used caller references, changes, and what name servers know yet.

    Two races are for whoever wants them, because they would only slow everybody else down:
    `requests_a_second` (5 an account on AWS) and `one_change_at_a_time` a zone.
    """

    account: Account
    requests_a_second: int = 0  # 0: no limit
    one_change_at_a_time: bool = False
    caller_references: set[str] = field(default_factory=set)
    changes: dict[str, tuple[float, str | None]] = field(default_factory=dict)
    signing_keys: dict[str, dict[str, Any]] = field(default_factory=dict)  # by zone and name
    _snapshots: dict[str, list[tuple[float, list[Any]]]] = field(default_factory=dict)
    _requests: deque[float] = field(default_factory=deque)

    def zones(self) -> list[Any]:
        """Return moto's hosted zones."""
        return list(self.account.backend("route53").zones.values())

    def changed(self, zone: Any | None, comment: str | None = None) -> dict[str, Any]:
        """Note a change of this zone (None: the zone is gone); the ChangeInfo to answer with."""
        now = self.account.clock.now()
        change_id = "/change/C" + "".join(secrets.choice(_ALPHABET) for _ in range(20))
        self.changes[change_id] = (now, comment)
        if zone is not None:
            due = now + self.account.delays.route53_sync
            self._snapshots.setdefault(zone.resource_id, []).append((due, list(zone.rrsets)))
        return self.change_info(change_id)

    def is_busy(self, zone: Any) -> bool:
        """Return whether a change of this zone is still on its way to the name servers."""
        snapshots = self._snapshots.get(zone.resource_id, [])
        return bool(snapshots) and self.account.clock.now() < snapshots[-1][0]

    def count_request(self) -> bool:
        """Note a request; False when it is one too many in this second."""
        now = self.account.clock.now()
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
        """Return ChangeInfo: PENDING until all name servers know, then INSYNC (API GetChange)."""
        submitted, comment = self.changes[change_id]
        synced = self.account.clock.now() >= submitted + self.account.delays.route53_sync
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
        """Return the record sets (moto's RecordSet) with which the zone's name servers answer now."""
        snapshots = self._snapshots.get(zone.resource_id, [])
        now = self.account.clock.now()
        while len(snapshots) > 1 and snapshots[1][0] <= now:
            snapshots.pop(0)
        return snapshots[0][1] if snapshots and snapshots[0][0] <= now else []
