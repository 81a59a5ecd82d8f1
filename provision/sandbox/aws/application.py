"""The AWS endpoint of the sandbox: a WSGI application around moto's, with rules before and after.

A call goes tick -> read -> signature, parameters -> faults -> permissions -> before rules -> moto ->
after rules -> log. Beside it, on the same port, the control surface under /_sandbox/.
"""

import functools
import io
import logging
import threading
from collections.abc import Iterable
from typing import Any

from moto.core.routing import get_service_router
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response as HttpResponse

from provision.sandbox.aws import (  # noqa: F401  the registry fills the tables of rules
    malformed,
    regions,
    registry,
    responses,
    signing,
)
from provision.sandbox.aws.calls import (
    CUT_OFF,
    AwsError,
    Call,
    buffer_body,
    read_call,
    signing_name,
)
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.enforcement import enforce
from provision.sandbox.aws.rules import rules_after, rules_before
from provision.sandbox.aws.signatures import verify
from provision.sandbox.faults.faults import ConnectionDroppedError, hang_up
from provision.sandbox.web import control

_log = logging.getLogger(__name__)
# One for all: moto's backends are one set per process anyway, and its Flask applications are slow to build.
MOTO = DomainDispatcherApplication(create_backend_app)
# It would list moto's own folder at every call to find a host's backend: here once a host.
MOTO.get_backend_for_host = functools.cache(MOTO.get_backend_for_host)


class AwsApplication:
    """AWS for one Cloud, as a WSGI application."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.has_answered = threading.Event()  # the first call

    def warm(self, service: str, region: str) -> None:
        """Load what the first call of a service would wait for: its model, its routes, its backend."""
        get_service_router(service)
        signed = f"AWS4-HMAC-SHA256 Credential=key/20260101/{region}/{signing_name(service)}/aws4_request"
        MOTO.get_application({"PATH_INFO": "/", "HTTP_HOST": "", "HTTP_AUTHORIZATION": signed})
        with self.cloud.lock:
            self.cloud.backend(service, region)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a call from inside this process, whose signature is not verified."""
        return self._respond(environ, start_response, verified=False)

    def verified(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a call from outside this process, whose signature has to be right."""
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
                hang_up(connection, dropped)
            raise
        passed_on = [(k, v) for k, v in headers if _is_kept(k.lower())]
        self.has_answered.set()
        response = HttpResponse(body, status=status)
        response.headers.clear()
        for name, value in (*passed_on, ("Content-Length", _length(headers, body, environ))):
            response.headers.add(name, value)
        return response(environ, start_response)

    def _answer(self, environ: dict[str, Any], *, verified: bool) -> responses.Response:
        body = buffer_body(environ)
        call = read_call(environ, body, self.cloud.clock.now())
        # moto's own surface is on this port, too, and takes anybody's word.
        if call is None or environ["PATH_INFO"].startswith("/moto-api"):
            return signing.refuse_unsigned(environ, body)
        if verified:
            try:
                verify(self.cloud, call, environ, body)
            except AwsError as refusal:
                return responses.refuse(call, refusal)
        outcome: int | str = "dropped"
        caller = self.cloud.permissions.caller_arn(call.access_key)
        try:
            signing.check(call, environ)
            regions.refuse_disabled(self.cloud, call)
            if environ[CUT_OFF]:
                raise malformed.refuse_cut_off(call)
            malformed.check(call)
            fault = self.cloud.faults.due(call)
            if fault:
                self.cloud.faults.strike(fault, call, "before")
            with self.cloud.lock:
                response = self._carry_out(call, environ, body)
            if fault:
                self.cloud.faults.strike(fault, call, "after")
            outcome = response[0]
            return response
        except AwsError as refusal:
            response = responses.refuse(call, refusal)
            outcome = response[0]
            return response
        except ConnectionDroppedError:
            raise
        except Exception as error:
            response = responses.refuse(call, self._stumbled(call, error))
            outcome = response[0]
            return response
        finally:
            self.cloud.note(call, caller, outcome)

    def _stumbled(self, call: Call, error: Exception) -> AwsError:
        """Return the refusal of a call that the sandbox cannot carry out; AWS would name the reason."""
        description = f"{type(error).__name__}: {error}"
        _log.warning("%s %s is refused: %s", call.service, call.operation, description)
        _log.debug("The traceback", exc_info=error)
        return malformed.refuse(
            call,
            f"the sandbox cannot carry out {call.operation} as it was asked for ({description})",
        )

    def _carry_out(self, call: Call, environ: dict[str, Any], body: bytes) -> responses.Response:
        """Return the current answer, or with lag the one before the last changes."""
        try:
            self.cloud.lag.check(call)
            now = self._truth(call, environ, body)
        except AwsError as refusal:
            now = responses.refuse(call, refusal)
        question = (call.operation, environ["PATH_INFO"], environ.get("QUERY_STRING"), body)
        return self.cloud.lag.answer(call, question, now)

    def _truth(self, call: Call, environ: dict[str, Any], body: bytes) -> responses.Response:
        enforce(self.cloud, call)
        for before in rules_before(call):
            answer = before(self.cloud, call)
            if answer is not None:
                return responses.write(call, answer)
        response = self._ask_moto(environ, body)
        after = rules_after(call)
        if not after or response[0] >= 300:
            return response
        answer = responses.read(call, response)
        for rule in after:
            rule(self.cloud, call, answer)
        return responses.write(call, answer)

    def _ask_moto(self, environ: dict[str, Any], body: bytes) -> responses.Response:
        given: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            given[:] = [int(status.split()[0]), headers]

        try:
            chunks = MOTO({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        except NotImplementedError as missing:  # IAM API Reference, Common errors: InvalidAction
            raise AwsError("InvalidAction", str(missing), 400) from None
        try:
            data = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return given[0], given[1], data


def _is_kept(header: str) -> bool:
    """Return whether a header stays; moto's CORS headers would let pages of other origins read answers."""
    return header not in ("content-length", "connection") and not header.startswith(
        "access-control-"
    )


def _length(headers: list[tuple[str, str]], body: bytes, environ: dict[str, Any]) -> str:
    """Return the body's length; for HEAD that of the body that is not sent."""
    given = {name.lower(): value for name, value in headers}
    if environ.get("REQUEST_METHOD") == "HEAD" and "content-length" in given:
        return given["content-length"]
    return str(len(body))
