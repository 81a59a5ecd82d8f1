"""A zone with thousands of foreign records: all are read, and changes hold only a few in memory."""

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
from tests.provision.finished_stack import FinishedStack

A_PAGE = 300  # record sets; Route 53 API, ListResourceRecordSets
LISTING = "list_resource_record_sets"
COPIED = ["r00001.example.jp A 192.0.2.1", "away.example.jp A 192.0.2.1"]


@dataclass
class LargeZoneRoute53:
    """A Route 53 client in whose zones pages of foreign records precede our own.

    Each page is created on request, and changes are only counted.
    """

    client: Any
    pages: int
    changes: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def get_paginator(self, name: str) -> Any:
        """Return itself for listing records, boto3's own paginator for everything else."""
        return self if name == LISTING else self.client.get_paginator(name)

    def paginate(self, **given: Any) -> Iterator[dict[str, Any]]:
        """Yield the foreign pages, then AWS's."""
        for page in range(self.pages):
            numbers = range(page * A_PAGE, (page + 1) * A_PAGE)
            yield {"ResourceRecordSets": [foreign_record(number) for number in numbers]}
        yield from self.client.get_paginator(LISTING).paginate(**given)

    def change_resource_record_sets(self, ChangeBatch: dict[str, Any], **_: Any) -> None:  # noqa: N803
        """Accept no more changes than AWS takes in one call."""
        assert len(ChangeBatch["Changes"]) <= migrated_records.BATCH_SIZE
        self.changes += len(ChangeBatch["Changes"])


class LargeZoneAws(Aws):
    """An AWS client with its Route 53 client replaced."""

    def __init__(self, aws: Aws, pages: int) -> None:
        super().__init__(aws.region)
        self._aws, self._large = aws, LargeZoneRoute53(aws.route53, pages)

    def __getattr__(self, service: str) -> Any:
        return self._large if service == "route53" else getattr(self._aws, service)


def foreign_record(number: int) -> dict[str, Any]:
    """Return a foreign record set."""
    address = {"Value": f"192.0.2.{number}"}
    name = f"r{number:05d}.example.jp."
    return {"Name": name, "Type": "A", "TTL": 300, "ResourceRecords": [address]}


def zone_id(env: Env) -> str:
    """Return the id of the stack's zone."""
    return str(StackFile(env.path).records["zone/example.jp"].outputs["id"])


def with_large_zone(env: Env, pages: int) -> Clients:
    """Return the environment's clients; their zones hold that many pages more."""
    return replace(env.clients(), aws=LargeZoneAws(env.aws, pages))


def count_own_records(env: Env, clients: Clients) -> int:
    """Count the stack's records in its zone."""
    return len(list_inventory(clients, env.clock, "news-bot", (ValidationRecord, Alias)).tagged)


def count_foreign_records(env: Env, clients: Clients) -> int:
    """Count the foreign records in the zone, read through the cache."""
    return len(list(migrated_records.foreign(cached_reads(clients), zone_id(env), COPIED)))


def record_changes(change: Callable[..., None], *more: Any) -> Callable[[Env, Clients], int]:
    """Return a function that changes the zone and returns the number of changed record sets."""

    def work(env: Env, clients: Clients) -> int:
        change(clients, zone_id(env), *more)
        return int(clients.aws.route53.changes)

    return work


def peak_memory(work: Callable[[], Any]) -> int:
    """Return the peak memory of the function in bytes."""
    gc.collect()
    gc.freeze()  # objects left by other tests would delay garbage collection
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.unfreeze()


PAGES = 10
THEIRS = PAGES * A_PAGE
OPERATIONS = [  # the operation, its expected result, the most bytes for each additional record
    (count_own_records, 2, 2000),  # a cached page, and a copy
    (count_foreign_records, THEIRS - 1 + 2, 2000),  # names and types too
    (record_changes(migrated_records.create, COPIED), 1, 50),
    (record_changes(migrated_records.delete, COPIED), 1, 50),
    (record_changes(migrated_records.delete_all), THEIRS + 2, 50),
]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("work", "expected", "most"), OPERATIONS, ids=["found", "named", "put", "take_away", "clear"]
)
def test_memory_does_not_grow_with_the_zone(
    finished_stack: FinishedStack,
    work: Callable[[Env, Clients], int],
    expected: int,
    most: int,
) -> None:
    """A record set takes 600 bytes in memory; ours, on the last page, are found nevertheless."""
    with finished_stack.on("default") as env:
        assert expected == work(env, with_large_zone(env, PAGES))
        small, large = (
            peak_memory(partial(work, env, with_large_zone(env, pages))) for pages in (1, PAGES)
        )
    assert large - small < most * (PAGES - 1) * A_PAGE


def test_teardown_with_contents_empties_a_large_zone(env: Env) -> None:
    """Several pages of real records, with delegations and MX, are all deleted."""
    env.setup()
    mine = {"Name": "example.jp.", "Type": "MX", "TTL": 300, "ResourceRecords": ["10 a.example."]}
    delegated = {"Type": "NS", "TTL": 300, "ResourceRecords": ["ns.example."]}
    names = [f"n{number:03d}.example.jp." for number in range(2 * A_PAGE)]
    (zone,) = env.sandbox.cloud.route53.zones()
    zone.rrsets += [RecordSet(mine), *(RecordSet({"Name": n, **delegated}) for n in names)]
    engine = env.engine()
    teardown_preview = engine.check_teardown(everything=True)
    foreign = ["example.jp MX", *(f"{name.rstrip('.')} NS" for name in names)]
    assert foreign == [use.description for use in teardown_preview["zone/example.jp"]]
    result = engine.teardown(True, contents=list(teardown_preview))
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()
