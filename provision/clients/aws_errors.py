"""Translate botocore's exceptions into provision's."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from provision.clients import aws_advice
from provision.clients.http import permanent_error, proxy_error, retry_after
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


def _headers(error: BaseException) -> Mapping[str, str]:
    """Return the headers of AWS's error response, with names in lower case; {} without one."""
    return dict(response_of(error).get("ResponseMetadata", {}).get("HTTPHeaders", {}))


def response_of(error: BaseException) -> Any:
    """Return AWS's error response; {} without one (`response` may be None in botocore's own errors)."""
    response = getattr(error, "response", None)
    return response if isinstance(response, dict) else {}


def code(error: BaseException) -> str:
    """Return AWS's error code; "" if the error is not a response from AWS.

    Emulators give an operation that they do not have HTTP status 501 and a code of their own, for example
    InternalFailure: it is NotImplemented here.
    """
    name = str(response_of(error).get("Error", {}).get("Code", ""))
    return "NotImplemented" if _status(error) == 501 and not name.isdigit() else name


def message(error: BaseException) -> str:
    """Return AWS's error message."""
    return str(response_of(error).get("Error", {}).get("Message", error))


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
    no_response = isinstance(error, transport_errors()) and not permanent_error("", error)
    if status == 408 or code(error) in REQUEST_TIMEOUTS or no_response:
        name = code(error) or type(error).__name__
        return _("AWS did not answer ({error})", error=name)
    return ""


def _status(error: BaseException) -> int:
    """Return the HTTP status of AWS's response; 0 without one."""
    return int(response_of(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_throttled(error: BaseException) -> bool:
    return code(error) in THROTTLES or _status(error) == 429


def transport_errors() -> tuple[type[BaseException], ...]:
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
    if isinstance(
        error,
        botocore.exceptions.ProfileNotFound
        | botocore.exceptions.ConfigParseError
        | botocore.exceptions.InvalidConfigError
        | botocore.exceptions.InfiniteLoopConfigError,
    ):
        then = aws_advice.profile_advice()
    return ProvisionError(doing, str(error), then)


def error_response(doing: str, error: Exception) -> ProvisionError:
    """Return the ProvisionError for an error response.

    Its `answered` is False without an error code of AWS's: the answer is a page of a proxy or of another
    server, whose HTTP status is the code. Only the answer to a HEAD request has no code on AWS either.
    """
    name, text = code(error), aws_advice.shorten(message(error))
    if name == "407":  # over plain HTTP
        return proxy_error(doing, f"407 {text}")
    if not response_of(error):
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
    if not isinstance(error, (*known, *transport_errors())):
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
