"""The registrar's site, where a domain's name servers are entered."""

import json
import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

PARKING = ("ns1.registrar.example", "ns2.registrar.example")
# Public suffixes of two labels under which people register; under any other, one label is enough.
_SECOND_LEVEL = {"co", "or", "ne", "ac", "ad", "ed", "go", "gr", "lg", "com", "net", "org", "edu"}
_FIELDS = ("name", "type", "value")
Entry = tuple[str, str, str]


def registrable(name: str) -> str:
    """Return the domain a person buys to own this name: bot.example.jp -> example.jp."""
    labels = name.lower().rstrip(".").split(".")
    two = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if two else -2 :])


class Registrar:
    """Owns every domain; one whose name servers nobody entered is parked at its own servers.

    GET and PUT /domains/{domain}, `{"name_servers": [...]}`. Entering servers for a name below a
    domain delegates that name, as the domain's owner would do with NS records at his provider.
    `"records": [{"name", "type", "value"}, ...]` (either, or both) are what those servers answer that
    are not of an emulated hosted zone: a domain in use.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._name_servers: dict[str, tuple[str, ...]] = {}
        self._records: dict[str, tuple[Entry, ...]] = {}

    def name_servers(self, domain: str) -> tuple[str, ...]:
        """Return the servers the parent zone names for this domain, lower case, without the final dot."""
        with self._lock:
            return self._name_servers.get(_normal(domain), PARKING)

    def enter(self, domain: str, name_servers: Iterable[str]) -> None:
        """Replace the domain's name servers; none: parked again."""
        servers = tuple(_normal(server) for server in name_servers)
        with self._lock:
            if servers:
                self._name_servers[_normal(domain)] = servers
            else:
                self._name_servers.pop(_normal(domain), None)

    def keep(self, domain: str, entries: Iterable[Entry]) -> None:
        """Replace what the domain's own servers answer: (name, type, value in zone file notation)."""
        normalized = tuple((_normal(name), kind.upper(), value) for name, kind, value in entries)
        with self._lock:
            self._records[_normal(domain)] = normalized

    def records(self, domain: str) -> tuple[Entry, ...]:
        """Return what the domain's own servers answer; names lower case, without the final dot."""
        with self._lock:
            return self._records.get(_normal(domain), ())

    def delegation(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Return the closest delegated domain at or above this name, and its name servers."""
        labels = _normal(name).split(".")
        domain = registrable(name)
        with self._lock:
            for cut in range(len(labels)):
                candidate = ".".join(labels[cut:])
                if candidate in self._name_servers:
                    return candidate, self._name_servers[candidate]
                if candidate == domain:
                    break
        return domain, PARKING

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request to the registrar's site."""
        try:
            response: Response | HTTPException = self._answer(Request(environ))
        except HTTPException as refusal:
            response = refusal
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        folder, _, domain = request.path.strip("/").partition("/")
        if folder != "domains" or "." not in domain:
            raise NotFound("Domains are at /domains/{domain}.")
        if request.method == "PUT":
            self._put(domain, request.get_json(force=True))
        elif request.method != "GET":
            raise MethodNotAllowed(["GET", "PUT"])
        answer: dict[str, Any] = {"domain": _normal(domain)}
        answer["name_servers"] = list(self.name_servers(domain))
        if records := self.records(domain):
            answer["records"] = [dict(zip(_FIELDS, record, strict=True)) for record in records]
        return Response(json.dumps(answer), mimetype="application/json")

    def _put(self, domain: str, body: Any) -> None:
        given = body if isinstance(body, dict) else {}
        servers, records = given.get("name_servers"), given.get("records")
        if "name_servers" in given and not _are(str, servers):
            raise BadRequest("name_servers is a list of names.")
        if "records" in given and not (
            _are(dict, records)
            and all(_are(str, [r.get(f) for f in _FIELDS]) for r in records or [])
        ):
            raise BadRequest(f"records is a list of objects with {', '.join(_FIELDS)}.")
        if servers is None and records is None:
            raise BadRequest('The body is {"name_servers": [names], "records": [objects]}.')
        if servers is not None:
            self.enter(domain, servers)
        if records is not None:
            self.keep(domain, [(r["name"], r["type"], r["value"]) for r in records])


def _are(kind: type, values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _normal(name: str) -> str:
    return name.strip().lower().rstrip(".")
