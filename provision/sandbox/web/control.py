"""The control paths on the AWS endpoint, for tests, benchmarks and users.

Paths are under /_sandbox/, requests and responses are JSON; `GET /_sandbox/` lists all paths. Over HTTP all
except that list, the clock and the gallery need the sandbox's bearer token. Services add paths in their own
files: `@control("POST", "interrupt")`.
"""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from provision.sandbox.aws.call_details import describe_call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.delays import Delays

PREFIX = "/_sandbox/"
_UNGUARDED = (PREFIX, f"{PREFIX}clock", f"{PREFIX}gallery")
Params = dict[str, Any]  # the body of a POST, else the query

Handler = TypeVar("Handler", bound=Callable[..., Any])
_routes = Map()


def control(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register the decorated function, called with the Cloud, the request's body or query, and path parts.

    Its result is returned as JSON. ValueError becomes status 400, LookupError 404.
    """

    def register(handler: Handler) -> Handler:
        _routes.add(Rule(PREFIX + path, methods=[method], endpoint=handler))
        return handler

    return register


def is_guarded(method: str, path: str) -> bool:
    """Return whether a request needs the token."""
    return path.startswith(PREFIX) and not (method in ("GET", "HEAD") and path in _UNGUARDED)


def respond(cloud: Cloud, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Handle a request below PREFIX, as a WSGI application."""
    status = 200
    try:
        handler, parts = _routes.bind_to_environ(environ).match()
        result = handler(cloud, _parameters(Request(environ)), **parts)
    except HTTPException as error:
        status, result = error.code or 500, {"error": error.description}
    except LookupError as unknown:
        status, result = NotFound.code, {"error": str(unknown.args[0])}
    except ValueError as wrong:
        status, result = BadRequest.code, {"error": str(wrong)}
    return Response(json.dumps(result), status, mimetype="application/json")(
        environ, start_response
    )


def _parameters(request: Request) -> Params:
    if request.method != "POST":
        return dict(request.args)
    params = json.loads(request.get_data() or b"{}")
    if not isinstance(params, dict):
        raise ValueError("the body is one JSON object")
    return params


def parse_number(
    params: Params, name: str, minimum: float = 0.0, default: float | None = None
) -> float:
    """Return a parameter as a number. Raises ValueError."""
    value = params.get(name, default)
    try:
        if value is None or isinstance(value, bool):
            raise ValueError
        if math.isfinite(number := float(value)) and number >= minimum:
            return number
        raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} is a number from {minimum:g} up, not {value!r}") from None


@control("GET", "")
def list_paths(cloud: Cloud, params: Params) -> list[Params]:
    """List the control paths."""
    return [
        {
            "method": next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})),
            "path": rule.rule,
            "says": (rule.endpoint.__doc__ or "").partition("\n")[0],
        }
        for rule in _routes.iter_rules()
    ]


@control("GET", "clock")
def clock(cloud: Cloud, params: Params) -> Params:
    """Return the simulated time, in epoch seconds, and the simulated seconds per real second."""
    return {"now": cloud.clock.now(), "speed": cloud.clock.speed}


@control("POST", "clock")
def change_speed(cloud: Cloud, params: Params) -> Params:
    """Set the simulated seconds per real second, {"speed": 0.1 to 1000}."""
    speed = parse_number(params, "speed", minimum=0.1)
    if speed > 1000:
        raise ValueError(f"speed is a number from 0.1 to 1000, not {speed:g}")
    cloud.clock.change_speed(speed)
    return clock(cloud, {})


@control("POST", "stack")
def show_stack(cloud: Cloud, params: Params) -> Params:
    """Show the stack of this {"file"}, an absolute path, on the page."""
    file = params.get("file")
    if not isinstance(file, str) or not Path(file).is_absolute():
        raise ValueError(f"file is an absolute path, not {file!r}")
    cloud.stack_file = file
    return {"file": file}


@control("GET", "calls")
def calls(cloud: Cloud, params: Params) -> list[Params]:
    """Return the log of calls: ?after=NUMBER, ?since=TIME, ?mutating=1, ?service=, ?operation=, ?caller=."""
    named = {"service", "operation", "caller"} & params.keys()
    if unknown := params.keys() - named - {"after", "since", "mutating"}:
        raise ValueError(f"no such filter: {', '.join(sorted(unknown))}")
    after, since = (
        parse_number(params, "after", default=-1, minimum=-1),
        parse_number(params, "since", 0, 0),
    )
    mutating = {"1": True, "0": False}.get(params.get("mutating", ""))
    return [
        call
        for call in list(cloud.log)
        if call["number"] > after
        and call["time"] >= since
        and mutating in (None, call["mutating"])
        and all(call[name] == params[name] for name in named)
    ]


@control("GET", "calls/<int:number>")
def call_details(cloud: Cloud, params: Params, number: int) -> Params:
    """Return request and response of one of the last calls; secrets are left out."""
    for logged, call, response in list(cloud.details):
        if logged == number:
            return describe_call(call, response)
    raise LookupError(f"request and response of call {number} are not kept")


@control("GET", "faults")
def faults(cloud: Cloud, params: Params) -> list[Params]:
    """Return the faults to inject, with the held calls."""
    return cloud.faults.describe()


@control("POST", "faults")
def add_fault(cloud: Cloud, params: Params) -> Params:
    """Add a fault: kind, service, operation, times or probability, after, mutating, when, seconds."""
    return cloud.faults.add(params).describe()


@control("DELETE", "faults")
def clear_faults(cloud: Cloud, params: Params) -> Params:
    """Remove every fault; held calls are dropped."""
    cloud.faults.clear()
    return {}


@control("DELETE", "faults/<int:fault>")
def clear_fault(cloud: Cloud, params: Params, fault: int) -> Params:
    """Remove this fault."""
    cloud.faults.clear(fault)
    return {}


@control("GET", "faults/<int:fault>/reached")
def reached(cloud: Cloud, params: Params, fault: int) -> Params:
    """Wait up to ?seconds= until this fault holds a call; return the call, or null."""
    return {"call": cloud.faults.reached(fault, parse_number(params, "seconds", default=30))}


@control("POST", "faults/<int:fault>/release")
def release(cloud: Cloud, params: Params, fault: int) -> Params:
    """Release the held call: with {"carry_on": true} it continues, else it is dropped."""
    cloud.faults.release(fault, carry_on=params.get("carry_on") is True)
    return {}


@control("GET", "delays")
def delays(cloud: Cloud, params: Params) -> Params:
    """Return the delays, in simulated seconds."""
    return asdict(cloud.delays)


@control("POST", "delays")
def change_delays(cloud: Cloud, params: Params) -> Params:
    """Set delays, by name: {"certificate": 60}; for lag use POST lag."""
    names = {field.name for field in fields(Delays)} - {"lag"}
    if unknown := params.keys() - names:
        raise ValueError(f"no such delay: {', '.join(sorted(unknown))}")
    for name, seconds in {name: parse_number(params, name) for name in params}.items():
        setattr(cloud.delays, name, seconds)
    return asdict(cloud.delays)


@control("POST", "lag")
def lag(cloud: Cloud, params: Params) -> Params:
    """Set read-after-write lag: simulated {"seconds"} of {"services": [...]}, default all that can lag."""
    seconds, services = parse_number(params, "seconds"), params.get("services")
    if not isinstance(services, list | None):
        raise ValueError(f"services is a list, not {services!r}")
    cloud.lag.set_seconds(seconds, services)
    return dict(cloud.lag.seconds)


@control("POST", "reset")
def reset(cloud: Cloud, params: Params) -> Params:
    """Empty the account, faults and log, and restore the lag with which it was started."""
    cloud.faults.clear()
    cloud.reset()
    cloud.log.clear()
    cloud.details.clear()
    return {}


@control("GET", "gallery")
def gallery(cloud: Cloud, params: Params) -> Params:
    """Return the {"url"} of the stand-in for public.ecr.aws; 404 if it is not served."""
    if not cloud.gallery:
        raise LookupError("no gallery is served")
    return {"url": cloud.gallery}
