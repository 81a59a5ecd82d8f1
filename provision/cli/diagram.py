"""The command `diagram`: draw the stack with the state of each part."""

import sys
from pathlib import Path

import click

from provision.cli import options
from provision.cli.planning import inspect
from provision.cli.prepare import prepare_run
from provision.errors import os_error
from provision.i18n import _
from provision.run import Options
from provision.status_report import describe, is_known
from provision.ui.diagram import mermaid, svg
from provision.ui.progress import Progress
from provision.ui.text import echo, show


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        diagram,
        "diagram",
        _("Draw the stack, with the state of each part, as SVG or Mermaid."),
        "provision diagram -o stack.svg",
        click.option("-o", "--output", metavar="FILE", help=_("write to this file, not to stdout")),
        click.option(
            "--mermaid", "as_mermaid", is_flag=True, help=_("a Mermaid flowchart, not SVG")
        ),
    )


def diagram(given: Options, output: str | None, as_mermaid: bool) -> int:
    """Draw the stack. Change nothing in AWS. Return the exit status."""
    run = prepare_run(given, save=False, read_only=True)
    engine = run.engine(Progress([], run.clock))
    engine.begin()
    document = describe(run.stack, run.file, inspect(engine))
    picture = (mermaid if as_mermaid else svg)(document)
    if output:
        try:
            Path(output).write_text(f"{picture}\n", encoding="utf-8")
        except OSError as error:
            raise os_error(_("Could not write {path}.", path=output), error) from None
        show(_("{path} is written.", path=output), sys.stderr)
    else:
        echo(picture)
    return 0 if is_known(document) else 1
