"""Find external uses of the stack's resources before a deletion, and the resources kept because of them."""

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from provision import retries
from provision.clients import aws_errors
from provision.clock import Clock
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import Clients, ExternalUse, Resource, UsageCheck
from provision.state.stack_file import Record

CHECK_TRIES = 3  # per usage check; without a response the resource is kept
MAX_NAMES = 3  # of many things as many are named

ExternalUses = dict[str, list[ExternalUse]]


def uses(
    resources: Iterable[Resource], records: Mapping[str, Record], clients: Clients, clock: Clock
) -> ExternalUses:
    """Return the external uses of the resources that are recorded as `created` or `deleting`, by key.

    If a check fails, the result has an ExternalUse with `unknown` set.
    """
    texts = [[v for v in r.outputs.values() if isinstance(v, str)] for r in records.values()]
    ours = frozenset([value for some in texts for value in some] + [" ".join(t) for t in texts])
    states = {key: record.state for key, record in records.items()}
    created = [r for r in resources if states.get(r.key) in ("created", "deleting")]
    questions = {r.key: partial(_external_uses, r, records[r.key], clients, ours) for r in created}
    found, unanswered = retries.call_all(questions, clock)
    for key, why in unanswered.items():
        found[key] = [ExternalUse(retries.no_response(checking_uses(key), why).why, unknown=True)]
    uses_by_key = {r.key: [u for u in found[r.key] if isinstance(u, ExternalUse)] for r in created}
    for key, used in _run_usage_checks(found, clock):
        uses_by_key[key] += used
    return {key: used for key, used in uses_by_key.items() if used}


def unchecked(uses: ExternalUses) -> dict[str, str]:
    """Return by key why its external uses could not be checked."""
    return {key: use.description for key, used in uses.items() for use in used if use.unknown}


def _external_uses(
    resource: Resource, record: Record, clients: Clients, ours: frozenset[str]
) -> Sequence[ExternalUse | UsageCheck]:
    resource = copy.copy(resource)  # other threads may read the original
    resource.load_from_record(record.outputs)
    try:
        with aws_errors.reading(checking_uses(resource.key), not_found=resource.errors.not_found):
            return resource.external_uses(clients, ours)
    except aws_errors.NotFound:
        return []
    except ProvisionError as error:
        return [ExternalUse(error.why, unknown=True)]


def checking_uses(key: str) -> str:
    """Return the description of the check, for error messages."""
    return _("Could not check whether others use {key}.", key=key)


def _run_usage_checks(
    found: Mapping[str, Sequence[ExternalUse | UsageCheck]], clock: Clock
) -> Iterator[tuple[str, list[ExternalUse]]]:
    """Run the usage checks. Yield the key and the uses found; without a response, an unknown use."""
    questions = {
        (key, check.where): partial(_run_usage_check, check)
        for key, used in found.items()
        for check in used
        if isinstance(check, UsageCheck)
    }
    answers, unanswered = retries.call_all(questions, clock, CHECK_TRIES)
    for (key, _where), used in answers.items():
        yield key, used
    for (key, where), why in unanswered.items():
        yield key, [ExternalUse(f"{where}: {why.reason}", unknown=True)]


def _run_usage_check(check: UsageCheck) -> list[ExternalUse]:
    """Return the uses that a check finds; an unknown use if AWS refuses it. Raise Pending."""
    try:
        with aws_errors.reading(check.where):
            return check.find()
    except ProvisionError as error:
        return [ExternalUse(f"{check.where}: {error.why}", unknown=True)]


def retained(
    uses: ExternalUses, resources: list[Resource], contents: Collection[str] = ()
) -> dict[str, str]:
    """Return the keys to keep, with the reason: resources in external use, and their dependencies.

    contents: keys of resources to delete together with contents that provision did not create.
    """
    stays = {
        key: explain(used)
        for key, used in uses.items()
        if key not in contents or not all(use.content for use in used)
    }
    by_key = {resource.key: resource for resource in resources}
    queue = list(stays)
    while queue:
        key = queue.pop()
        if key not in by_key:
            continue
        resource = by_key[key]
        retained_with = [r for r in resources if _retained_with(r) is resource]
        for other in (*resource.needs(), *retained_with):
            if other.key not in stays:
                stays[other.key] = _("{key}, which stays, depends on it", key=key)
                queue.append(other.key)
    return stays


def _retained_with(resource: Resource) -> Resource | None:
    """Return the dependency that decides whether this resource is kept, if any."""
    name = resource.deletion.retained_with
    return getattr(resource, name) if name else None


def explain(used: list[ExternalUse]) -> str:
    """Return a sentence that names the external uses and what to do."""
    used = [use for use in used if not use.unknown] or used
    names = ", ".join(use.description for use in used[:MAX_NAMES])
    if more := len(used) - MAX_NAMES:
        names = names if more < 0 else _("{names} and {count} more", names=names, count=more)
    if all(use.content for use in used):
        return _(
            "it has what provision did not create: {names}; --contents deletes that too",
            names=names,
        )
    if all(use.unknown for use in used):
        return _(
            "could not check whether others use it: {names}; run the same command again later",
            names=names,
        )
    return _(
        "others use it: {names}; when they no longer do, run the same command again", names=names
    )
