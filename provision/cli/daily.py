"""The verbs of daily use: start, stop, pause, resume, logs, cost. Each returns the exit status."""

import re
import sys
from datetime import datetime
from functools import partial
from typing import Any

from provision.cli.prepare import prepared
from provision.cli.teardown import agreed
from provision.cli.verbs import (
    agree_to_pay,
    bounded,
    failed,
    finished,
    in_the_way,
    looked,
    no_service,
    tell_pause,
)
from provision.clients import aws
from provision.engine import inspector
from provision.engine.engine import Engine
from provision.engine.executor import Outcome, Step, execute
from provision.errors import NoResponse, Pending, ProvisionError, UsageError
from provision.i18n import _
from provision.pricing import AS_OF, HOURS, prices
from provision.resources.base import Milestone, Resource
from provision.run import Options, Run
from provision.ui.progress import Progress, show_json, show_steps, unlisted
from provision.wizard import prompts

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
    if outcome.errors:
        return failed(outcome.errors)
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
            live = inspector.find(service, run.clients)
            if live is None or live["desiredCount"] != count:  # else the old state would be steady
                raise Pending(
                    _("waiting until AWS shows the change of {paths}", paths="desiredCount")
                )
            return engine.reach(steady)
        service.load_from_record(run.file.records[service.key].outputs)
        engine.prove(service)
        doing = _("Setting the tasks of {key} to {count}.", key=service.key, count=count)
        with aws.translate_errors(doing, retry=service.retry):
            service.scale(run.clients, count)
        return "done"

    return execute([Step(service, []), Step(steady, [service.key])], step, run.clock, engine.tell)


def pause(options: Options, contents: bool) -> int:
    """Takes away what is paid by the hour; zone, certificate, secrets and log stay."""
    run = prepared(options, save=False)
    with run.file.locked():
        progress = Progress(run.stack.resources, run.clock)
        engine = run.engine(progress)
        engine.begin()
        saved = _hourly(run)
        let_go = agreed(run, engine.check_pause(), contents)
        question = _(
            "Take away load balancer and service (about {saved:.2f} USD a month)?", saved=saved
        )
        if not options.yes and not prompts.confirmed(question):
            raise ProvisionError(
                _("Asking before anything is deleted."), _("you said no"), _("Nothing was deleted.")
            )
        with progress:
            gone = engine.pause(let_go)
    for key, why in gone.kept.items():
        print(_("kept: {key}: {why}", key=key, why=why), file=sys.stderr)
    if gone.errors or gone.left or gone.unknown:
        return failed(gone.errors)
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
        if not outcome.errors and not outcome.outside:
            run.file.mark_paused(False)
    return finished(run, outcome)


def logs(options: Options, follow: bool, since: str) -> int:
    """The bot's own words, oldest first; with `follow` until Ctrl-C."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", since)
    if not match:
        raise UsageError(
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
                at = datetime.fromtimestamp(event["timestamp"] / 1000)
                print(f"{at:%Y-%m-%d %H:%M:%S}  {event['message'].rstrip()}", flush=True)
        if not follow:
            return 0
        run.clock.sleep(PAGE)


def _now(run: Run) -> float:
    """Epoch seconds as the log's clock has them: a sandbox's time may run ahead of ours."""
    return max(run.clock.now(), datetime.now().timestamp())


def _events(run: Run, began: int, *, follow: bool) -> list[dict[str, Any]]:
    """The log's new lines. Raises ProvisionError; to who follows an unanswered question is only shown."""
    doing = _("Reading the log group {name}.", name=run.stack.log_group.name)
    try:
        return inspector.ask(partial(_new_events, run, began, doing), run.clock, doing)
    except NoResponse as refusal:
        if not follow:
            raise
        print(refusal.why, file=sys.stderr)
        return []


def _new_events(run: Run, began: int, doing: str) -> list[dict[str, Any]]:
    group = run.stack.log_group
    try:
        with aws.reading(doing, not_found=group.not_found):
            pages = run.clients.aws.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group.name, startTime=began
            )
            return [event for page in pages for event in page["events"]]
    except aws.NotFound:
        then = _("Run `provision setup`.")
        raise ProvisionError(_("Reading the log."), _("there is no log group yet"), then) from None


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
