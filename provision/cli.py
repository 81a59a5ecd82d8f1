"""The command: reads what was typed, runs one verb, and says how it ended."""

import os
import sys
from typing import Any

import click

from provision import __version__, words
from provision.commands import daily, ending, looking, making
from provision.errors import NotYet, Refusal, Unfinished
from provision.options import Option, Verb, common
from provision.words import _


def build() -> click.Group:
    """The command, in the language that `_()` speaks now."""

    @click.group(
        help=_("From a domain and a LINE channel to a LINE bot on AWS, and back to nothing.")
    )
    @common
    @click.version_option(__version__, prog_name="provision")
    def provision(**given: Any) -> None:
        pass

    def verb(name: str, text: str, example: str) -> Option:
        def wrap(function: Verb) -> Verb:
            epilog = _("Example: {example}", example=example)
            command = click.command(name, help=text, epilog=epilog)(
                common(click.pass_context(function))
            )
            provision.add_command(command)
            return function

        return wrap

    for group in (making, looking, daily, ending):
        group(verb)
    return provision


def main() -> None:
    """The `provision` command."""
    words.use(words.from_arguments(sys.argv[1:], os.environ))
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One invocation; returns the exit status."""
    try:
        return int(build().main(arguments, prog_name="provision", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return 2 if isinstance(error, click.UsageError) else 1
    except Unfinished as unfinished:
        print(unfinished, file=sys.stderr)
        return unfinished.exit_status
    except NotYet as why:
        print(
            _("Not now: {reason}. Run the same command again.", reason=why.reason), file=sys.stderr
        )
        return 1
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return refusal.exit_status
    except (KeyboardInterrupt, click.Abort):
        print(_("Stopped. Nothing is lost: the same command goes on from here."), file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stdout = None
        return 1


if __name__ == "__main__":
    main()
