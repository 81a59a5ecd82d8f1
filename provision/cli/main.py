"""The entry point: build the click group, run a command, and convert exceptions to messages."""

import codecs
import contextlib
import errno
import io
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from provision import __version__, i18n
from provision.cli import (
    commands,
    console,
    cost,
    deploy,
    diagram,
    doctor,
    logs,
    options,
    pause,
    plan,
    policy,
    recover,
    resume,
    sandbox,
    secrets,
    setup,
    start,
    status,
    stop,
    teardown,
    verify,
)
from provision.cli import open as open_verb
from provision.errors import Cancelled, Pending, ProvisionError, os_error
from provision.i18n import _
from provision.ui import errors, reports
from provision.ui.errors import show_error
from provision.ui.text import echo

OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
PRINT_LINES = {"console", "logs", "sandbox"}  # verbs that print JSON lines, no document
ERROR_HANDLER = "provision"  # codec error handler for characters that an encoding lacks
REPLACEMENTS = {"\u2713": "v", "\u2717": "x", "\u2026": "."}


def purposes() -> dict[str, list[click.Command]]:
    """Return the verbs by what they are for, as `--help` lists them."""
    return {
        _("Practise on this computer"): [sandbox.command()],
        _("Build and change"): [
            doctor.command(),
            setup.command(),
            plan.command(),
            deploy.command(),
            secrets.command(),
            recover.command(),
        ],
        _("Look"): [
            status.command(),
            verify.command(),
            logs.command(),
            cost.command(),
            console.command(),
            policy.command(),
            diagram.command(),
            open_verb.command(),
        ],
        _("Start and stop"): [
            start.command(),
            stop.command(),
            pause.command(),
            resume.command(),
        ],
        _("Remove"): [teardown.command()],
    }


def build() -> click.Group:
    """Return the click group, in the current language."""
    text = _("Put a LINE bot on AWS with your domain and LINE channel, and remove it all again.")
    version = click.version_option(__version__, prog_name="provision")
    command = click.group(
        "provision",
        commands.Verbs,
        help=text,
        invoke_without_command=True,
        context_settings=options.HELP,
    )
    group = command(options.with_options(_without_a_verb, *options.common(), version))
    for heading, verbs in purposes().items():
        group.purposes[heading] = [str(verb.name) for verb in verbs]
        for verb in verbs:
            group.add_command(verb)
    return group


@click.pass_context
def _without_a_verb(context: click.Context, /, **_given: object) -> None:
    """Print the help and, where it stays in sight, how to begin."""
    if context.invoked_subcommand is None:
        echo(context.get_help() + "\n")
        echo(commands.introduction())


def main() -> None:
    """Run the `provision` command."""
    i18n.use_program(program_name(sys.argv[0]))
    prepare(sys.argv[1:])
    end_with(run(sys.argv[1:]))


def program_name(path: str) -> str:
    """Return how the person starts the program with this path: by its name if the shell finds it."""
    if os.path.basename(path) != "provision":  # python -m provision
        return "provision"
    found = shutil.which("provision")
    return "provision" if found and os.path.samefile(found, path) else shlex.quote(path)


def prepare(arguments: list[str]) -> None:
    """Configure the standard streams and the language.

    Replace characters that a stream's encoding lacks. Use English if it cannot encode Japanese.
    """
    codecs.register_error(ERROR_HANDLER, _replace)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by the parent process
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERROR_HANDLER)
    language = i18n.from_arguments(arguments, os.environ)
    can_show = language == "en" or i18n.can_show("\u65e5\u672c", sys.stdout, sys.stderr)
    i18n.use(language if can_show else "en")


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Return replacements of the same width for the characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(REPLACEMENTS.get(character, "?") for character in missing), error.end


def end_with(status: int) -> NoReturn:
    """Exit with this status. From here on Ctrl-C ends the process without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(status)


def run(arguments: list[str]) -> int:
    """Run one command. Return the exit status."""
    language = i18n.language()
    reports.begin_document()
    try:
        return guarded(
            lambda: int(build().main(arguments, prog_name="provision", standalone_mode=False) or 0),
            as_json="--json" in arguments and PRINT_LINES.isdisjoint(arguments),
        )
    finally:
        i18n.repeat_flags("")
        i18n.use(language)


def guarded(action: Callable[[], int], *, as_json: bool = False) -> int:
    """Run an action and return its exit status. No exception is raised.

    as_json: if it fails before it has printed a JSON document, its errors are printed as one.
    A closed pipe (`| head`) exits with 1 silently; other errors of writing the output are reported.
    """
    try:
        status = _run_action(action)
        if as_json and status:
            reports.show_missing_document()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        pass
    except OSError as error:
        with contextlib.suppress(OSError):
            show_error(os_error(_("Could not write the output."), error))
    for stream in (sys.stdout, sys.stderr):  # discard what is still buffered
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return 1


def _run_action(action: Callable[[], int]) -> int:
    """Run an action and report its exception on stderr. Return the exit status."""
    try:
        return action()
    except click.ClickException as error:
        error.show()
        errors.shown_errors.append({"what": error.format_message(), "why": "", "next": ""})
        return 2 if isinstance(error, click.UsageError) else 1
    except Pending as why:
        text = _("Not possible yet: {reason}. Run the same command again.", reason=why.reason)
        show_error(Cancelled(text))
        return 1
    except ProvisionError as error:
        show_error(error)
        return error.exit_status
    except (KeyboardInterrupt, click.Abort):
        show_error(Cancelled(_("Stopped. Nothing is lost. Run the same command to continue.")))
        return 130
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in OUTPUT_ERRORS:
            raise
        from provision.cli import unexpected

        show_error(unexpected.to_provision_error(error))
        return 1


if __name__ == "__main__":
    main()
