"""AWS's answers with members missing, of other types, empty or very large."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.clients.aws import Aws
from provision.engine.inspector import inspect, load_records
from provision.errors import Pending, ProvisionError
from provision.resources.base import Resource
from provision.sandbox.delays import Delays
from provision.settings import Settings
from provision.stack import Stack
from provision.state.stack_file import Record, StackFile
from provision.status_report import entry
from tests.fuzz.inputs import TEXTS, call, damaged, fuzz
from tests.provision.conftest import AwsSession, Env, open_env
from tests.provision.test_unanswered_requests import read_everything

pytestmark = pytest.mark.full

Key = tuple[str, ...]
Answer = tuple[str, list[tuple[str, str]], bytes]


class Recorder:
    """AWS as a WSGI application that answers as it did before; the answer to one request is replaced."""

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        self.answers: dict[Key, Answer] = {}
        self.seen: list[Key] = []
        self.replaced: dict[Key, Answer] = {}

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        key = (
            environ["HTTP_HOST"],
            environ["REQUEST_METHOD"],
            environ["RAW_URI"],
            environ["QUERY_STRING"],
            environ.get("HTTP_X_AMZ_TARGET", ""),
            body.decode(),
        )
        if key not in self.answers:
            given: list[Any] = []
            chunks = self.aws(environ, lambda status, headers: given.append((status, headers)))
            self.answers[key] = (*given[0], b"".join(chunks))
        self.seen.append(key)
        status, headers, content = self.replaced.get(key) or self.answers[key]
        start(status, headers)
        return [content]


def elements(document: Any) -> list[tuple[Any, Any]]:
    """Return every element of an XML document with its parent."""
    return [(parent, child) for parent in document.iter() for child in parent]


@st.composite
def damaged_xml(draw: st.DrawFn, content: bytes) -> bytes:
    """Generate copies of an XML document, in which a few elements are missing or something else."""
    document = ElementTree.fromstring(content)
    for _damage in range(draw(st.integers(1, 3))):
        pairs = elements(document)
        if not pairs:
            break
        parent, child = pairs[draw(st.integers(0, len(pairs) - 1))]
        kind = draw(st.sampled_from(["missing", "empty", "text", "twice", "nested"]))
        if kind == "missing":
            parent.remove(child)
        elif kind == "empty":
            child.clear()
        elif kind == "text":
            child.clear()
            text = draw(st.sampled_from(TEXTS))
            child.text = "".join(one for one in text if one.isprintable())
        elif kind == "twice":
            parent.append(child)
        else:
            child.append(ElementTree.Element(child.tag))
    return ElementTree.tostring(document)


@st.composite
def damaged_answer(draw: st.DrawFn, answer: Answer) -> Answer:
    """Generate copies of an answer with something wrong in it."""
    status, headers, content = answer
    if content[:1] in (b"{", b"["):
        content = json.dumps(draw(damaged(json.loads(content)))).encode()
    elif content[:1] == b"<":
        content = draw(damaged_xml(content))
    elif draw(st.booleans()):
        headers = [(name, draw(st.sampled_from(["", "x", "9" * 30]))) for name, _value in headers]
    if draw(st.integers(0, 19)) == 0:
        content = draw(
            st.sampled_from(
                [b"", b"null", b"[]", b"<a/>", b"<html>", b"{", b"[" * 3000, b"\xff\xfe"]
            )
        )
    if draw(st.integers(0, 19)) == 0:
        status = draw(st.sampled_from(["204 x", "301 x", "400 x", "403 x", "404 x", "500 x"]))
    headers = [pair for pair in headers if pair[0].lower() != "content-length"]
    return status, headers, content


@dataclass
class Finished:
    """A complete stack, and the requests with which each of its resources is looked up."""

    env: Env
    recorder: Recorder
    records: dict[str, Record]
    settings: Settings
    requests: dict[tuple[int, bool], list[Key]] = field(default_factory=dict)

    def look_up(self, number: int, recorded: bool) -> None:
        """Look up one resource: what status and plan show of it. recorded: whether stack.yaml has it."""
        resource = self.resources()[number]
        records = self.records if recorded else {}
        observation = inspect(resource, self.env.clients(), records)
        observation.compare()
        entry(observation)

    def resources(self) -> list[Resource]:
        """Return the stack's resources with their recorded outputs."""
        resources = Stack(self.settings, self.env.secrets, {}, self.env.path.parent).resources
        load_records(resources, self.records)
        return resources


@pytest.fixture(scope="module")
def finished(
    aws_session: AwsSession, clients: Aws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Finished]:
    """Yield a complete stack whose answers are recorded."""
    with open_env(aws_session, clients, Delays.none(), tmp_path_factory.mktemp("fuzz")) as env:
        env.set(network__vpc="new")
        assert [] == env.setup().errors
        aws_session.application = recorder = Recorder(env.sandbox.aws)
        file = StackFile(env.path)
        finished = Finished(env, recorder, file.records, file.settings)
        for number in range(len(finished.resources())):
            for recorded in (True, False):
                recorder.seen = []
                finished.look_up(number, recorded)
                if recorder.seen:
                    finished.requests[number, recorded] = sorted(set(recorder.seen))
        yield finished


@fuzz(12)
@given(st.data())
def test_resource(finished: Finished, data: st.DataObject) -> None:
    """Whatever AWS answers when a resource is looked up: no other error than those for a person."""
    which = data.draw(st.sampled_from(list(finished.requests)))
    request = data.draw(st.sampled_from(finished.requests[which]))
    finished.recorder.replaced = {
        request: data.draw(damaged_answer(finished.recorder.answers[request]))
    }
    try:
        call(partial(finished.look_up, *which))
    finally:
        finished.recorder.replaced = {}


@fuzz(0.2)
@given(st.data())
def test_everything(finished: Finished, data: st.DataObject) -> None:
    """The same for all that status, plan, verify and recover read."""
    recorder = finished.recorder
    requests = sorted({one for found in finished.requests.values() for one in found})
    request = data.draw(st.sampled_from(requests))
    recorder.replaced = {request: data.draw(damaged_answer(recorder.answers[request]))}
    try:
        with suppress(ProvisionError, Pending):
            read_everything(finished.env)
    finally:
        recorder.replaced = {}
