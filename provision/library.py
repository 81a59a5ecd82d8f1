"""The library's functions; `import provision` exports all of them.

Each call opens the stack file again and keeps no global state, so one process can manage several stacks.
boto3 is configured as usual (environment, profile). Nothing is printed, and no question is asked.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from provision import environment, pricing, status_report
from provision.engine import edited_records, record_validation
from provision.engine.deleter import DeletionResult as DeletionResult
from provision.engine.engine import Engine
from provision.engine.executor import Outcome as Outcome
from provision.engine.plan import Plan as Plan
from provision.engine.plan import make_plan
from provision.errors import ProvisionError as ProvisionError
from provision.errors import UsageError as UsageError
from provision.errors import WaitingOnExternal as WaitingOnExternal
from provision.i18n import _
from provision.resources.base import Resource
from provision.run import clients_for
from provision.settings import BY_KEY, read_setting, wrong_setting
from provision.settings import Settings as Settings
from provision.stack import Secrets as Secrets
from provision.stack import Stack as Stack
from provision.state.stack_file import StackFile

Progress = Callable[[str, str, str], None]  # arguments: event name, the resource's key, detail


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Return settings from values by dotted key, with defaults for the rest. Raise UsageError."""
    parsed: dict[str, Any] = {}
    for key, value in values.items():
        if key not in BY_KEY:
            raise UsageError(
                _("Could not set {key}.", key=key),
                _("there is no setting {key}", key=key),
                _("The settings are: {keys}", keys=", ".join(BY_KEY)),
            )
        raw = [str(item) for item in value] if isinstance(value, list | tuple) else str(value)
        parsed[key] = read_setting(key, raw)
    settings = Settings(parsed)
    for key in settings.missing():
        why = _("it has no value, and no default")
        raise wrong_setting(key, why, BY_KEY[key].allowed())
    if conflict := settings.conflict():
        key, wanted = conflict
        raise wrong_setting(key, _("{key} takes {wanted}", key=key, wanted=wanted), wanted)
    return settings


def plan(stack: Stack, file: str | Path) -> Plan:
    """Return what setup would do, and its cost. Change nothing."""
    engine = _begin(stack, _open(stack, file, read_only=True))
    prices = pricing.prices(stack.settings["region"])
    return make_plan(engine, engine.inspect(), prices)


def status(stack: Stack, file: str | Path) -> dict[str, Any]:
    """Return the document that `provision status --json` prints. Change nothing."""
    engine = _begin(stack, _open(stack, file, read_only=True))
    return status_report.describe(stack, engine.file, engine.inspect())


def setup(
    stack: Stack, file: str | Path, *, wait: float = 0.0, progress: Progress | None = None
) -> Outcome:
    """Create or update everything, and record it in `file`.

    wait: seconds to wait for the registrar and ACM. Raise WaitingOnExternal if they take longer: enter
    `stack.zone.name_servers` at the registrar, then call this again. Raise ProvisionError if a resource could
    not be created; the created ones remain recorded.
    """
    stack_file = _open(stack, file)
    with stack_file.locked():
        engine = _begin(stack, stack_file, progress)
        found = make_plan(engine, engine.inspect(), pricing.prices(stack.settings["region"]))
        _raise_first(found.errors)
        outcome = engine.setup(wait)
    _raise_first(outcome.errors)
    outcome.raise_if_waiting()
    return outcome


def teardown(
    stack: Stack,
    file: str | Path,
    *,
    everything: bool = False,
    contents: Collection[str] = (),
    progress: Progress | None = None,
) -> DeletionResult:
    """Delete the stack's resources that have no external uses.

    everything: also delete the hosted zone and the news bucket. contents: keys of zones and buckets to delete
    together with contents that provision did not create. The result has what is left or unknown.
    """
    stack_file = _open(stack, file)
    with stack_file.locked():
        engine = _begin(stack, stack_file, progress)
        return engine.teardown(everything, contents)


def _open(stack: Stack, file: str | Path, *, read_only: bool = False) -> StackFile:
    stack_file = StackFile(Path(file))
    stack_file.read_only = read_only
    stack_file.overrides = dict(stack.settings)  # they take precedence over the file's settings
    record_validation.check(stack_file)
    return stack_file


def _begin(stack: Stack, file: StackFile, progress: Progress | None = None) -> Engine:
    def report(event: str, resource: Resource, detail: str) -> None:
        if progress:
            progress(event, resource.key, detail)

    secret, clock = stack.line_credential.secret, environment.clock()
    clients = clients_for(file, (lambda: secret) if secret else None)
    edited_records.verify(file, clients, clock)
    engine = Engine(stack.resources, file, clients, clock, report)
    engine.begin()
    return engine


def _raise_first(errors: list[ProvisionError]) -> None:
    """Raise the first of these errors, with the others as notes."""
    if errors:
        first, *others = errors
        for other in others:
            first.add_note(str(other))
        raise first
