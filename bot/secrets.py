"""LINE's two secrets, read again from Parameter Store when they have changed there."""

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
TIMEOUT_SECONDS = 0.5
ATTEMPTS = 2  # must fit into the answer to a webhook


class Secret:
    """A secret value and perhaps a way to read it again; its repr shows nothing. Safe for threads."""

    def __init__(
        self,
        value: str,
        read: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.value = value
        self._read, self._clock = read, clock
        self._last_read = -math.inf
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Secret(...)"

    def renewed_since(self, value: str) -> bool:
        """Return whether there is another value than this, which failed; read it once a minute."""
        with self._lock:
            due = self._clock() - self._last_read >= REFRESH_SECONDS
            if self.value == value and self._read and due:
                self._last_read = self._clock()
                try:
                    self.value = self._read()
                except Exception as error:
                    log.warning("could not read the secret again", extra={"error": reason(error)})
            return self.value != value


def secret_of(config: Config, name: str) -> Secret:
    """Return a secret of the configuration, which is read again from its parameter if it has one."""
    value, parameter = getattr(config, name), getattr(config, f"{name}_parameter")
    timeouts = (TIMEOUT_SECONDS, TIMEOUT_SECONDS)
    client = cache(lambda: make_client("ssm", config.region, timeouts, ATTEMPTS))

    def read() -> str:
        answer = client().get_parameter(Name=parameter, WithDecryption=True)
        return str(answer["Parameter"]["Value"])

    return Secret(value, read if parameter else None)
