"""Show plan, status and JSON documents: a line per step, or with --verbose per resource and with its key."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from provision.engine.plan import Change, Plan
from provision.i18n import _, can_show, one_line
from provision.pricing import YEN, yen
from provision.ui import differences, errors
from provision.ui.names import by_step, name_of
from provision.ui.text import columns, day_and_time, echo, listed, show

_documents: list[Any] = []  # the JSON document of this command, once it is printed
UNRECORDED = ("none", "milestone")  # states of what is not in stack.yaml
SUMMARISED = ("create", "keep", "delete")  # actions of which a step's line tells how many


def show_json(document: Any) -> None:
    """Print one JSON document on stdout; with escapes where stdout's encoding lacks a character of it."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    echo(text if can_show(text, sys.stdout) else json.dumps(document, indent=2))
    _documents.append(document)


def begin_document() -> None:
    """Forget the errors and the document of the command before, in the same process."""
    errors.shown_errors.clear()
    _documents.clear()


def show_missing_document() -> None:
    """Print the errors of a command that has ended without its JSON document, as that document."""
    if not _documents:
        show_json({"errors": errors.shown_errors})


def show_result(document: Any, text: str, *, as_json: bool) -> None:
    """Print on stdout what a verb has done: a document for scripts, or a line for people."""
    if as_json:
        show_json(document)
    else:
        show(text, sys.stdout)


def action_labels() -> dict[str, tuple[str, str]]:
    """Return the sign and the text for each action of a plan."""
    return {
        "create": ("+", _("create")),
        "adopt": ("=", _("adopt (yours stays as it is)")),
        "keep": (" ", _("keep")),
        "update": ("~", _("update")),
        "replace": ("*", _("replace")),
        "delete": ("-", _("delete")),
    }


def unknown(reason: str) -> str:
    """Return the text for an unknown action."""
    return _("unknown: {reason}", reason=reason)


def show_plan(
    plan: Plan, stream: Any, inexact: str = "", *, registrar: bool = True, verbose: bool = False
) -> None:
    """Print the number of changes, duration and cost, then the list.

    inexact: a region without prices. registrar: it is to be waited for.
    """
    count, minutes = len(plan.changes), max(1, round(plan.seconds / 60))
    if not count:
        duration = _("Nothing to change.")
    elif registrar:
        duration = _(
            "Changes: {changes}. Takes about {minutes} min, plus the wait for your registrar.",
            changes=count,
            minutes=minutes,
        )
    else:
        duration = _(
            "Changes: {changes}. Takes about {minutes} min.", changes=count, minutes=minutes
        )
    show(duration, stream)
    show(
        _(
            "About {cost:.2f} USD ({yen} yen) a month while it runs (list prices without tax and traffic; "
            "{rate} yen to the dollar).",
            cost=plan.monthly_usd,
            yen=yen(plan.monthly_usd),
            rate=YEN,
        ),
        stream,
    )
    if inexact:
        show(price_note(inexact), stream)
    show_steps(plan.steps, stream, verbose=verbose)


def show_steps(changes: Sequence[Change], stream: Any, *, verbose: bool = False) -> None:
    """Print what would be done, step by step, and what differs. Name what is deleted, unless all is."""
    others = any(change.action != "delete" for change in changes)
    of = {change.key: change for change in changes}
    groups = by_step(of)
    width = max((columns(step) for step in groups), default=0)
    for step, keys in groups.items():
        members = [of[key] for key in keys]
        if not verbose:
            usd = sum(change.monthly_usd for change in members)
            _show_step(step, members, width, f"{usd:8.2f}" if usd else " " * 8, stream)
        for change in members:
            summarised = change.action in SUMMARISED and not (others and change.action == "delete")
            if verbose or not summarised or change.differences or change.notes:
                _show_change(change, max(map(len, of)), stream, verbose=verbose)


def _show_step(step: str, members: list[Change], width: int, cost: str, stream: Any) -> None:
    """Print one line for a step: its cost, and how many of its resources are created, kept or deleted."""
    words, counts = action_labels(), Counter(change.action for change in members)
    summary = listed(f"{words[each][1]} {counts[each]}" for each in SUMMARISED if counts[each])
    sign = next((words[each][0] for each in ("create", "delete") if counts[each]), " ")
    echo(f"  {sign} {step}{'':{width - columns(step)}} {cost}  {summary}".rstrip(), stream)


def _show_change(change: Change, width: int, stream: Any, *, verbose: bool) -> None:
    """Print one resource: under its step by name, with --verbose by key."""
    sign, word = action_labels()[change.action] if change.action else ("?", unknown(change.reason))
    if verbose:
        cost = f"{change.monthly_usd:8.2f}" if change.monthly_usd else " " * 8
        echo(f"  {sign} {change.key:{width}} {cost}  {word}", stream)
    else:
        show(f"    {sign} {name_of(change.key)}: {word}", stream, hanging=6)
    for difference in change.differences:
        _show_difference(difference.to_dict(), stream)
    for note in change.notes:
        show(f"      {one_line(note)}", stream, hanging=8)


def _show_difference(difference: dict[str, Any], stream: Any) -> None:
    """Print a property that is not as desired, as `Difference.to_dict` returns it."""
    for line in differences.describe(difference["path"], difference["have"], difference["want"]):
        show(f"      {one_line(line)}", stream, hanging=8)


def price_note(region: str) -> str:
    """Return the note that Tokyo's prices are used for a region."""
    return _("(calculated with Tokyo's prices: there is no price list for {region})", region=region)


def headline(document: dict[str, Any]) -> str:
    """Return the one sentence that sums up what `status --json` says."""
    entries = document["resources"]
    unknown = [entry for entry in entries if None in (entry["live"], entry["ready"])]
    unchecked = [entry for entry in unknown if not entry["checked"]]
    differing = [entry for entry in entries if entry["drift"]]
    waiting = [entry for entry in entries if entry["ready"] is False]
    if len(unknown) > len(unchecked):
        return _("Resources that could not be looked at: {count}.", count=len(unknown))
    if document["paused"]:
        return _("Paused: `provision resume` creates again what the pause deleted.")
    if not document["built"]:
        kept = listed(name_of(e["key"]) for e in entries if e["state"] == "created" and e["live"])
        if kept:
            return _("There is no stack, only: {kept}. `provision setup` builds it.", kept=kept)
        return _("There is no stack. `provision setup` builds one.")
    if differing:
        return _(
            "Resources that differ: {count}. `provision plan` shows how.", count=len(differing)
        )
    if waiting:
        return _("Resources that are not ready: {count}.", count=len(waiting))
    if unchecked:
        return _(
            "What could be checked is well; resources that were not: {count}.", count=len(unchecked)
        )
    if document["tasks"]["wanted"] == 0:
        return stopped_headline(document["next"]["start"])
    return _("All is well.")


def stopped_headline(start: str | None) -> str:
    """Return that the bot is stopped, and what starts it: its schedule at this time, or a person."""
    if start:
        return _("All is well: the bot is stopped until {start}.", start=day_and_time(start))
    return _("All is well, but the bot is stopped: `provision start` starts it.")


def _sign(entry: dict[str, Any]) -> str:
    """Return the sign of an entry of `status --json`: ready, differs, not ready, not there, not known."""
    if entry["ready"] is None:
        return "?"
    if entry["ready"] and entry["drift"]:
        return "~"
    return "✓" if entry["ready"] else "✗" if entry["live"] else "."


def show_status(document: dict[str, Any], stream: Any, *, verbose: bool = False) -> None:
    """Print a headline, each step with what is not ready or differs, then tasks, hours and URL.

    Without a stack the headline says all, unless something could not be looked at. In a pause what has no
    record is absent as it should be.
    """
    show(headline(document), stream)
    paused = document["paused"]
    of = {entry["key"]: entry for entry in document["resources"]}
    known = all(entry["live"] is not None for entry in of.values())
    if known and not (document["built"] or paused or verbose):
        return
    for step, keys in by_step(of).items():
        signs = [_sign(of[key]) for key in keys]
        if not verbose:
            echo(f"  {next((s for s in '✗?~.' if s in signs), '✓')} {step}", stream)
        for key, sign in zip(keys, signs, strict=True):
            entry = of[key]
            if verbose:
                told = f"  {sign} {entry['state']:9} {key}  {one_line(entry['reason'])}"
                echo(told.rstrip(), stream)
            elif sign != "✓" and not (sign == "." and paused and entry["state"] in UNRECORDED):
                told = f"    {sign} {name_of(key)}: {one_line(entry['reason'])}".rstrip(": ")
                show(told, stream, hanging=6)
            for drift in entry["drift"] or []:
                _show_difference(drift, stream)
    tasks = document["tasks"]
    if tasks["running"] is None:
        echo(_("Tasks: unknown: {reason}", reason=tasks["reason"]), stream)
    else:
        echo(_("Tasks: {running} of {wanted} run", **tasks), stream)
    for line in tasks["rollout"]:
        show(f"  {one_line(line)}", stream, hanging=4)
    if document["next"]["start"] and document["next"]["stop"]:
        times = {name: day_and_time(iso) for name, iso in document["next"].items()}
        show(_("Next start {start}, next stop {stop}", **times), stream)
    echo(_("The bot's URL: {url}", url=document["url"]), stream)
