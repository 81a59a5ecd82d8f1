"""Ask for LINE's two secrets and verify them before anything is created."""

import sys
from collections.abc import Callable

from provision import retries
from provision.clients.line import LineError
from provision.engine import inspector
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.parameter import Parameter, read_secret
from provision.run import Run
from provision.ui.errors import show_error
from provision.ui.text import show
from provision.wizard import prompts

TRIES = 5  # of a request to LINE, about six seconds


def complete_secrets(run: Run) -> bool:
    """Ask for missing or invalid secrets until LINE accepts both.

    Return whether a value in an adopted parameter is to be replaced. Raise ProvisionError or UsageError
    without a terminal.
    """
    token, secret = run.stack.access_token, run.stack.channel_secret
    if token:
        _ask_for_missing(run, token)
        if token.secret or run.is_adopted(token):
            _verify_secret(run, token, lambda: _bot(run))
    _ask_for_missing(run, secret)
    if not token:
        _verify_secret(run, secret, lambda: _bot(run))
    elif _new(run, token) or _new(run, secret):
        _verify_secret(run, secret, run.line_channel)
    return any(parameter.consented for parameter in run.stack.line_secrets)


def ask_for_new(run: Run) -> None:
    """Ask for new values at a terminal, unless the environment has one; an empty answer keeps the present."""
    parameters = run.stack.line_secrets
    given = any(each.secret for each in parameters) and not run.sandbox
    if prompts.on_terminal() and not run.options.yes and not given:
        for parameter in parameters:
            parameter.secret = _ask(parameter, required=False)


def read_copy(run: Run, parameter: Parameter) -> str:
    """Return the value that an interrupted `secrets rotate` has kept; "" for none. Raise ProvisionError."""
    copy = parameter.copy()
    if copy.key not in run.file.records:
        return ""

    def read() -> str:
        live = inspector.find(copy, run.clients)
        return read_secret(run.clients.aws, copy.name) if live else ""

    return retries.call(read, run.clock, _("Could not read the parameter {name}.", name=copy.name))


def verify(run: Run) -> None:
    """Verify both secrets with LINE, those of this run or those in Parameter Store. Raise ProvisionError."""
    _verify_secret(run, run.stack.line_credential, lambda: _bot(run))
    _verify_secret(run, run.stack.channel_secret, run.line_channel)


def print_current_endpoint(run: Run) -> None:
    """Print LINE's current webhook URL if setup is going to replace it."""
    webhook = run.stack.webhook
    if webhook.key in run.file.records:
        return
    doing = _("Could not read LINE's webhook URL.")
    current = retries.call(run.clients.line.endpoint, run.clock, doing, TRIES).get("endpoint", "")
    if current and current != webhook.url:
        show(
            _(
                "LINE calls {present} now; setup sets {url} in its place, and teardown puts it back.",
                present=current,
                url=webhook.url,
            ),
            sys.stderr,
        )


def _ask_for_missing(run: Run, parameter: Parameter) -> None:
    """Ask for a secret that is not given; on the sandbox with its own filled in, as practice for AWS."""
    practice = bool(run.sandbox) and prompts.on_terminal() and not run.options.yes
    if run.observations[parameter.key].live is None and not parameter.secret:
        parameter.secret = read_copy(run, parameter)
    if run.observations[parameter.key].live is None and (practice or not parameter.secret):
        parameter.secret = _ask(parameter, parameter.secret)


def _ask(parameter: Parameter, default: str = "", *, required: bool = True) -> str:
    """Ask for a secret, with the place where LINE's console shows it."""
    question = (
        _("LINE's channel secret (LINE Developers, tab Basic settings, Channel secret):")
        if parameter.variable == "LINE_CHANNEL_SECRET"
        else _(
            "LINE's channel access token (LINE Developers, tab Messaging API, Channel access token, Issue):"
        )
    )
    return prompts.ask_secret(
        parameter.name, parameter.variable, question, default, required=required
    )


def _verify_secret(run: Run, parameter: Parameter, verify: Callable[[], object]) -> None:
    """Verify a secret with LINE; on a terminal ask for another one if LINE refuses it."""
    while True:
        try:
            doing = _("The channel secret and the access token could not be verified.")
            retries.call(verify, run.clock, doing, TRIES)
            return
        except LineError as error:
            if run.options.yes or not prompts.on_terminal():
                raise _rejected_value(run, parameter, error) from None
            show_error(error)
            parameter.secret = _ask(parameter)
            parameter.consented = True  # the person entered another value
            run.clients.line.forget()


def info(run: Run) -> dict[str, str]:
    """Return LINE's bot info. Raise ProvisionError."""
    doing = _("Could not find out which bot the access token belongs to.")
    return retries.call(run.clients.line.info, run.clock, doing, TRIES)


def _bot(run: Run) -> None:
    """Call GET /v2/bot/info and print the bot's name."""
    name = info(run).get("displayName", "?")
    text = (
        _("LINE: the access token belongs to {bot}.", bot=name)
        if run.stack.access_token
        else _("LINE: the channel belongs to {bot}.", bot=name)
    )
    show(text, sys.stderr)


def _new(run: Run, parameter: Parameter) -> bool:
    """Return whether the bot has not used this secret before."""
    observation = run.observations[parameter.key]
    return (
        observation.live is None
        or not observation.live["UpToDate"]
        or observation.verdict == "adopt"
    )


def _rejected_value(run: Run, parameter: Parameter, error: LineError) -> ProvisionError:
    """Return LINE's error; for an adopted parameter, with the name of the parameter."""
    if parameter.consented or not run.is_adopted(parameter):
        return error
    return LineError(
        error.status,
        error.what,
        _("{why} (the value in the parameter {name})", why=error.why, name=parameter.name),
        _(
            "This parameter existed before provision: store the correct value in it, run "
            "`provision setup` in a terminal and answer there, or set another parameter "
            "name in stack.yaml."
        ),
    )
