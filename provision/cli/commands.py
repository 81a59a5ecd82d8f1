"""The command classes: help that is grouped, wrapped and translated, and the first lines a person sees."""

import itertools
from collections.abc import Iterable
from typing import Any

import click

from provision.i18n import _, command
from provision.ui.text import columns, wrap


class Formatter(click.HelpFormatter):
    """Wrap help by the columns that its characters take: Japanese has no spaces and wide characters."""

    def write_text(self, text: str) -> None:
        """Write a paragraph."""
        for line in wrap(text, self.width - self.current_indent):
            self.write(f"{'':{self.current_indent}}{line}\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms and their descriptions in two columns."""
        rows = list(rows)
        first = min(max((columns(term) for term, _text in rows), default=0), col_max) + col_spacing
        for term, text in rows:
            lines = wrap(text, self.width - self.current_indent - first)
            if columns(term) > first - col_spacing:
                lines.insert(0, "")
            for head, line in itertools.zip_longest([term], lines, fillvalue=""):
                gap = " " * (first - columns(head)) if line else ""
                self.write(f"{'':{self.current_indent}}{head}{gap}{line}\n")


class Context(click.Context):
    """A context whose help is wrapped by columns."""

    formatter_class = Formatter


class Verb(click.Command):
    """A verb of `provision`."""

    context_class = Context


class Verbs(click.Group):
    """The command `provision`: its help lists the verbs by purpose."""

    context_class = Context

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.purposes: dict[str, list[str]] = {}  # by heading, the names of the verbs

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section per purpose, with each verb's first sentence."""
        for heading, names in self.purposes.items():
            with formatter.section(heading):
                formatter.write_dl([(name, self.commands[name].help or "") for name in names])


def introduction() -> str:
    """Return what `provision` alone prints below its help: how to try, build and remove a bot."""
    rows = [
        (_("Try it without AWS:"), "sandbox"),
        (_("Build it:"), "setup"),
        (_("Remove it:"), "teardown"),
    ]
    width = max(columns(text) for text, _verb in rows)
    return "\n".join(f"{text}{'':{width - columns(text)}}  {command(verb)}" for text, verb in rows)
