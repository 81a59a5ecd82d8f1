"""A secret that can be read again from Parameter Store when it stops working."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from bot.aws import Aws

log = logging.getLogger(__name__)

# At most one reading a minute: a stranger who sends wrong signatures must not make us call AWS
# (or be throttled by it) as fast as he can post.
PATIENCE_SECONDS = 60.0


class Secret:
    """One of LINE's two secrets, and how to get its present value.

    `reread` returns the present value (None: there is nowhere to read it from); `clock` counts
    seconds and need not be wall time. Shared by all threads. Its repr shows nothing.
    """

    def __init__(
        self,
        value: str,
        reread: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.value = value
        self._reread = reread
        self._clock = clock
        self._last: float | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Secret(...)"

    def renewed_since(self, value: str) -> bool:
        """Is there another value than this, which just failed? Reads again at most once a minute.

        A failing source is logged and answers False: the old value goes on being tried.
        """
        with self._lock:
            if self.value != value:
                return True  # another thread was here first
            now = self._clock()
            if self._reread is None or (
                self._last is not None and now - self._last < PATIENCE_SECONDS
            ):
                return False
            self._last = now
            try:
                self.value = self._reread()
            except Exception as error:  # whatever botocore raises: the bot must go on
                log.warning(
                    "could not read the secret again", extra={"error": type(error).__name__}
                )
            return self.value != value


def parameter_reader(name: str, aws: Aws) -> Callable[[], str] | None:
    """How to read the parameter with the task role (ssm:GetParameter); None without a name."""
    return partial(aws.parameter, name) if name else None
