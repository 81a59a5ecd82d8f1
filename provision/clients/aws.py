"""Call AWS with boto3: session, clients, account, region, and the meaning of errors."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from provision.clients.http import trust_it, untrusted
from provision.errors import Denied, Pending, ProvisionError, UnknownState
from provision.i18n import _

# Error codes of throttling, from each service's API reference.
THROTTLES = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "PriorRequestNotComplete",
    "TooManyUpdates",
    "SlowDown",
    "RequestThrottled",
    "RequestThrottledException",
    "EC2ThrottledException",
    "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
)
ACCESS_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "NotAuthorized",
)
# AWS did not receive the whole request.
REQUEST_TIMEOUTS = ("RequestTimeout", "RequestTimeoutException")
READ_OPERATIONS = ("Describe", "Get", "List", "Head")  # prefixes of operations that change nothing
ID_SUFFIXES = ("Id", "Ids", "Arn", "Arns", "ARN")  # of the names of parameters that hold ids
# Parameters that may be empty strings in any call.
MAY_BE_EMPTY = ("Prefix", "Delimiter", "KeyMarker", "VersionIdMarker", "Description", "Comment")
BAD_CREDENTIALS = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "MissingAuthenticationToken",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidToken",
    "TokenRefreshRequired",
)

# The operation that AWS answered last inside the innermost `reading`.
_last_operation: ContextVar[list[str]] = ContextVar("_last_operation")


class Aws:
    """Create boto3 clients of one account and region on first use, and keep them.

    botocore's own retries are off: the engine waits, on its own clock, and shows it.
    """

    def __init__(self, region: str, session: Any = None) -> None:
        self.region = region
        self._session = session
        self._clients: dict[str, Any] = {}
        self._other_regions: dict[str, Aws] = {}
        self._lock = threading.RLock()

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._create_client(service)
            return self._clients[service]

    def _create_client(self, service: str) -> Any:
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
            client = self._open_session().client(service, region_name=self.region, config=config)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            # ValueError: AWS_ENDPOINT_URL is not a URL.
            raise connection_error(error) from None
        client.meta.events.register("before-parameter-build", _check_ids)
        client.meta.events.register("after-call", lambda model, **_: note(service, model.name))
        return client

    def _open_session(self) -> Any:
        if self._session is None:
            import boto3

            self._session = boto3.Session(region_name=self.region)
        return self._session

    @property
    def profile(self) -> str:
        """Return the name of the AWS profile in use."""
        return str(self._open_session().profile_name)

    def in_region(self, region: str) -> "Aws":
        """Return the same account's services in another region."""
        with self._lock:
            if region not in self._other_regions:
                self._other_regions[region] = Aws(region, self._open_session())
                # boto3's sessions are not thread-safe, so the regions share one lock.
                self._other_regions[region]._lock = self._lock
            return self._other_regions[region]

    def regions(self, service: str) -> list[str]:
        """Return the regions of this partition that have a service, as boto3 knows them offline."""
        with self._lock:
            session = self._open_session()
            partition = session.get_partition_for_region(self.region)
            return list(session.get_available_regions(service, partition_name=partition))

    def enabled_regions(self, service: str) -> list[str]:
        """Return the regions that the account has enabled; all of them where it may not list them.

        An opt-in region that is not enabled answers every call as if the credentials were unknown.
        Source: Amazon EC2 API Reference, DescribeRegions.
        """
        try:
            with translate_errors(_("Could not list the regions that the account has enabled.")):
                regions = self.ec2.describe_regions()["Regions"]
        except ProvisionError:  # not allowed, or an endpoint without EC2
            return self.regions(service)
        return [r["RegionName"] for r in regions if r.get("OptInStatus") != "not-opted-in"]

    def account(self) -> str:
        """Return the account's number.

        Raise Pending, or ProvisionError without usable credentials or without an answer from the endpoint.
        """
        import botocore.exceptions

        doing = _("Could not find out which AWS account this is.")
        with reading(doing):
            try:
                return str(self.sts.get_caller_identity()["Account"])
            except botocore.exceptions.EndpointConnectionError as error:
                raise UnknownState(doing, transient_reason(error), _check_connection()) from None


def _response(error: BaseException) -> Any:
    """Return AWS's response, {} without one (botocore's own errors may hold a `response` of None)."""
    response = getattr(error, "response", None)
    return response if isinstance(response, dict) else {}


def code(error: BaseException) -> str:
    """Return AWS's error code, "" for an error that is not an answer of AWS."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def message(error: BaseException) -> str:
    """Return AWS's error message."""
    return str(_response(error).get("Error", {}).get("Message", error))


def matches(error: Exception, declared: tuple[str, ...]) -> bool:
    """Return whether the error matches a declaration: "Code", or "Code: part of the message"."""
    for declaration in declared:
        name, colon, part = declaration.partition(": ")
        if code(error) == name and (not colon or part.lower() in message(error).lower()):
            return True
    return False


def transient_reason(error: Exception) -> str:
    """Return why the same call may succeed later (throttled, no answer, AWS's internal error), else ""."""
    if _is_throttled(error):
        return _("AWS is throttling requests ({code})", code=code(error) or 429)
    status = _status(error)
    if status >= 500:
        return _("AWS had an internal error ({code})", code=code(error) or status)
    lost = isinstance(error, _transport_errors()) and not untrusted(error)
    if status == 408 or code(error) in REQUEST_TIMEOUTS or lost:
        name = code(error) or type(error).__name__
        return _("AWS did not answer ({error})", error=name)
    return ""


def _status(error: BaseException) -> int:
    """Return the HTTP status of AWS's answer, 0 without an answer."""
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_throttled(error: BaseException) -> bool:
    return code(error) in THROTTLES or _status(error) == 429


def _transport_errors() -> tuple[type[BaseException], ...]:
    """Return the exceptions that mean a lost answer.

    boto3 raises them; while a body is read, urllib3 or Python does.
    """
    import http.client

    import botocore.exceptions
    import botocore.parsers
    import urllib3.exceptions

    return (
        botocore.exceptions.HTTPClientError,  # connection closed, read timeout, body cut short
        botocore.exceptions.ConnectionError,  # no name, no route, TLS, proxy
        botocore.exceptions.IncompleteReadError,
        botocore.exceptions.FlexibleChecksumError,  # the body is not the one that was sent
        botocore.parsers.ResponseParserError,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
    )


def connection_error(error: Exception) -> ProvisionError:
    """Return the ProvisionError for boto3's own errors (no credentials, no profile, a bad certificate)."""
    import botocore.exceptions

    doing = _("Could not connect to AWS.")
    if why := untrusted(error):
        return ProvisionError(doing, why, trust_it())
    then = _(
        "Sign in first (for example `aws configure` or `aws sso login`), then run the same command again."
    )
    if isinstance(error, botocore.exceptions.ConnectionError | ValueError):
        then = _check_connection()
    return ProvisionError(doing, str(error), then)


def _check_connection() -> str:
    return _(
        "Check this computer's network, proxy, AWS_ENDPOINT_URL and AWS_CA_BUNDLE, then run "
        "the same command again."
    )


def refused(doing: str, error: Exception) -> ProvisionError:
    """Return the ProvisionError for an error that AWS answered.

    It counts as answered by AWS unless its code is a number: that is the HTTP status of a proxy's page.
    """
    why = f"{code(error)}: {message(error)}" if code(error) else str(error)
    if code(error) in BAD_CREDENTIALS:
        then = _("Sign in to AWS again, then run the same command again.")
    elif code(error) in ACCESS_DENIED:
        then = _(
            "Ask the account's administrator for the permission above, then run the same command "
            "again."
        )
    else:
        then = _("Fix the problem AWS reported, then run the same command again to continue.")
    translated = ProvisionError(doing, why, then)
    translated.answered = not code(error).isdigit() and code(error) != ""
    return translated


def call_or_none(codes: str | tuple[str, ...], call: Callable[..., Any], **parameters: Any) -> Any:
    """Return the call's answer, or None where AWS answers with that error code, or with one of several."""
    import botocore.exceptions

    try:
        return call(**parameters)
    except botocore.exceptions.ClientError as error:
        if code(error) in ((codes,) if isinstance(codes, str) else codes):
            return None
        raise


class NotFound(Exception):
    """AWS has no such resource."""


class AlreadyExists(Exception):
    """AWS has a resource of that name already."""


class UnknownId(Pending):
    """A call was not sent because it contains an empty id, which AWS would understand differently."""


def _check_ids(params: Any, model: Any, **_event: Any) -> None:
    """Raise UnknownId for an empty id; a handler of boto3's event before-parameter-build.

    In a call that only reads, hardly any string may be empty: a filter without a value finds nothing, which
    would be understood as "does not exist".
    """
    if name := _find_empty(params, everything=model.name.startswith(READ_OPERATIONS), top=True):
        what = f"{model.name}: {name}"
        raise UnknownId(_("an id is not known yet ({what})", what=what), refused=True)


def _find_empty(value: Any, *, everything: bool, top: bool = False) -> str:
    """Return the name of the first parameter that is empty and must not be; "" for none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            checked = everything or top or name.endswith(ID_SUFFIXES)
            members = inner if isinstance(inner, list) else [inner]
            if checked and "" in members and name not in MAY_BE_EMPTY:
                return str(name)
            if path := _find_empty(inner, everything=everything):
                return f"{name}.{path}"
    if isinstance(value, list):
        paths = (_find_empty(item, everything=everything) for item in value)
        return next(filter(None, paths), "")
    return ""


@contextmanager
def translate_errors(doing: str, **declared: tuple[str, ...]) -> Iterator[None]:
    """Translate botocore's exceptions into those of this package.

    doing: what the calls are for. not_found, exists, retry: a resource's declarations, raised as NotFound,
    AlreadyExists and Pending. Transient errors (throttling, lost answers) are Pending, all others
    ProvisionError.
    """
    try:
        yield
    except Exception as error:
        _raise_translated(doing, error, declared)
        raise


def _raise_translated(
    doing: str, error: Exception, declared: Mapping[str, tuple[str, ...]]
) -> None:
    """Raise the translation of an error; return where it is none of boto3's or the connection's."""
    import botocore.exceptions

    known = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
    if not isinstance(error, (*known, *_transport_errors())):
        return
    if matches(error, declared.get("not_found", ())):
        raise NotFound(code(error)) from None
    if matches(error, declared.get("exists", ())):
        raise AlreadyExists(code(error)) from None
    if matches(error, declared.get("retry", ())):
        raise Pending(f"{code(error)}: {message(error)}", refused=True) from None
    if reason := transient_reason(error):
        raise Pending(reason, refused=_is_throttled(error)) from None
    if code(error) or isinstance(error, botocore.exceptions.ParamValidationError):
        raise refused(doing, error) from None
    raise connection_error(error) from None


@contextmanager
def reading(
    doing: str, answered: list[str] | None = None, **declared: tuple[str, ...]
) -> Iterator[None]:
    """Translate errors of calls that only read, and of code that evaluates their answers.

    A refusal is UnknownState, and so is an answer that lacks a member: a KeyError, IndexError or TypeError
    that was not raised inside botocore is reported with the operation that was answered last.
    answered: receives that operation; it may hold one from before.
    """
    answered = [] if answered is None else answered
    outer = _last_operation.get(None)
    token = _last_operation.set(answered)
    try:
        yield
    except Exception as error:
        try:
            _raise_translated(doing, error, declared)
        except ProvisionError as translated:
            kind = Denied if code(error) in ACCESS_DENIED else UnknownState
            raise kind(translated.what, translated.why, translated.then) from None
        evaluating = isinstance(error, LookupError | TypeError)
        if evaluating and answered and not _is_from_botocore(error.__traceback__):
            why = _describe_malformed(answered[0], error)
            raise UnknownState(doing, why, _check_endpoint()) from None
        raise
    finally:
        _last_operation.reset(token)
        if answered and outer is not None:
            outer[:] = answered


def note(service: str, operation: str) -> None:
    """Record the operation whose answer is read next, for the `reading` around it."""
    if (answered := _last_operation.get(None)) is not None:
        answered[:] = [f"{service}:{operation}"]


def _is_from_botocore(trace: TracebackType | None) -> bool:
    while trace:
        if str(trace.tb_frame.f_globals.get("__name__")).startswith("botocore."):
            return True
        trace = trace.tb_next
    return False


def _describe_malformed(operation: str, error: BaseException) -> str:
    if isinstance(error, KeyError):
        return _(
            "the answer to {operation} has no {member}", operation=operation, member=error.args[0]
        )
    return _(
        "the answer to {operation} is not as AWS documents it ({error})",
        operation=operation,
        error=error,
    )


def _check_endpoint() -> str:
    return _(
        "Run the same command again. If AWS_ENDPOINT_URL points to something other than AWS, "
        "check that it supports this operation."
    )
