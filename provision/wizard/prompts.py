"""The wizard's prompts; the only user of questionary.

The wizard asks only for settings without a value. Each answer is validated and saved to stack.yaml at once.
Ctrl-C raises KeyboardInterrupt.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provision.errors import UsageError
from provision.i18n import _
from provision.pricing import prices, yen
from provision.resources.vpc import ZONES
from provision.settings import BY_KEY, Choices, Setting, Settings
from provision.state.stack_file import StackFile
from provision.ui.text import indented
from provision.wizard.questions import (
    ARTICLE,
    FIRST,
    NETWORK,
    OTHERS,
    OWN_TIMES,
    times,
)


def on_terminal() -> bool:
    """Return whether a person can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(frozen=True)
class Lookups:
    """Where the wizard's choices come from; the functions are called when their question comes.

    subnets: of the VPC that was chosen. suggestions: answers filled in for settings without a default.
    """

    networks: Choices
    subnets: Callable[[str], list[tuple[str, str]]]
    suggestions: Mapping[str, str] = field(default_factory=dict)


def ask_open(file: StackFile, *, save: bool, yes: bool, lookups: Lookups) -> None:
    """Ask for the required settings that have no value. Raise UsageError without a terminal.

    If any is missing, and without --yes, also offer to ask for the settings that have a default.
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
            suggested = lookups.suggestions.get(key, "")
            file.set(key, _answer(file, BY_KEY[key], suggested=suggested), save=save)
    more = not yes and not _keeps_defaults(file)
    for key in OTHERS if more else ():
        if not file.has_value(key):
            file.set(key, _answer(file, BY_KEY[key]), save=save)
    if not file.has_value("network.vpc"):
        _ask_network(file, lookups, more, save=save)


def _keeps_defaults(file: StackFile) -> bool:
    """List the defaults of what was not asked, and ask whether to keep them all."""
    settings = file.settings
    feeds = [feed.partition("#")[2] or feed for feed in settings["news.feeds"]]
    print(
        _(
            "Defaults: region {region}; {cpu} CPU units and {memory} MiB, {count} task, {capacity}; "
            "news from {feeds}.",
            region=settings["region"],
            cpu=settings["service.cpu"],
            memory=settings["service.memory"],
            count=settings["service.count"],
            capacity=settings["service.capacity"],
            feeds=", ".join(feeds) or _("no feed"),
        ),
        file=sys.stderr,
    )
    return confirm(_("Keep the defaults of everything else?"), default=True)


def _ask_network(file: StackFile, lookups: Lookups, more: bool, *, save: bool) -> None:
    """Ask for the VPC and, if `more` and it is not a new one, for the subnets.

    Save the VPC last: an interrupted wizard continues as long as it has no value.
    """
    vpc, subnets = (BY_KEY[key] for key in NETWORK)
    choice = _answer(file, vpc, lookups.networks)
    if more and choice != "new" and not file.has_value(subnets.key):
        selected = select_several(
            subnets.question(), lookups.subnets(choice), subnets.explanation()
        )
        file.set(subnets.key, selected, save=save)
    file.set(vpc.key, choice, save=save)


def _ask_times(file: StackFile, *, save: bool) -> None:
    """Ask for the bot's hours: one question for three settings, saved together."""
    settings = file.settings
    region_prices = prices(settings["region"])
    fixed = region_prices.fixed_month(ZONES)
    options = times(
        region_prices,
        settings["service.cpu"],
        settings["service.memory"],
        settings["service.capacity"],
    )
    choice = select(
        _("When should the bot run?"),
        options,
        _(
            "You pay for the task only while it runs, and for the load balancer and its addresses around the "
            "clock: about {usd:.0f} USD ({yen} yen) a month more.",
            usd=fixed,
            yen=yen(fixed),
        ),
    )
    start, stop, zone = ("", "", settings["schedule.timezone"]) if choice == "always" else ARTICLE
    if choice == "own":
        start, stop, zone = (_answer(file, BY_KEY[own]) for own in OWN_TIMES)
    for key, value in (("timezone", zone), ("start", start), ("stop", stop)):
        file.set(f"schedule.{key}", value, save=save)


def _answer(
    file: StackFile, setting: Setting, choices: Choices | None = None, suggested: str = ""
) -> str:
    """Ask for a setting, with its current value as default. Validate the answer while it is typed.

    choices: used instead of the setting's own. suggested: filled in if there is no default.
    """
    import questionary

    key, choices = setting.key, choices or setting.choices

    def check(text: str) -> bool | str:
        try:
            setting.read(text.strip())
        except ValueError as error:
            return _("expected: {wanted}", wanted=error)
        conflict = Settings({**file.settings, key: setting.read(text.strip())}).conflict()
        if conflict and conflict[0] == key:
            return _("expected: {wanted}", wanted=conflict[1])
        return True

    if choices:
        return select(setting.question(), choices(), setting.explanation())
    current = file.settings[key]
    shown = (
        ",".join(current)
        if isinstance(current, list)
        else suggested
        if current is None
        else str(current)
    )
    prompt: Any = questionary.text(
        setting.question(),
        default=shown,
        validate=check,
        instruction=f"{indented(setting.explanation())}\n  ",
    )
    return str(prompt.unsafe_ask()).strip()


def ask_secret(name: str, variable: str) -> str:
    """Ask for one of LINE's secrets without echo. Raise UsageError without a terminal."""
    if not on_terminal():
        raise UsageError(
            _("LINE's secrets are missing."),
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
            validate=lambda text: bool(text.strip()) or _("it cannot be empty"),
        ).unsafe_ask()
    ).strip()


def select(question: str, choices: list[tuple[str, str]], explanation: str = "") -> str:
    """Ask for one of several values, each with a description. Needs a terminal."""
    import questionary

    options = [questionary.Choice(text or value, value=value) for value, text in choices]
    instruction = indented(explanation) if explanation else None
    prompt = questionary.select(question, options, instruction=instruction)
    return str(prompt.unsafe_ask())


def select_several(question: str, choices: list[tuple[str, str]], explanation: str) -> list[str]:
    """Ask for none, or two or more, of several values. Needs a terminal."""
    import questionary

    prompt = questionary.checkbox(
        question,
        [
            questionary.Choice(f"{value}  {description}", value=value)
            for value, description in choices
        ],
        instruction=indented(explanation),
        validate=lambda selected: len(selected) != 1 or explanation,
    )
    return list(prompt.unsafe_ask())


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask yes or no. Raise UsageError without a terminal."""
    if not on_terminal():
        raise UsageError(
            _("Could not ask: {question}", question=question),
            _("there is no terminal to ask on"),
            _("Add --yes."),
        )
    import questionary

    return bool(questionary.confirm(question, default=default).unsafe_ask())


def confirm_by_typing(question: str, wanted: str) -> bool:
    """Ask for a text. Return whether it equals `wanted`. Raise UsageError without a terminal."""
    if not on_terminal():
        raise UsageError(
            _("Could not ask: {question}", question=question),
            _("there is no terminal to ask on"),
            _("Add --yes."),
        )
    import questionary

    return str(questionary.text(question).unsafe_ask()).strip() == wanted
