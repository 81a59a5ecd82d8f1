"""The verb teardown: one question, the walk backwards, and the proof that nothing is left."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from provision.cli import options
from provision.cli.outcome import failed
from provision.cli.prepare import prepared
from provision.engine.deleter import DeletionResult
from provision.engine.external_use import ExternalUses, explain
from provision.engine.plan import Change
from provision.errors import ProvisionError
from provision.i18n import _
from provision.pricing import prices
from provision.run import Options, Run
from provision.ui.progress import Progress, show_json, show_steps
from provision.wizard import prompts


def command() -> click.Command:
    """Return the command line's `teardown`."""
    return options.verb(
        teardown,
        "teardown",
        _("Delete everything provision created, except the hosted zone and the news bucket."),
        "provision teardown --yes --everything",
        click.option(
            "--everything",
            is_flag=True,
            help=_("take away the hosted zone and the news bucket that setup created, too"),
        ),
        options.contents(),
        options.as_json(),
    )


def teardown(given: Options, everything: bool, contents: bool, as_json: bool) -> int:
    """Delete the stack. Print what is deleted, what is kept and why, and what is left."""
    run = prepared(given, save=False)
    with run.file.locked():
        progress = Progress(run.stack.resources, run.clock)
        engine = run.engine(progress)
        engine.begin()
        let_go = agreed(run, engine.check_teardown(everything), contents)
        if not given.yes:
            name = run.file.settings["name"]
            _tell_going(run, engine.teardown_preview(everything, let_go))
            question = _("Type the stack's name ({name}) to take it away:", name=name)
            if not prompts.confirm_by_typing(question, name):
                raise ProvisionError(
                    _("Asking before anything is deleted."),
                    _("the name didn't match"),
                    _("Nothing was deleted."),
                )
        with progress:
            gone = engine.teardown(everything, let_go)
    _tell_gone(run, gone, as_json)
    return failed(gone.errors) if gone.errors or gone.left or gone.unknown else 0


def agreed(run: Run, uses: ExternalUses, contents: bool) -> set[str]:
    """Print what others use of what would be deleted. Return the keys of what goes with others' content.

    contents: everything that others put into ours. Else each is asked for where somebody is there.
    """
    let_go = set()
    asked = prompts.on_terminal() and not run.options.yes
    for key, used in uses.items():
        print(f"{key}: {explain(used)}", file=sys.stderr)
        if all(use.content for use in used):
            question = _("Delete {key} with all that is in it?", key=key)
            if contents or (asked and prompts.confirm(question)):
                let_go.add(key)
    return let_go


def tell_unlisted(kind: str, why: str) -> None:
    """Say on stderr that a kind of things could not be listed."""
    print(
        _("Whether a {kind} is left could not be asked: {why}", kind=kind, why=why),
        file=sys.stderr,
    )


def _tell_going(run: Run, teardown_preview: Mapping[str, str]) -> None:
    """Print what will be deleted, with its monthly cost, and what stays, with the reason."""
    usd, records = _monthly(run), run.file.records
    going = [key for key, why in teardown_preview.items() if not why]
    steps = [Change(k, records[k].kind, "delete", monthly_usd=usd.get(k, 0.0)) for k in going]
    show_steps(steps, sys.stderr)
    for key, why in teardown_preview.items():
        if why:
            print(_("stays: {key}: {why}", key=key, why=why), file=sys.stderr)


def _monthly(run: Run) -> dict[str, float]:
    """Return the monthly cost of each resource in USD, by key."""
    listed = prices(run.file.settings["region"])
    return {resource.key: resource.costs(listed) for resource in run.stack.resources}


def _tell_gone(run: Run, gone: DeletionResult, as_json: bool) -> None:
    """Print what was deleted, what is kept with reason and cost, and what is left."""
    for kind, refusal in gone.unlisted.items():
        tell_unlisted(kind, refusal.why)
    ours = {key: usd for key, usd in _monthly(run).items() if key in run.file.records}
    kept = {key: (why, round(ours.get(key, 0.0), 2)) for key, why in gone.kept.items()}
    if as_json:
        explain: dict[str, Any] = {
            "deleted": gone.deleted,
            "kept": [
                {"key": key, "why": why, "monthly_usd": usd} for key, (why, usd) in kept.items()
            ],
            "left": gone.left,
        }
        if gone.unknown:
            explain["unknown"] = [{"key": key, "reason": why} for key, why in gone.unknown.items()]
        show_json(explain)
        return
    for key, (why, usd) in kept.items():
        paid = _(" ({usd:.2f} USD a month)", usd=usd) if usd else ""
        print(_("kept: {key}: {why}", key=key, why=why) + paid)
    for key in gone.left:
        print(_("left: {key}", key=key))
    for key, why in gone.unchecked.items():
        print(_("unknown: {key}: {why}", key=key, why=why))
    print(
        _(
            "deleted: {deleted}, kept: {kept}, left: {left}",
            deleted=len(gone.deleted),
            kept=len(gone.kept),
            left=len(gone.left),
        )
    )
