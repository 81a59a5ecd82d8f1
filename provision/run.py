"""The context of one invocation: options, stack file, stack and clients."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from provision import environment
from provision.clients import aws as aws_client
from provision.clients import registry
from provision.clients.aws import Aws
from provision.clients.dns import Dns, DnsError
from provision.clients.http import require_https
from provision.clients.line import CONSOLE, Line, LineError
from provision.clock import Clock
from provision.engine import record_validation
from provision.engine.engine import Engine
from provision.engine.inspector import Observation
from provision.errors import UsageError
from provision.i18n import _
from provision.pricing import Prices, prices
from provision.resources.base import Clients, Resource
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import Image
from provision.resources.parameter import Parameter, read_secret
from provision.settings import BY_KEY, use_instead
from provision.stack import Secrets, Stack
from provision.state.stack_file import StackFile
from provision.ui import registrar
from provision.ui.names import name_of
from provision.ui.progress import Progress
from provision.ui.text import show

# The environment variables that hold LINE's secrets.
VARIABLES = {
    "access_token": "LINE_CHANNEL_ACCESS_TOKEN",
    "channel_secret": "LINE_CHANNEL_SECRET",
}


@dataclass
class Options:
    """The options that all commands have."""

    stack: str = ""
    sandbox: bool = False
    yes: bool = False
    verbose: bool = False
    sets: tuple[str, ...] = ()
    profile: str = ""
    printed: set[str] = field(default_factory=set)  # notes, each printed once in a command

    def note(self, text: str) -> None:
        """Print a note on stderr, unless this command has printed it."""
        if text not in self.printed:
            self.printed.add(text)
            show(text, sys.stderr)

    def flags(self) -> str:
        """Return the options that say which stack is meant, as they are typed."""
        stack = f"--stack {shlex.quote(self.stack)}" if self.stack else ""
        profile = f"--profile {shlex.quote(self.profile)}" if self.profile else ""
        return " ".join(filter(None, ("--sandbox" if self.sandbox else "", stack, profile)))


@dataclass
class Run:
    """The context of one invocation.

    sandbox: the addresses of the sandbox in use, {} without one. enters_name_servers: at its registrar, for
    the person.
    """

    options: Options
    file: StackFile
    stack: Stack
    clients: Clients
    clock: Clock
    sandbox: Mapping[str, str] = field(default_factory=dict)
    observations: dict[str, Observation] = field(default_factory=dict)
    enters_name_servers: bool = False

    def engine(self, progress: Progress) -> Engine:
        """Return an engine that reports to this progress and prints the name servers of a new zone."""
        image = self.stack.image
        if isinstance(image, Image):
            self.clients.registries.report = lambda message: progress.report(
                "creating", image, message
            )

        def report(event: str, resource: Resource, detail: str) -> None:
            progress.report(event, resource, detail)
            if event == "done" and isinstance(resource, HostedZone):
                self._name_servers(resource, progress)

        return Engine(self.stack.resources, self.file, self.clients, self.clock, report)

    def is_adopted(self, resource: Resource) -> bool:
        """Return whether it is adopted, or would be: it existed before and is used unchanged."""
        observation = self.observations.get(resource.key)
        record = self.file.records.get(resource.key)
        there_first = observation is not None and observation.verdict == "adopt"
        return there_first or (record is not None and record.state == "adopted")

    @property
    def prices(self) -> Prices:
        """Return the prices of the stack's region."""
        return prices(self.file.settings["region"])

    def monthly(self) -> dict[str, float]:
        """Return what each resource costs a month in USD, by key; an adopted one is not the stack's cost."""
        return {
            resource.key: 0.0 if self.is_adopted(resource) else resource.costs(self.prices)
            for resource in self.stack.resources
        }

    def secret_value(self, parameter: Parameter) -> str:
        """Return this run's secret, else the parameter's value. Raise as `read_secret`."""
        if parameter.secret and (parameter.consented or not self.is_adopted(parameter)):
            return parameter.secret
        return read_secret(self.clients.aws, parameter.name)

    def half_rotated(self) -> list[Parameter]:
        """Return the parameters whose value an interrupted `secrets rotate` has kept in a copy."""
        return [each for each in self.stack.line_secrets if each.copy().key in self.file.records]

    def label(self, key: str) -> str:
        """Return what a person calls the resource with this key; with --verbose the key."""
        return key if self.options.verbose else name_of(key)

    def chat_link(self, basic_id: str) -> str:
        """Return where to talk to the bot: LINE's link to add it as a friend, or the sandbox's chat page."""
        return self.sandbox["page"] if self.sandbox else f"https://line.me/R/ti/p/{basic_id}"

    def save_sets(self) -> None:
        """Write the values of --set to the file. Call it after the person has confirmed the run."""
        set_all(self.file, self.options.sets, save=True)

    def line_channel(self) -> str:
        """Return the id of the channel of token and secret; "" if unknown. Raise LineError if they differ."""
        line = self.clients.line
        channel = line.channel()
        if not self.stack.access_token:  # LINE has issued one for the channel and its secret
            return channel
        same = None
        if channel:
            secret = self.secret_value(self.stack.channel_secret)
            same = line.has_secret(channel, secret)
        if same is False:
            raise LineError(
                401,
                _("The channel secret and the access token could not be verified."),
                _(
                    "the access token is channel {channel}'s, and the secret is not",
                    channel=channel,
                ),
                _(
                    "Take the channel secret from the same channel: {console}, tab Basic settings.",
                    console=CONSOLE,
                ),
            )
        return channel if same else ""

    def _name_servers(self, zone: HostedZone, progress: Progress) -> None:
        """Print the name servers unless the domain is delegated; on the sandbox with --yes enter them."""
        delegation, dns = self.observations.get(self.stack.delegation.key), self.clients.dns
        if delegation and not delegation.waiting:
            return
        with suppress(DnsError):  # no server answers
            if signers := dns.signers(zone.domain):
                progress.print_message(registrar.warning(zone, signers))
        if self.enters_name_servers:
            environment.enter_name_servers(self.sandbox, zone.domain, zone.name_servers)
            progress.print_message(registrar.entered(zone))
            return
        parent = dns.zone_above(zone.domain)
        progress.print_message(registrar.instruction(zone, parent))
        page = environment.page_view(self.sandbox, "registrar") if self.sandbox else ""
        guide = "" if self.sandbox or parent else registrar.guide()
        reminder = registrar.reminder(zone, self.stack.region, page)
        progress.pin(self.stack.delegation.key, reminder, guide)


def open_stack(options: Options) -> tuple[StackFile, Mapping[str, str]]:
    """Return the stack file with the values of --set (not saved), and the sandbox's addresses."""
    given = _secrets()
    sandbox = environment.enter_sandbox() if options.sandbox else {}
    for name in ("access_token", "channel_secret") if sandbox else ():
        if getattr(given, name) not in ("", sandbox[name]):
            text = _(
                "The sandbox's LINE has its own secrets: {name} is not used.",
                name=VARIABLES[name],
            )
            options.note(text)
    file = StackFile(file_of(options))
    if sandbox:
        environment.show_stack(sandbox, file.path)
    if sandbox and file.enter_sandbox(sandbox["id"]):
        show(
            _(
                "{path} has records of a sandbox that has ended: they are ignored, its settings are kept.",
                path=file.path,
            ),
            sys.stderr,
        )
    record_validation.check(file)
    set_all(file, options.sets, save=False)
    if sandbox.get("news") and not file.has_value("news.feeds"):
        # The sandbox's feed server has another port in each run, so do not save it.
        file.set("news.feeds", [sandbox["news"]], save=False)
    if sandbox and file.settings["line.token"] == "stateless":  # another channel in each run
        if file.settings["line.channel_id"] not in ("", sandbox["channel_id"]):
            text = _("The sandbox's LINE has its own channel: line.channel_id is not used.")
            options.note(text)
        file.set("line.channel_id", sandbox["channel_id"], save=False)
    region = file.region(aws_client.configured_region)
    if region != file.settings["region"]:
        file.set("region", region, save=False)
    return file, sandbox


def file_of(options: Options) -> Path:
    """Return the path of the stack file."""
    default = "stack.sandbox.yaml" if options.sandbox else "stack.yaml"
    return Path(options.stack or default)


def setting_keys(options: Options) -> list[str]:
    """Return the keys of the settings given with --set."""
    return [pair.partition("=")[0] for pair in options.sets]


def set_all(file: StackFile, sets: tuple[str, ...], *, save: bool) -> None:
    """Apply --set. Raise UsageError for an unknown setting, an invalid value, or a conflict."""
    for pair in sets:
        key, sign, value = pair.partition("=")
        if not sign or key not in BY_KEY:
            raise UsageError(
                _("Could not apply --set {pair}.", pair=pair),
                _("there is no setting {key}", key=key) if sign else _("KEY=VALUE was expected"),
                _("The settings are: {keys}", keys=", ".join(BY_KEY)),
            )
        file.set(key, value, save=save)
    if sets:
        check_settings(file)


def check_settings(file: StackFile) -> None:
    """Raise UsageError if two settings conflict."""
    if conflict := file.settings.conflict():
        raise UsageError(
            _("Could not read the settings in {path}.", path=file.path),
            _("{key} takes {wanted}", key=conflict[0], wanted=conflict[1]),
            use_instead(*conflict),
        )


def build(options: Options, file: StackFile, sandbox: Mapping[str, str], aws: Aws) -> Run:
    """Return the context: the stack that the file describes, and its clients."""
    line_url = os.environ.get("LINE_API_URL", "")
    variables = {"LINE_API_URL": line_url} if line_url else {}
    stack = Stack(file.settings, _secrets(), variables, file.path.parent)
    clients = clients_for(file, lambda: run.secret_value(stack.line_credential), aws)
    if sandbox:
        clients.line.console = environment.page_view(sandbox, "line")
    run = Run(options, file, stack, clients, environment.clock(), sandbox)
    run.enters_name_servers = bool(sandbox) and options.yes
    return run


def _secrets() -> Secrets:
    return Secrets(**{name: os.environ.get(each, "").strip() for name, each in VARIABLES.items()})


def clients_for(
    file: StackFile, credential: Callable[[], str] | None = None, aws: Aws | None = None
) -> Clients:
    """Return the clients.

    credential: returns LINE's token, or the channel secret for stateless tokens; None: from the environment
    or Parameter Store. aws: whose session to use, so that an MFA code is asked for once in a run; None: a new
    one.
    """
    region = file.settings["region"]
    aws = aws.in_region(region) if aws else Aws(region)

    def get_credential() -> str:
        kind = "channel_secret" if file.settings["line.token"] == "stateless" else "access_token"
        given = str(getattr(_secrets(), kind))
        return given or read_secret(aws, file.settings[f"line.{kind}_parameter"])

    try:
        dns = Dns.from_environment()
    except ValueError as error:
        raise UsageError(
            _("Could not read PROVISION_DNS."),
            _("{given} is not host:port", given=error),
            _("Set it to something like 127.0.0.1:5353, or unset it."),
        ) from None
    url = os.environ.get("LINE_API_URL", "") or "https://api.line.me"
    require_https("LINE_API_URL", url)
    line = Line(credential or get_credential, url)
    if file.settings["line.token"] == "stateless":
        line.issue_tokens(file.settings["line.channel_id"])
    return Clients(aws, dns, line, registry.from_environment())
