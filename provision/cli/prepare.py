"""Before a verb works: read the file and the environment, ask what is open, build the stack."""

from collections.abc import Callable

from provision import environment
from provision.clients.aws import Aws
from provision.engine import edited_records, inspector
from provision.errors import ProvisionError, UnknownState, UsageError
from provision.i18n import _
from provision.resources import network
from provision.run import Options, Run, build, check_settings, clients_for, opened, setting_keys
from provision.state.stack_file import StackFile
from provision.ui.errors import show_error
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
    file, sandbox = opened(options)
    file.on_trial = looks
    edited_records.prove(file, clients_for(file), environment.clock())
    file.keep()
    unknown: UnknownState | None = None  # whether the account has the stack
    if recovers:
        try:
            recovery.recover_if_empty(
                file, clients_for(file), environment.clock(), setting_keys(options)
            )
        except UnknownState as refusal:
            if prompts.on_terminal() and (save or file.path.exists()):
                raise
            unknown = refusal
    if resumes and not file.paused:
        raise ProvisionError(
            _("Could not continue with {path}.", path=file.path),
            _("nothing is paused"),
            _("Run `provision setup`: it shows what is missing and what that costs, and asks."),
        )
    if sandbox and (options.yes or not prompts.on_terminal()):
        for key, value in environment.ANSWERS.items():
            if file.settings[key] is None:
                file.answer(key, value, save=save)
    if not save and not file.path.exists() and file.settings["domain"] is None:
        if unknown:
            show_error(unknown)
        raise no_stack(file)
    lookups = prompts.Lookups(
        networks=lambda: _choices(lambda: network.choices(Aws(file.settings["region"]))),
        subnets=lambda vpc: _choices(
            lambda: network.subnet_choices(Aws(file.settings["region"]), vpc)
        ),
        suggestions=environment.ANSWERS if sandbox else {},
    )
    try:
        prompts.ask_open(file, save=save, yes=options.yes, lookups=lookups)
        check_settings(file)
    except UsageError:
        if unknown:
            show_error(unknown)
        raise
    if unknown:
        raise unknown
    return build(options, file, sandbox)


def no_stack(file: StackFile) -> UsageError:
    """Return the error for a folder without a stack."""
    return UsageError(
        _("There is no stack in this folder."),
        _("{path} does not exist", path=file.path),
        _(
            "Create one with `provision setup`, name another file with --stack FILE, or get a lost file "
            "back with `provision recover`."
        ),
    )


def _choices(question: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Return the choices that this account and region offer. Raise ProvisionError."""
    return inspector.ask(question, environment.clock(), _("Could not list the networks."))
