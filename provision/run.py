"""One invocation: options and environment in, the stack with its doors and engine out."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provision import aws as aws_door
from provision import questions
from provision.aws import Aws
from provision.clock import Clock
from provision.console import Progress
from provision.dns import Dns
from provision.engine import Engine
from provision.errors import NotYet, Refusal, Usage
from provision.line import Line
from provision.look import Sight
from provision.resource import Doors, Resource
from provision.resources import network
from provision.resources.hosted_zone import HostedZone
from provision.resources.parameter import Parameter
from provision.settings import BY_KEY
from provision.stack import Secrets, Stack
from provision.stackfile import StackFile
from provision.words import _

SANDBOX_ANSWERS = {  # what a person on the sandbox need not decide
    "domain": "news-bot.example",
    "network.vpc": "default",
    "image.uri": "sandbox.local/news-bot:checkout",
}


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
        """The secret that the bot will use: this run's, or the one in the account. Raises Refusal."""
        if parameter.secret and (parameter.consented or not self.theirs(parameter)):
            return parameter.secret
        with aws_door.understood(_("Reading the parameter {name}.", name=parameter.name)):
            answer = self.doors.aws.ssm.get_parameter(Name=parameter.name, WithDecryption=True)
        return str(answer["Parameter"]["Value"])

    def keep_sets(self) -> None:
        """What --set said goes into the file, where it was only on trial."""
        _set(StackFile(self.file.path), self.options.sets, save=True)

    def _name_servers(self, zone: HostedZone, progress: Progress) -> None:
        """Prints the name servers, ready to paste; on the sandbox with --yes enters them too.

        Not where they were seen to be in place already.
        """
        delegation = self.sights.get(self.stack.delegation.key)
        if delegation and not delegation.waiting:
            return
        progress.say(self._instruction(zone))
        if self.sandbox and self.options.yes:
            enter(self.sandbox["registrar"], zone.domain, zone.name_servers)
            progress.say(_("(On the sandbox, provision has entered them at the registrar itself.)"))

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


def prepared(options: Options, *, save: bool) -> Run:
    """Reads file and environment, asks what is open, builds the stack. save: answers go to the file."""
    sandbox = _enter_sandbox() if options.sandbox else {}
    default = "stack.sandbox.yaml" if options.sandbox else "stack.yaml"
    file = StackFile(Path(options.stack or default))
    _set(StackFile(file.path), options.sets, save=False)  # on trial: nothing is saved if they clash
    _set(file, options.sets, save=save)
    if sandbox and (options.yes or not questions.on_terminal()):
        for key, value in SANDBOX_ANSWERS.items():
            if file.settings[key] is None:
                file.answer(key, value, save=save)
    region = file.region(os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))
    if region != file.settings["region"]:
        file.answer("region", region, save=False)
    lookups = questions.Lookups(
        networks=lambda: _looked_up(lambda: network.choices(Aws(file.settings["region"]))),
        subnets=lambda vpc: _looked_up(
            lambda: network.subnet_choices(Aws(file.settings["region"]), vpc)
        ),
    )
    questions.ask_open(file, save=save, yes=options.yes, lookups=lookups)
    _check(file)
    return _built(options, file, sandbox)


def _set(file: StackFile, sets: tuple[str, ...], *, save: bool) -> None:
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


def _looked_up(look: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """The answers there are to a question, in this account and region. Raises Refusal."""
    try:
        return look()
    except NotYet as why:  # nobody waits at a question
        raise Refusal(
            _("Looking which networks there are."),
            why.reason,
            _("Run the same command again in a moment."),
        ) from None


def _built(options: Options, file: StackFile, sandbox: Mapping[str, str]) -> Run:
    secrets = Secrets(
        os.environ.get("LINE_CHANNEL_ACCESS_TOKEN", "").strip(),
        os.environ.get("LINE_CHANNEL_SECRET", "").strip(),
    )
    line_url = os.environ.get("LINE_API_URL", "")
    environment = {"LINE_API_URL": line_url} if line_url else {}
    stack = Stack(file.settings, secrets, environment)
    aws = Aws(file.settings["region"])
    try:
        dns = Dns.from_environment()
    except ValueError as error:
        raise Usage(
            _("Reading PROVISION_DNS."),
            _("{given} is not host:port", given=error),
            _("Set it to something like 127.0.0.1:5353, or unset it."),
        ) from None

    line = Line(lambda: run.value(stack.access_token), line_url or "https://api.line.me")
    run = Run(options, file, stack, Doors(aws, dns, line), aws_door.clock(), sandbox)
    return run


def _enter_sandbox() -> dict[str, Any]:
    """Points this process at the sandbox that runs on this machine. Raises Refusal where none does."""
    from provision.sandbox.runtime import read_runtime

    told = read_runtime()
    if told is None:
        raise Refusal(
            _("Looking for a sandbox on this machine."),
            _("none is running"),
            _("Start one in another terminal: provision sandbox"),
        )
    os.environ.update(
        AWS_ENDPOINT_URL=told["aws"],
        AWS_ACCESS_KEY_ID="sandbox",
        AWS_SECRET_ACCESS_KEY="sandbox",
        LINE_API_URL=told["line"],
        PROVISION_DNS=told["dns"],
        PROVISION_FRONT=told["front"],
        AWS_CA_BUNDLE=told["ca"],
        LINE_CHANNEL_ACCESS_TOKEN=told["access_token"],
        LINE_CHANNEL_SECRET=told["channel_secret"],
    )
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(variable, None)
    return told


def enter(registrar: str, domain: str, servers: list[str]) -> None:
    """What the person does at the registrar's site, on the sandbox's."""
    body = json.dumps({"name_servers": servers}).encode()
    request = urllib.request.Request(
        f"{registrar.rstrip('/')}/domains/{domain}",
        data=body,
        method="PUT",
        headers={"Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except (urllib.error.URLError, OSError) as error:
        raise Refusal(
            _("Entering the name servers at the sandbox's registrar."),
            str(error),
            _("Start the sandbox again: provision sandbox"),
        ) from None
