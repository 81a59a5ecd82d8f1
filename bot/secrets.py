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
RENEWED_AT = 2 / 3  # of a token's life, so that there is time for more tries
TIMEOUT_SECONDS = 0.5
ATTEMPTS = 2  # must fit into the answer to a webhook


class Secret:
    """A secret value, read again when it has failed or is about to expire. Safe for threads.

    `read` returns a new value, `lifetime` seconds before it expires, and is called once in `pause` seconds.
    """

    def __init__(
        self,
        value: str,
        read: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: float = REFRESH_SECONDS,
        lifetime: float = math.inf,
    ) -> None:
        self._value, self._read, self._clock = value, read, clock
        self._pause, self._lifetime = pause, lifetime
        self._last_read = -math.inf
        self._renewal = math.inf if value else -math.inf
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Secret(...)"

    @property
    def value(self) -> str:
        """Return the value; while one thread renews it, the others go on with the present one."""
        if self._clock() >= self._renewal and self._lock.acquire(blocking=not self._value):
            try:
                self._renew()
            finally:
                self._lock.release()
        return self._value

    def renewed_since(self, value: str) -> bool:
        """Return whether there is another value than this, which failed; read it if that is not too soon."""
        with self._lock:
            if self._value == value:
                self._renew()
            return self._value != value

    def _renew(self) -> None:
        start = self._clock()
        if self._read and start - self._last_read >= self._pause:
            self._last_read = start
            try:
                self._value, self._renewal = self._read(), start + self._lifetime * RENEWED_AT
            except Exception as error:
                log.warning("could not renew a secret", extra={"error": reason(error)})


def secret_of(config: Config, name: str) -> Secret:
    """Return a secret of the configuration, which is read again from its parameter if it has one."""
    value, parameter = getattr(config, name), getattr(config, f"{name}_parameter")
    timeouts = (TIMEOUT_SECONDS, TIMEOUT_SECONDS)
    client = cache(lambda: make_client("ssm", config.region, timeouts, ATTEMPTS))

    def read() -> str:
        answer = client().get_parameter(Name=parameter, WithDecryption=True)
        return str(answer["Parameter"]["Value"])

    return Secret(value, read if parameter else None)
