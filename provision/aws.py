"""The only door to boto3: session, clients, account, region, endpoint, and what an error means."""

import json
import os
import threading
import urllib.error
import urllib.request
from typing import Any

from provision.clock import Clock, SandboxClock, WallClock
from provision.errors import NotYet, Refusal
from provision.words import _

THROTTLES = (  # error codes that mean "slower, please", from each service's API reference
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "PriorRequestNotComplete",
    "TooManyUpdates",
    "SlowDown",
    "RequestThrottled",
)
HIDDEN = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess")
BAD_CREDENTIALS = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
)


class Aws:
    """boto3 clients of one account and region, made when first used and kept.

    botocore's own retries are off: every wait is on the engine's clock and is shown.
    """

    def __init__(self, region: str, session: Any = None) -> None:
        self.region = region
        self._session = session
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._made(service)
            return self._clients[service]

    def _made(self, service: str) -> Any:
        import boto3
        import botocore.config
        import botocore.exceptions

        config = botocore.config.Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=16,
            user_agent_extra="provision",
        )
        try:
            if self._session is None:
                self._session = boto3.Session(region_name=self.region)
            return self._session.client(service, region_name=self.region, config=config)
        except botocore.exceptions.BotoCoreError as error:
            raise unreachable(error) from None

    def account(self) -> str:
        """The account's number. Raises Refusal where there are no usable credentials."""
        with understood(_("Asking AWS which account this is.")):
            return str(self.sts.get_caller_identity()["Account"])


def clock() -> Clock:
    """The wall clock, or a sandbox's where AWS_ENDPOINT_URL leads to one on this machine."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if not endpoint.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]")):
        return WallClock()

    def ask() -> dict[str, float]:
        with urllib.request.urlopen(f"{endpoint}/_sandbox/clock", timeout=5) as answer:
            told = json.load(answer)
        return {"now": float(told["now"]), "speed": float(told["speed"])}

    try:
        speed = ask()["speed"]
    except (OSError, ValueError, KeyError, TypeError):
        return WallClock()
    return SandboxClock(speed, lambda: ask()["now"]) if speed > 0 else WallClock()


def code(error: Exception) -> str:
    """AWS's error code, or "" where it is not an answer of AWS's."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def message(error: Exception) -> str:
    """AWS's own words."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Message", error))


def matches(error: Exception, declared: tuple[str, ...]) -> bool:
    """Whether the error is one of these: "Code", or "Code: part of the message"."""
    for item in declared:
        name, colon, part = item.partition(": ")
        if code(error) == name and (not colon or part.lower() in message(error).lower()):
            return True
    return False


def passing(error: Exception) -> str:
    """Why the same call may succeed later (throttled, no answer, an error inside AWS), or ""."""
    import botocore.exceptions
    import botocore.parsers

    if code(error) in THROTTLES:
        return _("AWS asks for slower calls ({code})", code=code(error))
    status = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500:
        return _("AWS had an internal error ({code})", code=code(error) or status)
    lost = (
        botocore.exceptions.HTTPClientError,  # connection closed, read timeout, no connection
        botocore.parsers.ResponseParserError,  # an answer cut short
    )
    if isinstance(error, lost):
        return _("AWS did not answer ({error})", error=type(error).__name__)
    return ""


def unreachable(error: Exception) -> Refusal:
    """An error of botocore itself: no credentials, no region, no such profile."""
    return Refusal(
        _("Reaching AWS."),
        str(error),
        _(
            "Sign in first (for example `aws configure` or `aws sso login`), then run the same command again."
        ),
    )


def refused(doing: str, error: Exception) -> Refusal:
    """What AWS refused, in three sentences."""
    why = f"{code(error)}: {message(error)}" if code(error) else str(error)
    if code(error) in BAD_CREDENTIALS:
        then = _("Sign in to AWS again, then run the same command again.")
    elif code(error) in HIDDEN:
        then = _(
            "Ask the account's administrator for the permission named above, "
            "then run the same command again."
        )
    else:
        then = _("Mend what AWS names, then run the same command again; it goes on from here.")
    return Refusal(doing, why, then)


class Absent(Exception):
    """AWS says there is none."""


class Taken(Exception):
    """AWS says that somebody has it already."""


class understood:
    """Turns botocore's exceptions into our own words.

    doing: what the calls inside are for. absent, taken, patient: a resource's declarations, raised as Absent,
    Taken and NotYet. What may pass (throttling, lost answers) is NotYet; anything else is a Refusal.
    """

    def __init__(self, doing: str, **declared: tuple[str, ...]) -> None:
        self.doing, self.declared = doing, declared

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        import botocore.exceptions

        if not isinstance(
            error, botocore.exceptions.BotoCoreError | botocore.exceptions.ClientError
        ):
            return
        if matches(error, self.declared.get("absent", ())):
            raise Absent(code(error)) from None
        if matches(error, self.declared.get("taken", ())):
            raise Taken(code(error)) from None
        if matches(error, self.declared.get("patient", ())):
            raise NotYet(f"{code(error)}: {message(error)}") from None
        if reason := passing(error):
            raise NotYet(reason) from None
        if code(error):
            raise refused(self.doing, error) from None
        raise unreachable(error) from None
