"""Answers of container registries: HTTP of all kinds, manifests and configurations with something wrong."""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.clients.registry import (
    MAX_DOCUMENT,
    OCI_INDEX,
    OCI_MANIFEST,
    Blob,
    Manifest,
    Registries,
    Remote,
)
from provision.errors import ProvisionError
from provision.image import base
from provision.image import given as given_image
from provision.image.assembled import assemble
from tests.fuzz.inputs import call, damaged, damaged_bytes, fuzz
from tests.fuzz.server import Server, answers

pytestmark = pytest.mark.full

DIGEST = f"sha256:{'0' * 64}"
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "variant": "v8",
    "created": "2026-01-01T00:00:00Z",
    "config": {"Env": ["PATH=/bin", "PYTHON_VERSION=3.12.15"], "Cmd": ["python3"]},
    "rootfs": {"type": "layers", "diff_ids": [DIGEST, DIGEST]},
    "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "x", "empty_layer": True}],
}
LAYER = {
    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "digest": DIGEST,
    "size": 3,
}
MANIFEST = {"schemaVersion": 2, "config": {"digest": DIGEST, "size": 9}, "layers": [LAYER, LAYER]}
PLATFORM = {"architecture": "amd64", "os": "linux"}
INDEX = {
    "schemaVersion": 2,
    "manifests": [{"digest": DIGEST, "platform": PLATFORM}, {"digest": DIGEST, "platform": {}}],
}
TOKEN = {"token": "t", "access_token": "a", "expires_in": 300}
REFUSAL = {"errors": [{"code": "NAME_UNKNOWN", "message": "no such repository", "detail": {}}]}
DOCUMENTS: list[Any] = [CONFIG, MANIFEST, INDEX, TOKEN, REFUSAL]


def text(document: Any) -> bytes:
    """Return JSON."""
    return json.dumps(document).encode()


BODIES = st.one_of(
    st.sampled_from(DOCUMENTS).map(text),
    st.sampled_from(DOCUMENTS).flatmap(damaged).map(text),
    st.sampled_from([*map(text, DOCUMENTS)]).flatmap(damaged_bytes),
    st.binary(max_size=100),
    st.sampled_from([b"[" * 3000, b"9" * 100_000, b"x" * (5 << 20), b'{"errors":' * 3000]),
)
BLOB = Blob(DIGEST, 3, OCI_MANIFEST, lambda: [b"a", b"bc"])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Yield a server that is no registry."""
    with Server() as server:
        yield server


REQUESTS = {
    "manifest": lambda remote: remote.manifest("1").document,
    "blob": lambda remote: b"".join(remote.blob(DIGEST)),
    "has": lambda remote: remote.has(DIGEST),
    "push": lambda remote: remote.push(BLOB),
    "put": lambda remote: remote.put("1", Manifest(OCI_INDEX, DIGEST, b"{}")),
    "given": lambda remote: given_image.platforms(remote, "1"),
}


@fuzz(10)
@given(st.data(), st.sampled_from(sorted(REQUESTS)), st.sampled_from(["", "Basic t"]))
def test_answers(server: Server, data: st.DataObject, which: str, authorization: str) -> None:
    """Whatever the server answers to the requests for an image."""
    sequence = data.draw(st.lists(answers(BODIES, server.url), min_size=1, max_size=4))
    server.requests = 0
    server.answer = lambda line: sequence[min(server.requests, len(sequence)) - 1]
    remote = Remote(Registries(), server.url, "bot", authorization)
    call(partial(REQUESTS[which], remote))
    assert server.requests < 20


class Documents(Registries):
    """A registry with the right bytes under each digest, which are damaged documents."""

    def __init__(self, *documents: Any) -> None:
        super().__init__()
        self.contents = {sha(text(document)): text(document) for document in documents}
        self.first = text(documents[0])

    def public(self, host: str, repository: str) -> Remote:
        return Stored(self, "https://registry.example", repository)


class Stored(Remote):
    """Its repository."""

    def manifest(self, reference: str) -> Manifest:
        content = self._find(reference)
        return Manifest("", sha(content), content)

    def blob(self, digest: str, size: int = 0) -> Iterator[bytes]:
        yield self._find(digest)

    def _find(self, reference: str) -> bytes:
        registries: Any = self._registries
        if ":" not in reference:
            return bytes(registries.first)
        content = registries.contents.get(reference)
        if content is None or len(content) > MAX_DOCUMENT:
            raise ProvisionError("a", "b", "c")
        return bytes(content)


def sha(content: bytes) -> str:
    """Return a digest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@fuzz(8)
@given(st.data())
def test_base_image(data: st.DataObject) -> None:
    """Index, manifest and configuration that lead to each other, each with something wrong."""
    draw = data.draw
    config = draw(damaged(CONFIG) | st.just(CONFIG))
    whole = {**MANIFEST, "config": {"digest": sha(text(config))}}
    manifest = draw(damaged(whole) | st.just(whole))
    entry = {"digest": sha(text(manifest)), "platform": PLATFORM}
    index = {"manifests": [entry]}
    index = draw(damaged(index) | st.just(index))
    documents = [index, manifest, config] if draw(st.booleans()) else [manifest, config]

    def read() -> None:
        image = base.read(Documents(*documents), "registry.example/bot:1", "linux/amd64")
        assemble(image, [])
        _ = image.python

    call(read)


@fuzz(1)
@given(st.data())
def test_gallery(server: Server, data: st.DataObject) -> None:
    """Ask any server whether it is a sandbox's registry."""
    answer = data.draw(answers(BODIES, server.url))
    server.answer = lambda line: answer
    call(partial(Registries().answers_at, server.url))
