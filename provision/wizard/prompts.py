"""The wizard's prompts; the only user of questionary.

The wizard asks only for settings without a value. Each answer is validated and saved to stack.yaml at once.
Ctrl-C raises KeyboardInterrupt.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from provision.errors import UsageError
from provision.i18n import _, one_line
from provision.pricing import YEN, prices
from provision.resources.certificate import never_certified
from provision.resources.vpc import ZONES
from provision.settings import BY_KEY, Choices, Setting, Settings
from provision.state.stack_file import StackFile
from provision.ui.text import columns, indented, printable, show, width, wrap
from provision.wizard.questions import (
    ARTICLE,
    FIRST,
    NETWORK,
    OTHERS,
    OWN_TIMES,
    hours,
    priced,
    task_hour,
)

CHANNEL = "line.channel_id"  # asked only for line.token: stateless


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


class Back(Exception):
    """The person pressed Esc: the question before is to be asked again."""


def ask_open(file: StackFile, *, save: bool, yes: bool, lookups: Lookups) -> None:
    """Ask for the required settings that have no value. Raise UsageError without a terminal.

    If any is missing, and without --yes, also offer to ask for the settings that have a default.
    """
    unanswered = file.settings.missing()
    if not unanswered:
        return
    if not on_terminal():
        key = unanswered[0]
        raise UsageError(
            _("Could not read the settings in {path}.", path=file.path),
            _("{key} has no value, and there is no terminal to ask on", key=key),
            _("Add `--set {key}=...`, or a line to the file.", key=key),
        )
    if unanswered != [CHANNEL]:
        _Wizard(file, lookups, unanswered, save=save, yes=yes).ask()
    while CHANNEL in file.settings.missing():
        with suppress(Back):
            file.set(CHANNEL, _answer(file, BY_KEY[CHANNEL]), save=save)


def in_order(questions: Sequence[Callable[[], None]]) -> None:
    """Ask the questions; Esc goes back to the one before. Raise Back for Esc at the first."""
    position = 0
    while position < len(questions):
        try:
            questions[position]()
            position += 1
        except Back:
            if position == 0:
                raise
            position -= 1


class _Wizard:
    """The questions about the settings that have no value when it begins."""

    def __init__(
        self, file: StackFile, lookups: Lookups, unanswered: list[str], *, save: bool, yes: bool
    ) -> None:
        self._file, self._lookups, self._save, self._yes = file, lookups, save, yes
        wanted = (key for key in FIRST if key in unanswered or not file.has_value(key))
        self._first = [key for key in FIRST if key in unanswered] if yes else list(wanted)
        self._others = [key for key in OTHERS if not file.has_value(key)]
        self._network = [key for key in NETWORK if not file.has_value(key)]
        self._more = False  # whether the settings with a default are asked, too

    def ask(self) -> None:
        """Ask; Esc at the first question asks it again."""
        show(
            _("Enter takes the answer shown, Esc goes back, Ctrl-C stops and keeps the answers."),
            sys.stderr,
        )
        first = [partial(self._ask, key) for key in self._first]
        defaults = [] if self._yes else [self._ask_for_defaults]
        while True:
            with suppress(Back):
                in_order([*first, *defaults, self._ask_rest])
                return

    def _ask(self, key: str) -> None:
        """Ask for one setting, or for the hours, and save the answer."""
        if key == "schedule.start":
            _ask_times(self._file, save=self._save)
            return
        suggested = self._lookups.suggestions.get(key, "")
        answer = _answer(self._file, BY_KEY[key], suggested=suggested)
        self._file.set(key, answer, save=self._save)

    def _ask_for_defaults(self) -> None:
        self._more = not _keeps_defaults(self._file)

    def _ask_rest(self) -> None:
        """Ask for what has a default, if wanted, and for the network."""
        others = [partial(self._ask, key) for key in self._others] if self._more else []
        in_order([*others, self._ask_network])

    def _ask_network(self) -> None:
        """Ask for the VPC and, unless it is a new one, for the subnets if all settings are asked.

        Save the VPC last: an interrupted wizard continues as long as it has no value.
        """
        vpc, subnets = (BY_KEY[key] for key in NETWORK)
        if vpc.key not in self._network:
            return
        answers: dict[str, str] = {}

        def choose_vpc() -> None:
            answers[vpc.key] = _answer(self._file, vpc, self._lookups.networks)

        def choose_subnets() -> None:
            choice = answers[vpc.key]
            if self._more and choice != "new" and subnets.key in self._network:
                selected = select_several(
                    subnets.question(), self._lookups.subnets(choice), subnets.explanation()
                )
                self._file.set(subnets.key, selected, save=self._save)

        in_order([choose_vpc, choose_subnets])
        self._file.set(vpc.key, answers[vpc.key], save=self._save)


def _keeps_defaults(file: StackFile) -> bool:
    """List the defaults of what was not asked, and ask whether to keep them all."""
    settings = file.settings
    feeds = [feed.partition("#")[2] or feed for feed in settings["news.feeds"]]
    show(
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
        sys.stderr,
    )
    return confirm(_("Keep the defaults of everything else?"), default=True, back=True)


def _ask_times(file: StackFile, *, save: bool) -> None:
    """Ask for the bot's hours: one question for three settings, saved together."""
    settings = file.settings
    fixed = prices(settings["region"]).fixed_month(ZONES)
    hour = task_hour(settings)
    explanation = _(
        "The load balancer, its addresses and the hosted zone cost {fixed:.2f} USD of that, around the "
        "clock; the task {hour:.4f} USD an hour, only while it runs (1 USD = {rate} yen).",
        fixed=fixed,
        hour=hour,
        rate=YEN,
    )
    always = ("", "", settings["schedule.timezone"])
    times: dict[str, str] = {}

    def choose() -> None:
        choice = select(_("When should the bot run?"), hours(settings), explanation, back=True)
        times.clear()
        if choice != "own":
            times.update(zip(OWN_TIMES, ARTICLE if choice == "article" else always, strict=True))

    def answer(key: str) -> None:
        times[key] = _answer(file, BY_KEY[key], chosen=times)

    def ask_own() -> None:
        if not times:
            in_order([partial(answer, key) for key in OWN_TIMES])

    in_order([choose, ask_own])
    for key in ("schedule.timezone", "schedule.start", "schedule.stop"):
        file.set(key, times[key], save=save)


def _answer(
    file: StackFile,
    setting: Setting,
    choices: Choices | None = None,
    suggested: str = "",
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Ask for a setting, with its current value as default. Validate the answer while it is typed.

    choices: used instead of the setting's own. suggested: filled in if there is no default. chosen: answers
    that are not in the file yet. Raise Back for Esc.
    """
    import questionary

    key = setting.key
    current = file.settings[key]

    def check(text: str) -> bool | str:
        try:
            answer = setting.read(text.strip())
        except ValueError as error:
            return _("expected: {wanted}", wanted=error)
        if key in ("domain", "host") and (why := never_certified(str(answer))):
            return why
        conflict = Settings({**file.settings, **chosen, key: answer}).conflict()
        if conflict and conflict[0] == key:
            return _("expected: {wanted}", wanted=conflict[1])
        return True

    shown = (
        ",".join(current)
        if isinstance(current, list)
        else suggested
        if current is None
        else str(current)
    )
    explanation = setting.explanation()
    if listed := priced(key, file.settings) or (choices or setting.choices or list)():
        return select(setting.question(), listed, explanation, default=shown, back=True)
    prompt = questionary.text(
        _wrapped(setting.question()),
        default=shown,
        validate=check,
        instruction=f"{indented(explanation)}\n  ",
        **_appearance(),
    )
    answer = str(_ask(prompt, back=True)).strip()
    _print_answer(setting.question(), answer or _("(empty)"))
    return answer


def ask_secret(
    name: str, variable: str, question: str, default: str = "", *, required: bool = True
) -> str:
    """Ask for one of LINE's secrets without echo. Raise UsageError without a terminal.

    name: of its parameter. variable: the environment variable that could hold it. default: of Enter.
    required: it cannot be empty; else that keeps the present value.
    """
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

    prompt = questionary.password(
        _wrapped(question)
        + indented(_("It is shown as asterisks, and goes to Parameter Store only."))
        + (indented(_("The sandbox's own is filled in: press Enter.")) if default else "")
        + ("" if required else indented(_("Empty: the present value stays.")))
        + "\n  ",
        default=default,
        validate=lambda text: bool(text.strip()) or not required or _("it cannot be empty"),
        **_appearance(),
    )
    answer = str(_ask(prompt)).strip()
    _print_answer(question, "********" if answer else _("(empty)"))
    return answer


def select(
    question: str,
    choices: list[tuple[str, str]],
    explanation: str = "",
    *,
    default: str = "",
    back: bool = False,
) -> str:
    """Ask for one of several values, each with a description. Needs a terminal. back: Esc raises Back."""
    import questionary

    options = [questionary.Choice(_shown(text or value), value=value) for value, text in choices]
    prompt = questionary.select(
        _wrapped(question),
        options,
        default=default if default in dict(choices) else None,
        instruction=indented(explanation) if explanation else _("(arrow keys, then Enter)"),
        **_appearance(),
    )
    answer = str(_ask(prompt, back=back))
    _print_answer(question, dict(choices)[answer] or answer)
    return answer


def select_several(question: str, choices: list[tuple[str, str]], explanation: str) -> list[str]:
    """Ask for none, or two or more, of several values. Needs a terminal. Raise Back for Esc."""
    import questionary

    prompt = questionary.checkbox(
        _wrapped(question),
        [
            questionary.Choice(_shown(f"{value}  {description}"), value=value)
            for value, description in choices
        ],
        instruction=indented(explanation),
        validate=lambda selected: len(selected) != 1 or explanation,
        **_appearance(),
    )
    selected = list(_ask(prompt, back=True))
    _print_answer(question, ", ".join(selected) or _("none"))
    return selected


def confirm(question: str, *, default: bool = False, back: bool = False) -> bool:
    """Ask yes or no. Raise UsageError without a terminal. back: Esc raises Back."""
    _check_terminal(question)
    import questionary

    wrapped, keys = _wrapped(question), _("(Y/n) ") if default else _("(y/N) ")
    if columns(wrapped.rpartition("\n")[2] + keys) > width() - 3:
        keys = f"\n  {keys}"
    prompt = questionary.confirm(
        wrapped,
        default=default,
        instruction=keys,
        **_appearance(),
    )
    answer = bool(_ask(prompt, back=back))
    _print_answer(question, _("Yes") if answer else _("No"))
    return answer


def confirm_by_typing(question: str, wanted: str) -> bool:
    """Ask for a text. Return whether it equals `wanted`. Raise UsageError without a terminal."""
    _check_terminal(question)
    import questionary

    answer = str(_ask(questionary.text(_wrapped(question), **_appearance()))).strip()
    _print_answer(question, answer)
    return answer == wanted


def _check_terminal(question: str) -> None:
    """Raise UsageError without a terminal."""
    if not on_terminal():
        raise UsageError(
            _("Could not ask: {question}", question=question),
            _("there is no terminal to ask on"),
            _("Add --yes."),
        )


def _ask(prompt: Any, *, back: bool = False) -> Any:
    """Return the answer. Raise KeyboardInterrupt for Ctrl-C; back: raise Back for Esc."""
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings

    if back:
        bindings = KeyBindings()
        bindings.add("escape", eager=True)(lambda event: event.app.exit(exception=Back()))
        application = prompt.application
        application.key_bindings = merge_key_bindings([application.key_bindings, bindings])
    return prompt.unsafe_ask()


def _appearance() -> dict[str, Any]:
    """Return how questions are shown: on stderr, as stdout is for data, and gone once they are answered.

    Then `_print_answer` prints question and answer, because questionary's own words are English.
    """
    from prompt_toolkit.output import create_output

    # Not knowing where the cursor is, prompt_toolkit shows an error below the answer, not at the bottom.
    os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")
    return {"output": create_output(sys.stderr), "erase_when_done": True}


def _wrapped(question: str) -> str:
    """Return a question in lines that fit the terminal; questionary cuts longer ones."""
    return "\n  ".join(wrap(_shown(question), width() - 3))


def _shown(text: str) -> str:
    """Return a text, which may have values of AWS's, on one line and without control characters."""
    return printable(one_line(text))


def _print_answer(question: str, answer: str) -> None:
    """Print a question with its answer."""
    show(f"? {question} {answer}", sys.stderr, hanging=2)
