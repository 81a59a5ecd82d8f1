"""What the wizard asks, in order; the only user of questionary.

YAML key, flag and prompt are one name. Only open questions are asked; an answer is checked at once and saved
at once, as a line in stack.yaml. Ctrl-C arrives as KeyboardInterrupt.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provision.errors import Usage
from provision.settings import BY_KEY
from provision.stackfile import StackFile
from provision.words import _


@dataclass(frozen=True)
class Question:
    """One open setting: what is asked, one line that explains it, and the answers there are (none: any)."""

    setting: str
    text: Callable[[], str]
    explanation: Callable[[], str]
    choices: Callable[[], list[tuple[str, str]]] | None = None


QUESTIONS = (
    Question(
        "domain",
        lambda: _("Which domain do you own?"),
        lambda: _("Its DNS moves to Route 53, or it is there already. Example: example.jp"),
    ),
    Question(
        "network.vpc",
        lambda: _("In which network shall the bot stand?"),
        lambda: _("The default VPC is there in every account and costs nothing."),
        lambda: [("default", _("the region's default VPC"))],
    ),
    Question(
        "image.uri",
        lambda: _("Which container image is the bot?"),
        lambda: _("A URI that Fargate can pull. Example: public.ecr.aws/name/bot:1"),
    ),
)


def on_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_open(file: StackFile, *, save: bool) -> None:
    """Asks what is open. Raises Usage naming the flag where nobody is there to answer."""
    for question in QUESTIONS:
        if file.settings[question.setting] is not None:
            continue
        if not on_terminal():
            raise Usage(
                _("Reading the settings in {path}.", path=file.path),
                _(
                    "{key} is not answered, and there is no terminal to ask on",
                    key=question.setting,
                ),
                _("Add `--set {key}=...`, or a line to the file.", key=question.setting),
            )
        file.answer(question.setting, _answer(question), save=save)


def _answer(question: Question) -> str:
    import questionary

    def check(given: str) -> bool | str:
        try:
            BY_KEY[question.setting].parse(given.strip())
        except ValueError as error:
            return _("{key} takes {wanted}", key=question.setting, wanted=error)
        return True

    prompt: Any
    if question.choices:
        choices = [
            questionary.Choice(f"{value}  {told}", value=value)
            for value, told in question.choices()
        ]
        prompt = questionary.select(question.text(), choices, instruction=question.explanation())
    else:
        prompt = questionary.text(
            question.text(), validate=check, instruction=f"\n  {question.explanation()}\n  "
        )
    return str(prompt.unsafe_ask()).strip()


def ask_secret(name: str, variable: str) -> str:
    """One of LINE's secrets, hidden. Raises Usage naming the variable where nobody is there to answer."""
    if not on_terminal():
        raise Usage(
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


def confirmed(question: str) -> bool:
    """One yes or no. Raises Usage naming --yes where nobody is there to answer."""
    if not on_terminal():
        raise Usage(question, _("there is no terminal to ask on"), _("Add --yes."))
    import questionary

    return bool(questionary.confirm(question, default=False).unsafe_ask())


def typed(question: str, wanted: str) -> bool:
    """Whether exactly this was typed. Raises Usage naming --yes where nobody is there to answer."""
    if not on_terminal():
        raise Usage(question, _("there is no terminal to ask on"), _("Add --yes."))
    import questionary

    return str(questionary.text(question).unsafe_ask()).strip() == wanted
