"""Each question once: what several resources ask AWS while nothing changes is asked for all of them."""

import copy
import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from provision.aws import Aws
from provision.resource import Doors

READING = ("describe_", "get_", "list_", "head_")  # boto3's names for calls that change nothing


class Once(Aws):
    """Aws's doors for as long as nothing is changed; also for threads that ask side by side.

    An error is told to all who wait for the answer, and is asked about again after that.
    """

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws.region)
        self._aws = aws
        self._asked: dict[str, Future[Any]] = {}

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        return _Client(getattr(self._aws, service), service, self._ask)

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


class _Client:
    """A boto3 client whose reading calls go through `ask`."""

    def __init__(self, client: Any, service: str, ask: Callable[..., Any]) -> None:
        self._client, self._service, self._ask = client, service, ask

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name == "get_paginator":
            return partial(_Pages, self._client, self._service, self._ask)
        if not name.startswith(READING):
            return call
        return lambda **given: self._ask([self._service, name, given], partial(call, **given))


class _Pages:
    """A paginator of boto3's whose pages are read to the end at once."""

    def __init__(self, client: Any, service: str, ask: Callable[..., Any], name: str) -> None:
        self._paginator = client.get_paginator(name)
        self._question, self._ask = [service, name, "pages"], ask

    def paginate(self, **given: Any) -> Any:
        """All pages, in a list."""
        return self._ask([*self._question, given], lambda: list(self._paginator.paginate(**given)))


def once(doors: Doors) -> Doors:
    """The same doors, the one to AWS asking each question once."""
    if isinstance(doors.aws, Once):
        return doors
    return replace(doors, aws=Once(doors.aws))
