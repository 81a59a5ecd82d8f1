"""Send each read once: what several resources read while nothing changes is read for all of them.

Where one call describes several resources (a Batch), those whose ids are known are read together.
"""

import copy
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from provision.clients.aws import Aws, code, note
from provision.resources.base import Batch, Clients

READING = ("describe_", "get_", "list_", "head_")  # boto3's names for calls that change nothing


class ReadCache(Aws):
    """Aws with a cache, for as long as nothing is changed. Thread-safe.

    An error is raised for everybody who waits for the answer; the next call is sent again.
    """

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws.region)
        self._aws = aws
        self._asked: dict[str, Future[Any]] = {}
        self._expected: dict[tuple[str, str], tuple[Batch, set[str]]] = {}  # by service and call

    def expect(self, batches: Iterable[tuple[Batch, str]]) -> None:
        """Note what will be asked for by its id."""
        for batch, known_id in batches:
            entry = self._expected.setdefault((batch.service, batch.call), (batch, set()))
            entry[1].add(known_id)

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        return _Client(getattr(self._aws, service), service, self)

    def in_region(self, region: str) -> Aws:
        """Return another region's services, which are asked as often as one asks."""
        return self._aws.in_region(region)

    def regions(self, service: str) -> list[str]:
        """Return the regions that boto3 knows."""
        return self._aws.regions(service)

    def _ask(self, question: list[Any], ask: Callable[[], Any]) -> Any:
        key = json.dumps(question, sort_keys=True, default=str)
        with self._lock:
            first = key not in self._asked
            answer = self._asked.setdefault(key, Future())
        if first:
            try:
                answer.set_result(ask())
            except BaseException as error:
                with self._lock:
                    del self._asked[key]
                answer.set_exception(error)
        return copy.deepcopy(answer.result())

    def _asked_for(self, service: str, name: str, given: dict[str, Any], call: Any) -> Any:
        """Return the answer, asked for together with others that are expected."""
        batch, ids = self._expected.get((service, name), (None, set()))
        asked = given.get(batch.parameter) if batch else None
        if batch and isinstance(asked, list) and len(asked) == 1 and {*asked} < ids:
            told = self._together(batch, given, sorted(ids), call)
            if told is not None:
                return {batch.listed: [item for item in told if item[batch.id] == asked[0]]}
        return self._ask([service, name, given], partial(call, **given))

    def _together(self, batch: Batch, given: dict[str, Any], ids: list[str], call: Any) -> Any:
        """Return all of them in one list; None where AWS refuses: then it is not asked like that again."""
        whole = {**given, batch.parameter: ids}
        try:
            question = [batch.service, batch.call, whole]
            return self._ask(question, partial(call, **whole))[batch.listed]
        except Exception as error:
            if not code(error):  # nobody answered
                raise
            self._expected.pop((batch.service, batch.call), None)
            return None


class _Client:
    """A boto3 client whose reading calls go through `ask`."""

    def __init__(self, client: Any, service: str, cache: ReadCache) -> None:
        self._client, self._service, self._cache = client, service, cache

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name == "get_paginator":
            return partial(_Pages, self._client, self._service, self._cache._ask)
        if not name.startswith(READING):
            return call

        def ask(**given: Any) -> Any:
            note(self._service, self._client.meta.method_to_api_mapping[name])
            return self._cache._asked_for(self._service, name, given, call)

        return ask


class _Pages:
    """A paginator of boto3's whose pages are read to the end at once."""

    def __init__(self, client: Any, service: str, ask: Callable[..., Any], name: str) -> None:
        self._paginator = client.get_paginator(name)
        self._question, self._ask = [service, name, "pages"], ask
        self._operation = service, client.meta.method_to_api_mapping[name]

    def paginate(self, **given: Any) -> list[Any]:
        """Return all pages, in boto3's order."""
        note(*self._operation)
        return list(
            self._ask([*self._question, given], lambda: list(self._paginator.paginate(**given)))
        )


def cached_reads(clients: Clients, expected: Iterable[tuple[Batch, str]] = ()) -> Clients:
    """Return clients that send each read to AWS once. expected: what will be asked by its id."""
    aws = clients.aws if isinstance(clients.aws, ReadCache) else ReadCache(clients.aws)
    aws.expect(expected)
    return clients if aws is clients.aws else replace(clients, aws=aws)
