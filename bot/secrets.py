"""LINE's secrets, renewed when they no longer work: from Parameter Store, or by LINE."""

import logging
import math
import threading
import time
from collections.abc import Callable
from functools import cache

from bot.aws import make_client
from bot.config import Config
from bot.logs import reason

log = logging.getLogger(__name__)

REFRESH_SECONDS = 60.0  # requests with wrong signatures must not turn into calls to AWS
RETRY_SECONDS = 5.0  # between two tries to have a token issued
RENEWED_AT = 2 / 3  # of a token's life, so that there is time for more tries
TIMEOUT_SECONDS = 0.5
ATTEMPTS = 2  # must fit into the answer to a webhook


class Secret:
    """A secret value and perhaps a way to read it again; its repr shows nothing. Safe for threads."""

    _pause = REFRESH_SECONDS

    def __init__(
        self,
        value: str,
        read: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._value = value
        self._read, self._clock = read, clock
        self._last_read = -math.inf
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Secret(...)"

    @property
    def value(self) -> str:
        """Return the value."""
        return self._value

    def renewed_since(self, value: str) -> bool:
        """Return whether there is another value than this, which failed; read it once a minute."""
        with self._lock:
            if self._value == value:
                self._renew()
            return self._value != value

    def _renew(self) -> None:
        """Read the value, unless that was tried `_pause` seconds ago; keep the old one if that fails."""
        if not self._read or self._clock() - self._last_read < self._pause:
            return
        self._last_read = self._clock()
        try:
            self._value = self._read()
        except Exception as error:
            log.warning("could not renew a secret", extra={"error": reason(error)})


class StatelessToken(Secret):
    """A channel access token that LINE issues for `issue`, on first use and again before it expires.

    `issue` returns a token, and for how many seconds it is valid (LINE: 900).
    """

    _pause = RETRY_SECONDS

    def __init__(
        self, issue: Callable[[], tuple[str, float]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__("", self._issued, clock)
        self._issue, self._renewal = issue, -math.inf

    @property
    def value(self) -> str:
        """Return the token; while one thread renews it, the others go on with the present one."""
        if self._clock() >= self._renewal and self._lock.acquire(blocking=not self._value):
            try:
                if self._clock() >= self._renewal:
                    self._renew()
            finally:
                self._lock.release()
        return self._value

    def _issued(self) -> str:
        start = self._clock()
        token, seconds = self._issue()
        self._renewal = start + seconds * RENEWED_AT
        return token


def secret_of(config: Config, name: str) -> Secret:
    """Return a secret of the configuration, which is read again from its parameter if it has one."""
    value, parameter = getattr(config, name), getattr(config, f"{name}_parameter")
    timeouts = (TIMEOUT_SECONDS, TIMEOUT_SECONDS)
    client = cache(lambda: make_client("ssm", config.region, timeouts, ATTEMPTS))

    def read() -> str:
        answer = client().get_parameter(Name=parameter, WithDecryption=True)
        return str(answer["Parameter"]["Value"])

    return Secret(value, read if parameter else None)
