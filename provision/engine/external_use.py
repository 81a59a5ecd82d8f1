"""Find external uses of our resources before the first deletion, and what stays because of them."""

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from provision.clients import aws
from provision.clock import Clock
from provision.engine.inspector import ask_all, unanswered
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import Clients, ExternalUse, Resource, UsageCheck
from provision.state.stack_file import Record

CHECK_TRIES = 3  # of a usage check; what it is about then stays
SHOWN = 3  # of many things as many are named

ExternalUses = dict[str, list[ExternalUse]]


def uses(
    resources: Iterable[Resource], records: Mapping[str, Record], clients: Clients, clock: Clock
) -> ExternalUses:
    """Return by key what others use of those of these resources that are ours.

    Where that could not be looked at, one Use of it is `unknown`. Not of those that are recorded as about to
    be made: nothing is known of them yet, to others neither.
    """
    texts = [[v for v in r.outputs.values() if isinstance(v, str)] for r in records.values()]
    ours = frozenset([value for some in texts for value in some] + [" ".join(t) for t in texts])
    states = {key: record.state for key, record in records.items()}
    left = [r for r in resources if states.get(r.key) in ("created", "deleting")]
    asked = {r.key: partial(_used, r, records[r.key], clients, ours) for r in left}
    found, silent = ask_all(asked, clock)
    for key, why in silent.items():
        found[key] = [ExternalUse(unanswered(checking_uses(key), why).why, unknown=True)]
    every = {r.key: [u for u in found[r.key] if isinstance(u, ExternalUse)] for r in left}
    for key, used in _checked(found, clock):
        every[key] += used
    return {key: used for key, used in every.items() if used}


def unchecked(uses: ExternalUses) -> dict[str, str]:
    """Return by key why its external uses could not be checked."""
    return {key: use.told for key, used in uses.items() for use in used if use.unknown}


def _used(
    resource: Resource, record: Record, clients: Clients, ours: frozenset[str]
) -> Sequence[ExternalUse | UsageCheck]:
    resource = copy.copy(resource)  # others may be looking at it meanwhile
    resource.load_from_record(record.outputs)
    try:
        with aws.reading(checking_uses(resource.key), not_found=resource.errors.not_found):
            return resource.external_uses(clients, ours)
    except aws.NotFound:
        return []
    except ProvisionError as refusal:
        return [ExternalUse(refusal.why, unknown=True)]


def checking_uses(key: str) -> str:
    """Return what is being done where others' use of a thing is looked for."""
    return _("Could not check whether others use {key}.", key=key)


def _checked(
    found: Mapping[str, Sequence[ExternalUse | UsageCheck]], clock: Clock
) -> Iterator[tuple[str, list[ExternalUse]]]:
    """Yield what the resources' usage checks find, with its key; what stays unanswered as unknown."""
    asked = {
        (key, check.where): partial(_answer, check)
        for key, used in found.items()
        for check in used
        if isinstance(check, UsageCheck)
    }
    answers, silent = ask_all(asked, clock, CHECK_TRIES)
    for (key, _where), used in answers.items():
        yield key, used
    for (key, where), why in silent.items():
        yield key, [ExternalUse(f"{where}: {why.reason}", unknown=True)]


def _answer(check: UsageCheck) -> list[ExternalUse]:
    """Return what a check finds; an unknown use where it is refused. Raise Pending."""
    try:
        with aws.reading(check.where):
            return check.find()
    except ProvisionError as refusal:
        return [ExternalUse(f"{check.where}: {refusal.why}", unknown=True)]


def retained(
    uses: ExternalUses, resources: list[Resource], contents: Collection[str] = ()
) -> dict[str, str]:
    """Return what stays, with the reason: what others use, and what that depends on.

    contents: keys of those that go with what others put into them.
    """
    stays = {
        key: told(used)
        for key, used in uses.items()
        if key not in contents or not all(use.content for use in used)
    }
    by_key = {resource.key: resource for resource in resources}
    new = list(stays)
    while new:
        key = new.pop()
        if key not in by_key:
            continue
        staying = by_key[key]
        beside = [r for r in resources if _retained_with(r) is staying]
        for other in (*staying.needs(), *beside):
            if other.key not in stays:
                stays[other.key] = _("{key}, which stays, depends on it", key=key)
                new.append(other.key)
    return stays


def _retained_with(resource: Resource) -> Resource | None:
    """Return the dependency with which it stays, if any."""
    name = resource.deletion.retained_with
    return getattr(resource, name) if name else None


def told(used: list[ExternalUse]) -> str:
    """Return a sentence about what others use, and what can be done."""
    used = [use for use in used if not use.unknown] or used
    names = ", ".join(use.told for use in used[:SHOWN])
    if more := len(used) - SHOWN:
        names = names if more < 0 else _("{names} and {count} more", names=names, count=more)
    if all(use.content for use in used):
        return _(
            "it contains things that provision did not create: {names}; --contents deletes them too",
            names=names,
        )
    if all(use.unknown for use in used):
        return _(
            "whether others use it is not known: {names}; when that can be asked, run the same command again",
            names=names,
        )
    return _(
        "others use it: {names}; when they no longer do, run the same command again", names=names
    )
