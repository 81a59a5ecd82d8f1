"""The command `recover`: rebuild stack.yaml from the account."""

import itertools
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from provision import environment
from provision.cli import options
from provision.engine import edited_records
from provision.engine.engine import account_and_region, account_mismatch
from provision.engine.read_cache import cached_reads
from provision.errors import ProvisionError, os_error
from provision.i18n import _
from provision.resources.base import Clients
from provision.run import Options, clients_for, file_of, open_stack, setting_keys
from provision.state.stack_file import Damaged, StackFile
from provision.ui.errors import show_error
from provision.ui.reports import show_result
from provision.ui.text import show
from provision.wizard import prompts
from provision.wizard import recovery as recovering


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        recover,
        "recover",
        _("Recreate a lost stack.yaml from what the account contains."),
        "provision recover --set name=news-bot",
        options.as_json(),
    )


def recover(given: Options, as_json: bool) -> int:
    """Rebuild stack.yaml from the account. Raise ProvisionError if the file has valid records."""
    path = file_of(given)
    try:
        file, _sandbox = open_stack(given)
        clients = clients_for(file)
        edited_records.verify(file, clients, environment.clock())
        _check_account(file, clients)
        if not file.records:
            return _rebuild(given, as_json=as_json)
    except Damaged as damage:
        with _set_aside(path, damage, given):
            return _rebuild(given, as_json=as_json)
    raise ProvisionError(
        _("Could not continue with {path}.", path=path),
        _("it has records: nothing is lost"),
        _("Run `provision status`. For another file: --stack FILE."),
    )


def _check_account(file: StackFile, clients: Clients) -> None:
    """Raise Damaged if the file's records belong to another account or region."""
    where = file.made_in and account_and_region(clients, environment.clock())
    if file.made_in != where:
        raise file.damaged(file.made_in_line or 1, account_mismatch(file.made_in, where))


def _rebuild(given: Options, *, as_json: bool) -> int:
    file, _sandbox = open_stack(given)
    clients, clock = clients_for(file), environment.clock()
    name = recovering.choose_stack(file, clients, clock, "name" in setting_keys(given))
    with file.locked():
        clients = cached_reads(clients)  # settings and records are read from the same responses
        discovered = recovering.discover(clients, clock, name)
        sets = dict(pair.split("=", 1) for pair in given.sets)
        keep = file.overrides.keys() - sets.keys()
        not_recovered = recovering.write_file(file, clients, clock, discovered, keep, sets)
    document = {
        "path": str(file.path),
        "records": len(file.records),
        "not_recovered": not_recovered,
        "unknown": discovered.unknown,
    }
    text = _("{path} was rebuilt: {count} records.", path=file.path, count=len(file.records))
    show_result(document, text, as_json=as_json)
    if not_recovered:
        show(
            _(
                "These could not be read from AWS; check them in the file: {keys}",
                keys=", ".join(not_recovered),
            ),
            sys.stderr,
        )
    recovering.print_unknown(discovered)
    show(_("Next: `provision plan` shows what setup would change."), sys.stderr)
    return 1 if discovered.unknown else 0


@contextmanager
def _set_aside(path: Path, damage: Damaged, given: Options) -> Iterator[None]:
    """Rename the damaged file, after asking, while a new one is written. Raise `damage` without consent.

    If no new file was written, restore the damaged one.
    """
    backup = next(
        backup
        for number in itertools.count(1)
        if not (backup := path.with_name(f"{path.name}.damaged-{number}")).exists()
    )
    question = _("Keep it as {place}, and rebuild {path}?", place=backup, path=path)
    show_error(damage)
    if not given.yes and not prompts.confirm(question):
        raise damage
    try:
        path.rename(backup)
    except OSError as error:
        raise os_error(_("Could not write {path}.", path=backup), error) from None
    try:
        yield
    finally:
        if not path.exists():
            shutil.copy2(backup, path)
