"""The emulated account without its services: clock, delays, lock, log of calls, and access to moto."""

import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from moto.backends import get_backend

from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.keys import Keys
from provision.sandbox.aws.responses import Response
from provision.sandbox.clock import SimulatedClock
from provision.sandbox.delays import Delays
from provision.sandbox.dns.registrar import Registrar
from provision.sandbox.faults.faults import Faults
from provision.sandbox.tasks.runners import InlineTasks, TaskRunner
from provision.sandbox.web.authority import Authority

LOG_LENGTH = 50_000  # calls, about 25 MB
DETAILS_LENGTH = 500  # calls of which request and response are kept
DETAILS_BYTES = 100_000  # of a response that is kept
_GLOBAL = {"iam", "route53", "s3", "sts"}  # moto keeps these under "aws", not under a region


class Account:
    """What the account's services share.

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
        self.details: deque[tuple[int, Call, Response | None]] = deque(maxlen=DETAILS_LENGTH)
        self.keys = Keys()
        self._numbers = itertools.count()
        self.faults = Faults()
        self._ticking = threading.Lock()
        self._tickers: list[Callable[[], None]] = []
        self._closers: list[Callable[[], None]] = []
        self.endpoint = "http://127.0.0.1:9"  # URL of AWS; nobody answers there if it is not served
        self.registry = ""  # URL of ECR's registry; "" if it is not served
        self.gallery = ""  # URL of the stand-in for public.ecr.aws, likewise
        self.opted_in: set[str] = set()  # opt-in regions that are enabled
        self.stack_file = ""  # of the stack that was last used here, for the page
        self.registrar = Registrar()
        self.authority = Authority()

    def close(self) -> None:
        """Stop the tasks and remove the certificate authority's files."""
        self._run_closers()
        self.authority.close()

    def _run_closers(self) -> None:
        self._tickers.clear()
        while self._closers:
            self._closers.pop()()

    def backend(self, service: str, region: str = "") -> Any:
        """Return moto's backend of a service; the region is ignored for global services."""
        name: Any = service
        return get_backend(name)[self.account_id]["aws" if service in _GLOBAL else region]

    def regions(self, service: str) -> list[str]:
        """Return the regions in which moto has a backend of this service."""
        name: Any = service
        return [key for key, _ in dict.items(get_backend(name)[self.account_id])]

    def log_call(
        self, call: Call, caller: str, outcome: int | str, response: Response | None = None
    ) -> None:
        """Add the call to the log; `caller` is an ARN, `outcome` the HTTP status or an error.

        The log keeps the last LOG_LENGTH calls; their numbers go on.
        """
        number = next(self._numbers)
        self.log.append(
            {
                "number": number,
                "time": call.time,
                "service": call.service,
                "operation": call.operation,
                "mutating": call.mutating,
                "region": call.region,
                "caller": caller,
                "outcome": outcome,
            }
        )
        if response is None or len(response[2]) <= DETAILS_BYTES:
            self.details.append((number, call, response))

    def on_tick(self, ticker: Callable[[], None]) -> None:
        """Run `ticker` on every tick until the next reset. It is called without the lock, and takes it."""
        self._tickers.append(ticker)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Run `closer` once, at the next reset or close."""
        self._closers.append(closer)

    def tick(self) -> None:
        """Run the tickers, which do everything that is due by now.

        Called before each call and, when served, by a thread; does nothing while another tick is running.
        Tickers take the lock themselves, and release it while they wait in real time (health checks).
        """
        if not self._ticking.acquire(blocking=False):
            return
        try:
            for ticker in list(self._tickers):
                ticker()
        finally:
            self._ticking.release()
