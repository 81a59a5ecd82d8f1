"""The registrar, at which a domain's name servers are set."""

import json
import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

PARKING = ("ns1.registrar.example", "ns2.registrar.example")
# Second-level labels of public suffixes with two labels, such as co.jp.
_SECOND_LEVEL = {"co", "or", "ne", "ac", "ad", "ed", "go", "gr", "lg", "com", "net", "org", "edu"}
_FIELDS = ("name", "type", "value")
Entry = tuple[str, str, str]


def registrable(name: str) -> str:
    """Return the registrable domain of a name: bot.example.jp -> example.jp."""
    labels = name.lower().rstrip(".").split(".")
    is_second_level = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if is_second_level else -2 :])


class Registrar:
    """A registrar of all domains; a domain whose name servers were not set has its own (PARKING).

    GET and PUT /domains/{domain}, `{"name_servers": [...]}`. Setting the servers of a subdomain delegates
    it, like NS records at another DNS provider. Beside or instead of them: `"ds": [...]`, its DS records
    (DNSSEC), and `"records": [{"name", "type", "value"}, ...]`, records on name servers other than an
    emulated hosted zone's, for a domain in use.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._name_servers: dict[str, tuple[str, ...]] = {}
        self._records: dict[str, tuple[Entry, ...]] = {}
        self._signers: dict[str, tuple[str, ...]] = {}

    def name_servers(self, domain: str) -> tuple[str, ...]:
        """Return the domain's name servers in its parent zone, in lower case without the final dot."""
        with self._lock:
            return self._name_servers.get(_normalize(domain), PARKING)

    def enter(self, domain: str, name_servers: Iterable[str]) -> None:
        """Replace the domain's name servers; without any, PARKING is restored."""
        servers = tuple(_normalize(server) for server in name_servers)
        with self._lock:
            if servers:
                self._name_servers[_normalize(domain)] = servers
            else:
                self._name_servers.pop(_normalize(domain), None)

    def keep(self, domain: str, entries: Iterable[Entry]) -> None:
        """Replace the records on the domain's other name servers; values are in zone file notation."""
        normalized = tuple((_normalize(name), kind.upper(), value) for name, kind, value in entries)
        with self._lock:
            self._records[_normalize(domain)] = normalized

    def records(self, domain: str) -> tuple[Entry, ...]:
        """Return the records on the domain's other name servers, with normalized names."""
        with self._lock:
            return self._records.get(_normalize(domain), ())

    def sign(self, domain: str, signers: Iterable[str]) -> None:
        """Replace the domain's DS records in its parent zone, in zone file notation."""
        with self._lock:
            self._signers[_normalize(domain)] = tuple(signers)

    def signers(self, domain: str) -> tuple[str, ...]:
        """Return the domain's DS records in its parent zone."""
        with self._lock:
            return self._signers.get(_normalize(domain), ())

    def delegation(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Return the closest delegated domain at or above this name, and its name servers."""
        labels = _normalize(name).split(".")
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
        """Handle one HTTP request, as a WSGI application."""
        try:
            response: Response | HTTPException = self._respond(Request(environ))
        except HTTPException as error:
            response = error
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        folder, _, domain = request.path.strip("/").partition("/")
        if folder != "domains" or "." not in domain:
            raise NotFound("Domains are at /domains/{domain}.")
        if request.method == "PUT":
            self._put(domain, request.get_json(force=True))
        elif request.method != "GET":
            raise MethodNotAllowed(["GET", "PUT"])
        answer: dict[str, Any] = {"domain": _normalize(domain)}
        answer["name_servers"] = list(self.name_servers(domain))
        if records := self.records(domain):
            answer["records"] = [dict(zip(_FIELDS, record, strict=True)) for record in records]
        if signers := self.signers(domain):
            answer["ds"] = list(signers)
        return Response(json.dumps(answer), mimetype="application/json")

    def _put(self, domain: str, body: Any) -> None:
        fields = body if isinstance(body, dict) else {}
        servers, records = fields.get("name_servers"), fields.get("records")
        signers = fields.get("ds")
        if "ds" in fields and not _is_list_of(str, signers):
            raise BadRequest("ds is a list of DS records.")
        if "name_servers" in fields and not _is_list_of(str, servers):
            raise BadRequest("name_servers is a list of names.")
        if "records" in fields and not (
            _is_list_of(dict, records)
            and all(_is_list_of(str, [r.get(f) for f in _FIELDS]) for r in records or [])
        ):
            raise BadRequest(f"records is a list of objects with {', '.join(_FIELDS)}.")
        if servers is None and records is None and signers is None:
            raise BadRequest('The body is {"name_servers": [names], "records": [objects]}.')
        if servers is not None:
            self.enter(domain, servers)
        if signers is not None:
            self.sign(domain, signers)
        if records is not None:
            self.keep(domain, [(r["name"], r["type"], r["value"]) for r in records])


def _is_list_of(kind: type, values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _normalize(name: str) -> str:
    return name.strip().lower().rstrip(".")
