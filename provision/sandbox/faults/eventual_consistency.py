"""New resources that not all of a service's servers know yet."""

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
    """One kind of thing that a create call makes.

    `ids` finds its identities in {"params", "answer"} of that call (jmespath); `named_by` matches
    "Operation.Member" where a parameter names it (regular expression); `shown` is the member of a
    list's entries that does. Who names it hears `code`, `words` (with its id) and `status`.
    """

    ids: str
    named_by: str
    shown: str
    code: str
    words: str
    status: int = 400

    def identities(self, params: dict[str, Any], answer: dict[str, Any]) -> frozenset[str]:
        """Return the identities of what this create call made."""
        found = jmespath.search(self.ids, {"params": params, "answer": answer})
        return frozenset(map(_bare, found if isinstance(found, list) else [found]))

    def refusal(self, call: Call, ids: frozenset[str]) -> AwsError | None:
        """Return the error of a call that names one of these; None when it names none."""
        for member, value in _texts(call.params, ""):
            if value in ids and re.fullmatch(self.named_by, f"{call.operation}.{member}"):
                return AwsError(self.code, self.words.format(value), self.status)
        return None

    def hide(self, answer: dict[str, Any], ids: frozenset[str]) -> bool:
        """Remove these from the answer's lists; True if there were any."""
        hidden = False
        for name, entries in answer.items():
            if isinstance(entries, list):
                left = [entry for entry in entries if self._identity(entry) not in ids]
                hidden = hidden or len(left) < len(entries)
                answer[name] = left
        return hidden

    def _identity(self, entry: Any) -> Any:
        return _bare(entry.get(self.shown) if isinstance(entry, dict) else entry)


def _bare(identity: Any) -> Any:
    """Return the id without the path that Route 53 puts before it."""
    return identity.rpartition("/hostedzone/")[2] if isinstance(identity, str) else identity


def _texts(value: Any, member: str) -> Iterator[tuple[str, str]]:
    """Yield every text in the parameters, with the member it stands in.

    Not those in filters: one that matches nothing is no error.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("Filters", "Tags", "tags", "TagSpecifications"):
                yield from _texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, member)
    elif isinstance(value, str):
        yield member, _bare(value)


def before(call: Call, now: Response, hidden: list[tuple[NewResource, frozenset[str]]]) -> Response:
    """Return the answer of a server that does not know these resources yet; raise AwsError likewise."""
    for kind, ids in hidden:
        if refusal := kind.refusal(call, ids):
            raise refusal
    if not hidden or now[0] >= 300:
        return now
    answer: dict[str, Any] = responses.read(call, now)
    missed = [ids for kind, ids in hidden if kind.hide(answer, ids)]
    if not missed:
        return now
    if call.service == "ecs" and "failures" in answer:
        arns = [name for ids in missed for name in ids if name.startswith("arn:")]
        answer["failures"] += [{"arn": arn, "reason": "MISSING"} for arn in arns]
    return responses.write(call, answer)
