"""What a run sends, in a form that is the same at every run: ids are replaced by placeholders.

A placeholder has the kind of the id and the resource whose call made it: `<sg bot_group>`.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
READS = ("BatchCheck", "BatchGet", "Describe", "Filter", "Get", "Head", "List", "Simulate")
# What differs from run to run: ids that AWS or the tool makes up, digests of contents, ports.
ID = re.compile(
    r"\b(?P<ec2>vpc|subnet|sg|sgr|rtb|rtbassoc|igw|eni)-[0-9a-f]{8,17}\b"
    r"|\b(?P<digest>sha256):[0-9a-f]{64}\b"
    r"|\b(?P<uuid>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
    r"|(?<![0-9a-zA-Z])(?P<hex>[0-9a-f]{10,64})(?![0-9a-zA-Z])"
    r"|\b(?P<zone>(?!PYTHON)[0-9A-Z]{20,32})\b"
    r"|(?<=//127\.0\.0\.1:)(?P<port>[0-9]+)"
)

RESOURCE = re.compile(r'"provision:resource"(?:, "[Vv]alue")?: "(\w+)')  # a tag, however it is sent


def dumped(value: Any) -> str:
    """JSON text that is the same for equal values."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def plain(value: Any) -> Any:
    """The value with nothing in it but JSON: documents that are sent as text are read, bytes left out."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return "(a time)"
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return plain(json.loads(value))
        except ValueError:
            return value
    return value if isinstance(value, str | int | float | bool | None) else "(bytes)"


class Names:
    """A placeholder for each id, the same wherever the id appears. known: what already has a name."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = dict(known)
        self._count: Counter[str] = Counter()

    def hide(self, text: str) -> str:
        """The text with placeholders; ids that have no name yet show their kind only."""
        for secret in self._known:
            if not ID.fullmatch(secret):
                text = text.replace(secret, self._known[secret])
        return ID.sub(lambda found: self._known.get(found[0], f"<{_kind(found)}>"), text)

    def learn(self, calls: list[tuple[str, ...]]) -> None:
        """Name the ids in these, in an order that does not depend on that of the list.

        calls: of each what is sent, its name, what it is answered. An id is named after the call whose text,
        apart from ids without a name, is like no other; first after the call that is answered with it.
        """
        for new in (self._made, self._sent):
            while unnamed := [call for call in calls if new(call)]:
                forms = {call: self.hide("".join(call)) for call in unnamed}
                number = Counter(forms.values())
                ordered = sorted(unnamed, key=lambda call: forms[call])
                clear = [call for call in ordered if number[forms[call]] == 1]
                for call in clear or ordered[:1]:
                    tag = RESOURCE.search(call[0])
                    for found in new(call):
                        self._name(found, tag[1] if tag else call[1].rpartition(" ")[2])

    def _sent(self, call: tuple[str, ...]) -> list[re.Match[str]]:
        return [found for found in ID.finditer(call[0]) if found[0] not in self._known]

    def _made(self, call: tuple[str, ...]) -> list[re.Match[str]]:
        known = {*self._known, *(found[0] for found in self._sent(call))}
        return [found for found in ID.finditer(call[-1]) if found[0] not in known]

    def _name(self, found: re.Match[str], maker: str) -> None:
        if found[0] not in self._known:
            label = f"{_kind(found)} {maker}"
            self._count[label] += 1
            number = f" {self._count[label]}" if self._count[label] > 1 else ""
            self._known[found[0]] = f"<{label}{number}>"


def _kind(found: re.Match[str]) -> str:
    return found["ec2"] or next(kind for kind, text in found.groupdict().items() if text)


@dataclass
class Recorder:
    """What commands send to AWS (changing calls that succeed), to LINE and to the registry."""

    names: Names = field(default_factory=lambda: Names({}))
    order: list[str] = field(default_factory=list)  # as it was answered
    _calls: list[tuple[str, str, str]] = field(default_factory=list)
    _requests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def listen(self, session: Any) -> None:
        """Record the calls of every client that this boto3 session will make, as the caller wrote them."""
        session.events.register_first("before-parameter-build", self._before)
        session.events.register_last("after-call", self._after)

    def _before(self, params: Any, context: dict[str, Any], **_: Any) -> None:
        context["golden"] = deepcopy(params)

    def _after(
        self, model: Any, context: dict[str, Any], http_response: Any, parsed: Any, **_: Any
    ) -> None:
        if http_response.status_code >= 300 or model.name.startswith(READS):
            return
        answer = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
        name = f"{model.service_model.service_name} {model.name}"
        self._calls.append((dumped(plain(context["golden"])), name, dumped(plain(answer))))
        self.order.append(name)

    def tap(self, name: str, application: Wsgi) -> Wsgi:
        """The application, with every changing request to it recorded under this name.

        The same request is listed once: how often some are repeated depends on which thread is first.
        """

        def tapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length)
            environ["wsgi.input"] = BytesIO(body)
            method, kind = environ["REQUEST_METHOD"], environ.get("CONTENT_TYPE", "")
            scheme, _space, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            request = {
                "request": f"{method} {environ['PATH_INFO']}",
                "query": dict(parse_qsl(environ.get("QUERY_STRING", ""))),
                "authorization": f"Bearer {token}" if scheme == "Bearer" else scheme,
                "type": kind,
                "body": shown(kind, body),
            }
            if method not in ("GET", "HEAD"):
                given = {key: each for key, each in request.items() if each}
                self._requests[name].add(dumped(given))
                self.order.append(f"{name} {request['request']}")
            return application(environ, start_response)

        return tapped

    def take(self) -> dict[str, Any]:
        """What was sent since this was last asked, by service and operation, each sorted."""
        requests = [(text, name) for name, all_ in self._requests.items() for text in all_]
        self.names.learn([(text, name, "") for text, name in requests])
        self.names.learn(list(self._calls))
        found: dict[str, list[Any]] = defaultdict(list)
        for text, name, *_ in [*self._calls, *requests]:
            found[name].append(json.loads(self.names.hide(text)))
        self._calls, self._requests, self.order = [], defaultdict(set), []
        return {name: sorted(found[name], key=dumped) for name in sorted(found)}


def shown(kind: str, body: bytes) -> Any:
    """A request's body: JSON and forms as values, anything else as no more than that it is there."""
    if "form" in kind:
        return dict(parse_qsl(body.decode()))
    try:
        return json.loads(body, object_hook=unsized)
    except ValueError:
        return "(bytes)" if body else ""


def unsized(described: dict[str, Any]) -> dict[str, Any]:
    """An image's manifest without the sizes of its layers, which depend on the machine's zlib."""
    return {**described, "size": "(bytes)"} if "digest" in described else described
