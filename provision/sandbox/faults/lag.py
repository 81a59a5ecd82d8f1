"""Read-after-write lag: for some seconds after a change, a service responds as before it.

AWS's services run on many servers, which do not learn of a change at the same time. Here the responding
server always has the full delay of `seconds`: the worst case, and deterministic.
"""

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass, field

from provision.sandbox.aws import responses
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.responses import Response
from provision.sandbox.delays import Delays
from provision.sandbox.faults.eventual_consistency import NewResource, stale_response
from provision.sandbox.faults.new_resources import NEW_RESOURCES

# Services whose documentation or clients mention eventual consistency.
LAGGING = sorted({service for service, _ in NEW_RESOURCES})


@dataclass
class _History:
    """The history of one service in one region. An epoch is the time between two changes, counted from 0."""

    changes: list[float] = field(default_factory=list)  # start times of the epochs from 1 on
    answers: dict[Hashable, dict[int, Response]] = field(
        default_factory=dict
    )  # by request and epoch
    created: list[tuple[NewResource, frozenset[str], int]] = field(
        default_factory=list
    )  # with epochs

    def hidden(self, visible: int) -> list[tuple[NewResource, frozenset[str]]]:
        return [(kind, ids) for kind, ids, epoch in self.created if epoch > visible]

    def prune(self, visible: int) -> None:
        """Remove what is older than the visible epoch."""
        self.created = [entry for entry in self.created if entry[2] > visible]
        for request_key, responses_by_epoch in list(self.answers.items()):
            current = {
                epoch: answer for epoch, answer in responses_by_epoch.items() if epoch >= visible
            }
            self.answers[request_key] = current
            if not current:
                del self.answers[request_key]


class Lag:
    """The lag of each service. Hold the cloud's lock."""

    def __init__(self, delays: Delays) -> None:
        self._histories: dict[tuple[str, str], _History] = {}
        self.seconds: dict[str, float] = {}
        lag = delays.lag
        if isinstance(lag, dict):
            for service, seconds in lag.items():
                self.set_seconds(seconds, [service])
        else:
            self.set_seconds(lag)

    def set_seconds(self, seconds: float, services: list[str] | None = None) -> None:
        """Set the lag of these services, or of all that can lag, in simulated seconds.

        Raises ValueError for a service that cannot lag.
        """
        for service in LAGGING if services is None else services:
            if service not in LAGGING:
                raise ValueError(f"services are among {', '.join(LAGGING)}, not {service!r}")
            self.seconds.pop(service, None)
            if seconds:
                self.seconds[service] = seconds
            for key in [key for key in self._histories if key[0] == service]:
                del self._histories[key]

    @behaves(
        "ec2.read-after-write",
        "iam.read-after-write",
        "elbv2.read-after-write",
        "ecs.read-after-write",
        "acm.read-after-write",
        "logs.read-after-write",
    )
    def check(self, call: Call) -> None:
        """Refuse a mutating call that names a resource not visible yet."""
        if self._lags(call) and call.mutating:
            history = self._history(call)
            for kind, ids in history.hidden(self._visible_epoch(call, history)):
                error = kind.error_for(call, ids)
                if error and kind not in NEW_RESOURCES.get((call.service, call.operation), ()):
                    raise error

    @behaves("ec2.stale-answer", "iam.deleted-still-shown", "s3.deleted-bucket-still-listed")
    def answer(self, call: Call, request_key: Hashable, current: Response) -> Response:
        """Return the response of a server that lags behind `current`. Raises AwsError."""
        if not self._lags(call):
            return current
        history = self._history(call)
        if call.mutating:
            if current[0] < 300:
                self._record_change(call, history, current)
            return current
        epoch, visible = len(history.changes), self._visible_epoch(call, history)
        responses_by_epoch = history.answers.setdefault(request_key, {})
        responses_by_epoch[epoch] = current
        return responses_by_epoch.get(visible) or stale_response(
            call, current, history.hidden(visible)
        )

    def _lags(self, call: Call) -> bool:
        """Return whether the call lags; in S3 calls on buckets do, calls on objects do not (User Guide)."""
        return call.service in self.seconds and (
            call.service != "s3"
            or "Bucket" in call.operation
            or "PublicAccessBlock" in call.operation
        )

    def _history(self, call: Call) -> _History:
        return self._histories.setdefault((call.service, call.region), _History())

    def _visible_epoch(self, call: Call, history: _History) -> int:
        """Return the epoch that the responding server knows."""
        return bisect_right(history.changes, call.time - self.seconds[call.service])

    def _record_change(self, call: Call, history: _History, current: Response) -> None:
        history.prune(self._visible_epoch(call, history))
        history.changes.append(call.time)
        kinds = NEW_RESOURCES.get((call.service, call.operation), ())
        if not kinds or (call.operation == "PutParameter" and call.params.get("Overwrite")):
            return
        result = responses.read(call, current)
        for kind in kinds:
            history.created.append(
                (kind, kind.identities(call.params, result), len(history.changes))
            )
