"""What each verb does: prepare the run, one walk, words out. Returns the exit status."""

import itertools
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision import environment
from provision.cli.prepare import prepared
from provision.clients.line import CONSOLE
from provision.engine import edited_records
from provision.engine.discovery import DiscoveredSettings
from provision.engine.engine import Engine, here, made_elsewhere
from provision.engine.executor import Outcome
from provision.engine.plan import Change, Plan
from provision.engine.plan import plan as plan_of
from provision.engine.read_cache import cached_reads
from provision.errors import Pending, ProvisionError, WaitingOnExternal, os_error
from provision.i18n import _
from provision.pricing import prices
from provision.run import Options, Run, clients_for, file_of, given, opened
from provision.state.stack_file import Damaged, StackFile
from provision.ui.progress import Progress, show_json, show_plan
from provision.wizard import channel, domain, prompts
from provision.wizard import recovery as recovering

UNATTENDED_WAIT = 1800.0  # seconds for the registrar and ACM where nobody is there to press Ctrl-C


def looked(run: Run, engine: Engine) -> Plan:
    """The plan, from a fresh look."""
    run.observations = engine.inspect()
    stay = engine.staying()
    for key, why in stay.items():
        if key in run.file.records:
            print(_("stays: {key}: {why}", key=key, why=why), file=sys.stderr)
    orphans = [orphan for orphan in engine.orphans() if orphan.key not in stay]
    orphans += [orphan for orphan in engine.orphans() if orphan.key in engine.unchecked]
    listed = prices(run.file.settings["region"])
    found = plan_of(run.observations, orphans, listed, engine.unchecked)
    changed = {step.key for step in found.steps if step.action == "update"}
    found.errors.extend(
        engine.strangers([*(r for r in run.stack.resources if r.key in changed), *orphans])
    )
    return found


def _inexact(run: Run) -> str:
    """The region, where it is reckoned with another one's prices."""
    region = str(run.file.settings["region"])
    return "" if prices(region).exact else region


def _doing(run: Run) -> Progress:
    return Progress(run.stack.resources, run.clock)


def setup(options: Options, wait: float | None) -> int:
    """Questions, plan, one confirmation, the walk; ends with LINE's answer."""
    run = prepared(options, save=True)
    if run.file.paused:
        raise ProvisionError(
            _("Reading {path}.", path=run.file.path),
            _("the stack is paused"),
            _("Run `provision resume`."),
        )
    with run.file.locked():
        progress = _doing(run)
        engine = run.engine(progress)
        engine.begin()
        plan = looked(run, engine)
        if domain.choose_zone(run):
            plan = looked(run, engine)
        in_the_way(plan)
        if channel.complete(run):
            plan = looked(run, engine)
        show_plan(plan, sys.stderr, _inexact(run))
        channel.tell_endpoint(run)
        domain.offer_to_copy(run, domain.warn(run))
        if plan.changes and not options.yes and not prompts.confirmed(_("Build this?")):
            raise ProvisionError(
                _("Asking before anything is made."), _("you said no"), _("Nothing was made.")
            )
        run.keep_sets()
        with progress:
            outcome = engine.setup(bounded(wait))
    return finished(run, outcome)


def finished(run: Run, outcome: Outcome) -> int:
    """How setup and resume end."""
    if outcome.errors:
        return failed(outcome.errors)
    if outcome.outside:
        raise _unfinished(outcome.outside)
    print(run.stack.url)
    _live(run)
    for note in outcome.notes:
        print(note, file=sys.stderr)
    return 0


def in_the_way(plan: Plan) -> None:
    """Anything that stands in the way stops setup before anything is made."""
    for refusal in plan.errors[:-1]:
        print(refusal, file=sys.stderr)
    if plan.errors:
        raise plan.errors[-1]


def agree_to_pay(steps: list[Change], options: Options) -> None:
    """Ask before anything that costs is made. Raises ProvisionError; UsageError without a terminal."""
    usd = sum(step.monthly_usd for step in steps if step.action in ("create", "replace"))
    question = _("Make what is listed above (about {usd:.2f} USD a month)?", usd=usd)
    if usd and not options.yes and not prompts.confirmed(question):
        raise ProvisionError(
            _("Asking before anything is made."), _("you said no"), _("Nothing was made.")
        )


def no_service(run: Run) -> ProvisionError:
    """There is none to start, to stop or to deploy to, and why."""
    return ProvisionError(
        _("Looking for the service {name}.", name=run.stack.service.name),
        _("the stack is paused") if run.file.paused else _("there is none yet"),
        _("Run `provision resume`.") if run.file.paused else _("Run `provision setup`."),
    )


def tell_pause(run: Run) -> None:
    """Say on stderr that the stack is paused, where it is."""
    if run.file.paused:
        print(_("The stack is paused: `provision resume` puts it back."), file=sys.stderr)


def bounded(wait: float | None) -> float | None:
    """Seconds to wait for what is outside: not for ever where nobody is there to press Ctrl-C."""
    return UNATTENDED_WAIT if wait is None and not prompts.on_terminal() else wait


def failed(errors: list[ProvisionError]) -> int:
    """Prints why; exit status 1."""
    for refusal in errors:
        print(refusal, file=sys.stderr)
    return 1


def _unfinished(outside: list[Pending]) -> WaitingOnExternal:
    return WaitingOnExternal(
        _("Everything that can be built by now is built."),
        "; ".join(dict.fromkeys(why.reason for why in outside)),
        _("When that is done, run the same command again: it goes on from here."),
    )


def _live(run: Run) -> None:
    """How to talk to the bot, and what is still to be seen to by hand."""
    bot = channel.info(run)
    print(
        _(
            "The bot answers at {url}. Add it as a friend: https://line.me/R/ti/p/{bot}\n"
            'LINE\'s own "Auto-reply messages" is on by default: switch it off at {console}.\n'
            "Next: `provision status` to look at it, `provision teardown` to take it all away.",
            url=run.stack.url,
            bot=bot.get("basicId", ""),
            console=CONSOLE,
        ),
        file=sys.stderr,
    )


def plan(options: Options, as_json: bool) -> int:
    """What setup would do. Changes nothing, not even the file."""
    run = prepared(options, save=False, looks=True)
    engine = run.engine(_doing(run))
    engine.begin()
    found = looked(run, engine)
    domain.warn(run)
    tell_pause(run)
    if as_json:
        show_json(found.shown())
    else:
        show_plan(found, sys.stdout, _inexact(run))
    return failed(found.errors) if found.errors or engine.unchecked else 0


def recover(options: Options) -> int:
    """Write stack.yaml anew from the account. A file whose records are right is left as it is."""
    path = file_of(options)
    try:
        file, _sandbox = opened(options)
        edited_records.prove(file, clients_for(file), environment.clock())
        _made_here(file)
    except Damaged as damage:
        with _put_aside(path, damage, options):
            return _written_anew(options)
    if file.records:
        raise ProvisionError(
            _("Reading {path}.", path=path),
            _("it has records: nothing is lost"),
            _("Run `provision status`. For another file: --stack FILE."),
        )
    return _written_anew(options)


def _made_here(file: StackFile) -> None:
    """Raise Damaged where the file says that its records are another account's or region's."""
    where = file.made_in and here(clients_for(file), environment.clock())
    if file.made_in != where:
        raise file.damaged(file.made_in_line or 1, made_elsewhere(file.made_in, where))


def _written_anew(options: Options) -> int:
    file, _sandbox = opened(options)
    clients, clock = clients_for(file), environment.clock()
    with file.locked():
        name = recovering.which(file, clients, clock, "name" in given(options))
        clients = cached_reads(clients)  # the settings and the records are told from one list
        traces = DiscoveredSettings(recovering.tagged(clients, clock, name), clients, name)
        sets = dict(pair.split("=", 1) for pair in options.sets)
        keep = file.trial.keys() - sets.keys()
        still = recovering.write(file, clients, clock, traces, keep, sets)
    print(_("{path} is written anew: {count} records.", path=file.path, count=len(file.records)))
    if still:
        print(
            _("AWS does not tell these; look at them in the file: {keys}", keys=", ".join(still)),
            file=sys.stderr,
        )
    recovering.tell(traces)
    print(_("Next: `provision plan` shows what setup would change."), file=sys.stderr)
    return 1 if traces.unknown else 0


@contextmanager
def _put_aside(path: Path, damage: Damaged, options: Options) -> Iterator[None]:
    """The damaged file under another name, where the person wants that.

    Where nothing could be written it stays as it was, too. Raises what was wrong with it.
    """
    place = next(
        place
        for number in itertools.count(1)
        if not (place := path.with_name(f"{path.name}.damaged-{number}")).exists()
    )
    question = _("Keep it as {place}, and write {path} anew?", place=place, path=path)
    print(damage, file=sys.stderr)
    if not options.yes and not prompts.confirmed(question):
        raise damage
    try:
        path.rename(place)
    except OSError as error:
        raise os_error(_("Could not write {path}.", path=place), error) from None
    try:
        yield
    finally:
        if not path.exists():
            shutil.copy2(place, path)


def sandbox(speed: float, as_json: bool) -> int:
    """Serves until Ctrl-C."""
    try:
        from provision.sandbox.server import serve
    except ModuleNotFoundError as error:
        raise ProvisionError(
            _("Starting the sandbox."),
            _("the package {name} is not installed", name=error.name),
            _("Install what the sandbox needs: pip install 'provision[sandbox]'"),
        ) from None
    serve(speed, as_json)
    return 0
