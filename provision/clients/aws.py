"""The only door to boto3: session, clients, account, region, endpoint, and what an error means."""

import gzip
import json
import os
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Self

from provision.clients.http import transport_error, trust_it, untrusted
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _

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
    "RequestThrottledException",
    "EC2ThrottledException",
    "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
)
HIDDEN = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "NotAuthorized",
)
CUT_OFF = ("RequestTimeout", "RequestTimeoutException")  # AWS did not get the whole request
READING = ("Describe", "Get", "List", "Head")  # operations that change nothing
IDS = ("Id", "Ids", "Arn", "Arns", "ARN")  # how the names of parameters end that hold ids
# Parameters that may be empty texts in any call.
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

_last: ContextVar[list[str]] = ContextVar("_last")  # the last operation answered in a `reading`


class Aws:
    """boto3 clients of one account and region, made when first used and kept.

    botocore's own retries are off: every wait is on the engine's clock and is shown.
    """

    def __init__(self, region: str, session: Any = None) -> None:
        self.region = region
        self._session = session
        self._clients: dict[str, Any] = {}
        self._elsewhere: dict[str, Aws] = {}  # by region
        self._lock = threading.RLock()

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._made(service)
            return self._clients[service]

    def _made(self, service: str) -> Any:
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
            client = self._opened().client(service, region_name=self.region, config=config)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise unreachable(error) from None  # ValueError: an AWS_ENDPOINT_URL that is no URL
        client.meta.events.register("before-parameter-build", _check_ids)
        client.meta.events.register("after-call", lambda model, **_: note(service, model.name))
        return client

    def _opened(self) -> Any:
        if self._session is None:
            self._session = _session(self.region)
        return self._session

    def in_region(self, region: str) -> "Aws":
        """Return the same account's services in another region, whose clients are kept, too."""
        with self._lock:
            if region not in self._elsewhere:
                self._elsewhere[region] = Aws(region, self._opened())
                self._elsewhere[region]._lock = self._lock  # boto3's sessions are not for threads
            return self._elsewhere[region]

    def regions(self, service: str) -> list[str]:
        """Return the regions of this partition that have a service, as boto3 knows them offline."""
        with self._lock:
            session = self._opened()
            partition = session.get_partition_for_region(self.region)
            return list(session.get_available_regions(service, partition_name=partition))

    def enabled_regions(self, service: str) -> list[str]:
        """Return the regions that the account can use; all where it may not list them.

        An opt-in region that is not enabled refuses every call, as it refuses unknown credentials.
        Amazon EC2 API Reference, DescribeRegions.
        """
        try:
            with translate_errors(_("Listing the regions that the account has enabled.")):
                told = self.ec2.describe_regions()["Regions"]
        except ProvisionError:  # not allowed, or an endpoint without EC2
            return self.regions(service)
        off = [r["RegionName"] for r in told if r.get("OptInStatus") == "not-opted-in"]
        return [r["RegionName"] for r in told if r["RegionName"] not in off]

    def account(self) -> str:
        """Return the account's number.

        Raises Pending, or ProvisionError where there are no usable credentials or nobody is at the endpoint.
        """
        import botocore.exceptions

        doing = _("Asking AWS which account this is.")
        with reading(doing):
            try:
                return str(self.sts.get_caller_identity()["Account"])
            except botocore.exceptions.EndpointConnectionError as error:
                raise UnknownState(doing, transient_reason(error), _connected()) from None


def _session(region: str) -> Any:
    """boto3's session, its API models read as plain dicts.

    botocore reads them into OrderedDicts, which for EC2's alone takes 50 ms and 10 MB more.
    """
    import boto3
    import botocore.loaders
    import botocore.session

    class Models(botocore.loaders.JSONFileLoader):  # type: ignore[misc]
        def load_file(self, file_path: str) -> Any:
            for ending, opened in ((".json", open), (".json.gz", gzip.open)):
                if os.path.isfile(file_path + ending):
                    with opened(file_path + ending, "rb") as file:
                        return json.loads(file.read())
            return None

    core = botocore.session.get_session()
    core.get_component("data_loader").file_loader = Models()
    return boto3.Session(botocore_session=core, region_name=region)


def _answer(error: BaseException) -> Any:
    """What AWS answered, {} where it did not (botocore's own errors may hold a `response` of None)."""
    answer = getattr(error, "response", None)
    return answer if isinstance(answer, dict) else {}


def code(error: BaseException) -> str:
    """AWS's error code, or "" where it is not an answer of AWS's."""
    return str(_answer(error).get("Error", {}).get("Code", ""))


def message(error: BaseException) -> str:
    """AWS's own words."""
    return str(_answer(error).get("Error", {}).get("Message", error))


def matches(error: Exception, declared: tuple[str, ...]) -> bool:
    """Whether the error is one of these: "Code", or "Code: part of the message"."""
    for item in declared:
        name, colon, part = item.partition(": ")
        if code(error) == name and (not colon or part.lower() in message(error).lower()):
            return True
    return False


def transient_reason(error: Exception) -> str:
    """Why the same call may succeed later (throttled, no answer, an error inside AWS), or ""."""
    if _throttled(error):
        return _("AWS asks for slower calls ({code})", code=code(error) or 429)
    status = _status(error)
    if status >= 500:
        return _("AWS had an internal error ({code})", code=code(error) or status)
    if status == 408 or code(error) in CUT_OFF or (_is_lost(error) and not untrusted(error)):
        name = code(error) or type(error).__name__
        return _("AWS did not answer ({error})", error=name)
    return ""


def _status(error: BaseException) -> int:
    """The HTTP status of AWS's answer, 0 where there was none."""
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _throttled(error: BaseException) -> bool:
    return code(error) in THROTTLES or _status(error) == 429


def _is_lost(error: BaseException) -> bool:
    """Return whether no answer came, or one that cannot be read."""
    return isinstance(error, _transport_errors())


def _transport_errors() -> tuple[type[BaseException], ...]:
    """Return what boto3, and urllib3 or Python while a body is read, raise where no answer came."""
    import http.client

    import botocore.exceptions
    import botocore.parsers

    return (
        botocore.exceptions.HTTPClientError,  # connection closed, read timeout, body cut short
        botocore.exceptions.ConnectionError,  # no name, no route, TLS, proxy
        botocore.exceptions.IncompleteReadError,
        botocore.exceptions.FlexibleChecksumError,  # the body is not the one that was sent
        botocore.parsers.ResponseParserError,
        transport_error(),
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
    )


def unreachable(error: Exception) -> ProvisionError:
    """Return the refusal for an error of boto3's own: no credentials, no such profile, a bad certificate."""
    import botocore.exceptions

    doing = _("Reaching AWS.")
    if why := untrusted(error):
        return ProvisionError(doing, why, trust_it())
    then = _(
        "Sign in first (for example `aws configure` or `aws sso login`), then run the same command again."
    )
    if isinstance(error, botocore.exceptions.ConnectionError | ValueError):
        then = _connected()
    return ProvisionError(doing, str(error), then)


def _connected() -> str:
    return _(
        "Look at this machine's network, proxy, AWS_ENDPOINT_URL and AWS_CA_BUNDLE, "
        "then run the same command again."
    )


def refused(doing: str, error: Exception) -> ProvisionError:
    """What AWS refused, in three sentences.

    Whether it is AWS's own answer: a code that is a number is the HTTP status of somebody's page in between.
    """
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
    refusal = ProvisionError(doing, why, then)
    refusal.answered = not code(error).isdigit() and code(error) != ""
    return refusal


def call_or_none(
    refusal: str | tuple[str, ...], call: Callable[..., Any], **parameters: Any
) -> Any:
    """The call's answer, or None where AWS refuses it with that error code (what is asked for is not set).

    refusal: the code, or several.
    """
    import botocore.exceptions

    try:
        return call(**parameters)
    except botocore.exceptions.ClientError as error:
        if code(error) in ((refusal,) if isinstance(refusal, str) else refusal):
            return None
        raise


class NotFound(Exception):
    """AWS says there is none."""


class AlreadyExists(Exception):
    """AWS says that somebody has it already."""


class UnknownId(Pending):
    """A call was not sent because an id in it is empty: AWS would answer about something else."""


def _check_ids(params: Any, model: Any, **_event: Any) -> None:
    """Raise UnknownId for an empty id; a handler of boto3's before-parameter-build.

    In a call that only reads, hardly a text may be empty: a filter without a value finds nothing, which reads
    as "there is none".
    """
    if empty := _empty(params, everything=model.name.startswith(READING), top=True):
        what = f"{model.name}: {empty}"
        raise UnknownId(_("an id is not known yet ({what})", what=what), refused=True)


def _empty(value: Any, *, everything: bool, top: bool = False) -> str:
    """Return the name of the first parameter that must not be empty and is, "" for none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            named = everything or top or name.endswith(IDS)
            members = inner if isinstance(inner, list) else [inner]
            if named and "" in members and name not in MAY_BE_EMPTY:
                return str(name)
            if found := _empty(inner, everything=everything):
                return f"{name}.{found}"
    if isinstance(value, list):
        each = (_empty(item, everything=everything) for item in value)
        return next(filter(None, each), "")
    return ""


class translate_errors:
    """Turns botocore's exceptions into our own words.

    doing: what the calls inside are for. absent, taken, patient: a resource's declarations, raised as Absent,
    Taken and Pending. What may pass (throttling, lost answers) is Pending; anything else is a ProvisionError.
    """

    def __init__(self, doing: str, **declared: tuple[str, ...]) -> None:
        self.doing, self.declared = doing, declared

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        import botocore.exceptions

        known = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
        if not isinstance(error, known) and not _is_lost(error):
            return
        if matches(error, self.declared.get("not_found", ())):
            raise NotFound(code(error)) from None
        if matches(error, self.declared.get("exists", ())):
            raise AlreadyExists(code(error)) from None
        if matches(error, self.declared.get("retry", ())):
            raise Pending(f"{code(error)}: {message(error)}", refused=True) from None
        if reason := transient_reason(error):
            raise Pending(reason, refused=_throttled(error)) from None
        if code(error) or isinstance(error, botocore.exceptions.ParamValidationError):
            raise refused(self.doing, error) from None
        raise unreachable(error) from None


class reading(translate_errors):
    """As `understood`, for what only reads: a refusal is Unknown, and so is an answer that lacks a member.

    KeyError, IndexError and TypeError of who takes an answer apart are told with the operation that was
    answered last, but not those raised inside botocore. answered: that operation, where it was before.
    """

    def __init__(
        self, doing: str, answered: list[str] | None = None, **declared: tuple[str, ...]
    ) -> None:
        super().__init__(doing, **declared)
        self.answered = [] if answered is None else answered

    def __enter__(self) -> Self:  # type: ignore[override]
        self._before = _last.set(self.answered)
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        _last.reset(self._before)
        if self.answered and (outer := _last.get(None)) is not None:
            outer[:] = self.answered
        try:
            super().__exit__(kind, error, trace)
        except ProvisionError as refusal:
            raise UnknownState(refusal.what, refusal.why, refusal.then) from None
        if isinstance(error, LookupError | TypeError) and self.answered and not _inside(trace):
            raise UnknownState(
                self.doing, _lacking(self.answered[0], error), _another_cloud()
            ) from None


def note(service: str, operation: str) -> None:
    """Remember whose answer is read next, for the `reading` around it."""
    if (answered := _last.get(None)) is not None:
        answered[:] = [f"{service}:{operation}"]


def _inside(trace: Any) -> bool:
    """Return whether the error came out of botocore."""
    modules = []
    while trace:
        modules.append(str(trace.tb_frame.f_globals.get("__name__")))
        trace = trace.tb_next
    return any(module.startswith("botocore.") for module in modules)


def _lacking(operation: str, error: BaseException) -> str:
    if isinstance(error, KeyError):
        return _(
            "the answer to {operation} has no {member}", operation=operation, member=error.args[0]
        )
    return _(
        "the answer to {operation} is not as AWS documents it ({error})",
        operation=operation,
        error=error,
    )


def _another_cloud() -> str:
    return _(
        "Run the same command again. If AWS_ENDPOINT_URL leads to another cloud than AWS, look there "
        "whether it supports this operation."
    )
