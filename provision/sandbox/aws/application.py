"""The sandbox's AWS endpoint: a WSGI application around moto's, with rules before and after it.

Steps of a call: tick -> parse -> signature, parameters -> faults -> permissions -> before rules -> moto ->
after rules -> rules without the lock -> log. The control paths under /_sandbox/ are on the same port.
"""

import functools
import io
import logging
import threading
from collections.abc import Iterable
from typing import Any

from moto.backends import list_of_moto_modules
from moto.core.routing import get_service_router
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response as HttpResponse

from provision.sandbox.aws import (  # noqa: F401  the registry fills the tables of rules
    malformed,
    regions,
    registry,
    responses,
    signing,
)
from provision.sandbox.aws.calls import (
    TRUNCATED,
    AwsError,
    Call,
    buffer_body,
    read_call,
    signing_name,
)
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.enforcement import enforce
from provision.sandbox.aws.rules import After, rules_after, rules_before, rules_unlocked
from provision.sandbox.aws.signatures import verify
from provision.sandbox.faults.faults import ConnectionDroppedError, close_connection
from provision.sandbox.web import control

_log = logging.getLogger(__name__)
# One per process, like moto's backends; its Flask applications are slow to build.
MOTO = DomainDispatcherApplication(create_backend_app)
_MODULES = frozenset(list_of_moto_modules())


@functools.cache
def _backend_for_host(host: str | None) -> str | None:
    """Return the name of moto's module for a host; its own method prints what it does not find."""
    if host is None or host == "moto_api" or host in _MODULES:
        return host
    for module, pattern in MOTO.backend_url_patterns:
        if pattern.match(f"http://{host}"):
            return str(module)
    raise NotImplementedError(host)


MOTO.get_backend_for_host = _backend_for_host


class AwsApplication:
    """AWS for one Cloud, as a WSGI application."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.first_call_done = threading.Event()

    def preload(self, service: str, region: str) -> None:
        """Load a service's model, routes and backend, which takes seconds at its first call."""
        get_service_router(service)
        signed = f"AWS4-HMAC-SHA256 Credential=key/20260101/{region}/{signing_name(service)}/aws4_request"
        MOTO.get_application({"PATH_INFO": "/", "HTTP_HOST": "", "HTTP_AUTHORIZATION": signed})
        with self.cloud.lock:
            self.cloud.backend(service, region)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle a call from this process without verifying its signature."""
        return self._respond(environ, start_response, verified=False)

    def verified(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle a call from another process; its signature is verified."""
        return self._respond(environ, start_response, verified=True)

    def _respond(
        self, environ: dict[str, Any], start_response: Any, *, verified: bool
    ) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(control.PREFIX):
            return control.respond(self.cloud, environ, start_response)
        self.cloud.tick()
        try:
            status, headers, body = self._answer(environ, verified=verified)
        except ConnectionDroppedError as dropped:
            if connection := environ.get("werkzeug.socket"):
                close_connection(connection, dropped)
            raise
        forwarded = [(k, v) for k, v in headers if _is_forwarded(k.lower())]
        self.first_call_done.set()
        response = HttpResponse(body, status=status)
        response.headers.clear()
        for name, value in (
            *forwarded,
            ("Content-Length", _content_length(headers, body, environ)),
        ):
            response.headers.add(name, value)
        return response(environ, start_response)

    def _answer(self, environ: dict[str, Any], *, verified: bool) -> responses.Response:
        body = buffer_body(environ)
        call = read_call(environ, body, self.cloud.clock.now())
        # moto's own control paths, which check no permissions.
        if call is None or environ["PATH_INFO"].startswith("/moto-api"):
            return signing.refuse(environ, body)
        if verified:
            try:
                verify(self.cloud, call, environ, body)
            except AwsError as error:
                return responses.error_response(call, error)
        caller = self.cloud.permissions.caller_arn(call.access_key)
        response: responses.Response | None = None
        try:
            signing.check(call, environ)
            regions.check_enabled(self.cloud, call)
            if environ[TRUNCATED]:
                raise malformed.truncated_body(call)
            malformed.check(call)
            fault = self.cloud.faults.next_for(call)
            if fault:
                self.cloud.faults.inject(fault, call, "before")
            with self.cloud.lock:
                response = self._handle_with_lag(call, environ, body)
            response = self._apply(rules_unlocked(call), call, response)
            if fault:
                self.cloud.faults.inject(fault, call, "after")
        except AwsError as error:
            response = responses.error_response(call, error)
        except ConnectionDroppedError:
            response = None
            raise
        except Exception as error:
            response = responses.error_response(call, self._unsupported(call, error))
        finally:
            self.cloud.log_call(call, caller, response[0] if response else "dropped", response)
        return response

    def _unsupported(self, call: Call, error: Exception) -> AwsError:
        """Return the error for a call that moto or a rule failed on, and log a warning."""
        description = f"{type(error).__name__}: {error}"
        _log.warning("%s %s is refused: %s", call.service, call.operation, description)
        _log.debug("The traceback", exc_info=error)
        return malformed.invalid_request(
            call,
            f"the sandbox cannot carry out {call.operation} as it was asked for ({description})",
        )

    def _handle_with_lag(
        self, call: Call, environ: dict[str, Any], body: bytes
    ) -> responses.Response:
        """Return the current response or, with lag, the one before the last changes."""
        try:
            self.cloud.lag.check(call)
            current = self._handle(call, environ, body)
        except AwsError as error:
            current = responses.error_response(call, error)
        request_key = (call.operation, environ["PATH_INFO"], environ.get("QUERY_STRING"), body)
        return self.cloud.lag.answer(call, request_key, current)

    def _handle(self, call: Call, environ: dict[str, Any], body: bytes) -> responses.Response:
        enforce(self.cloud, call)
        for rule in rules_before(call):
            answer = rule(self.cloud, call)
            if answer is not None:
                return responses.write(call, answer)
        return self._apply(rules_after(call), call, self._call_moto(call, environ, body))

    def _apply(
        self, rules: list[After], call: Call, response: responses.Response
    ) -> responses.Response:
        """Return a successful response as these rules change it."""
        if not rules or response[0] >= 300:
            return response
        answer = responses.read(call, response)
        for rule in rules:
            rule(self.cloud, call, answer)
        return responses.write(call, answer)

    def _call_moto(self, call: Call, environ: dict[str, Any], body: bytes) -> responses.Response:
        try:
            chunks, status, headers = run_wsgi_app(
                MOTO, {**environ, "wsgi.input": io.BytesIO(body)}, buffered=True
            )
        except (NotImplementedError, ImportError):  # also of what moto[all] would install
            raise malformed.unsupported(call) from None
        response = int(status.split()[0]), list(headers), b"".join(chunks)
        # The page of moto's web framework for a path without a handler.
        if response[0] == 404 and response[2].startswith(b"<!doctype html>"):
            raise malformed.unsupported(call)
        return response


def _is_forwarded(header: str) -> bool:
    """Return whether to forward a header; moto's CORS headers would let any web page read responses."""
    return header not in ("content-length", "connection") and not header.startswith(
        "access-control-"
    )


def _content_length(headers: list[tuple[str, str]], body: bytes, environ: dict[str, Any]) -> str:
    """Return the body's length; for HEAD that of the omitted body."""
    given = {name.lower(): value for name, value in headers}
    if environ.get("REQUEST_METHOD") == "HEAD" and "content-length" in given:
        return given["content-length"]
    return str(len(body))
