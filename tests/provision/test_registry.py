"""The registry client: pushing to ECR, reading from the gallery, and errors."""

import base64
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from provision.clients.registry import Blob, Manifest, Registries, Remote, sha256
from provision.console.server import HttpServer
from provision.errors import Pending, ProvisionError
from provision.image import layer
from provision.image.assembled import BuiltImage
from provision.image.push import push
from provision.sandbox.aws.in_process import attach
from provision.sandbox.clock import ManualClock
from provision.sandbox.sandbox import Sandbox
from provision.sandbox.tasks.runners import InlineTasks

OCI = "application/vnd.oci.image.manifest.v1+json"
GALLERY = "docker/library/python"


APPLICATIONS: dict[str, Any] = {}  # where the session's calls go


@pytest.fixture(scope="module")
def session() -> Any:
    session = boto3.Session("access", "secret", region_name="ap-northeast-1")
    attach(session, lambda environ, start: APPLICATIONS["aws"](environ, start))
    return session


@pytest.fixture
def sandbox(session: Any) -> Iterator[Sandbox]:
    """Yield a sandbox with the repository `bot`, its registry and the gallery served."""
    with Sandbox(ManualClock(), tasks=InlineTasks()) as sandbox:
        servers = [HttpServer(sandbox.registry), HttpServer(sandbox.gallery)]
        sandbox.cloud.registry, sandbox.cloud.gallery = (server.url for server in servers)
        APPLICATIONS["aws"] = sandbox.aws
        session.client("ecr").create_repository(repositoryName="bot")
        yield sandbox
        for server in servers:
            server.close()


def remote(session: Any, registries: Registries, repository: str = "bot") -> Remote:
    """Return a client signed in as the tool signs in."""
    (authorization,) = session.client("ecr").get_authorization_token()["authorizationData"]
    return registries.private(
        authorization["proxyEndpoint"], repository, authorization["authorizationToken"]
    )


def blob(content: bytes) -> Blob:
    return Blob(sha256(content), len(content), layer.MEDIA_TYPE, lambda: [content[:3], content[3:]])


def image(*contents: bytes) -> BuiltImage:
    """Return an image with these layers."""
    blobs = [blob(content) for content in contents]
    layers = ",".join(f'{{"digest": "{each.digest}"}}' for each in blobs)
    text = f'{{"mediaType": "{OCI}", "layers": [{layers}]}}'.encode()
    return BuiltImage(Manifest(OCI, sha256(text), text), tuple(blobs))


def test_only_missing_layers_are_pushed(sandbox: Sandbox, session: Any) -> None:
    """A second push sends nothing, one with a new layer that layer; progress is reported."""
    at, progress = remote(session, Registries()), list[str]()
    assert 15 == push(image(b"layer 1", b"layer 2!"), at, "1", progress.append)
    assert "pushed 0.0 of 0.0 MB" == progress[-1]
    assert 0 == push(image(b"layer 1", b"layer 2!"), at, "1", progress.append)
    assert 7 == push(image(b"layer 1", b"layer 3"), at, "2", progress.append)
    found = at.manifest("2")
    assert found == image(b"layer 1", b"layer 3").manifest
    assert b"layer 3" == b"".join(at.blob(sha256(b"layer 3")))


def test_registry_errors_are_shown(sandbox: Sandbox, session: Any) -> None:
    """A missing repository; an invalid token."""
    with pytest.raises(ProvisionError, match="NAME_UNKNOWN: The repository with name 'other'"):
        push(image(b"layer 1"), remote(session, Registries(), "other"), "1", print)
    token = base64.b64encode(b"AWS:secret").decode()
    with pytest.raises(ProvisionError, match="HTTP 401 Not Authorized") as caught:
        Registries().private(sandbox.cloud.registry, "bot", token).manifest("1")
    assert token not in str(caught.value)
    assert "image.uri" in caught.value.then


def test_failed_push_is_pending_and_resumed(sandbox: Sandbox, session: Any) -> None:
    """The next push sends what is missing."""
    at = remote(session, Registries())
    faults = sandbox.cloud.faults
    for kind in ("error", "reset"):
        faults.add({"kind": kind, "service": "ecr", "operation": "CompleteLayerUpload"})
        with pytest.raises(Pending):
            push(image(b"layer 1", b"layer 2"), at, "1", lambda progress: None)
    assert 14 == push(image(b"layer 1", b"layer 2"), at, "1", lambda progress: None)


def test_unreachable_registry(sandbox: Sandbox) -> None:
    """It is pending with a timeout of one minute, not ten."""
    with pytest.raises(Pending, match="did not answer") as caught:
        Registries().private("http://127.0.0.1:9", "bot", "").has(sha256(b""))
    assert 60 == caught.value.timeout


def test_gallery_is_read_anonymously(sandbox: Sandbox) -> None:
    """By tag and by digest, with the manifests behind it."""
    registries = Registries(lambda: sandbox.cloud.gallery)
    at = registries.public("public.ecr.aws", GALLERY)
    index = at.manifest("3.12-slim")
    assert index == at.manifest(sandbox.gallery.digest)
    platforms = [entry["platform"]["architecture"] for entry in index.document["manifests"]]
    assert ["amd64", "arm64"] == platforms


def test_wrong_digest_is_rejected() -> None:
    """A manifest or a layer with another digest is rejected."""

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


def test_mirror_from_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """From PROVISION_REGISTRY, otherwise from a local sandbox, otherwise none."""
    from provision.clients.registry import from_environment

    aws = HttpServer(sandbox.aws)
    monkeypatch.delenv("PROVISION_REGISTRY", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    assert sandbox.cloud.gallery == from_environment().replacement_for("public.ecr.aws")
    assert "" == from_environment().replacement_for("example.jp")
    assert from_environment().in_sandbox("public.ecr.aws")
    monkeypatch.setenv("PROVISION_REGISTRY", sandbox.cloud.gallery)  # as set by --sandbox
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
def test_plain_http_to_another_machine_is_rejected(url: str) -> None:
    """It is rejected before anything is sent, whatever the name begins with."""
    with pytest.raises(ProvisionError, match="is not https, and not on this computer") as refused:
        Registries().ask("GET", url)
    assert url in refused.value.why


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "[::1]"])
def test_plain_http_on_this_machine_is_allowed(host: str) -> None:
    """The request is sent, and nothing answers."""
    with pytest.raises(Pending):
        Registries().ask("GET", f"http://{host}:9/v2/a")


def test_token_from_plain_http_is_rejected() -> None:
    """A registry refers to another server for a token."""

    def elsewhere(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        realm = 'Bearer realm="http://tokens.example/token",service="x"'
        start_response("401 Unauthorized", [("WWW-Authenticate", realm)])
        return [b""]

    server = HttpServer(elsewhere)
    with pytest.raises(ProvisionError, match=r"http://tokens\.example/token"):
        Registries(mirror=lambda: server.url).public("public.ecr.aws", "a").manifest("1")
    server.close()


def redirecting_registry(location: str, passwords: list[str]) -> Any:
    """Return a registry that redirects every request, and records their passwords."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        passwords.append(environ.get("HTTP_AUTHORIZATION", ""))
        start_response("307 Temporary Redirect", [("Location", location)])
        return [b""]

    return application


def test_redirects_are_followed_without_the_password(sandbox: Sandbox) -> None:
    """It is not sent to another host; redirects to plain HTTP elsewhere, or in a loop, are not followed."""
    passwords, received = list[str](), list[str]()

    def layer_store(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        received.append(environ.get("HTTP_AUTHORIZATION", ""))
        start_response("200 OK", [])
        return [b"layer"]

    store = HttpServer(layer_store)
    server = HttpServer(redirecting_registry(f"{store.url}/layer", passwords))
    found = Registries().private(server.url, "bot", "c2VjcmV0").blob(sha256(b"layer"))
    assert b"layer" == b"".join(found)
    assert (["Basic c2VjcmV0"], [""]) == (passwords, received)
    server.close()
    store.close()
    server = HttpServer(redirecting_registry("http://store.example/layer", passwords))
    with pytest.raises(ProvisionError, match=r"http://store\.example/layer is not https"):
        Registries().private(server.url, "bot", "c2VjcmV0").has(sha256(b"layer"))
    server.close()
    passwords.clear()
    server = HttpServer(redirecting_registry("/again", passwords))
    with pytest.raises(Pending, match="redirects too many times"):
        Registries().private(server.url, "bot", "c2VjcmV0").has(sha256(b"layer"))
    assert 6 == len(passwords)
    server.close()


def test_upload_elsewhere_is_sent_without_the_password(sandbox: Sandbox) -> None:
    """A registry may name another host for the content of a layer."""
    received: list[tuple[str, str]] = []

    def answer(status: str, location: str) -> Any:
        def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            method = environ["REQUEST_METHOD"]
            received.append((method, environ.get("HTTP_AUTHORIZATION", "")))
            code = "201 Created" if method == "PUT" else status
            start_response(code, [("Location", location)])
            return [b""]

        return application

    store = HttpServer(answer("202 Accepted", "/go-on"))
    server = HttpServer(answer("202 Accepted", f"{store.url}/upload"))
    Registries().private(server.url, "bot", "c2VjcmV0").push(blob(b"layer"))
    assert [("POST", "Basic c2VjcmV0"), ("PATCH", ""), ("PUT", "")] == received
    server.close()
    store.close()


@pytest.mark.parametrize("status", ["408 Request Timeout", "429 Too Many Requests", "502 Bad"])
def test_busy_registry(status: str) -> None:
    """It is tried again after the seconds that it asks for."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(status, [("Retry-After", "7")])
        return [b""]

    server = HttpServer(application)
    with pytest.raises(Pending) as waiting:
        Remote(Registries(), server.url, "bot").manifest("1")
    assert (7.0, True) == (waiting.value.remaining, waiting.value.exact)
    server.close()


def test_document_deeper_than_python_reads() -> None:
    """A page instead of an error or of a token is reported as one: its beginning is shown."""
    deep = b"[" * 3000

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        url = f"http://{environ['HTTP_HOST']}/token"
        if environ["PATH_INFO"] == "/token":
            start_response("200 OK", [])
        elif environ["PATH_INFO"].startswith("/v2/private/"):
            start_response("401 x", [("WWW-Authenticate", f'Bearer realm="{url}"')])
        else:
            start_response("404 x", [])
        return [deep]

    server = HttpServer(application)
    with pytest.raises(ProvisionError) as error:
        Remote(Registries(), server.url, "bot").manifest("1")
    assert f"HTTP 404 {'[' * 200}" == error.value.why
    with pytest.raises(Pending, match=r"did not answer \(RecursionError\)"):
        Remote(Registries(), server.url, "private").manifest("1")
    server.close()


@pytest.mark.parametrize(
    "mirror",
    ["http://8.8.8.8", "http://127.0.0.1.evil.example", "mirror.example", "ftp://127.0.0.1.a"],
)
def test_mirror_without_tls(mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is created, not when the image is built."""
    from provision.clients.registry import from_environment

    monkeypatch.setenv("PROVISION_REGISTRY", mirror)
    with pytest.raises(ProvisionError) as error:
        from_environment()
    assert "Could not use PROVISION_REGISTRY." == error.value.what
    assert "it is no address that begins with https://" == error.value.why
