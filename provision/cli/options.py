"""Common command-line options, and the construction of click commands."""

import math
from collections.abc import Callable
from typing import Any

import click

from provision import environment, i18n
from provision.cli.commands import Verb
from provision.i18n import _
from provision.run import Options

HELP = {"help_option_names": ["-h", "--help"]}
Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def make_command(
    function: Callable[..., int], name: str, text: str, example: str, *options: Option
) -> click.Command:
    """Return a click command. `function` gets the common options as `Options`, the others by name."""

    @click.pass_context
    def callback(context: click.Context, /, **given: Any) -> int:
        parent = context.parent.params if context.parent else {}
        common = Options(
            stack=given.pop("stack") or parent.get("stack") or "",
            sandbox=given.pop("sandbox") or parent.get("sandbox", False),
            yes=given.pop("yes") or parent.get("yes", False),
            verbose=given.pop("verbose") or parent.get("verbose", False),
            sets=(*parent.get("sets", ()), *given.pop("sets")),
            profile=given.pop("profile") or parent.get("profile") or "",
        )
        given.pop("lang")
        if common.profile:
            environment.use_profile(common.profile)
        i18n.repeat_flags(common.flags())
        return function(common, **given)

    epilog = _("Example: {example}", example=example)
    command = click.command(name, Verb, help=text, epilog=epilog, context_settings=HELP)
    return command(with_options(callback, *common(), *options))


def with_options(function: Callable[..., Any], *options: Option) -> Callable[..., Any]:
    """Return the function decorated with these options, in the order of `--help`."""
    for option in reversed(options):
        function = option(function)
    return function


def common() -> list[Option]:
    """Return the options of all commands, which may precede or follow the command's name."""
    return [
        click.option("--stack", metavar="FILE", help=_("the stack's file (default: stack.yaml)")),
        click.option(
            "--sandbox",
            is_flag=True,
            help=_("use the sandbox that runs on this machine, and stack.sandbox.yaml"),
        ),
        click.option(
            "--profile",
            metavar="NAME",
            help=_("the AWS profile (default: AWS_PROFILE, or default)"),
        ),
        click.option(
            "--yes",
            is_flag=True,
            help=_("do not ask questions about the stack that the file names"),
        ),
        click.option(
            "--verbose",
            "-v",
            is_flag=True,
            help=_("list every resource with its key, and every check, not only the steps"),
        ),
        click.option(
            "--lang",
            type=click.Choice(i18n.LANGUAGES),
            is_eager=True,  # --json asks whether it is given
            help=_("language (default: the locale's)"),
        ),
        click.option(
            "--set",
            "sets",
            multiple=True,
            metavar="KEY=VALUE",
            help=_("a setting, dotted; repeatable"),
        ),
    ]


class FiniteRange(click.FloatRange):
    """A range of numbers. `nan` and `inf`, which float() reads too, are none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; fail for any other value."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(_("{value} is not a number.", value=value), param, ctx)
        return number


def wait() -> Option:
    """Return the option --wait."""
    return click.option(
        "--wait",
        type=FiniteRange(min=0),
        metavar="SECONDS",
        help=_("how long to wait for the registrar and ACM (0: not at all, exit 3 if unfinished)"),
    )


def contents() -> Option:
    """Return the option --contents."""
    return click.option(
        "--contents",
        is_flag=True,
        help=_(
            "also delete what others added to resources provision created, and deletion protection"
        ),
    )


def as_json() -> Option:
    """Return the option --json."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=_use_english,
        help=_("one JSON document on stdout, in English unless --lang is given"),
    )


def _use_english(context: click.Context, _parameter: click.Parameter, given: bool) -> bool:
    """Use English where a script reads the sentences, whatever the locale; --lang says otherwise."""
    parent = context.parent.params if context.parent else {}
    if given and not (context.params.get("lang") or parent.get("lang")):
        i18n.use("en")
    return given


def address_as_json() -> Option:
    """Return the option --json of a command that serves a page; the page keeps its language."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help=_("print its addresses as one line of JSON at the start"),
    )
