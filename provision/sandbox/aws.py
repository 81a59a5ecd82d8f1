"""The AWS endpoint of the sandbox: a WSGI application around moto's, with rules before and after.

A call goes tick -> read -> faults -> permissions -> before rules -> moto -> after rules -> log. Beside
it, on the same port, the control surface for tests and benchmarks under /_sandbox/.
"""

import io
import json
import socket
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as HttpResponse

from provision.sandbox import answers
from provision.sandbox.calls import Call, Refusal, buffer_body, read_call
from provision.sandbox.cloud import Cloud
from provision.sandbox.faults import ConnectionDropped, Faults
from provision.sandbox.permissions.enforcement import enforce
from provision.sandbox.rules import rules_after, rules_before

# One for all: moto's backends are one set per process anyway, and its Flask applications are slow to build.
MOTO = DomainDispatcherApplication(create_backend_app)


class AwsApplication:
    """AWS for one Cloud, as a WSGI application.

    GET /_sandbox/calls, GET /_sandbox/clock, POST /_sandbox/faults, POST /_sandbox/reset.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.faults = Faults()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/_sandbox/"):
            return self._control(environ, start_response)
        self.cloud.tick()
        try:
            status, headers, body = self._answer(environ)
        except ConnectionDropped:
            # werkzeug would keep the connection open and the caller waiting.
            if connection := environ.get("werkzeug.socket"):
                connection.shutdown(socket.SHUT_RDWR)
            raise
        kept = [(k, v) for k, v in headers if k.lower() not in ("content-length", "connection")]
        response = HttpResponse(body, status=status)
        response.headers.clear()
        for name, value in (*kept, ("Content-Length", _length(headers, body, environ))):
            response.headers.add(name, value)
        return response(environ, start_response)

    def _answer(self, environ: dict[str, Any]) -> answers.Response:
        body = buffer_body(environ)
        call = read_call(environ, body, self.cloud.clock.now())
        if call is None:
            with self.cloud.lock:
                return self._ask_moto(environ, body)
        outcome: int | str = "dropped"
        try:
            lost = self.faults.strike(call)
            with self.cloud.lock:
                response = self._carry_out(call, environ, body)
            if lost:
                raise ConnectionDropped(f"{call.operation}: answer lost by a fault")
            outcome = response[0]
            return response
        except Refusal as refusal:
            response = answers.refuse(call, refusal)
            outcome = response[0]
            return response
        finally:
            self.cloud.note(call, outcome)

    def _carry_out(self, call: Call, environ: dict[str, Any], body: bytes) -> answers.Response:
        enforce(self.cloud, call)
        for before in rules_before(call):
            answer = before(self.cloud, call)
            if answer is not None:
                return answers.write(call, answer)
        response = self._ask_moto(environ, body)
        after = rules_after(call)
        if not after or response[0] >= 300:
            return response
        answer = answers.read(call, response)
        for rule in after:
            rule(self.cloud, call, answer)
        return answers.write(call, answer)

    def _ask_moto(self, environ: dict[str, Any], body: bytes) -> answers.Response:
        given: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            given[:] = [int(status.split()[0]), headers]

        chunks = MOTO({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        try:
            data = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return given[0], given[1], data

    def _control(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            answer = self._controlled(
                request.method, request.path.removeprefix("/_sandbox/"), request
            )
            response: Any = HttpResponse(json.dumps(answer), mimetype="application/json")
        except HTTPException as refusal:
            response = refusal
        result: Iterable[bytes] = response(environ, start_response)
        return result

    def _controlled(self, method: str, path: str, request: Request) -> Any:
        match method, path:
            case "GET", "calls":
                return list(self.cloud.log)
            case "GET", "clock":
                return {"now": self.cloud.clock.now(), "speed": self.cloud.clock.speed}
            case "POST", "faults":
                try:
                    return vars(self.faults.add(request.get_json(force=True)))
                except (TypeError, ValueError) as error:
                    raise BadRequest(str(error)) from error
            case "POST", "reset":
                self.cloud.reset()
                self.faults.clear()
                self.cloud.log.clear()
                return {}
        raise NotFound()


def _length(headers: list[tuple[str, str]], body: bytes, environ: dict[str, Any]) -> str:
    """The body's length; for HEAD the one of the body that is not sent."""
    given = {name.lower(): value for name, value in headers}
    if environ.get("REQUEST_METHOD") == "HEAD" and "content-length" in given:
        return given["content-length"]
    return str(len(body))
