"""The options of the command line, of every verb and of some."""

from collections.abc import Callable
from typing import Any

import click

from provision import i18n
from provision.i18n import _

Verb = Callable[..., int | None]
Option = Callable[[Verb], Verb]


def common(verb: Verb) -> Verb:
    """The options that every verb takes, before it or after it."""
    options = [
        click.option("--stack", metavar="FILE", help=_("the stack's file (default: stack.yaml)")),
        click.option(
            "--sandbox",
            is_flag=True,
            help=_("use the sandbox that runs on this machine, and stack.sandbox.yaml"),
        ),
        click.option("--yes", is_flag=True, help=_("ask nothing")),
        click.option(
            "--lang", type=click.Choice(i18n.LANGUAGES), help=_("language (default: the locale's)")
        ),
        click.option(
            "--set",
            "sets",
            multiple=True,
            metavar="KEY=VALUE",
            help=_("a setting, dotted; repeatable"),
        ),
    ]
    for option in reversed(options):
        verb = option(verb)
    return verb


def merged(context: click.Context, given: dict[str, Any]) -> Any:
    """What was given before the verb and after it, as one."""
    from provision.run import Options

    above = context.parent.params if context.parent else {}
    return Options(
        stack=given["stack"] or above.get("stack") or "",
        sandbox=given["sandbox"] or above.get("sandbox", False),
        yes=given["yes"] or above.get("yes", False),
        sets=(*above.get("sets", ()), *given["sets"]),
    )


def waiting() -> Option:
    """--wait, of the verbs that may have to."""
    return click.option(
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help=_("how long to wait for the registrar and ACM (0: not at all, exit 3 if unfinished)"),
    )


def contents() -> Option:
    """--contents, of the verbs that delete."""
    return click.option(
        "--contents", is_flag=True, help=_("take away what others put into ours, too")
    )


def as_json() -> Option:
    """--json, of the verbs that have data to tell."""
    return click.option("--json", "as_json", is_flag=True, help=_("one JSON document on stdout"))
