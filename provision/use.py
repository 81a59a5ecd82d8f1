"""What others have to do with things of ours: looked for before the first delete, and what stays for it."""

import copy
from collections.abc import Collection, Iterable, Mapping
from functools import partial

from provision import aws
from provision.clock import Clock
from provision.errors import Refusal
from provision.look import answers
from provision.resource import Doors, Resource, Use
from provision.stackfile import Record
from provision.words import _

SHOWN = 3  # of many things as many are named

Uses = dict[str, list[Use]]


def uses(
    resources: Iterable[Resource], records: Mapping[str, Record], doors: Doors, clock: Clock
) -> Uses:
    """By key, what others have to do with those of these resources that are ours. Raises Refusal.

    Not of those that are recorded as about to be made: nothing is known of them yet, to others neither.
    """
    texts = [[v for v in r.outputs.values() if isinstance(v, str)] for r in records.values()]
    ours = frozenset([value for some in texts for value in some] + [" ".join(t) for t in texts])
    states = {key: record.state for key, record in records.items()}
    left = [r for r in resources if states.get(r.key) in ("created", "deleting")]
    asked = {r.key: partial(_used, r, records[r.key], doors, ours) for r in left}
    found, silent = answers(asked, clock)
    for key, why in silent.items():
        raise Refusal(
            _("Looking whether others use {key}.", key=key),
            why.reason,
            _("Run the same command again in a moment."),
        )
    return {resource.key: found[resource.key] for resource in left if found[resource.key]}


def _used(resource: Resource, record: Record, doors: Doors, ours: frozenset[str]) -> list[Use]:
    resource = copy.copy(resource)  # others may be looking at it meanwhile
    resource.recall(record.outputs)
    try:
        doing = _("Looking whether others use {key}.", key=resource.key)
        with aws.understood(doing, absent=resource.absent):
            return resource.used_by(doors, ours)
    except aws.Absent:
        return []


def spared(uses: Uses, resources: list[Resource], contents: Collection[str] = ()) -> dict[str, str]:
    """What stays, and why: what others use, and what rests below it.

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
        beside = [r for r in resources if r.goes_with and getattr(r, r.goes_with, None) is staying]
        for other in (*staying.needs(), *beside):
            if other.key not in stays:
                stays[other.key] = _("{key}, which stays, rests on it", key=key)
                new.append(other.key)
    return stays


def told(used: list[Use]) -> str:
    """What others have to do with a thing, and what can be done."""
    names = ", ".join(use.told for use in used[:SHOWN])
    if more := len(used) - SHOWN:
        names = names if more < 0 else _("{names} and {count} more", names=names, count=more)
    if all(use.content for use in used):
        return _("it holds what is not ours: {names}; --contents takes that too", names=names)
    return _(
        "others use it: {names}; when they no longer do, run the same command again", names=names
    )
