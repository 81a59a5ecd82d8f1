"""The emulated account: moto's backends, and beside them what moto does not keep."""

import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from provision.sandbox.aws.keys import Keys
from provision.sandbox.clock import Clock, ManualClock
from provision.sandbox.delays import Delays
from provision.sandbox.dns.registrar import Registrar
from provision.sandbox.dns.resolver import Dns
from provision.sandbox.faults.faults import Faults
from provision.sandbox.faults.lag import Lag
from provision.sandbox.tasks.runners import InlineTasks, TaskRunner
from provision.sandbox.web.authority import Authority

if TYPE_CHECKING:
    from provision.sandbox.aws.acm.certificates import Acm
    from provision.sandbox.aws.calls import Call
    from provision.sandbox.aws.ec2.default_vpc import Ec2
    from provision.sandbox.aws.ecr.repositories import Ecr
    from provision.sandbox.aws.ecs.ecs import Ecs
    from provision.sandbox.aws.elbv2.elbv2 import Elbv2
    from provision.sandbox.aws.iam.iam import Iam
    from provision.sandbox.aws.permissions import Permissions
    from provision.sandbox.aws.route53.route53 import Route53
    from provision.sandbox.aws.s3.buckets import S3
    from provision.sandbox.aws.scheduler.schedules import Scheduler
    from provision.sandbox.aws.ssm.parameters import Ssm

_LOGGED = 50_000  # calls; some 25 MB
_GLOBAL = {"iam", "route53", "s3", "sts"}  # moto keeps these under "aws", not under a region


class Cloud:
    """One account, "123456789012", in every region.

    Hold `lock` while reading or changing anything in it. Each service's file keeps what moto does
    not in a class of its own, which services.py builds; it is reachable as `cloud.<service>`.
    moto's backends are one set per process, so there can be one Cloud at a time.
    """

    account = "123456789012"

    acm: "Acm"
    ec2: "Ec2"
    ecr: "Ecr"
    ecs: "Ecs"
    elbv2: "Elbv2"
    iam: "Iam"
    permissions: "Permissions"
    route53: "Route53"
    s3: "S3"
    scheduler: "Scheduler"
    ssm: "Ssm"

    def __init__(
        self, clock: Clock, delays: Delays | None = None, tasks: TaskRunner | None = None
    ) -> None:
        self.clock = clock
        self.delays = delays or Delays()
        self.tasks = tasks or InlineTasks()
        self.lock = threading.RLock()
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOGGED)
        self.keys = Keys()
        self._numbers = itertools.count()
        self.faults = Faults()
        self._ticking = threading.Lock()
        self._tickers: list[Callable[[], None]] = []
        self._closers: list[Callable[[], None]] = []
        self.registry = ""  # where the registry behind ECR is served; "": nowhere
        self.gallery = ""  # the same of the stand-in for public.ecr.aws
        self.opted_in: set[str] = (
            set()
        )  # regions that the account has enabled beside the usual ones
        self.registrar = Registrar()
        self.dns = Dns(self)
        self.authority = Authority()
        self.reset()
        if isinstance(clock, ManualClock):
            clock.on_advance(self.tick)

    def reset(self) -> None:
        """An empty account again; the registrar's entries and the authority are not AWS: they stay.

        What runs behind the account (tasks) ends first.
        """
        from provision.sandbox.aws import registry  # it imports every service, and they name Cloud

        self._end()
        with self.lock:
            registry.build(self)
            self.lag = Lag(self)

    def close(self) -> None:
        """End what runs behind the account, and the authority; for good."""
        self._end()
        self.authority.close()

    def _end(self) -> None:
        self._tickers.clear()
        while self._closers:
            self._closers.pop()()

    def backend(self, service: str, region: str = "") -> Any:
        """Moto's backend of a service; the region is ignored where the service is global."""
        name: Any = service
        return get_backend(name)[self.account]["aws" if service in _GLOBAL else region]

    def regions(self, service: str) -> list[str]:
        """The regions in which moto has built a backend of this service so far."""
        name: Any = service
        return [key for key, _ in dict.items(get_backend(name)[self.account])]

    def note(self, call: "Call", caller: str, outcome: int | str) -> None:
        """Write the call into the log of calls: what was asked, by whom (an ARN), and how it went.

        The log is bounded: the oldest calls leave it, the numbers go on.
        """
        self.log.append(
            {
                "number": next(self._numbers),
                "time": call.time,
                "service": call.service,
                "operation": call.operation,
                "mutating": call.mutating,
                "region": call.region,
                "caller": caller,
                "outcome": outcome,
            }
        )

    def on_tick(self, ticker: Callable[[], None]) -> None:
        """Have `ticker` run on every tick until the next reset, WITHOUT the lock: it takes it."""
        self._tickers.append(ticker)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Have `closer` run once, at the next reset or at the end."""
        self._closers.append(closer)

    def tick(self) -> None:
        """Let time have its effect: everything that is due now happens.

        Runs before each call, and in serving mode from a thread; one tick at a time, and a tick
        that finds another one running leaves it to that one. Tickers take the lock themselves, and
        let go of it where they wait for something real (a health check).
        """
        if not self._ticking.acquire(blocking=False):
            return
        try:
            for ticker in list(self._tickers):
                ticker()
        finally:
            self._ticking.release()
