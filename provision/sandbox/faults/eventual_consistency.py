"""Eventual consistency: new resources that a service's servers do not know yet."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jmespath

from provision.sandbox.aws import responses
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.responses import Response


@dataclass(frozen=True)
class NewResource:
    """One kind of resource that a create call creates.

    `ids` is a jmespath to its ids in {"params", "answer"} of that call; `parameters` is a regular expression
    for the "Operation.Member" of parameters that contain an id; `list_member` is the member of list entries
    that does. A call that names the resource gets the error `code`, `message` (with the id) and `status`.
    """

    ids: str
    parameters: str
    list_member: str
    code: str
    message: str
    status: int = 400

    def identities(self, params: dict[str, Any], answer: dict[str, Any]) -> frozenset[str]:
        """Return the ids of what this create call created."""
        found = jmespath.search(self.ids, {"params": params, "answer": answer})
        return frozenset(map(_without_path, found if isinstance(found, list) else [found]))

    def error_for(self, call: Call, ids: frozenset[str]) -> AwsError | None:
        """Return the error of a call that names one of these ids, else None."""
        for member, value in _strings(call.params, ""):
            if value in ids and re.fullmatch(self.parameters, f"{call.operation}.{member}"):
                return AwsError(self.code, self.message.format(value), self.status)
        return None

    def hide(self, answer: dict[str, Any], ids: frozenset[str]) -> bool:
        """Remove these ids from the answer's lists; return whether there were any."""
        hidden = False
        for name, entries in answer.items():
            if isinstance(entries, list):
                remaining = [entry for entry in entries if self._identity(entry) not in ids]
                hidden = hidden or len(remaining) < len(entries)
                answer[name] = remaining
        return hidden

    def _identity(self, entry: Any) -> Any:
        return _without_path(entry.get(self.list_member) if isinstance(entry, dict) else entry)


def _without_path(identity: Any) -> Any:
    """Return the id without Route 53's path prefix."""
    return identity.rpartition("/hostedzone/")[2] if isinstance(identity, str) else identity


def _strings(value: Any, member: str) -> Iterator[tuple[str, str]]:
    """Yield every string in the parameters, with its member's name.

    Filters and tags are left out: a filter that matches nothing is no error.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("Filters", "Tags", "tags", "TagSpecifications"):
                yield from _strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, member)
    elif isinstance(value, str):
        yield member, _without_path(value)


def stale_response(
    call: Call, current: Response, hidden: list[tuple[NewResource, frozenset[str]]]
) -> Response:
    """Return the response of a server that does not know these resources yet. Raises AwsError."""
    for kind, ids in hidden:
        if error := kind.error_for(call, ids):
            raise error
    if not hidden or current[0] >= 300:
        return current
    answer: dict[str, Any] = responses.read(call, current)
    hidden_ids = [ids for kind, ids in hidden if kind.hide(answer, ids)]
    if not hidden_ids:
        return current
    if call.service == "ecs" and "failures" in answer:
        arns = [name for ids in hidden_ids for name in ids if name.startswith("arn:")]
        answer["failures"] += [{"arn": arn, "reason": "MISSING"} for arn in arns]
    return responses.write(call, answer)
