"""Route 53: hosted zones' changes and their propagation to name servers."""

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
    """Caller references, changes, key-signing keys, and the record sets that name servers serve.

    Two limits are off by default because they would slow down every test: `requests_a_second` (on AWS 5 per
    account) and `one_change_at_a_time` per zone.
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

    def add_change(self, zone: Any | None, comment: str | None = None) -> dict[str, Any]:
        """Record a change of this zone (None if it was deleted); return its ChangeInfo."""
        now = self.account.clock.now()
        change_id = "/change/C" + "".join(secrets.choice(_ALPHABET) for _ in range(20))
        self.changes[change_id] = (now, comment)
        if zone is not None:
            due = now + self.account.delays.route53_sync
            self._snapshots.setdefault(zone.resource_id, []).append((due, list(zone.rrsets)))
        return self.change_info(change_id)

    def has_pending_change(self, zone: Any) -> bool:
        """Return whether a change of this zone is PENDING."""
        snapshots = self._snapshots.get(zone.resource_id, [])
        return bool(snapshots) and self.account.clock.now() < snapshots[-1][0]

    def count_request(self) -> bool:
        """Count a request; return whether it is within the limit of this second."""
        now = self.account.clock.now()
        while self._requests and self._requests[0] <= now - 1:
            self._requests.popleft()
        if len(self._requests) >= self.requests_a_second:
            return False
        self._requests.append(now)
        return True

    @behaves("route53.pending")
    def change_info(self, change_id: str) -> dict[str, Any]:
        """Return a change's ChangeInfo: PENDING for `delays.route53_sync`, then INSYNC (API GetChange)."""
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

    @behaves("route53.published-later")
    def published_records(self, zone: Any) -> list[Any]:
        """Return the record sets (moto's) that the zone's name servers serve now."""
        snapshots = self._snapshots.get(zone.resource_id, [])
        now = self.account.clock.now()
        while len(snapshots) > 1 and snapshots[1][0] <= now:
            snapshots.pop(0)
        return snapshots[0][1] if snapshots and snapshots[0][0] <= now else []
