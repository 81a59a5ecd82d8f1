"""Prepare a command: read the file and the environment, ask for missing settings, build the stack."""

from collections.abc import Callable, Mapping

from provision import environment, retries
from provision.clients.aws import Aws
from provision.engine import edited_records
from provision.errors import ProvisionError, UnknownState, UsageError
from provision.i18n import _
from provision.resources import network
from provision.run import Options, Run, build, check_settings, clients_for, open_stack, setting_keys
from provision.state.stack_file import StackFile
from provision.ui.errors import show_error
from provision.wizard import prompts, recovery


def prepare_run(
    options: Options,
    *,
    save: bool,
    read_only: bool = False,
    recover: bool = True,
    must_be_paused: bool = False,
    check_first: Callable[[StackFile, Aws], None] | None = None,
) -> Run:
    """Read file and environment, ask for missing settings, and return the run.

    save: save answers to the file (not the values of --set: see `Run.save_sets`). read_only: the command
    changes nothing, so write nothing. recover: recover the records of a lost file from the account.
    must_be_paused: raise ProvisionError unless the stack is paused. check_first: called on a
    terminal, before the first question, if nothing is recorded yet.
    """
    file, sandbox = open_stack(options)
    aws = Aws(file.settings["region"])
    if check_first and prompts.on_terminal() and not file.records:
        check_first(file, aws)
    file.read_only = read_only
    edited_records.verify(file, clients_for(file, aws=aws), environment.clock())
    file.keep()
    recovery_error = _recover(file, aws, options, save=save) if recover else None
    if must_be_paused and not file.paused:
        raise ProvisionError(
            _("Could not continue with {path}.", path=file.path),
            _("nothing is paused"),
            _("Run `provision setup`: it shows what is missing and what that costs, and asks."),
        )
    if sandbox and (options.yes or not prompts.on_terminal()):
        for key, value in environment.ANSWERS.items():
            if file.settings[key] is None:
                file.set(key, value, save=save)
    no_folder = not file.path.parent.is_dir() and not read_only
    if not save and (no_folder or (not file.path.exists() and file.settings["domain"] is None)):
        raise no_stack(file, recovery_error)

    try:
        lookups = _lookups(file, aws, environment.ANSWERS if sandbox else {})
        prompts.ask_open(file, save=save, yes=options.yes, lookups=lookups)
        check_settings(file)
    except UsageError:
        if recovery_error:
            show_error(recovery_error)
        raise
    if recovery_error:
        raise recovery_error
    return build(options, file, sandbox, aws)


def _recover(file: StackFile, aws: Aws, options: Options, *, save: bool) -> UnknownState | None:
    """Recover the records if the file has none. Return why the account could not be looked at.

    Raise that where a person might otherwise build a second stack.
    """
    try:
        clients, clock = clients_for(file, aws=aws), environment.clock()
        recovery.recover_if_empty(file, clients, clock, setting_keys(options))
    except UnknownState as error:
        if prompts.on_terminal() and (save or file.path.exists()):
            raise
        return error
    return None


def no_stack(file: StackFile, account: UnknownState | None = None) -> UsageError:
    """Return the error for a folder without a stack. account: why the account could not be looked at."""
    what, why = _("There is no stack in this folder."), _("{path} does not exist", path=file.path)
    if account:
        unknown = _("whether the account has a stack is unknown: {why}", why=account.why)
        return UsageError(what, f"{why}; {unknown}", account.then)
    then = _(
        "Create one with `provision setup`, name another file with --stack FILE, or get a lost file "
        "back with `provision recover`."
    )
    return UsageError(what, why, then)


def _lookups(file: StackFile, aws: Aws, suggestions: Mapping[str, str]) -> prompts.Lookups:
    """Return the wizard's choices in this account, in the region that the answers say."""

    def here() -> Aws:
        return aws.in_region(file.settings["region"])

    return prompts.Lookups(
        networks=lambda: _choices(lambda: network.choices(here())),
        subnets=lambda vpc: _choices(lambda: network.subnet_choices(here(), vpc)),
        suggestions=suggestions,
    )


def _choices(list_choices: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Return the choices in this account and region. Raise ProvisionError."""
    return retries.call(list_choices, environment.clock(), _("Could not list the networks."))
