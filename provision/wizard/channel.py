"""LINE's channel before anything is made: its two secrets, asked for where there are none, and proven."""

import sys
from collections.abc import Callable

from provision.clients.line import LineError
from provision.engine import inspector
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.parameter import Parameter
from provision.run import Run
from provision.wizard import prompts

TRIES = 5  # of a question to LINE, some six seconds


def complete(run: Run) -> bool:
    """Ask for both secrets until LINE accepts them. Return whether one in the account is to be replaced.

    What LINE refuses is asked for again where somebody is there to answer. Nothing is made yet.
    Raises ProvisionError or Usage.
    """
    token, secret = run.stack.access_token, run.stack.channel_secret
    _ask_for_missing(run, token)
    if token.secret or run.is_adopted(token):
        _prove(run, token, lambda: _bot(run))
    _ask_for_missing(run, secret)
    if any(_new(run, parameter) for parameter in (token, secret)):
        _prove(run, secret, run.line_channel)
    return token.consented or secret.consented


def tell_endpoint(run: Run) -> None:
    """Print the endpoint that LINE calls now, where it is not ours: setup replaces it."""
    webhook = run.stack.webhook
    if webhook.key in run.file.records:
        return
    doing = _("Could not read LINE's webhook URL.")
    present = inspector.call_with_retries(run.clients.line.endpoint, run.clock, doing, TRIES).get(
        "endpoint", ""
    )
    if present and present != webhook.url:
        print(
            _(
                "LINE calls {present} now; setup sets {url} in its place, and teardown puts it back.",
                present=present,
                url=webhook.url,
            ),
            file=sys.stderr,
        )


def _ask_for_missing(run: Run, parameter: Parameter) -> None:
    if not parameter.secret and run.observations[parameter.key].live is None:
        parameter.secret = prompts.ask_secret(parameter.name, parameter.variable)


def _prove(run: Run, parameter: Parameter, proof: Callable[[], object]) -> None:
    """Ask LINE about the value; ask for another one where LINE refuses it and somebody can answer."""
    while True:
        try:
            doing = _("The channel secret and the access token could not be verified.")
            inspector.call_with_retries(proof, run.clock, doing, TRIES)
            return
        except LineError as refusal:
            if run.options.yes or not prompts.on_terminal():
                raise _stored(run, parameter, refusal) from None
            print(refusal, file=sys.stderr)
            parameter.secret = prompts.ask_secret(parameter.name, parameter.variable)
            parameter.consented = True  # the person saw why, and gave another
            run.clients.line.forget()


def info(run: Run) -> dict[str, str]:
    """Return what LINE says of the bot. Raises ProvisionError."""
    doing = _("Could not find out which bot the access token belongs to.")
    return inspector.call_with_retries(run.clients.line.info, run.clock, doing, TRIES)


def _bot(run: Run) -> None:
    """Call GET /v2/bot/info."""
    bot = info(run)
    print(
        _("LINE: the access token belongs to {bot}.", bot=bot.get("displayName", "?")),
        file=sys.stderr,
    )


def _new(run: Run, parameter: Parameter) -> bool:
    """Return whether this run uses a secret that the bot has not used before."""
    observation = run.observations[parameter.key]
    return (
        observation.live is None
        or not observation.live["UpToDate"]
        or observation.verdict == "adopt"
    )


def _stored(run: Run, parameter: Parameter, refusal: LineError) -> ProvisionError:
    """Return LINE's error; of an adopted parameter also where the refused value is stored."""
    if not run.is_adopted(parameter):
        return refusal
    return LineError(
        refusal.status,
        refusal.what,
        _("{why} (the value in the parameter {name})", why=refusal.why, name=parameter.name),
        _(
            "This parameter existed before provision: store the correct value in it, run "
            "`provision setup` in a terminal and answer there, or set another parameter "
            "name in stack.yaml."
        ),
    )
