"""One invocation: options and environment in, the stack with its doors and engine out."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from provision import aws as aws_door
from provision import checked, edited, in_sandbox, look, questions, recover, registry
from provision.aws import Aws
from provision.clock import Clock
from provision.console import Progress
from provision.dns import Dns
from provision.engine import Engine
from provision.errors import Refusal, Unknown, Usage
from provision.line import Line
from provision.look import Sight
from provision.resource import Doors, Resource
from provision.resources import network
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import Image
from provision.resources.parameter import Parameter
from provision.settings import BY_KEY
from provision.stack import Secrets, Stack
from provision.stackfile import StackFile
from provision.words import _


@dataclass
class Options:
    """What was typed beside the verb."""

    stack: str = ""
    sandbox: bool = False
    yes: bool = False
    sets: tuple[str, ...] = ()


@dataclass
class Run:
    """The stack of this invocation. `sandbox`: the addresses of the sandbox in use, {} without one."""

    options: Options
    file: StackFile
    stack: Stack
    doors: Doors
    clock: Clock
    sandbox: Mapping[str, str] = field(default_factory=dict)
    sights: dict[str, Sight] = field(default_factory=dict)

    def engine(self, progress: Progress) -> Engine:
        """The engine, telling this progress (and the sandbox's registrar, where asked to)."""

        image = self.stack.image
        if isinstance(image, Image):
            self.doors.registries.tell = lambda said: progress.tell("creating", image, said)

        def tell(event: str, resource: Resource, detail: str) -> None:
            progress.tell(event, resource, detail)
            if event == "done" and isinstance(resource, HostedZone):
                self._name_servers(resource, progress)

        return Engine(self.stack.resources, self.file, self.doors, self.clock, tell)

    def theirs(self, resource: Resource) -> bool:
        """Whether it was there before provision, so that it is used as it is."""
        sight = self.sights.get(resource.key)
        record = self.file.records.get(resource.key)
        there_first = sight is not None and sight.verdict == "adopt"
        return there_first or (record is not None and record.state == "adopted")

    def value(self, parameter: Parameter) -> str:
        """The secret that the bot will use: this run's or the account's. Raises Refusal or NotYet."""
        if parameter.secret and (parameter.consented or not self.theirs(parameter)):
            return parameter.secret
        return secret_in(self.doors.aws, parameter.name)

    def keep_sets(self) -> None:
        """What --set said goes into the file: until it was agreed to, it is only on trial."""
        set_all(self.file, self.options.sets, save=True)

    def _name_servers(self, zone: HostedZone, progress: Progress) -> None:
        """Prints the name servers, ready to paste; on the sandbox with --yes enters them too.

        Not where they were seen to be in place already.
        """
        delegation = self.sights.get(self.stack.delegation.key)
        if delegation and not delegation.waiting:
            return
        progress.say(self._instruction(zone))
        if self.sandbox and self.options.yes:
            in_sandbox.enter_name_servers(self.sandbox, zone.domain, zone.name_servers)
            progress.say(_("(On the sandbox, provision has entered them at the registrar itself.)"))
        elif self.sandbox:
            progress.say(
                _(
                    "On the sandbox, this enters them at its registrar:\n{command}",
                    command=in_sandbox.curl(self.sandbox, zone.domain, zone.name_servers),
                )
            )

    def _instruction(self, zone: HostedZone) -> str:
        """What the person has to do, and where: at the registrar, or in the zone above a sub-domain."""
        if parent := self.doors.dns.zone_above(zone.domain):
            return _(
                "{domain} lies in {parent}: add these four records there, where the DNS of {parent} is kept; "
                "nothing else of {parent} changes:\n{records}",
                domain=zone.domain,
                parent=parent,
                records="\n".join(
                    f"    {zone.domain}.  300  IN  NS  {s}." for s in zone.name_servers
                ),
            )
        servers = "\n".join(f"    {server}" for server in zone.name_servers)
        return _(
            "Name servers of {domain}: enter these four at the site where you bought it, in place of those "
            "there now (bought at Route 53 itself: in its console under Registered domains):\n{servers}",
            domain=zone.domain,
            servers=servers,
        )


def prepared(
    options: Options,
    *,
    save: bool,
    looks: bool = False,
    recovers: bool = True,
    resumes: bool = False,
) -> Run:
    """Reads file and environment, asks what is open, builds the stack.

    save: answers go to the file, though not what --set says: see keep_sets. looks: the verb changes
    nothing, so nothing at all is written. recovers: what a lost file said is looked for in the account.
    resumes: refused unless it is paused.
    """
    file, sandbox = opened(options)
    file.on_trial = looks
    edited.prove(file, doors_of(file), aws_door.clock())
    file.keep()
    unknown: Unknown | None = None  # whether the account has the stack
    if recovers:
        try:
            recover.by_itself(file, doors_of(file), aws_door.clock(), given(options))
        except Unknown as refusal:
            if questions.on_terminal():
                raise
            unknown = refusal
    if resumes and not file.paused:
        raise Refusal(
            _("Reading {path}.", path=file.path),
            _("nothing is paused"),
            _("Run `provision setup`: it shows what is missing and what that costs, and asks."),
        )
    if sandbox and (options.yes or not questions.on_terminal()):
        for key, value in in_sandbox.ANSWERS.items():
            if file.settings[key] is None:
                file.answer(key, value, save=save)
    lookups = questions.Lookups(
        networks=lambda: _choices(lambda: network.choices(Aws(file.settings["region"]))),
        subnets=lambda vpc: _choices(
            lambda: network.subnet_choices(Aws(file.settings["region"]), vpc)
        ),
    )
    try:
        questions.ask_open(file, save=save, yes=options.yes, lookups=lookups)
        _check(file)
    except Usage:
        if unknown:
            print(unknown, file=sys.stderr)
        raise
    if unknown:
        raise unknown
    return _built(options, file, sandbox)


def opened(options: Options) -> tuple[StackFile, Mapping[str, str]]:
    """The file with what --set says, on trial, and the addresses of the sandbox in use."""
    sandbox = in_sandbox.enter_sandbox() if options.sandbox else {}
    file = StackFile(file_of(options))
    if sandbox and file.enter_sandbox(sandbox["id"]):
        print(
            _(
                "{path} has records of a sandbox that has ended: they count no more, its settings do.",
                path=file.path,
            ),
            file=sys.stderr,
        )
    checked.check(file)
    set_all(file, options.sets, save=False)
    if sandbox.get("news") and not file.stands("news.feeds"):
        # Its own newspaper, at the port of today: the file, which stays, does not name it.
        file.answer("news.feeds", [sandbox["news"]], save=False)
    region = file.region(os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))
    if region != file.settings["region"]:
        file.answer("region", region, save=False)
    return file, sandbox


def file_of(options: Options) -> Path:
    """The stack's file."""
    default = "stack.sandbox.yaml" if options.sandbox else "stack.yaml"
    return Path(options.stack or default)


def given(options: Options) -> list[str]:
    """The settings that --set names."""
    return [pair.partition("=")[0] for pair in options.sets]


def set_all(file: StackFile, sets: tuple[str, ...], *, save: bool) -> None:
    """What --set says. Raises Usage for what is no setting, no value of it, or clashes with another."""
    for pair in sets:
        key, sign, value = pair.partition("=")
        if not sign or key not in BY_KEY:
            raise Usage(
                _("Reading --set {pair}.", pair=pair),
                _("there is no setting {key}", key=key) if sign else _("KEY=VALUE was expected"),
                _("The settings are: {keys}", keys=", ".join(BY_KEY)),
            )
        file.answer(key, value, save=save)
    if sets:
        _check(file)


def _check(file: StackFile) -> None:
    """That the settings go together."""
    if conflict := file.settings.conflict():
        raise Usage(
            _("Reading the settings in {path}.", path=file.path),
            _("{key} takes {wanted}", key=conflict[0], wanted=conflict[1]),
            _("Give another value."),
        )


def _choices(question: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """The answers there are to a question, in this account and region. Raises Refusal."""
    return look.ask(question, aws_door.clock(), _("Looking which networks there are."))


def _built(options: Options, file: StackFile, sandbox: Mapping[str, str]) -> Run:
    line_url = os.environ.get("LINE_API_URL", "")
    environment = {"LINE_API_URL": line_url} if line_url else {}
    stack = Stack(file.settings, _secrets(), environment, file.path.parent)
    doors = doors_of(file, lambda: run.value(stack.access_token))
    run = Run(options, file, stack, doors, aws_door.clock(), sandbox)
    return run


def _secrets() -> Secrets:
    return Secrets(
        os.environ.get("LINE_CHANNEL_ACCESS_TOKEN", "").strip(),
        os.environ.get("LINE_CHANNEL_SECRET", "").strip(),
    )


def doors_of(file: StackFile, token: Callable[[], str] | None = None) -> Doors:
    """The outsides. token: LINE's; None: this run's, or the one in the parameter that the file names."""
    aws = Aws(file.settings["region"])

    def found() -> str:
        name = file.settings["line.access_token_parameter"]
        return _secrets().access_token or secret_in(aws, name)

    try:
        dns = Dns.from_environment()
    except ValueError as error:
        raise Usage(
            _("Reading PROVISION_DNS."),
            _("{given} is not host:port", given=error),
            _("Set it to something like 127.0.0.1:5353, or unset it."),
        ) from None
    url = os.environ.get("LINE_API_URL", "") or "https://api.line.me"
    return Doors(aws, dns, Line(token or found, url), registry.from_environment())


def secret_in(aws: Aws, parameter: str) -> str:
    """The secret in the account. Raises Refusal or NotYet."""
    with aws_door.reading(_("Reading the parameter {name}.", name=parameter)):
        answer = aws.ssm.get_parameter(Name=parameter, WithDecryption=True)
        return str(answer["Parameter"]["Value"])
