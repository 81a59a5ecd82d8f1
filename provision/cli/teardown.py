"""The command `teardown`: confirm, delete everything in reverse order, and list what is left."""

import sys
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import click

from provision import retries
from provision.cli import options
from provision.cli.outcome import report_errors
from provision.cli.prepare import prepare_run
from provision.clients.dns import DnsError
from provision.engine.deleter import DeletionResult
from provision.engine.external_use import ExternalUses, explain
from provision.engine.plan import Change
from provision.errors import Cancelled, ProvisionError
from provision.i18n import _
from provision.pricing import yen
from provision.resources.base import Milestone, Resource, identity_in
from provision.run import Options, Run
from provision.stack import WEBHOOK
from provision.ui.progress import Progress
from provision.ui.reports import show_json, show_steps
from provision.ui.text import echo, show
from provision.wizard import prompts


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        teardown,
        "teardown",
        _("Delete everything provision created, except the hosted zone and the news bucket."),
        "provision teardown --yes --everything",
        click.option(
            "--everything",
            is_flag=True,
            help=_("also delete the hosted zone and the news bucket that setup created"),
        ),
        options.contents(),
        options.as_json(),
    )


def teardown(given: Options, everything: bool, contents: bool, as_json: bool) -> int:
    """Delete the stack. Print what was deleted, what was kept and why, and what is left."""
    run = prepare_run(given, save=False)
    with run.file.locked():
        progress = Progress(_deletable(run), run.clock)
        engine = run.engine(progress)
        engine.begin()
        contents_keys = confirm_contents(run, engine.check_teardown(everything), contents)
        preview = engine.teardown_preview(everything, contents_keys)
        confirm_restore(run, preview)
        if not given.yes:
            name = run.file.settings["name"]
            _print_preview(run, preview)
            question = _("Type the stack's name ({name}) to delete it:", name=name)
            if not all(preview.values()) and not prompts.confirm_by_typing(question, name):
                raise Cancelled(_("Cancelled: the name didn't match. Nothing was deleted."))
        with progress:
            result = engine.teardown(everything, contents_keys)
    _print_result(run, result, as_json)
    if texts := left_outside(run, result.deleted):
        show(_("Left for you to do:"), sys.stderr)
        for text in texts:
            show(f"- {text}", sys.stderr, hanging=2)
    return report_errors(result.errors) if result.errors or result.left or result.unknown else 0


def left_outside(run: Run, deleted: Collection[str]) -> list[str]:
    """Return what a person has to change elsewhere, because it still leads to what was deleted."""
    zone, texts = run.stack.zone, []
    if zone.name_servers and zone.key in deleted and (delegated := _delegated(run)) is not False:
        sentence = (
            _(
                "The hosted zone of {domain} is gone, and your registrar still lists its name servers "
                "({servers}). Enter others there now: until then {domain} does not answer, and somebody "
                "else could take it over.",
                domain=zone.domain,
                servers=", ".join(zone.name_servers),
            )
            if delegated
            else _(
                "The hosted zone of {domain} is gone. If your registrar still lists its name servers "
                "({servers}), enter others there: until then {domain} does not answer, and somebody else "
                "could take it over.",
                domain=zone.domain,
                servers=", ".join(zone.name_servers),
            )
        )
        texts.append(sentence)
    if url := _still_called(run, deleted):
        texts.append(
            _(
                'LINE still calls {url}: switch "Use webhook" off at {console} (tab Messaging API), or set '
                "another URL there. Otherwise anyone who gets this name receives your users' messages.",
                url=url,
                console=run.clients.line.console,
            )
        )
    return texts


def _still_called(run: Run, deleted: Collection[str]) -> str:
    """Return the URL of a deleted webhook that LINE calls, or may call; "" for none."""
    urls = [f"https://{identity_in(key)}{WEBHOOK}" for key in deleted if key.startswith("webhook/")]
    if not urls:
        return ""
    try:
        live = retries.call(
            run.clients.line.endpoint, run.clock, _("Could not read LINE's webhook URL.")
        )
    except ProvisionError:
        return urls[0]
    return str(live["endpoint"]) if live.get("active") and live["endpoint"] in urls else ""


def _delegated(run: Run) -> bool | None:
    """Return whether the registrar lists name servers of the stack's hosted zone; None if unknown."""
    zone, dns = run.stack.zone, run.clients.dns
    try:
        return bool(dns.matching(dns.delegated_to(zone.domain), zone.name_servers))
    except DnsError:
        return None


def _deletable(run: Run) -> list[Resource]:
    """Return the resources that can be deleted; milestones create nothing."""
    return [each for each in run.stack.resources if not isinstance(each, Milestone)]


def confirm_contents(run: Run, uses: ExternalUses, contents: bool) -> set[str]:
    """Print the external uses. Return the keys of the resources to delete together with others' contents.

    contents: delete all such contents; otherwise ask for each resource on a terminal.
    """
    contents_keys = set()
    interactive = prompts.on_terminal() and not run.options.yes
    for key, used in uses.items():
        show(f"{run.label(key)}: {explain(used)}", sys.stderr, hanging=2)
        if all(use.content for use in used):
            question = _("Delete {key} with all of that?", key=run.label(key))
            if contents or (interactive and prompts.confirm(question)):
                contents_keys.add(key)
    return contents_keys


def confirm_restore(run: Run, preview: Mapping[str, str]) -> None:
    """Ask whether to restore LINE's former webhook URL if it does not answer; without a terminal don't."""
    webhook = run.stack.webhook
    if preview.get(webhook.key) != "":
        return
    doing = _("Could not test LINE's former webhook URL {url}.", url=webhook.previous)
    try:
        test = retries.call(partial(webhook.test_previous, run.clients), run.clock, doing)
    except ProvisionError:  # its deletion tests again
        return
    if test is None or test.success:
        webhook.restore = test is not None  # its deletion need not test again
        return
    show(
        _(
            "LINE's former webhook URL {url} does not answer LINE's test: {reason} {detail}",
            url=webhook.previous,
            reason=test.reason,
            detail=test.detail,
        ),
        sys.stderr,
    )
    if prompts.on_terminal() and not run.options.yes:
        webhook.restore = prompts.confirm(_("Set it again all the same?"))
    else:
        webhook.restore = False
        show(_("It will not be set again."), sys.stderr)


def print_unlisted(kind: str, why: str) -> None:
    """Print on stderr that a kind of resource could not be listed."""
    show(
        _("Could not check whether a {kind} is left: {why}", kind=kind, why=why),
        sys.stderr,
    )


def _print_preview(run: Run, teardown_preview: Mapping[str, str]) -> None:
    """Print what will be deleted, with its monthly cost, and what will be kept, with the reason."""
    usd, records = run.monthly(), run.file.records
    to_delete = [key for key, why in teardown_preview.items() if not why]
    steps = [Change(k, records[k].kind, "delete", monthly_usd=usd.get(k, 0.0)) for k in to_delete]
    show_steps(steps, sys.stderr, verbose=run.options.verbose)
    for key, why in teardown_preview.items():
        if why:
            show(_("stays: {key}: {why}", key=run.label(key), why=why), sys.stderr, hanging=2)
    zone = run.stack.zone
    if zone.key in to_delete and zone.name_servers and _delegated(run):
        show(
            _(
                "{domain} is delegated to this hosted zone. Safer: first enter other name servers at your "
                "registrar, and run this again after a day or two; a deleted zone's name servers may be "
                "given to somebody else.",
                domain=zone.domain,
            ),
            sys.stderr,
        )
    ends = sum(usd.get(key, 0.0) for key in to_delete)
    if ends:
        show(
            _("This saves about {usd:.2f} USD ({yen} yen) a month.", usd=ends, yen=yen(ends)),
            sys.stderr,
        )


def _print_result(run: Run, result: DeletionResult, as_json: bool) -> None:
    """Print what was deleted, what was kept with reason and cost, and what is left."""
    for kind, error in result.unlisted.items():
        print_unlisted(kind, error.why)
    costs = {key: usd for key, usd in run.monthly().items() if key in run.file.records}
    kept = {key: (why, round(costs.get(key, 0.0), 2)) for key, why in result.kept.items()}
    if as_json:
        document: dict[str, Any] = {
            "deleted": result.deleted,
            "kept": [
                {"key": key, "why": why, "monthly_usd": usd} for key, (why, usd) in kept.items()
            ],
            "left": result.left,
        }
        if result.unknown:
            document["unknown"] = [
                {"key": key, "reason": why} for key, why in result.unknown.items()
            ]
        show_json(document)
        return
    for key, (why, usd) in kept.items():
        paid = _(" ({usd:.2f} USD a month)", usd=usd) if usd else ""
        kept_line = _("kept: {key}: {why}", key=run.label(key), why=why) + paid
        show(kept_line, sys.stdout, hanging=2)
    for key in result.left:
        echo(_("left: {key}", key=run.label(key)))
    for key, why in result.unchecked.items():
        show(_("unknown: {key}: {why}", key=run.label(key), why=why), sys.stdout, hanging=2)
    echo(
        _(
            "deleted: {deleted}, kept: {kept}, left: {left}",
            deleted=len(result.deleted),
            kept=len(result.kept),
            left=len(result.left),
        )
    )
    if not result.left and not result.unknown:
        total = sum(usd for _why, usd in kept.values())
        show(
            _(
                "What is kept costs about {usd:.2f} USD ({yen} yen) a month.",
                usd=total,
                yen=yen(total),
            )
            if total
            else _("This stack no longer costs anything."),
            sys.stderr,
        )
