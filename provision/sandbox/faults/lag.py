"""Read-after-write lag: for some seconds after a change, a service answers as before it.

AWS's services are many servers, of which not all know a change at once. Here the one that answers is always
as far behind as `seconds` lets it be: the worst case, and always the same one.
"""

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass, field

from provision.sandbox.aws import responses
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.responses import Response
from provision.sandbox.delays import Delays
from provision.sandbox.faults.eventual_consistency import NewResource, before
from provision.sandbox.faults.new_resources import NEW_RESOURCES

# Those whose guides speak of eventual consistency, or whose clients were seen to wait for it.
LAGGING = sorted({service for service, _ in NEW_RESOURCES})


@dataclass
class _History:
    """One service in one region. An epoch is the time between two changes, counted from 0."""

    changes: list[float] = field(default_factory=list)  # when each epoch but the first began
    answers: dict[Hashable, dict[int, Response]] = field(default_factory=dict)  # question -> epoch
    created: list[tuple[NewResource, frozenset[str], int]] = field(
        default_factory=list
    )  # and in which epoch

    def hidden(self, behind: int) -> list[tuple[NewResource, frozenset[str]]]:
        return [(kind, ids) for kind, ids, epoch in self.created if epoch > behind]

    def forget(self, behind: int) -> None:
        """Forget what no server answers any more."""
        self.created = [one for one in self.created if one[2] > behind]
        for question, known in list(self.answers.items()):
            current = {epoch: answer for epoch, answer in known.items() if epoch >= behind}
            self.answers[question] = current
            if not current:
                del self.answers[question]


class Lag:
    """How far each service is behind. Hold the cloud's lock."""

    def __init__(self, delays: Delays) -> None:
        self._histories: dict[tuple[str, str], _History] = {}
        self.seconds: dict[str, float] = {}
        lag = delays.lag
        if isinstance(lag, dict):
            for service, seconds in lag.items():
                self.switch(seconds, [service])
        else:
            self.switch(lag)

    def switch(self, seconds: float, services: list[str] | None = None) -> None:
        """Let these services, else all that are known to lag, be so many simulated seconds behind.

        ValueError: there is no such service.
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
        "what was made a moment ago may not be found, not even by the next call that changes it",
        "InvalidGroup.NotFound 400",
        "Amazon EC2 Developer Guide, Eventual consistency in the Amazon EC2 API",
    )
    @behaves(
        "iam.read-after-write",
        "a new role is not known everywhere at once",
        "NoSuchEntity 404",
        "IAM User Guide, Troubleshooting IAM, Changes that I make are not always immediately visible",
    )
    @behaves(
        "elbv2.read-after-write",
        "a new load balancer may not be found at first",
        "LoadBalancerNotFound 400",
        "terraform-provider-aws, resource aws_lb: retries LoadBalancerNotFound after creation",
    )
    @behaves(
        "ecs.read-after-write",
        "a new cluster or service may be MISSING at first",
        "failure MISSING, ClusterNotFoundException 400",
        "Amazon ECS API Reference, RunTask: eventual consistency model",
    )
    @behaves(
        "acm.read-after-write",
        "a certificate asked for a moment ago may not be found",
        "ResourceNotFoundException 400",
        "ACM API Reference, RequestCertificate and DescribeCertificate: a delay of several seconds",
    )
    @behaves(
        "logs.read-after-write",
        "a new log group may not be found at first",
        "ResourceNotFoundException 400",
        "terraform-provider-aws, resource aws_cloudwatch_log_group: waits until it is found",
    )
    def check(self, call: Call) -> None:
        """Refuse a change to what was created a moment ago: the server that gets it does not know it yet."""
        if self._lags(call) and call.mutating:
            history = self._history(call)
            for kind, ids in history.hidden(self._behind(call, history)):
                refusal = kind.refusal(call, ids)
                if refusal and kind not in NEW_RESOURCES.get((call.service, call.operation), ()):
                    raise refusal

    @behaves(
        "ec2.stale-answer",
        "for some seconds after a change the state before it may be shown",
        "the old value",
        "Amazon EC2 Developer Guide, Eventual consistency in the Amazon EC2 API",
    )
    @behaves(
        "iam.deleted-still-shown",
        "what was deleted may be shown for a while",
        "the role",
        "IAM User Guide, Troubleshooting IAM, Changes that I make are not always immediately visible",
    )
    @behaves(
        "s3.deleted-bucket-still-listed",
        "a deleted bucket may still be listed, while objects are consistent at once",
        "the bucket in ListBuckets",
        "Amazon S3 User Guide, What is Amazon S3, Amazon S3 data consistency model",
    )
    def answer(self, call: Call, question: Hashable, now: Response) -> Response:
        """Return what a server that is behind answers instead of `now`; raise AwsError likewise."""
        if not self._lags(call):
            return now
        history = self._history(call)
        if call.mutating:
            if now[0] < 300:
                self._changed(call, history, now)
            return now
        epoch, behind = len(history.changes), self._behind(call, history)
        known = history.answers.setdefault(question, {})
        known[epoch] = now
        return known.get(behind) or before(call, now, history.hidden(behind))

    def _lags(self, call: Call) -> bool:
        """Return whether the call lags; of S3 buckets and their settings do, objects do not (User Guide)."""
        return call.service in self.seconds and (
            call.service != "s3"
            or "Bucket" in call.operation
            or "PublicAccessBlock" in call.operation
        )

    def _history(self, call: Call) -> _History:
        return self._histories.setdefault((call.service, call.region), _History())

    def _behind(self, call: Call, history: _History) -> int:
        """Return the epoch of the server that answers."""
        return bisect_right(history.changes, call.time - self.seconds[call.service])

    def _changed(self, call: Call, history: _History, now: Response) -> None:
        history.forget(self._behind(call, history))
        history.changes.append(call.time)
        kinds = NEW_RESOURCES.get((call.service, call.operation), ())
        if not kinds or (call.operation == "PutParameter" and call.params.get("Overwrite")):
            return
        result = responses.read(call, now)
        for kind in kinds:
            history.created.append(
                (kind, kind.identities(call.params, result), len(history.changes))
            )
