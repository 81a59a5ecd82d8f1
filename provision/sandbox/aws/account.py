"""The emulated account without its services: clock, delays, lock, log of calls, and moto's backends."""

import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from moto.backends import get_backend

from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.keys import Keys
from provision.sandbox.clock import SimulatedClock
from provision.sandbox.delays import Delays
from provision.sandbox.dns.registrar import Registrar
from provision.sandbox.faults.faults import Faults
from provision.sandbox.tasks.runners import InlineTasks, TaskRunner
from provision.sandbox.web.authority import Authority

LOG_LENGTH = 50_000  # calls; some 25 MB
_GLOBAL = {"iam", "route53", "s3", "sts"}  # moto keeps these under "aws", not under a region


class Account:
    """What every service of the account shares.

    Hold `lock` while reading or changing anything in it.
    """

    account_id = "123456789012"

    def __init__(
        self, clock: SimulatedClock, delays: Delays | None = None, tasks: TaskRunner | None = None
    ) -> None:
        self.clock = clock
        self.delays = delays or Delays()
        self.tasks = tasks or InlineTasks()
        self.lock = threading.RLock()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.keys = Keys()
        self._numbers = itertools.count()
        self.faults = Faults()
        self._ticking = threading.Lock()
        self._tickers: list[Callable[[], None]] = []
        self._closers: list[Callable[[], None]] = []
        self.registry = ""  # where the registry behind ECR is served; "": nowhere
        self.gallery = ""  # the same of the stand-in for public.ecr.aws
        self.opted_in: set[str] = set()  # regions enabled beside those enabled by default
        self.registrar = Registrar()
        self.authority = Authority()

    def close(self) -> None:
        """End what runs behind the account, and the authority; for good."""
        self._end()
        self.authority.close()

    def _end(self) -> None:
        self._tickers.clear()
        while self._closers:
            self._closers.pop()()

    def backend(self, service: str, region: str = "") -> Any:
        """Return moto's backend of a service; the region is ignored where the service is global."""
        name: Any = service
        return get_backend(name)[self.account_id]["aws" if service in _GLOBAL else region]

    def regions(self, service: str) -> list[str]:
        """Return the regions in which moto has built a backend of this service so far."""
        name: Any = service
        return [key for key, _ in dict.items(get_backend(name)[self.account_id])]

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
