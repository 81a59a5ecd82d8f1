"""The door to registries: push to ECR's, read from the gallery, and what goes wrong on the way."""

import base64
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from provision.clients.registry import Blob, Manifest, Registries, Remote, sha256
from provision.errors import Pending, ProvisionError
from provision.image import layer
from provision.image.assembled import BuiltImage
from provision.image.push import push
from provision.sandbox.aws.in_process import attach
from provision.sandbox.clock import ManualClock
from provision.sandbox.sandbox import Sandbox
from provision.sandbox.tasks.runners import InlineTasks
from provision.sandbox.web.serving import HttpServer

OCI = "application/vnd.oci.image.manifest.v1+json"
GALLERY = "docker/library/python"


PLUGGED: dict[str, Any] = {}  # where the session's calls go


@pytest.fixture(scope="module")
def session() -> Any:
    session = boto3.Session("access", "secret", region_name="ap-northeast-1")
    attach(session, lambda environ, start: PLUGGED["aws"](environ, start))
    return session


@pytest.fixture
def sandbox(session: Any) -> Iterator[Sandbox]:
    """With the repository `bot`, its registry and the gallery served."""
    with Sandbox(ManualClock(), tasks=InlineTasks()) as sandbox:
        servers = [HttpServer(sandbox.registry), HttpServer(sandbox.gallery)]
        sandbox.cloud.registry, sandbox.cloud.gallery = (server.url for server in servers)
        PLUGGED["aws"] = sandbox.aws
        session.client("ecr").create_repository(repositoryName="bot")
        yield sandbox
        for server in servers:
            server.close()


def remote(session: Any, registries: Registries, repository: str = "bot") -> Remote:
    """Signed in as the tool signs in."""
    (told,) = session.client("ecr").get_authorization_token()["authorizationData"]
    return registries.private(told["proxyEndpoint"], repository, told["authorizationToken"])


def blob(content: bytes) -> Blob:
    return Blob(sha256(content), len(content), layer.MEDIA_TYPE, lambda: [content[:3], content[3:]])


def image(*contents: bytes) -> BuiltImage:
    """Of these layers."""
    blobs = [blob(content) for content in contents]
    said = ",".join(f'{{"digest": "{each.digest}"}}' for each in blobs)
    text = f'{{"mediaType": "{OCI}", "layers": [{said}]}}'.encode()
    return BuiltImage(Manifest(OCI, sha256(text), text), tuple(blobs))


def test_only_what_is_missing_is_pushed(sandbox: Sandbox, session: Any) -> None:
    """The second push sends nothing, one with a new layer that layer; how far it is, is told."""
    at, said = remote(session, Registries()), list[str]()
    assert 15 == push(image(b"layer 1", b"layer 2!"), at, "1", said.append)
    assert "pushed 0.0 of 0.0 MB" == said[-1]
    assert 0 == push(image(b"layer 1", b"layer 2!"), at, "1", said.append)
    assert 7 == push(image(b"layer 1", b"layer 3"), at, "2", said.append)
    found = at.manifest("2")
    assert found == image(b"layer 1", b"layer 3").manifest
    assert b"layer 3" == b"".join(at.blob(sha256(b"layer 3")))


def test_refusals_are_told_in_the_registrys_words(sandbox: Sandbox, session: Any) -> None:
    """No repository; a token that is none."""
    with pytest.raises(ProvisionError, match="NAME_UNKNOWN: The repository with name 'other'"):
        push(image(b"layer 1"), remote(session, Registries(), "other"), "1", print)
    token = base64.b64encode(b"AWS:secret").decode()
    with pytest.raises(ProvisionError, match="HTTP 401 Not Authorized") as caught:
        Registries().private(sandbox.cloud.registry, "bot", token).manifest("1")
    assert token not in str(caught.value)
    assert "image.uri" in caught.value.then


def test_lost_answers_and_busy_registries_are_for_later(sandbox: Sandbox, session: Any) -> None:
    """Pending; the next push goes on with what is missing."""
    at = remote(session, Registries())
    faults = sandbox.cloud.faults
    for kind in ("error", "reset"):
        faults.add({"kind": kind, "service": "ecr", "operation": "CompleteLayerUpload"})
        with pytest.raises(Pending):
            push(image(b"layer 1", b"layer 2"), at, "1", lambda said: None)
    assert 14 == push(image(b"layer 1", b"layer 2"), at, "1", lambda said: None)


def test_nobody_there(sandbox: Sandbox) -> None:
    """Asked again for a minute, not for ten."""
    with pytest.raises(Pending, match="did not answer") as caught:
        Registries().private("http://127.0.0.1:9", "bot", "").has(sha256(b""))
    assert 60 == caught.value.timeout


def test_gallery_is_read_with_anybodys_token(sandbox: Sandbox) -> None:
    """By tag and by digest, with what is behind it."""
    registries = Registries(lambda: sandbox.cloud.gallery)
    at = registries.public("public.ecr.aws", GALLERY)
    index = at.manifest("3.12-slim")
    assert index == at.manifest(sandbox.gallery.digest)
    platforms = [entry["platform"]["architecture"] for entry in index.document["manifests"]]
    assert ["amd64", "arm64"] == platforms


def test_what_came_is_not_what_was_asked_for() -> None:
    """A manifest or a layer of another digest is refused."""

    def changed(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", OCI)])
        return [b"{}"]

    server = HttpServer(changed)
    at = Registries(lambda: server.url).public("public.ecr.aws", "a")
    with pytest.raises(ProvisionError, match="the download's digest is"):
        at.manifest(sha256(b"other"))
    with pytest.raises(ProvisionError, match="the download's digest is"):
        list(at.blob(sha256(b"other")))
    server.close()


def test_stand_in_is_found(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """By PROVISION_REGISTRY, else by the sandbox that is AWS on this machine; else there is none."""
    from provision.clients.registry import from_environment

    aws = HttpServer(sandbox.aws)
    monkeypatch.delenv("PROVISION_REGISTRY", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    assert sandbox.cloud.gallery == from_environment().replacement_for("public.ecr.aws")
    assert "" == from_environment().replacement_for("example.jp")
    assert from_environment().in_sandbox("public.ecr.aws")
    monkeypatch.setenv("PROVISION_REGISTRY", sandbox.cloud.gallery)  # as --sandbox sets it
    assert from_environment().in_sandbox("public.ecr.aws")
    assert not from_environment().in_sandbox("example.jp")
    monkeypatch.setenv("PROVISION_REGISTRY", "http://127.0.0.1:1/")
    assert not from_environment().in_sandbox("public.ecr.aws")
    assert "http://127.0.0.1:1" == from_environment().replacement_for("public.ecr.aws")
    monkeypatch.delenv("PROVISION_REGISTRY")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.jp")
    assert "" == from_environment().replacement_for("public.ecr.aws")
    aws.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.evil.example:80/v2/a",
        "http://localhost.evil.example/v2/a",
        "http://127.0.0.1@evil.example/v2/a",
        "http://registry.example/v2/a",
        "http://10.0.0.1:5000/v2/a",
        "HTTP://registry.example/v2/a",
        "ftp://127.0.0.1.evil.example/",
        "registry.example/v2/a",
    ],
)
def test_plain_http_to_another_machine(url: str) -> None:
    """Refused before anything is sent, whatever the name begins with."""
    with pytest.raises(ProvisionError, match="is not https, and not on this computer") as refused:
        Registries().ask("GET", url)
    assert url in refused.value.why


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "[::1]"])
def test_plain_http_on_this_machine(host: str) -> None:
    """Asked: nobody is there."""
    with pytest.raises(Pending):
        Registries().ask("GET", f"http://{host}:9/v2/a")


def test_token_from_a_place_that_is_not_https() -> None:
    """A registry that sends its readers elsewhere for a token."""

    def elsewhere(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        realm = 'Bearer realm="http://tokens.example/token",service="x"'
        start_response("401 Unauthorized", [("WWW-Authenticate", realm)])
        return [b""]

    server = HttpServer(elsewhere)
    with pytest.raises(ProvisionError, match=r"http://tokens\.example/token"):
        Registries(mirror=lambda: server.url).public("public.ecr.aws", "a").manifest("1")
    server.close()


def redirecting(location: str, seen: list[str]) -> Any:
    """A registry that sends every reader on, and notes with which password it was asked."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ.get("HTTP_AUTHORIZATION", ""))
        start_response("307 Temporary Redirect", [("Location", location)])
        return [b""]

    return application


def test_redirects_are_followed_without_the_password(sandbox: Sandbox) -> None:
    """To another host it is not sent; to plain HTTP elsewhere, or round and round, nobody follows."""
    asked, reached = list[str](), list[str]()

    def layer_store(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        reached.append(environ.get("HTTP_AUTHORIZATION", ""))
        start_response("200 OK", [])
        return [b"layer"]

    store = HttpServer(layer_store)
    server = HttpServer(redirecting(f"{store.url}/layer", asked))
    found = Registries().private(server.url, "bot", "c2VjcmV0").blob(sha256(b"layer"))
    assert b"layer" == b"".join(found)
    assert (["Basic c2VjcmV0"], [""]) == (asked, reached)
    server.close()
    store.close()
    server = HttpServer(redirecting("http://store.example/layer", asked))
    with pytest.raises(ProvisionError, match=r"http://store\.example/layer is not https"):
        Registries().private(server.url, "bot", "c2VjcmV0").has(sha256(b"layer"))
    server.close()
    asked.clear()
    server = HttpServer(redirecting("/again", asked))
    with pytest.raises(Pending, match="redirects too many times"):
        Registries().private(server.url, "bot", "c2VjcmV0").has(sha256(b"layer"))
    assert 6 == len(asked)
    server.close()
