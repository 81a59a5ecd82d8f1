"""A lost stack.yaml, written anew from the account: settings and records, as far as they can be told."""

import contextlib
import sys
from collections.abc import Iterable

from provision import account, questions
from provision.clock import Clock
from provision.engine import Engine
from provision.errors import Refusal, Usage
from provision.look import TRIES
from provision.once import once
from provision.resource import Doors, Resource
from provision.resources.certificate import Certificate
from provision.resources.cluster import Cluster
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import Image
from provision.resources.role import Role
from provision.resources.security_group import SecurityGroup
from provision.stack import Secrets, Stack
from provision.stackfile import StackFile
from provision.traces import Traces
from provision.words import _

EARLY = (
    SecurityGroup,
    HostedZone,
    Certificate,
    Role,
    Cluster,
)  # a stack has one of these, or nothing
UNTOLD = ("schedule.start", "service.capacity", "network.subnets")  # of a paused stack


def by_itself(file: StackFile, doors: Doors, clock: Clock, given: Iterable[str]) -> None:
    """Where the file has no records and the account has the stack: recovers them, and says so.

    One call where there is no such stack. given: settings that were just said. Raises Refusal where that
    stack answers on another host: its stack.yaml lies elsewhere.
    """
    name = str(file.settings["name"])
    if file.records or name not in stacks(doors, clock, (SecurityGroup,), tries=1):
        return
    told = [key for key in file.settings if file.stands(key)]
    lost = file.settings["domain"] is None
    doors = once(doors)  # the settings and the records are told from one list
    traces = Traces(account.holdings(doors, clock, name).held, doors, name)
    if not lost:
        _same(file, traces)
    with contextlib.nullcontext() if file.on_trial else file.locked():
        write(file, doors, clock, traces, keep=given if lost else (*told, *given))
    print(
        _(
            "{path} had no records of the stack {name}, which stands in this account: recovered.",
            path=file.path,
            name=name,
        ),
        file=sys.stderr,
    )


def stacks(
    doors: Doors,
    clock: Clock,
    kinds: tuple[type[Resource], ...] = EARLY,
    tries: int = TRIES,
) -> list[str]:
    """The stacks of this account and region, by these kinds of things."""
    found = account.holdings(doors, clock, "", kinds, tries)
    return sorted({held.stack for held in found.held})


def _same(file: StackFile, traces: Traces) -> None:
    """That the file means the stack that stands. Raises Refusal."""
    host, domain = file.settings["host"], file.settings["domain"]
    zone = traces.lines.get("zone")
    if not traces.hosts or host in traces.hosts or (zone and zone.key == f"zone/{domain}"):
        return
    raise Refusal(
        _("Reading {path}.", path=file.path),
        _(
            "it has no records, and this account has a stack {name} already, for {hosts}",
            name=traces.stack,
            hosts=", ".join(traces.hosts),
        ),
        _(
            "If that is another bot of yours, choose another `name`. If it is this one, write its `host` "
            "into the file, or run `provision recover` with a file of another name (--stack)."
        ),
    )


def write(
    file: StackFile, doors: Doors, clock: Clock, traces: Traces, keep: Iterable[str] = ()
) -> list[str]:
    """Settings and records into the file, at once. keep: settings that stay. Returns what stays open."""
    looks, file.on_trial = file.on_trial, True
    other = [] if "task_definition" in traces.lines else ["image.uri"]
    try:
        _settings(file, traces, set(keep))
        if traces.paused():
            file.mark_paused(True)
        open_ones = [key for key in file.settings if file.settings[key] is None]
        if not open_ones:
            stack = Stack(file.settings, Secrets(), {}, file.path.parent)
            engine = Engine(stack.resources, file, doors, clock, lambda *event: None)
            engine.begin()
            engine.recover()
            file.sort([resource.key for resource in stack.resources])
            if isinstance(stack.image, Image) and traces.built() not in (
                "",
                stack.image.inputs.tag,
            ):
                other = ["image.base", "image.files"]  # or another version of this tool
    finally:
        file.on_trial = looks
    file.save()
    untold = [key for key in UNTOLD if file.paused and not file.stands(key)]
    return [*open_ones, *untold, *other]


def _settings(file: StackFile, traces: Traces, kept: set[str]) -> None:
    for key, value in traces.settings().items():
        if key not in kept:
            file.answer(key, value)
    host = file.settings["host"] if "host" in kept else traces.host()
    if host and "domain" not in kept and (domain := traces.domain(host)):
        file.answer("domain", domain)
    if host and "host" not in kept and host != file.settings["domain"]:
        file.answer("host", host)


def which(file: StackFile, doors: Doors, clock: Clock, named: bool) -> str:
    """The stack to recover: the one that is named, else the only one there is. Raises Usage or Refusal."""
    name, found = str(file.settings["name"]), stacks(doors, clock)
    if named and name in found:
        return name
    if not found or named:
        raise Refusal(
            _("Looking for stacks in this account, region {region}.", region=doors.aws.region),
            _("there is none of the name {name}", name=name) if named else _("there is none"),
            _(
                "There are: {names}. Other regions: --set region=...",
                names=", ".join(found) or _("none"),
            ),
        )
    if len(found) > 1:
        if questions.on_terminal():
            text = _("Which stack shall be recovered?")
            return questions.chosen(text, [(each, "") for each in found])
        raise Usage(
            _("Choosing the stack to recover."),
            _("there are several: {names}", names=", ".join(found)),
            _("Add --set name=..., with one of these."),
        )
    return found[0]
