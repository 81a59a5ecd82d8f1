"""A lost stack.yaml, written anew from the account: settings and records, as far as they can be told."""

import contextlib
import sys
from collections.abc import Iterable, Mapping
from functools import partial

from provision.clock import Clock
from provision.engine import inspector, inventory
from provision.engine.engine import Engine
from provision.engine.read_cache import cached_reads
from provision.errors import NoResponse, ProvisionError, UsageError
from provision.i18n import _
from provision.resources.base import Clients, identity_in
from provision.resources.certificate import Certificate
from provision.resources.cluster import Cluster
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import Image
from provision.resources.role import Role
from provision.resources.security_group import SecurityGroup
from provision.resources.task_definition import TaskDefinition
from provision.stack import Secrets, Stack
from provision.state.stack_file import StackFile
from provision.wizard import prompts
from provision.wizard.discovery import DiscoveredSettings

EARLY = (
    SecurityGroup,
    HostedZone,
    Certificate,
    Role,
    Cluster,
)  # a stack has one of these, or nothing
UNTOLD = ("schedule.start", "service.capacity", "network.subnets")  # of a paused stack


def recover_if_empty(file: StackFile, clients: Clients, clock: Clock, given: Iterable[str]) -> None:
    """Recover the records where the file has none and the account has the stack, and say so.

    One call where there is no such stack. given: settings that --set names: they stay on trial, and the
    file gets what stands. Raises ProvisionError where that stack answers on another host: its stack.yaml lies
    elsewhere. Raises Unknown where AWS could not be asked.
    """
    name = str(file.settings["name"])
    if file.records:
        return
    found = inventory.list_inventory(clients, clock, "", (SecurityGroup,), inspector.MIN_TRIES)
    for refusal in found.unlisted.values():
        inspector.account(clients, clock)  # where nobody is signed in or there, this says it better
        raise refusal
    if name not in {tagged.stack for tagged in found.tagged}:
        return
    told = [key for key in file.settings if file.in_file(key)]
    lost = file.settings["domain"] is None
    clients = cached_reads(clients)  # the settings and the records are told from one list
    discovered = DiscoveredSettings(tagged(clients, clock, name), clients, name)
    if not lost:
        _same(file, discovered)
    said = {key: file.overrides.pop(key) for key in given if key in file.overrides}
    try:
        with contextlib.nullcontext() if file.read_only else file.locked():
            write(
                file,
                clients,
                clock,
                discovered,
                keep=file.overrides if lost else (*told, *file.overrides),
            )
    finally:
        file.overrides.update(said)
    print(
        _(
            "{path} had no records of the stack {name}, which exists in this account: recovered.",
            path=file.path,
            name=name,
        ),
        file=sys.stderr,
    )
    tell(discovered)


def tell(discovered: DiscoveredSettings) -> None:
    """Say on stderr what could not be looked at, with the reason."""
    for what, why in discovered.unknown.items():
        print(_("could not be looked at: {what}: {why}", what=what, why=why), file=sys.stderr)


def tagged(clients: Clients, clock: Clock, stack: str) -> list[inventory.TaggedResource]:
    """Return what carries the stack's tags. Raise NoResponse where a list was not answered.

    A kind that this endpoint or account does not list is left out; the engine says so.
    """
    found = inventory.list_inventory(clients, clock, stack)
    for refusal in found.unlisted.values():
        if isinstance(refusal, NoResponse):
            raise refusal
    return found.tagged


def stacks(clients: Clients, clock: Clock, name: str = "") -> list[str]:
    """Return the stacks of this account and region.

    Raises Unknown where there is none, or none of that name, and not every list could be read.
    """
    inspector.account(clients, clock)
    found = inventory.list_inventory(clients, clock, "", EARLY)
    names = sorted({tagged.stack for tagged in found.tagged})
    if not names or (name and name not in names):
        for refusal in found.unlisted.values():
            raise refusal
    return names


def _same(file: StackFile, discovered: DiscoveredSettings) -> None:
    """Raise ProvisionError where the file means another stack than the one that exists."""
    host, domain = file.settings["host"], file.settings["domain"]
    zone = discovered.first(HostedZone)
    if (
        not discovered.hosts
        or host in discovered.hosts
        or (zone and identity_in(zone.key) == domain)
    ):
        return
    raise ProvisionError(
        _("Reading {path}.", path=file.path),
        _(
            "it has no records, and this account has a stack {name} already, for {hosts}",
            name=discovered.stack,
            hosts=", ".join(discovered.hosts),
        ),
        _(
            "If that is another bot of yours, choose another `name`. If it is this one, write its `host` "
            "into the file, or run `provision recover` with a file of another name (--stack)."
        ),
    )


def write(
    file: StackFile,
    clients: Clients,
    clock: Clock,
    discovered: DiscoveredSettings,
    keep: Iterable[str] = (),
    sets: Mapping[str, str] | None = None,
) -> list[str]:
    """Write settings and records into the file, at once. Return the settings that stay open.

    keep: settings that stay. sets: settings that go into the file whatever stands in the account. discovered:
    what could not be looked at is noted there.
    """
    sets = sets or {}
    looks, file.read_only = file.read_only, True
    other = [] if discovered.first(TaskDefinition) else ["image.uri"]
    try:
        for key, value in sets.items():
            file.set(key, value)
        doing = _("Reading the settings of the stack {name}.", name=discovered.stack)
        inspector.call_with_retries(
            partial(_settings, file, discovered, {*keep, *sets}), clock, doing
        )
        if discovered.paused():
            file.mark_paused(True)
        open_ones = [key for key in file.settings if file.settings[key] is None]
        if not open_ones:
            stack = Stack(file.settings, Secrets(), {}, file.path.parent)
            engine = Engine(stack.resources, file, clients, clock, lambda *event: None)
            engine.begin()
            discovered.unknown = engine.recover()
            file.sort([resource.key for resource in stack.resources])
            if isinstance(stack.image, Image) and discovered.built() not in (
                "",
                stack.image.inputs.tag,
            ):
                other = ["image.base", "image.files"]  # or another version of this tool
    finally:
        file.read_only = looks
    file.save()
    untold = [key for key in UNTOLD if file.paused and not file.has_value(key)]
    return [*open_ones, *untold, *other]


def _settings(file: StackFile, discovered: DiscoveredSettings, kept: set[str]) -> None:
    for key, value in discovered.settings().items():
        if key not in kept or key == "name":  # the name is what tells the stack
            file.set(key, value)
    host = file.settings["host"] if "host" in kept else discovered.host()
    if host and "domain" not in kept and (domain := discovered.domain(host)):
        file.set("domain", domain)
    if host and "host" not in kept and host != file.settings["domain"]:
        file.set("host", host)


def which(file: StackFile, clients: Clients, clock: Clock, named: bool) -> str:
    """Return the stack to recover: the one that is named, else the only one. Raise ProvisionError."""
    name = str(file.settings["name"])
    found = stacks(clients, clock, name if named else "")
    if named and name in found:
        return name
    if not found or named:
        raise ProvisionError(
            _("Looking for stacks in this account, region {region}.", region=clients.aws.region),
            _("there is no stack named {name}", name=name) if named else _("there is none"),
            _(
                "There are: {names}. Other regions: --set region=...",
                names=", ".join(found) or _("none"),
            ),
        )
    if len(found) > 1:
        if prompts.on_terminal():
            text = _("Which stack should be recovered?")
            return prompts.chosen(text, [(each, "") for each in found])
        raise UsageError(
            _("Choosing the stack to recover."),
            _("there are several: {names}", names=", ".join(found)),
            _("Add --set name=..., with one of these."),
        )
    return found[0]
