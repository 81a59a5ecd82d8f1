"""The command `open`: show the bot's chat, or its service in AWS's console, in the browser."""

import sys

import click

from provision.cli import options
from provision.cli.prepare import prepare_run
from provision.errors import UsageError
from provision.i18n import _
from provision.run import Options, Run
from provision.ui.text import echo
from provision.wizard import channel


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        open_page,
        "open",
        _("Open the bot's chat, or its service in AWS's console, in the browser."),
        "provision open aws",
        click.argument("page", type=click.Choice(["chat", "aws"]), default="chat"),
    )


def open_page(given: Options, page: str) -> int:
    """Print the page's address and, at a terminal, open it. Change nothing."""
    run = prepare_run(given, save=False, read_only=True)
    url = _service_page(run) if page == "aws" else run.chat_link(channel.info(run)["basicId"])
    echo(url)
    return click.launch(url) if sys.stdout.isatty() else 0


def _service_page(run: Run) -> str:
    """Return the address of the ECS service in AWS's console. Raise UsageError on the sandbox."""
    if run.sandbox:
        raise UsageError(
            _("Could not open AWS's console."),
            _("the sandbox has none"),
            _("Run `provision status`, or `provision open` for the chat."),
        )
    region, name = run.stack.region, run.stack.name
    return (
        f"https://{region}.console.aws.amazon.com/ecs/v2/clusters/{name}/services/"
        f"{run.stack.service.name}/health?region={region}"
    )
