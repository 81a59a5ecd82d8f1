"""The verbs of daily use: start, stop, pause, resume, logs, cost. Each returns the exit status."""

import re
import sys
from datetime import datetime
from functools import partial
from typing import Any

from provision import aws, crash_log, look, questions
from provision.console import Progress, show_json, show_steps, unlisted
from provision.engine import Engine
from provision.errors import NoAnswer, NotYet, Refusal, Usage
from provision.prices import AS_OF, HOURS, prices
from provision.resource import Milestone, Resource
from provision.run import Options, Run, prepared
from provision.teardown import agreed
from provision.verbs import (
    agree_to_pay,
    bounded,
    failed,
    finished,
    in_the_way,
    looked,
    no_service,
    tell_pause,
)
from provision.walk import Line, Outcome, walk
from provision.words import _

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
PAGE = (
    2.0  # seconds between two looks for new log lines; CloudWatch Logs takes about that long itself
)


def scale(options: Options, *, start: bool) -> int:
    """Sets the service's wanted count: service.count, or 0. Waits until the tasks of a start answer."""
    run = prepared(options, save=False)
    with (
        run.file.locked(),
        Progress([run.stack.service, run.stack.steady_service], run.clock) as progress,
    ):
        engine = run.engine(progress)
        engine.begin()
        if run.stack.service.key not in run.file.records:
            raise no_service(run)
        count = run.file.settings["service.count"] if start else 0
        outcome = scaled(run, engine, count)
    if outcome.refusals:
        return failed(outcome.refusals)
    print(_("tasks wanted: {count}", count=count))
    if start:
        usd = run.stack.service.costs(prices(run.file.settings["region"]))
        then = _(
            "The bot runs (about {usd:.2f} USD a month for its tasks): `provision stop` stops it.",
            usd=usd,
        )
    else:
        then = _(
            "Load balancer and addresses still cost by the hour: `provision pause` takes them away."
        )
    print(then, file=sys.stderr)
    return 0


def scaled(run: Run, engine: Engine, count: int) -> Outcome:
    """UpdateService, asked again where AWS says "not yet"; then the wait until the tasks answer."""
    service, steady = run.stack.service, run.stack.steady_service

    def step(resource: Resource) -> str:
        if resource is steady:
            live = look.find(service, run.doors)
            if live is None or live["desiredCount"] != count:  # else the old state would be steady
                raise NotYet(
                    _("waiting until AWS shows the change of {paths}", paths="desiredCount")
                )
            return engine.reach(steady)
        service.recall(run.file.records[service.key].outputs)
        engine.prove(service)
        doing = _("Setting the tasks of {key} to {count}.", key=service.key, count=count)
        with aws.understood(doing, patient=service.patient):
            service.scale(run.doors, count)
        return "done"

    return walk([Line(service, []), Line(steady, [service.key])], step, run.clock, engine.tell)


def pause(options: Options, contents: bool) -> int:
    """Takes away what is paid by the hour; zone, certificate, secrets and log stay."""
    run = prepared(options, save=False)
    with run.file.locked():
        progress = Progress(run.stack.resources, run.clock)
        engine = run.engine(progress)
        engine.begin()
        saved = _hourly(run)
        let_go = agreed(run, engine.foresee_pause(), contents)
        question = _(
            "Take away load balancer and service (about {saved:.2f} USD a month)?", saved=saved
        )
        if not options.yes and not questions.confirmed(question):
            raise Refusal(
                _("Asking before anything is deleted."), _("you said no"), _("Nothing was deleted.")
            )
        with progress:
            gone = engine.pause(let_go)
    for key, why in gone.kept.items():
        print(_("kept: {key}: {why}", key=key, why=why), file=sys.stderr)
    if gone.refusals or gone.left or gone.unknown:
        return failed(gone.refusals)
    print(
        _(
            "paused; about {saved:.2f} USD a month less. `provision resume` puts it back.",
            saved=saved,
        )
    )
    return 0


def resume(options: Options, wait: float | None) -> int:
    """Put back what pause took away, after showing its cost and asking. Refuses where nothing is paused.

    The mark of the pause goes when all of it is back: until then the same command goes on.
    """
    run = prepared(options, save=False, resumes=True)
    with run.file.locked():
        progress = Progress(run.stack.resources, run.clock)
        engine = run.engine(progress)
        engine.begin()
        plan = looked(run, engine)
        in_the_way(plan)
        show_steps(plan.changes, sys.stderr)
        agree_to_pay(plan.changes, options)
        run.keep_sets()
        with progress:
            outcome = engine.setup(bounded(wait))
        if not outcome.refusals and not outcome.outside:
            run.file.mark_paused(False)
    return finished(run, outcome)


def logs(
    options: Options, follow: bool, since: str, level: str = "debug", as_json: bool = False
) -> int:
    """Print the bot's log, oldest line first; with `follow` until Ctrl-C. Return the exit status.

    level: of the lines that are shown at least; those that tell none are shown too. as_json: raw lines.
    """
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", since)
    if not match:
        raise Usage(
            _("Reading --since {since}.", since=since),
            _("a number and s, m, h or d was expected"),
            _("For example: provision logs --since 10m"),
        )
    seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    run = prepared(options, save=False, looks=True)
    began = int((_now(run) - seconds) * 1000)
    seen: set[str] = set()
    while True:
        for event in _events(run, began, follow=follow):
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                began = max(began, event["timestamp"])
                if line := _line(event, level, as_json):
                    print(line, flush=True)
        if not follow:
            return 0
        run.clock.sleep(PAGE)


def _line(event: dict[str, Any], level: str, as_json: bool) -> str:
    """Return a line of the log as it is shown; "" for one below the level."""
    message = event["message"].rstrip()
    found, text = crash_log.readable(message)
    if found in LEVELS and LEVELS.index(found) < LEVELS.index(level.upper()):
        return ""
    at = datetime.fromtimestamp(event["timestamp"] / 1000)
    return message if as_json else f"{at:%H:%M:%S} {f'{found} ' if found else ''}{text}"


def _now(run: Run) -> float:
    """Epoch seconds as the log's clock has them: a sandbox's time may run ahead of ours."""
    return max(run.clock.now(), datetime.now().timestamp())


def _events(run: Run, began: int, *, follow: bool) -> list[dict[str, Any]]:
    """The log's new lines. Raises Refusal; to who follows an unanswered question is only shown."""
    doing = _("Reading the log group {name}.", name=run.stack.log_group.name)
    try:
        return look.ask(partial(_new_events, run, began, doing), run.clock, doing)
    except NoAnswer as refusal:
        if not follow:
            raise
        print(refusal.why, file=sys.stderr)
        return []


def _new_events(run: Run, began: int, doing: str) -> list[dict[str, Any]]:
    group = run.stack.log_group
    try:
        with aws.reading(doing, absent=group.absent):
            pages = run.doors.aws.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group.name, startTime=began
            )
            return [event for page in pages for event in page["events"]]
    except aws.Absent:
        then = _("Run `provision setup`.")
        raise Refusal(_("Reading the log."), _("there is no log group yet"), then) from None


def cost(options: Options, as_json: bool) -> int:
    """What each resource costs a month, and what would lower it. Asks AWS nothing."""
    run = prepared(options, save=False, looks=True, recovers=False)
    settings = run.file.settings
    listed = prices(settings["region"])
    costs = {
        r.key: round(r.costs(listed), 2)
        for r in run.stack.resources
        if not isinstance(r, Milestone) and r.costs(listed) and not _adopted(run, r.key)
        if not run.file.paused or r.key in run.file.records
    }
    total = sum(costs.values())
    lower = []
    if not run.file.paused:
        lower = [
            (_("`provision pause` while nobody needs the bot"), _hourly(run)),
            (_("two subnets instead of three"), HOURS * listed.public_ipv4_hour),
        ]
    if settings["service.capacity"] == "on-demand" and not run.file.paused:
        spot = HOURS * settings["service.count"]
        less = listed.task_hour(settings["service.cpu"], settings["service.memory"], "on-demand")
        less -= listed.task_hour(settings["service.cpu"], settings["service.memory"], "spot")
        lower.append((_("service.capacity: spot"), spot * less))
    tell_pause(run)
    if as_json:
        document = {
            "resources": [{"key": key, "monthly_usd": usd} for key, usd in costs.items()],
            "monthly_usd": round(total, 2),
            "lower": [{"how": how, "monthly_usd": round(usd, 2)} for how, usd in lower],
        }
        show_json(document)
        return 0
    for key, usd in costs.items():
        print(f"{usd:9.2f}  {key}")
    print(
        _(
            "{total:9.2f}  USD a month (list prices of {as_of}, without tax and traffic)",
            total=total,
            as_of=AS_OF,
        )
    )
    if not listed.exact:
        print(unlisted(settings["region"]))
    for how, usd in lower:
        print(_("{usd:9.2f}  less with: {how}", usd=usd, how=how))
    return 0


def _hourly(run: Run) -> float:
    listed = prices(run.file.settings["region"])
    return sum(r.costs(listed) for r in run.stack.resources if r.hourly)


def _adopted(run: Run, key: str) -> bool:
    record = run.file.records.get(key)
    return record is not None and record.state == "adopted"
