"""Rebuild a lost stack.yaml from the account: settings and records, as far as they can be read."""

import contextlib
import sys
from collections.abc import Collection, Iterable, Mapping
from functools import partial

from provision import retries
from provision.clock import Clock
from provision.engine import inspector, inventory
from provision.engine.engine import Engine, account_and_region
from provision.engine.read_cache import cached_reads
from provision.errors import Cancelled, Denied, NoResponse, ProvisionError, UsageError
from provision.i18n import _
from provision.resources.base import Clients, identity_in
from provision.resources.certificate import Certificate
from provision.resources.cluster import Cluster
from provision.resources.collector import CollectorDefinition
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import Image
from provision.resources.load_balancer import LoadBalancer
from provision.resources.role import Role
from provision.resources.schedule import ScheduleGroup
from provision.resources.security_group import SecurityGroup
from provision.resources.service import Service
from provision.resources.target_group import TargetGroup
from provision.resources.task_definition import TaskDefinition
from provision.resources.vpc import Vpc
from provision.run import check_settings
from provision.stack import Secrets, Stack
from provision.state.stack_file import StackFile
from provision.ui.text import show
from provision.wizard import prompts
from provision.wizard.discovery import DiscoveredSettings

INDICATORS = (
    SecurityGroup,
    HostedZone,
    Certificate,
    Role,
    Cluster,
)  # every stack with any resources has one of these
# The resources that settings are read from.
SETTING_SOURCES = (
    Certificate,
    CollectorDefinition,
    HostedZone,
    LoadBalancer,
    Role,
    ScheduleGroup,
    SecurityGroup,
    Service,
    TargetGroup,
    TaskDefinition,
    Vpc,
)
NOT_RECOVERABLE = ("schedule.start", "service.capacity", "network.subnets")  # of a paused stack


def recover_if_empty(
    file: StackFile, clients: Clients, clock: Clock, set_keys: Collection[str]
) -> None:
    """Recover the records if the file has none and the account has the stack. Print a note about it.

    It sends one call if there is no such stack. Before a file is written, the stack has to be named, by the
    file with its domain or by --set, or a person has to confirm what was found (`_confirm`).

    set_keys: settings given with --set; they remain overrides, and the file gets the values from the account.
    Raise ProvisionError if the stack has another host, and so another stack.yaml. Raise UnknownState if AWS
    could not be read.
    """
    name = str(file.settings["name"])
    if file.records:
        return
    found = inventory.list_inventory(clients, clock, "", (SecurityGroup,), retries.MIN_TRIES)
    for error in found.unlisted.values():
        inspector.account(clients, clock)  # raises a clearer error for bad credentials
        raise error
    if name not in {tagged.stack for tagged in found.tagged}:
        return
    in_file = [key for key in file.settings if file.in_file(key)]
    settings_lost = file.settings["domain"] is None
    clients = cached_reads(clients)  # settings and records are read from the same responses
    discovered = discover(clients, clock, name)
    if not settings_lost:
        _check_same_stack(file, discovered)
    elif not file.read_only and "name" not in set_keys:
        _confirm(file, discovered)
    overrides = {key: file.overrides.pop(key) for key in set_keys if key in file.overrides}
    try:
        with contextlib.nullcontext() if file.read_only else file.locked():
            write_file(
                file,
                clients,
                clock,
                discovered,
                keep=file.overrides if settings_lost else (*in_file, *file.overrides),
            )
    finally:
        file.overrides.update(overrides)
    text = (
        _(
            "{path} has no records of the stack {name}, which exists in this account: it is shown as it is "
            "there. `provision recover` writes the file.",
            path=file.path,
            name=name,
        )
        if file.read_only
        else _(
            "{path} had no records of the stack {name}, which exists in this account: recovered.",
            path=file.path,
            name=name,
        )
    )
    show(text, sys.stderr)
    print_unknown(discovered)


def _confirm(file: StackFile, discovered: DiscoveredSettings) -> None:
    """Ask whether the stack that was found is meant: --yes answers only for one that was named.

    Raise Cancelled; UsageError without a terminal.
    """
    lacking = (
        _("{path} has neither records nor a domain", path=file.path)
        if file.path.exists()
        else _("{path} does not exist", path=file.path)
    )
    found = _(
        "{lacking}; this account has the stack {name} for {hosts} (resources: {count})",
        lacking=lacking,
        name=discovered.stack,
        count=len(discovered.tagged),
        hosts=", ".join(discovered.hosts) or _("no host"),
    )
    if not prompts.on_terminal():
        raise UsageError(
            _("Could not continue with {path}.", path=file.path),
            found,
            _(
                "If you mean that stack, run `provision recover` first: it writes the file. If not, name "
                "the right file with --stack FILE."
            ),
        )
    show(found, sys.stderr)
    if not prompts.confirm(_("Do you mean that stack?")):
        raise Cancelled(_("Cancelled. Nothing was changed."))


def print_unknown(discovered: DiscoveredSettings) -> None:
    """Print what could not be read, with the reason, on stderr."""
    for what, why in discovered.unknown.items():
        show(_("could not be looked at: {what}: {why}", what=what, why=why), sys.stderr)


def discover(clients: Clients, clock: Clock, stack: str) -> DiscoveredSettings:
    """Return the settings that the stack's tagged resources show.

    Raise NoResponse, and Denied if one of SETTING_SOURCES may not be listed: its settings would be taken for
    their defaults. Other kinds that cannot be listed at this endpoint or account are in `unknown`.
    """
    found = inventory.list_inventory(clients, clock, stack)
    sources = {kind.__name__ for kind in SETTING_SOURCES}
    for kind, error in found.unlisted.items():
        if isinstance(error, NoResponse) or (isinstance(error, Denied) and kind in sources):
            raise error
    discovered = DiscoveredSettings(found.tagged, clients, stack)
    discovered.unknown = {kind: error.why for kind, error in found.unlisted.items()}
    return discovered


def list_stacks(clients: Clients, clock: Clock, name: str = "") -> list[str]:
    """Return the names of the stacks in this account and region.

    Raise UnknownState if there is none, or none of that name, and a list could not be read.
    """
    inspector.account(clients, clock)
    found = inventory.list_inventory(clients, clock, "", INDICATORS)
    names = sorted({tagged.stack for tagged in found.tagged})
    if not names or (name and name not in names):
        for error in found.unlisted.values():
            raise error
    return names


def _check_same_stack(file: StackFile, discovered: DiscoveredSettings) -> None:
    """Raise ProvisionError if the file's domain and host are not those of the existing stack."""
    host, domain = file.settings["host"], file.settings["domain"]
    zone = discovered.first(HostedZone)
    if (
        not discovered.hosts
        or host in discovered.hosts
        or (zone and identity_in(zone.key) == domain)
    ):
        return
    raise ProvisionError(
        _("Could not continue with {path}.", path=file.path),
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


def write_file(
    file: StackFile,
    clients: Clients,
    clock: Clock,
    discovered: DiscoveredSettings,
    keep: Iterable[str] = (),
    sets: Mapping[str, str] | None = None,
) -> list[str]:
    """Write settings and records to the file in one write. Return the settings that could not be recovered.

    keep: settings not to overwrite. sets: settings that take precedence over those in the account.
    discovered: its `unknown` is set to what could not be read. Raise UsageError, and write nothing, if
    settings conflict.
    """
    sets = sets or {}
    read_only, file.read_only = file.read_only, True
    other = [] if discovered.first(TaskDefinition) else ["image.uri"]
    if not discovered.built_further():
        other += ["schedule.start", "schedule.stop", "news.feeds"]
    try:
        for key, value in sets.items():
            file.set(key, value)
        doing = _("Could not read the settings of the stack {name}.", name=discovered.stack)
        retries.call(partial(_settings, file, discovered, {*keep, *sets}), clock, doing)
        check_settings(file)
        if (
            file.settings["line.token"] == "stateless"
        ):  # the clients were made before that was known
            clients.line.issue_tokens(file.settings["line.channel_id"])
        if discovered.paused():
            file.mark_paused(True)
        missing = [key for key in file.settings if file.settings[key] is None]
        if missing:  # as after a teardown, which keeps the zone and the news
            file.made_in = account_and_region(clients, clock)
            for tagged in discovered.tagged:
                file.record(tagged.key, tagged.record())
        else:
            stack = Stack(file.settings, Secrets(), {}, file.path.parent)
            engine = Engine(stack.resources, file, clients, clock, lambda *event: None)
            engine.begin()
            discovered.unknown = engine.recover()
            file.sort([resource.key for resource in stack.resources])
            if isinstance(stack.image, Image) and discovered.built() not in (
                "",
                stack.image.inputs.tag,
            ):
                other = [
                    "image.base",
                    "image.files",
                ]  # or the image is of another version of provision
    finally:
        file.read_only = read_only
    file.save()
    not_recoverable = [key for key in NOT_RECOVERABLE if file.paused and not file.has_value(key)]
    return [*missing, *not_recoverable, *other]


def _settings(file: StackFile, discovered: DiscoveredSettings, kept: set[str]) -> None:
    for key, value in discovered.settings().items():
        if key not in kept or key == "name":  # the name identifies the stack
            file.set(key, value)
    host = file.settings["host"] if "host" in kept else discovered.host()
    if host and "domain" not in kept and (domain := discovered.domain(host)):
        file.set("domain", domain)
    if host and "host" not in kept and host != file.settings["domain"]:
        file.set("host", host)


def choose_stack(file: StackFile, clients: Clients, clock: Clock, named: bool) -> str:
    """Return the stack to recover: the named one, else the only one, else ask. Raise ProvisionError."""
    name = str(file.settings["name"])
    found = list_stacks(clients, clock, name if named else "")
    if named and name in found:
        return name
    if not found or named:
        raise ProvisionError(
            _(
                "Could not find the stack in this account, region {region}.",
                region=clients.aws.region,
            ),
            _("there is no stack named {name}", name=name) if named else _("there is none"),
            _("There are: {names}. Other regions: --set region=...", names=", ".join(found))
            if found
            else _("To look in another region: --set region=..."),
        )
    if len(found) > 1:
        if prompts.on_terminal():
            text = _("Which stack should be recovered?")
            return prompts.select(text, [(each, "") for each in found])
        raise UsageError(
            _("Could not choose the stack to recover."),
            _("there are several: {names}", names=", ".join(found)),
            _("Add --set name=..., with one of these."),
        )
    return found[0]
