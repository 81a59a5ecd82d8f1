"""Before a verb works: read the file and the environment, ask what is open, build the stack."""

import sys
from collections.abc import Callable

from provision import environment
from provision.clients.aws import Aws
from provision.engine import edited_records, inspector
from provision.errors import ProvisionError, UnknownState, UsageError
from provision.i18n import _
from provision.resources import network
from provision.run import Options, Run, build, check_settings, clients_for, open_stack, setting_keys
from provision.wizard import prompts, recovery


def prepared(
    options: Options,
    *,
    save: bool,
    looks: bool = False,
    recovers: bool = True,
    resumes: bool = False,
) -> Run:
    """Read file and environment, ask the open questions, and return the run.

    save: answers go to the file, though not what --set says: see keep_sets. looks: the verb changes
    nothing, so nothing at all is written. recovers: what a lost file said is looked for in the account.
    resumes: refused unless it is paused.
    """
    file, sandbox = open_stack(options)
    file.read_only = looks
    edited_records.verify(file, clients_for(file), environment.clock())
    file.keep()
    unknown: UnknownState | None = None  # whether the account has the stack
    if recovers:
        try:
            recovery.recover_if_empty(
                file, clients_for(file), environment.clock(), setting_keys(options)
            )
        except UnknownState as refusal:
            if prompts.on_terminal():
                raise
            unknown = refusal
    if resumes and not file.paused:
        raise ProvisionError(
            _("Reading {path}.", path=file.path),
            _("nothing is paused"),
            _("Run `provision setup`: it shows what is missing and what that costs, and asks."),
        )
    if sandbox and (options.yes or not prompts.on_terminal()):
        for key, value in environment.ANSWERS.items():
            if file.settings[key] is None:
                file.set(key, value, save=save)
    lookups = prompts.Lookups(
        networks=lambda: _choices(lambda: network.choices(Aws(file.settings["region"]))),
        subnets=lambda vpc: _choices(
            lambda: network.subnet_choices(Aws(file.settings["region"]), vpc)
        ),
    )
    try:
        prompts.ask_open(file, save=save, yes=options.yes, lookups=lookups)
        check_settings(file)
    except UsageError:
        if unknown:
            print(unknown, file=sys.stderr)
        raise
    if unknown:
        raise unknown
    return build(options, file, sandbox)


def _choices(question: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Return the choices that this account and region offer. Raise ProvisionError."""
    return inspector.call_with_retries(
        question, environment.clock(), _("Could not list the networks.")
    )
