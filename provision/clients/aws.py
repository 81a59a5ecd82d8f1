"""Create boto3 clients and translate botocore's exceptions."""

import difflib
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from provision.clients import aws_advice
from provision.clients.http import permanent_error, proxy_error, require_https, retry_after
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
# AWS did not receive the whole request.
REQUEST_TIMEOUTS = ("RequestTimeout", "RequestTimeoutException")
READ_OPERATIONS = ("Describe", "Get", "List", "Head")  # prefixes of operations that change nothing
ID_SUFFIXES = ("Id", "Ids", "Arn", "Arns", "ARN")  # of the names of parameters that hold ids
# Parameters that may be empty strings in any call.
MAY_BE_EMPTY = ("Prefix", "Delimiter", "KeyMarker", "VersionIdMarker", "Description", "Comment")
# Codes of an endpoint that does not have an operation, and HTTP statuses if there is no code.
UNSUPPORTED = (
    "InvalidAction",
    "UnknownOperation",
    "UnknownOperationException",
    "UnsupportedOperation",
    "UnsupportedOperationException",
    "NotImplemented",
    "NotImplementedException",
    "MethodNotAllowed",
    "404",
    "405",
    "501",
)
# In codes of create calls of services and of AWS-compatible endpoints: the name is taken.
TAKEN = re.compile(r"Already(Exists|Owned|InUse|Associated)|Duplicate(?!Tag)")

# The operation that was called last inside the innermost `reading`.
_last_operation: ContextVar[list[str]] = ContextVar("_last_operation")


@dataclass(frozen=True)
class Identity:
    """The caller, as GetCallerIdentity returns it.

    account, arn: "" if it refused. date: the response's HTTP date. error: its refusal.
    """

    account: str = ""
    arn: str = ""
    date: str = ""
    error: ProvisionError | None = None


class Aws:
    """Provide boto3 clients of one account and region as attributes, created on first use.

    botocore's retries are off, because the engine retries on its own clock and reports it.
    """

    def __init__(self, region: str, session: Any = None) -> None:
        self.region = region
        self._session = session
        self._clients: dict[str, Any] = {}
        self._caller = ""
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
        require_https("AWS_ENDPOINT_URL", client.meta.endpoint_url)
        client.meta.events.register("before-parameter-build", _check_ids)
        client.meta.events.register(
            "before-call", lambda model, **_: record_operation(service, model.name)
        )
        return client

    def _open_session(self) -> Any:
        if self._session is None:
            self._session = new_session()
        return self._session

    @property
    def profile(self) -> str:
        """Return the name of the AWS profile in use."""
        return str(self._open_session().profile_name)

    @property
    def partition(self) -> str:
        """Return the partition of the region, from boto3's data: aws, aws-cn or aws-us-gov."""
        return str(self._open_session().get_partition_for_region(self.region))

    def in_region(self, region: str) -> "Aws":
        """Return the same account's services in another region, through the same session."""
        if region == self.region:
            return self
        with self._lock:
            if region not in self._other_regions:
                self._other_regions[region] = Aws(region, self._open_session())
                self._other_regions[region]._lock = self._lock
            return self._other_regions[region]

    def regions(self, service: str) -> list[str]:
        """Return the regions of this partition that have a service, from boto3's data. No request is sent."""
        with self._lock:
            session = self._open_session()
            partition = session.get_partition_for_region(self.region)
            return list(session.get_available_regions(service, partition_name=partition))

    def enabled_regions(self, service: str) -> list[str]:
        """Return the regions enabled for the account; all regions if DescribeRegions is not allowed.

        An opt-in region that is not enabled rejects every call as if the credentials were unknown.
        Source: Amazon EC2 API Reference, DescribeRegions.
        """
        try:
            with translate_errors(_("Could not list the regions that the account has enabled.")):
                regions = self.ec2.describe_regions()["Regions"]
        except ProvisionError:  # not allowed, or an endpoint without EC2
            return self.regions(service)
        return [r["RegionName"] for r in regions if r.get("OptInStatus") != "not-opted-in"]

    def credentials(self) -> str:
        """Return where boto3 has found credentials ("env", "sso", ...); "" if it found none.

        Raise ProvisionError for a profile that does not exist or is incomplete.
        """
        import botocore.exceptions

        try:
            with self._lock:
                found = self._open_session().get_credentials()
        except botocore.exceptions.BotoCoreError as error:
            raise connection_error(error) from None
        return str(found.method) if found else ""

    def identity(self) -> Identity:
        """Return who calls, or AWS's refusal.

        Raise ProvisionError if AWS cannot be reached, Pending for an error that may pass.
        """
        import botocore.exceptions

        no_connection = (
            botocore.exceptions.EndpointConnectionError,
            botocore.exceptions.ConnectTimeoutError,
            botocore.exceptions.ProxyConnectionError,
        )

        doing = _("Could not find out which AWS account this is.")
        try:
            found = self.sts.get_caller_identity()
        except no_connection as error:
            raise connection_error(error) from None
        except (
            botocore.exceptions.ClientError,
            botocore.exceptions.BotoCoreError,
            *_transport_errors(),
        ) as error:
            if reason := transient_reason(error):
                raise Pending(reason) from None
            if _response(error):
                return Identity(date=_date(_response(error)), error=error_response(doing, error))
            raise connection_error(error) from None
        return Identity(str(found["Account"]), str(found["Arn"]), _date(found))

    def _unreachable_advice(self) -> str:
        """Return what to do if the endpoint does not answer: the region may be mistyped."""
        known = self.regions("sts")
        if os.environ.get("AWS_ENDPOINT_URL") or self.region in known:
            return aws_advice.check_connection()
        close = difflib.get_close_matches(self.region, known, 3) or known[:3]
        return _(
            "There may be no region {region}: set another with --set region=... (for example {regions}), "
            "then run the same command again.",
            region=self.region,
            regions=", ".join(close),
        )

    def account(self) -> str:
        """Return the account id.

        Raise Pending; ProvisionError for bad credentials or an unreachable endpoint.
        """
        import botocore.exceptions

        doing = _("Could not find out which AWS account this is.")
        with reading(doing):
            try:
                identity = self.sts.get_caller_identity()
                self._caller = str(identity["Arn"])
                return str(identity["Account"])
            except botocore.exceptions.EndpointConnectionError as error:
                why = f"{transient_reason(error)}: {error}"
                raise UnknownState(doing, why, self._unreachable_advice()) from None

    def caller(self) -> str:
        """Return the ARN of the caller, which names partition and account. Raise as `account`."""
        if not self._caller:
            self.account()
        return self._caller


def new_session(**options: str) -> Any:
    """Return a boto3 session of the environment. options: boto3's.

    Set AWS_CA_BUNDLE from `ca_bundle` of the AWS profile, or from SSL_CERT_FILE, so that all clients trust
    the same authorities.
    """
    import boto3
    import botocore.exceptions
    import botocore.session

    from provision.clients.aws_parser import ParserFactory

    core = botocore.session.get_session()
    core.register_component("response_parser_factory", ParserFactory())
    try:
        bundle = core.get_config_variable("ca_bundle")
    except botocore.exceptions.BotoCoreError:  # no such profile: told at the first call
        bundle = None
    if bundle := bundle or os.environ.get("SSL_CERT_FILE"):
        os.environ.setdefault("AWS_CA_BUNDLE", str(bundle))
    return boto3.Session(botocore_session=core, **options)


def configured_region() -> str:
    """Return the region of AWS_REGION, AWS_DEFAULT_REGION or the AWS profile; "" for none."""
    import botocore.exceptions
    import botocore.session

    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        return region
    try:
        return str(botocore.session.get_session().get_config_variable("region") or "")
    except botocore.exceptions.BotoCoreError:  # no such profile: told at the first call
        return ""


def _date(response: Any) -> str:
    """Return the HTTP date of a response."""
    return str(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""))


def _headers(error: BaseException) -> Mapping[str, str]:
    """Return the headers of AWS's error response, with names in lower case; {} without one."""
    return dict(_response(error).get("ResponseMetadata", {}).get("HTTPHeaders", {}))


def _response(error: BaseException) -> Any:
    """Return AWS's error response; {} without one (`response` may be None in botocore's own errors)."""
    response = getattr(error, "response", None)
    return response if isinstance(response, dict) else {}


def code(error: BaseException) -> str:
    """Return AWS's error code; "" if the error is not a response from AWS.

    Emulators give an operation that they do not have HTTP status 501 and a code of their own, for example
    InternalFailure: it is NotImplemented here.
    """
    name = str(_response(error).get("Error", {}).get("Code", ""))
    return "NotImplemented" if _status(error) == 501 and not name.isdigit() else name


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
    """Return why a retry may succeed (throttling, no response, internal error); "" for other errors."""
    import botocore.parsers

    if _is_throttled(error):
        return _("AWS is throttling requests ({code})", code=code(error) or 429)
    status = _status(error)
    if status >= 500 and status != 501:  # Not Implemented
        return _("AWS had an internal error ({code})", code=code(error) or status)
    if isinstance(error, botocore.parsers.ResponseParserError):
        name = type(error).__name__
        return _(
            "the answer cannot be read; it may be from a proxy or from another server than AWS ({error})",
            error=name,
        )
    no_response = isinstance(error, _transport_errors()) and not permanent_error("", error)
    if status == 408 or code(error) in REQUEST_TIMEOUTS or no_response:
        name = code(error) or type(error).__name__
        return _("AWS did not answer ({error})", error=name)
    return ""


def _status(error: BaseException) -> int:
    """Return the HTTP status of AWS's response; 0 without one."""
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_throttled(error: BaseException) -> bool:
    return code(error) in THROTTLES or _status(error) == 429


def _transport_errors() -> tuple[type[BaseException], ...]:
    """Return the exceptions that mean that no response was received.

    boto3 raises them, or urllib3 and http.client while a body is read.
    """
    import http.client

    import botocore.exceptions
    import botocore.parsers
    import urllib3.exceptions

    return (
        botocore.exceptions.HTTPClientError,  # connection closed, read timeout, body cut short
        botocore.exceptions.ConnectionError,  # no name, no route, TLS, proxy
        botocore.exceptions.IncompleteReadError,
        botocore.exceptions.FlexibleChecksumError,  # corrupted body
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
    if permanent := permanent_error(doing, error):
        return permanent
    if isinstance(error, EOFError) or "MFA" in str(error):
        profile = os.environ.get("AWS_PROFILE", "default")
        why = _(
            "the profile {profile} needs an MFA code, and there is no terminal", profile=profile
        )
        return ProvisionError(doing, why, aws_advice.mfa_advice())
    then = _(
        "Sign in first (for example `aws configure` or `aws sso login`), then run the same command again."
    )
    if isinstance(error, botocore.exceptions.ConnectionError | ValueError):
        then = aws_advice.check_connection()
    return ProvisionError(doing, str(error), then)


def error_response(doing: str, error: Exception) -> ProvisionError:
    """Return the ProvisionError for an error response.

    Its `answered` is False without an error code of AWS's: the answer is a page of a proxy or of another
    server, whose HTTP status is the code. Only the answer to a HEAD request has no code on AWS either.
    """
    name, text = code(error), aws_advice.shorten(message(error))
    if name == "407":  # over plain HTTP
        return proxy_error(doing, f"407 {text}")
    if not _response(error):
        why, then = str(error), aws_advice.next_step("", text)
    elif name and not name.isdigit():
        why = f"{name}: {text}"
        then = _check_endpoint() if name in UNSUPPORTED else aws_advice.next_step(name, text)
    elif str(getattr(error, "operation_name", "")).startswith("Head"):
        why, then = f"{name}: {text}", aws_advice.next_step(name, text)
    else:
        why = _("the answer is not one of AWS's (HTTP {status})", status=name or _status(error))
        then = aws_advice.check_connection()
    translated = ProvisionError(doing, why, then)
    translated.answered = not name.isdigit() and name != ""
    return translated


def call_or_none(codes: str | tuple[str, ...], call: Callable[..., Any], **parameters: Any) -> Any:
    """Return the call's response, or None if AWS answers with one of the error codes."""
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
    """A resource of that name already exists."""


class UnknownId(Pending):
    """A call was not sent because it contains an empty id, which AWS would misinterpret."""


def _check_ids(params: Any, model: Any, **_event: Any) -> None:
    """Raise UnknownId for an empty id. Handler of boto3's event before-parameter-build.

    In a read call check nearly all strings: a filter with an empty value finds nothing, which would be taken
    for "does not exist".
    """
    if name := _find_empty(params, check_all=model.name.startswith(READ_OPERATIONS), top=True):
        what = f"{model.name}: {name}"
        raise UnknownId(_("an id is not known yet ({what})", what=what), refused=True)


def _find_empty(value: Any, *, check_all: bool, top: bool = False) -> str:
    """Return the path of the first parameter that must not be empty and is; "" if there is none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            checked = check_all or top or name.endswith(ID_SUFFIXES)
            members = inner if isinstance(inner, list) else [inner]
            if checked and "" in members and name not in MAY_BE_EMPTY:
                return str(name)
            if path := _find_empty(inner, check_all=check_all):
                return f"{name}.{path}"
    if isinstance(value, list):
        paths = (_find_empty(item, check_all=check_all) for item in value)
        return next(filter(None, paths), "")
    return ""


@contextmanager
def translate_errors(doing: str, **declared: tuple[str, ...]) -> Iterator[None]:
    """Translate botocore's exceptions.

    doing: the purpose of the calls, for error messages. declared: the error codes of a resource's `Errors` as
    not_found, exists and retry; they become NotFound, AlreadyExists and Pending. With `exists` (of a create
    call, even if empty) so do other codes that say so. Transient errors become Pending, all others
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
    """Raise the translated error; return if the error is not botocore's or a connection error."""
    import botocore.exceptions

    # EOFError: an MFA code is asked for, and there is no terminal.
    known = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, EOFError)
    if not isinstance(error, (*known, *_transport_errors())):
        return
    if matches(error, declared.get("not_found", ())):
        raise NotFound(code(error)) from None
    is_taken = "exists" in declared and TAKEN.search(code(error))
    if matches(error, declared.get("exists", ())) or is_taken:
        raise AlreadyExists(code(error)) from None
    if matches(error, declared.get("retry", ())):
        raise Pending(f"{code(error)}: {message(error)}", refused=True) from None
    if reason := transient_reason(error):
        delay = retry_after(_headers(error))
        raise Pending(reason, refused=_is_throttled(error), remaining=delay, exact=True) from None
    if isinstance(
        error, botocore.exceptions.ClientError | botocore.exceptions.ParamValidationError
    ):
        raise error_response(doing, error) from None
    raise connection_error(error) from None


@contextmanager
def reading(
    doing: str, answered: list[str] | None = None, **declared: tuple[str, ...]
) -> Iterator[None]:
    """Translate errors of read calls, and of the code that evaluates their responses.

    Errors become UnknownState instead of ProvisionError. So does an error of code that evaluates a response
    without an expected member or value; the message names the last operation.
    answered: receives that operation; it may contain an earlier one.
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
            kind = Denied if code(error) in aws_advice.ACCESS_DENIED else UnknownState
            raise kind(translated.what, translated.why, translated.then) from None
        evaluating = isinstance(error, LookupError | TypeError | ValueError | AttributeError)
        if evaluating and answered:
            why = _describe_malformed(answered[0], error)
            raise UnknownState(doing, why, _check_endpoint()) from None
        raise
    finally:
        _last_operation.reset(token)
        if answered and outer is not None:
            outer[:] = answered


def record_operation(service: str, operation: str) -> None:
    """Store the operation whose response is evaluated next, for the enclosing `reading`."""
    if (answered := _last_operation.get(None)) is not None:
        answered[:] = [f"{service}:{operation}"]


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
