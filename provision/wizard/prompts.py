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
from provision.settings import BY_KEY, Settings
from provision.state.stack_file import StackFile
from provision.wizard.questions import (
    ARTICLE,
    FIRST,
    NETWORK,
    OTHERS,
    OWN_TIMES,
    Choices,
    Question,
    times,
)


def on_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(frozen=True)
class Lookups:
    """What looks up the answers that there are in the account; called when the question comes."""

    networks: Choices
    subnets: Callable[[str], list[tuple[str, str]]]  # of the VPC that was chosen


def ask_open(file: StackFile, *, save: bool, yes: bool, lookups: Lookups) -> None:
    """Asks what is open. Raises Usage naming the flag where nobody is there to answer.

    Somebody who is asked at all, and has not said --yes, is also asked what has a default.
    """
    required = (*FIRST, NETWORK[0])
    unanswered = [question for question in required if file.settings[question.setting] is None]
    if not unanswered:
        return
    if not on_terminal():
        key = unanswered[0].setting
        raise UsageError(
            _("Could not read the settings in {path}.", path=file.path),
            _("{key} is not answered, and there is no terminal to ask on", key=key),
            _("Add `--set {key}=...`, or a line to the file.", key=key),
        )
    for question in unanswered if yes else FIRST:
        if file.stands(question.setting) and question not in unanswered:
            continue
        if question.setting == "schedule.start":
            _ask_times(file, question, save=save)
        elif question not in NETWORK:
            file.answer(question.setting, _answer(file, question, question.choices), save=save)
    more = not yes and not confirmed(_("Keep the defaults of everything else?"), default=True)
    for question in OTHERS if more else ():
        if not file.stands(question.setting):
            file.answer(question.setting, _answer(file, question, question.choices), save=save)
    if not file.stands("network.vpc"):
        _ask_network(file, lookups, more, save=save)


def _ask_network(file: StackFile, lookups: Lookups, more: bool, *, save: bool) -> None:
    """VPC and, where more is asked and it is not a new one, subnets: saved together.

    An interrupted wizard goes on as long as the VPC is open, so it closes last.
    """
    vpc, subnets = NETWORK
    which = _answer(file, vpc, lookups.networks)
    if more and which != "new" and not file.stands(subnets.setting):
        picked = several(subnets.text(), lookups.subnets(which), subnets.explanation())
        file.answer(subnets.setting, picked, save=save)
    file.answer(vpc.setting, which, save=save)


def _ask_times(file: StackFile, question: Question, *, save: bool) -> None:
    """When the bot answers: one question, three settings, saved together."""
    settings = file.settings
    offered = times(
        prices(settings["region"]),
        settings["service.cpu"],
        settings["service.memory"],
        settings["service.capacity"],
    )
    which = chosen(question.text(), offered, question.explanation())
    start, stop, zone = ("", "", settings["schedule.timezone"]) if which == "always" else ARTICLE
    if which == "own":
        start, stop, zone = (_answer(file, own, None) for own in OWN_TIMES)
    for key, value in (("timezone", zone), ("start", start), ("stop", stop)):
        file.answer(f"schedule.{key}", value, save=save)


def _answer(file: StackFile, question: Question, choices: Choices | None) -> str:
    """One answer, checked while it is typed; the default stands there already."""
    import questionary

    key = question.setting

    def check(given: str) -> bool | str:
        try:
            BY_KEY[key].read(given.strip())
        except ValueError as error:
            return _("expected: {wanted}", wanted=error)
        clash = Settings({**file.settings, key: BY_KEY[key].read(given.strip())}).conflict()
        if clash and clash[0] == key:
            return _("expected: {wanted}", wanted=clash[1])
        return True

    if choices:
        return chosen(question.text(), choices(), question.explanation())
    now = file.settings[key]
    shown = ",".join(now) if isinstance(now, list) else "" if now is None else str(now)
    prompt: Any = questionary.text(
        question.text(),
        default=shown,
        validate=check,
        instruction=f"\n  {question.explanation()}\n  ",
    )
    return str(prompt.unsafe_ask()).strip()


def ask_secret(name: str, variable: str) -> str:
    """One of LINE's secrets, hidden. Raises Usage naming the variable where nobody is there to answer."""
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
    """One of several values, each told with a few words. Only where somebody is there to answer."""
    import questionary

    offered = [questionary.Choice(f"{value}  {told}", value=value) for value, told in choices]
    prompt = questionary.select(question, offered, instruction=explanation or None)
    return str(prompt.unsafe_ask())


def several(question: str, choices: list[tuple[str, str]], explanation: str) -> list[str]:
    """None, or two and more of several values. Only where somebody is there to answer."""
    import questionary

    prompt = questionary.checkbox(
        question,
        [questionary.Choice(f"{value}  {told}", value=value) for value, told in choices],
        instruction=explanation,
        validate=lambda picked: len(picked) != 1 or explanation,
    )
    return list(prompt.unsafe_ask())


def confirmed(question: str, *, default: bool = False) -> bool:
    """One yes or no. Raises UsageError naming --yes where nobody is there to answer."""
    if not on_terminal():
        raise UsageError(question, _("there is no terminal to ask on"), _("Add --yes."))
    import questionary

    return bool(questionary.confirm(question, default=default).unsafe_ask())


def typed(question: str, wanted: str) -> bool:
    """Whether exactly this was typed. Raises UsageError naming --yes where nobody is there to answer."""
    if not on_terminal():
        raise UsageError(question, _("there is no terminal to ask on"), _("Add --yes."))
    import questionary

    return str(questionary.text(question).unsafe_ask()).strip() == wanted
