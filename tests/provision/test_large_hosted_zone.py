"""A zone in which people keep thousands of records: all are looked at; changes hold few at a time."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from moto.route53.models import RecordSet

from provision.clients.aws import Aws
from provision.engine.inventory import list_inventory
from provision.engine.read_cache import cached_reads
from provision.resources import migrated_records
from provision.resources.base import Clients
from provision.resources.record_set import Alias, ValidationRecord
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env

A_PAGE = 300  # record sets; Route 53 API, ListResourceRecordSets
LISTING = "list_resource_record_sets"
COPIED = ["r00001.example.jp A 192.0.2.1", "away.example.jp A 192.0.2.1"]


@dataclass
class GrownRoute53:
    """A client of Route 53 in whose zones pages of others' records come before our own.

    Each page is made when it is asked for, and what would be changed is only counted.
    """

    client: Any
    pages: int
    changes: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def get_paginator(self, name: str) -> Any:
        """This one lists records, boto3's own everything else."""
        return self if name == LISTING else self.client.get_paginator(name)

    def paginate(self, **given: Any) -> Iterator[dict[str, Any]]:
        """Others' pages, and then AWS's."""
        for page in range(self.pages):
            numbers = range(page * A_PAGE, (page + 1) * A_PAGE)
            yield {"ResourceRecordSets": [theirs(number) for number in numbers]}
        yield from self.client.get_paginator(LISTING).paginate(**given)

    def change_resource_record_sets(self, ChangeBatch: dict[str, Any], **_: Any) -> None:  # noqa: N803
        """No more than AWS takes in one call."""
        assert len(ChangeBatch["Changes"]) <= migrated_records.BATCH_SIZE
        self.changes += len(ChangeBatch["Changes"])


class GrownAws(Aws):
    """Another's doors, but for Route 53's."""

    def __init__(self, aws: Aws, pages: int) -> None:
        super().__init__(aws.region)
        self._aws, self._grown = aws, GrownRoute53(aws.route53, pages)

    def __getattr__(self, service: str) -> Any:
        return self._grown if service == "route53" else getattr(self._aws, service)


def theirs(number: int) -> dict[str, Any]:
    """Somebody's record set."""
    address = {"Value": f"192.0.2.{number}"}
    name = f"r{number:05d}.example.jp."
    return {"Name": name, "Type": "A", "TTL": 300, "ResourceRecords": [address]}


def zone_id(env: Env) -> str:
    """Of the stack's zone."""
    return str(StackFile(env.path).records["zone/example.jp"].outputs["id"])


def grown(env: Env, pages: int) -> Clients:
    """The environment's doors; its zones hold that many pages more."""
    return replace(env.clients(), aws=GrownAws(env.aws, pages))


def found(env: Env, clients: Clients) -> int:
    """What of a stack lies in its zone."""
    return len(list_inventory(clients, env.clock, "news-bot", (ValidationRecord, Alias)).tagged)


def named(env: Env, clients: Clients) -> int:
    """What others put into it, asked for while nothing changes."""
    return len(list(migrated_records.foreign(cached_reads(clients), zone_id(env), COPIED)))


def changing(change: Callable[..., None], *more: Any) -> Callable[[Env, Clients], int]:
    """A change of the zone: of how many record sets."""

    def work(env: Env, clients: Clients) -> int:
        change(clients, zone_id(env), *more)
        return int(clients.aws.route53.changes)

    return work


def peak(work: Callable[[], Any]) -> int:
    """The bytes that it has in use at once, at most."""
    gc.collect()
    gc.freeze()  # what other tests have left would put off collections
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.unfreeze()


PAGES = 20
THEIRS = PAGES * A_PAGE
WORKS = [  # what is done, what it comes to, the most bytes that it may take for a record more
    (found, 2, 2000),  # the page that others may ask for again, and a copy
    (named, THEIRS - 1 + 2, 2000),  # names and types too
    (changing(migrated_records.create, COPIED), 1, 50),
    (changing(migrated_records.delete, COPIED), 1, 50),
    (changing(migrated_records.delete_all), THEIRS + 2, 50),
]


@pytest.mark.parametrize(
    ("work", "comes_to", "most"), WORKS, ids=["found", "named", "put", "take_away", "clear"]
)
def test_few_are_held_at_once(
    env: Env, work: Callable[[Env, Clients], int], comes_to: int, most: int
) -> None:
    """A record set in memory takes 600 bytes; ours, on the last page, are found all the same."""
    env.setup()
    assert comes_to == work(env, grown(env, PAGES))
    small, large = (peak(partial(work, env, grown(env, pages))) for pages in (1, PAGES))
    assert large - small < most * (PAGES - 1) * A_PAGE


def test_all_of_it_goes(env: Env) -> None:
    """Pages of records at AWS itself, delegations and the domain's own mail too: none is left."""
    env.setup()
    mine = {"Name": "example.jp.", "Type": "MX", "TTL": 300, "ResourceRecords": ["10 a.example."]}
    delegated = {"Type": "NS", "TTL": 300, "ResourceRecords": ["ns.example."]}
    names = [f"n{number:03d}.example.jp." for number in range(2 * A_PAGE)]
    (zone,) = env.sandbox.cloud.route53.zones()
    zone.rrsets += [RecordSet(mine), *(RecordSet({"Name": n, **delegated}) for n in names)]
    engine = env.engine()
    teardown_preview = engine.check_teardown(everything=True)
    told = ["example.jp MX", *(f"{name.rstrip('.')} NS" for name in names)]
    assert told == [use.told for use in teardown_preview["zone/example.jp"]]
    gone = engine.teardown(True, contents=list(teardown_preview))
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()
