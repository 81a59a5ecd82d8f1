"""The control paths, for tests, benchmarks and people, beside the AWS endpoint.

Paths are under /_sandbox/, bodies and answers JSON; `GET /_sandbox/` lists them all. Over HTTP all but
that list, the clock and the gallery need the sandbox's bearer token. What a service lets happen on demand it
adds from its own file: `@control("POST", "interrupt")`.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from typing import Any, TypeVar

from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.delays import Delays

PREFIX = "/_sandbox/"
_OPEN = (PREFIX, f"{PREFIX}clock", f"{PREFIX}gallery")
Given = dict[str, Any]  # the body of a POST, else the query

Handler = TypeVar("Handler", bound=Callable[..., Any])
_surface = Map()


def control(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register the decorated function: it gets the Cloud, the request's body or query, and the path's parts.

    What it returns goes out as JSON. ValueError: 400 with its words; LookupError: 404.
    """

    def register(handler: Handler) -> Handler:
        _surface.add(Rule(PREFIX + path, methods=[method], endpoint=handler))
        return handler

    return register


def is_guarded(method: str, path: str) -> bool:
    """Return whether a request needs the token: all but the ones that only read what is no secret."""
    return path.startswith(PREFIX) and not (method in ("GET", "HEAD") and path in _OPEN)


def respond(cloud: Cloud, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request below PREFIX, as WSGI."""
    status = 200
    try:
        handler, parts = _surface.bind_to_environ(environ).match()
        result = handler(cloud, _given(Request(environ)), **parts)
    except HTTPException as refusal:
        status, result = refusal.code or 500, {"error": refusal.description}
    except LookupError as unknown:
        status, result = NotFound.code, {"error": str(unknown.args[0])}
    except ValueError as wrong:
        status, result = BadRequest.code, {"error": str(wrong)}
    return Response(json.dumps(result), status, mimetype="application/json")(
        environ, start_response
    )


def _given(request: Request) -> Given:
    if request.method != "POST":
        return dict(request.args)
    given = json.loads(request.get_data() or b"{}")
    if not isinstance(given, dict):
        raise ValueError("the body is one JSON object")
    return given


def number(given: Given, name: str, least: float = 0.0, otherwise: float | None = None) -> float:
    """Return that member as a number, from a query's text too. ValueError says what was expected."""
    value = given.get(name, otherwise)
    try:
        if value is None or isinstance(value, bool) or float(value) < least:
            raise ValueError
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is a number from {least:g} up, not {value!r}") from None


@control("GET", "")
def surface(cloud: Cloud, given: Given) -> list[Given]:
    """List the control paths."""
    return [
        {
            "method": next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})),
            "path": rule.rule,
            "says": (rule.endpoint.__doc__ or "").partition("\n")[0],
        }
        for rule in _surface.iter_rules()
    ]


@control("GET", "clock")
def clock(cloud: Cloud, given: Given) -> Given:
    """Return the simulated time, in epoch seconds, and how many simulated seconds a real one holds."""
    return {"now": cloud.clock.now(), "speed": cloud.clock.speed}


@control("GET", "calls")
def calls(cloud: Cloud, given: Given) -> list[Given]:
    """Return the log of calls: ?after=NUMBER, ?since=TIME, ?mutating=1, ?service=, ?operation=, ?caller=."""
    named = {"service", "operation", "caller"} & given.keys()
    if unknown := given.keys() - named - {"after", "since", "mutating"}:
        raise ValueError(f"no such filter: {', '.join(sorted(unknown))}")
    after, since = number(given, "after", otherwise=-1, least=-1), number(given, "since", 0, 0)
    mutating = {"1": True, "0": False}.get(given.get("mutating", ""))
    return [
        call
        for call in list(cloud.log)
        if call["number"] > after
        and call["time"] >= since
        and mutating in (None, call["mutating"])
        and all(call[name] == given[name] for name in named)
    ]


@control("GET", "faults")
def faults(cloud: Cloud, given: Given) -> list[Given]:
    """Return the faults that are still to happen, and the held calls."""
    return cloud.faults.shown()


@control("POST", "faults")
def add_fault(cloud: Cloud, given: Given) -> Given:
    """Add a fault: kind, service, operation, times or probability, after, mutating, when, seconds."""
    return cloud.faults.add(given).shown()


@control("DELETE", "faults")
def clear_faults(cloud: Cloud, given: Given) -> Given:
    """Remove every fault; held calls are dropped."""
    cloud.faults.clear()
    return {}


@control("DELETE", "faults/<int:fault>")
def clear_fault(cloud: Cloud, given: Given, fault: int) -> Given:
    """Remove this fault."""
    cloud.faults.clear(fault)
    return {}


@control("GET", "faults/<int:fault>/reached")
def reached(cloud: Cloud, given: Given, fault: int) -> Given:
    """Wait up to ?seconds= until a hold holds a call, or is gone; the call or null."""
    return {"call": cloud.faults.reached(fault, number(given, "seconds", otherwise=30))}


@control("POST", "faults/<int:fault>/release")
def release(cloud: Cloud, given: Given, fault: int) -> Given:
    """Release the held call: {"carry_on": true} as though nothing had been, else it is dropped."""
    cloud.faults.release(fault, carry_on=given.get("carry_on") is True)
    return {}


@control("GET", "delays")
def delays(cloud: Cloud, given: Given) -> Given:
    """Return how long everything takes, by name, in simulated seconds."""
    return asdict(cloud.delays)


@control("POST", "delays")
def change_delays(cloud: Cloud, given: Given) -> Given:
    """Set delays, by name: {"certificate": 60}; lag has a switch of its own."""
    names = {field.name for field in fields(Delays)} - {"lag"}
    if unknown := given.keys() - names:
        raise ValueError(f"no such delay: {', '.join(sorted(unknown))}")
    for name, seconds in {name: number(given, name) for name in given}.items():
        setattr(cloud.delays, name, seconds)
    return asdict(cloud.delays)


@control("POST", "lag")
def lag(cloud: Cloud, given: Given) -> Given:
    """Set read-after-write lag of simulated {"seconds"} in {"services": [...]}, else in all that lag."""
    seconds, services = number(given, "seconds"), given.get("services")
    if not isinstance(services, list | None):
        raise ValueError(f"services is a list, not {services!r}")
    cloud.lag.switch(seconds, services)
    return dict(cloud.lag.seconds)


@control("POST", "reset")
def reset(cloud: Cloud, given: Given) -> Given:
    """Empty the account: no faults, no lag but the one it was started with, an empty log."""
    cloud.faults.clear()
    cloud.reset()
    cloud.log.clear()
    return {}


@control("GET", "gallery")
def gallery(cloud: Cloud, given: Given) -> Given:
    """Return where a stand-in for public.ecr.aws is served, {"url"}; 404 where none is."""
    if not cloud.gallery:
        raise LookupError("no gallery is served")
    return {"url": cloud.gallery}
