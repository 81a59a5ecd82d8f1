"""Cache reads while nothing is changed, so that each request is sent once.

Where one call describes several resources (a Batch), combine those whose ids are known into one request.
"""

import copy
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from provision.clients.aws import Aws
from provision.clients.aws_errors import code, record_operation
from provision.resources.base import Batch, Clients

READING = ("describe_", "get_", "list_", "head_")  # prefixes of boto3's read-only methods


class ReadCache(Aws):
    """Aws with a cache of read-only calls. Thread-safe. Use it only while nothing is changed.

    An error is raised in every thread that waits for the response, and is not cached.
    """

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws.region)
        self._aws = aws
        self._responses: dict[str, Future[Any]] = {}
        self._expected: dict[tuple[str, str], tuple[Batch, set[str]]] = {}  # by service and call

    def expect(self, batches: Iterable[tuple[Batch, str]]) -> None:
        """Register the ids that will be requested."""
        for batch, known_id in batches:
            entry = self._expected.setdefault((batch.service, batch.call), (batch, set()))
            entry[1].add(known_id)

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        return _Client(getattr(self._aws, service), service, self)

    def clear(self) -> None:
        """Drop all responses, because one of them is out of date."""
        with self._lock:
            self._responses = {}

    def in_region(self, region: str) -> Aws:
        """Return the services of another region, without a cache."""
        return self._aws.in_region(region)

    def caller(self) -> str:
        """Return the ARN of the caller, which is asked for once."""
        return self._aws.caller()

    def regions(self, service: str) -> list[str]:
        """Return the regions of a service that boto3 knows."""
        return self._aws.regions(service)

    def _cached(self, cache_key: list[Any], send: Callable[[], Any]) -> Any:
        key = json.dumps(cache_key, sort_keys=True, default=str)
        with self._lock:
            is_first = key not in self._responses
            response = self._responses.setdefault(key, Future())
        if is_first:
            try:
                response.set_result(send())
            except BaseException as error:
                with self._lock:
                    self._responses.pop(key, None)
                response.set_exception(error)
        return copy.deepcopy(response.result())

    def _request(self, service: str, name: str, arguments: dict[str, Any], call: Any) -> Any:
        """Return the response, read in one request with the other registered ids if possible."""
        batch, ids = self._expected.get((service, name), (None, set()))
        ids_requested = arguments.get(batch.parameter) if batch else None
        if (
            batch
            and isinstance(ids_requested, list)
            and len(ids_requested) == 1
            and {*ids_requested} < ids
        ):
            items = self._combined(batch, arguments, sorted(ids), call)
            if items is not None:
                return {
                    batch.items_key: [item for item in items if item[batch.id] == ids_requested[0]]
                }
        return self._cached([service, name, arguments], partial(call, **arguments))

    def _combined(self, batch: Batch, arguments: dict[str, Any], ids: list[str], call: Any) -> Any:
        """Return the items of all ids; None if AWS refuses the combined request, which is not tried again."""
        combined = {**arguments, batch.parameter: ids}
        try:
            cache_key = [batch.service, batch.call, combined]
            return self._cached(cache_key, partial(call, **combined))[batch.items_key]
        except Exception as error:
            if not code(error):  # no response from AWS
                raise
            self._expected.pop((batch.service, batch.call), None)
            return None


class _Client:
    """A boto3 client whose read-only calls go through the cache."""

    def __init__(self, client: Any, service: str, cache: ReadCache) -> None:
        self._client, self._service, self._cache = client, service, cache

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name == "get_paginator":
            return partial(_Pages, self._client, self._service, self._cache._cached)
        if not name.startswith(READING):
            return call

        def send(**arguments: Any) -> Any:
            record_operation(self._service, self._client.meta.method_to_api_mapping[name])
            return self._cache._request(self._service, name, arguments, call)

        return send


class _Pages:
    """A boto3 paginator that reads all pages at once and caches them."""

    def __init__(self, client: Any, service: str, send: Callable[..., Any], name: str) -> None:
        self._paginator = client.get_paginator(name)
        self._cache_key, self._cached = [service, name, "pages"], send
        self._operation = service, client.meta.method_to_api_mapping[name]

    def paginate(self, **arguments: Any) -> list[Any]:
        """Return all pages."""
        record_operation(*self._operation)
        return list(
            self._cached(
                [*self._cache_key, arguments], lambda: list(self._paginator.paginate(**arguments))
            )
        )


def cached_reads(clients: Clients, expected: Iterable[tuple[Batch, str]] = ()) -> Clients:
    """Return clients that cache reads from AWS. expected: the ids that will be requested."""
    aws = clients.aws if isinstance(clients.aws, ReadCache) else ReadCache(clients.aws)
    aws.expect(expected)
    return clients if aws is clients.aws else replace(clients, aws=aws)
