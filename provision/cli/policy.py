"""The command `policy`: print the least-privilege IAM policy of the person who runs provision."""

import sys
from pathlib import Path

import click

from provision import operator_policy
from provision.cli import options
from provision.cli.prepare import prepare_run
from provision.engine import inspector
from provision.engine.deleter import from_record
from provision.errors import os_error
from provision.i18n import _
from provision.resources.base import Resource
from provision.run import Options, Run
from provision.ui.reports import show_json
from provision.ui.text import echo, show


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        policy,
        "policy",
        _("The least-privilege IAM policy for the person who runs provision."),
        "provision policy --out policies",
        click.option(
            "--for",
            "verb",
            type=click.Choice([verb for verb in operator_policy.PURPOSES if verb]),
            help=_("only what this command needs (default: every command)"),
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIRECTORY",
            help=_("write it there, in as many files as IAM's limit of 6,144 characters requires"),
        ),
    )


def policy(given: Options, verb: str | None, out: Path | None) -> int:
    """Print the policy as JSON, or write it into files and print their names. Change nothing."""
    run = prepare_run(given, save=False, read_only=True, recover=False)
    found = operator_policy.statements(_resources(run), _account(run), verb or "")
    documents = operator_policy.documents(found)
    if operator_policy.is_unbounded(found):
        show(
            _(
                "Note: with this policy one can give the stack's roles any permission, and run a task with "
                "it. Set aws.permissions_boundary to prevent that: docs/SECURITY.md has an example."
            ),
            sys.stderr,
        )
    if out:
        for path in _write(out, f"{run.stack.name}-{verb or 'all'}", documents):
            echo(str(path))
        return 0
    show_json(operator_policy.document(found))
    if len(documents) > 1:
        show(
            _(
                "This is too long for one managed policy (6,144 characters): --out DIRECTORY writes it as "
                "{count} policies.",
                count=len(documents),
            ),
            sys.stderr,
        )
    return 0


def _resources(run: Run) -> list[Resource]:
    """Return the stack's resources with what stack.yaml records of them, and those only recorded."""
    records = run.file.records
    inspector.load_records(run.stack.resources, records)
    keys = {resource.key for resource in run.stack.resources}
    others = [
        from_record(key, record, run.stack.name)
        for key, record in records.items()
        if key not in keys
    ]
    return [*run.stack.resources, *others]


def _account(run: Run) -> operator_policy.Account:
    number = inspector.account(run.clients, run.clock)
    aws = run.clients.aws
    return operator_policy.Account(run.stack.name, number, aws.region, aws.partition)


def _write(folder: Path, name: str, documents: list[str]) -> list[Path]:
    """Write each document into a file of the folder. Raise ProvisionError."""
    paths = [
        folder / f"{name}-{number}-of-{len(documents)}.json"
        for number, _text in enumerate(documents, 1)
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, documents, strict=True):
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise os_error(_("Could not write into {path}.", path=folder), error) from None
    return paths
