"""What the wizard asks, in order; the only user of questionary.

YAML key, flag and prompt are one name. Only open questions are asked; an answer is checked at once and saved
at once, as a line in stack.yaml. Ctrl-C arrives as KeyboardInterrupt.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provision.errors import UsageError
from provision.i18n import _
from provision.pricing import prices
from provision.settings import BY_KEY, Choices, Setting, Settings
from provision.state.stack_file import StackFile
from provision.ui.progress import wrapped
from provision.wizard.questions import (
    ARTICLE,
    FIRST,
    NETWORK,
    OTHERS,
    OWN_TIMES,
    times,
)


def on_terminal() -> bool:
    """Return whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(frozen=True)
class Lookups:
    """What looks up the answers that there are in the account; called when the question comes."""

    networks: Choices
    subnets: Callable[[str], list[tuple[str, str]]]  # of the VPC that was chosen


def ask_open(file: StackFile, *, save: bool, yes: bool, lookups: Lookups) -> None:
    """Ask for the settings that have no value. Raise UsageError with the flag where nobody can answer.

    Somebody who is asked at all, and has not said --yes, is also asked what has a default.
    """
    required = (*FIRST, NETWORK[0])
    unanswered = [key for key in required if file.settings[key] is None]
    if not unanswered:
        return
    if not on_terminal():
        key = unanswered[0]
        raise UsageError(
            _("Could not read the settings in {path}.", path=file.path),
            _("{key} has no value, and there is no terminal to ask on", key=key),
            _("Add `--set {key}=...`, or a line to the file.", key=key),
        )
    for key in unanswered if yes else FIRST:
        if file.has_value(key) and key not in unanswered:
            continue
        if key == "schedule.start":
            _ask_times(file, save=save)
        elif key not in NETWORK:
            file.set(key, _answer(file, BY_KEY[key]), save=save)
    more = not yes and not confirmed(_("Keep the defaults of everything else?"), default=True)
    for key in OTHERS if more else ():
        if not file.has_value(key):
            file.set(key, _answer(file, BY_KEY[key]), save=save)
    if not file.has_value("network.vpc"):
        _ask_network(file, lookups, more, save=save)


def _ask_network(file: StackFile, lookups: Lookups, more: bool, *, save: bool) -> None:
    """Ask for the VPC and, where more is asked and it is not a new one, for subnets; save them together.

    An interrupted wizard goes on as long as the VPC is open, so it closes last.
    """
    vpc, subnets = (BY_KEY[key] for key in NETWORK)
    which = _answer(file, vpc, lookups.networks)
    if more and which != "new" and not file.has_value(subnets.key):
        picked = several(subnets.question(), lookups.subnets(which), subnets.explanation())
        file.set(subnets.key, picked, save=save)
    file.set(vpc.key, which, save=save)


def _ask_times(file: StackFile, *, save: bool) -> None:
    """Ask when the bot answers: one question, three settings, saved together."""
    settings = file.settings
    offered = times(
        prices(settings["region"]),
        settings["service.cpu"],
        settings["service.memory"],
        settings["service.capacity"],
    )
    which = chosen(
        _("When should the bot run?"),
        offered,
        _("You pay for tasks only while they run, and for the load balancer around the clock."),
    )
    start, stop, zone = ("", "", settings["schedule.timezone"]) if which == "always" else ARTICLE
    if which == "own":
        start, stop, zone = (_answer(file, BY_KEY[own]) for own in OWN_TIMES)
    for key, value in (("timezone", zone), ("start", start), ("stop", stop)):
        file.set(f"schedule.{key}", value, save=save)


def _answer(file: StackFile, setting: Setting, choices: Choices | None = None) -> str:
    """Return one answer, checked while it is typed; the default is filled in already.

    choices: instead of the setting's own.
    """
    import questionary

    key, choices = setting.key, choices or setting.choices

    def check(given: str) -> bool | str:
        try:
            setting.read(given.strip())
        except ValueError as error:
            return _("expected: {wanted}", wanted=error)
        clash = Settings({**file.settings, key: setting.read(given.strip())}).conflict()
        if clash and clash[0] == key:
            return _("expected: {wanted}", wanted=clash[1])
        return True

    if choices:
        return chosen(setting.question(), choices(), setting.explanation())
    now = file.settings[key]
    shown = ",".join(now) if isinstance(now, list) else "" if now is None else str(now)
    prompt: Any = questionary.text(
        setting.question(),
        default=shown,
        validate=check,
        instruction=f"{wrapped(setting.explanation())}\n  ",
    )
    return str(prompt.unsafe_ask()).strip()


def ask_secret(name: str, variable: str) -> str:
    """Ask for one of LINE's secrets, hidden. Raise UsageError with the variable where nobody can answer."""
    if not on_terminal():
        raise UsageError(
            _("Looking for LINE's secrets."),
            _(
                "the parameter {name} is not in this account yet, and there is no terminal to ask on",
                name=name,
            ),
            _("Set {variable} in the environment.", variable=variable),
        )
    import questionary

    return str(
        questionary.password(
            _(
                "{variable} (from LINE's console; it goes to Parameter Store only):",
                variable=variable,
            ),
            validate=lambda given: bool(given.strip()) or _("it cannot be empty"),
        ).unsafe_ask()
    ).strip()


def chosen(question: str, choices: list[tuple[str, str]], explanation: str = "") -> str:
    """Ask for one of several values, each with a description. Only where somebody can answer."""
    import questionary

    offered = [questionary.Choice(f"{value}  {told}", value=value) for value, told in choices]
    instruction = wrapped(explanation) if explanation else None
    prompt = questionary.select(question, offered, instruction=instruction)
    return str(prompt.unsafe_ask())


def several(question: str, choices: list[tuple[str, str]], explanation: str) -> list[str]:
    """Ask for none, or two or more, of several values. Only where somebody can answer."""
    import questionary

    prompt = questionary.checkbox(
        question,
        [questionary.Choice(f"{value}  {told}", value=value) for value, told in choices],
        instruction=wrapped(explanation),
        validate=lambda picked: len(picked) != 1 or explanation,
    )
    return list(prompt.unsafe_ask())


def confirmed(question: str, *, default: bool = False) -> bool:
    """Ask yes or no. Raise UsageError with --yes where nobody can answer."""
    if not on_terminal():
        raise UsageError(question, _("there is no terminal to ask on"), _("Add --yes."))
    import questionary

    return bool(questionary.confirm(question, default=default).unsafe_ask())


def typed(question: str, wanted: str) -> bool:
    """Ask for a text. Return whether it is this one. Raise UsageError with --yes where nobody can answer."""
    if not on_terminal():
        raise UsageError(question, _("there is no terminal to ask on"), _("Add --yes."))
    import questionary

    return str(questionary.text(question).unsafe_ask()).strip() == wanted
