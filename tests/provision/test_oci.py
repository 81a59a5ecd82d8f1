"""Images and registries, checked against the examples in OCI's specifications.

Image specification: config.md, manifest.md, image-index.md, descriptor.md. Distribution specification:
"Pushing blobs", "Error codes"; Docker's "Token authentication specification".
"""

import json
from collections.abc import Callable, Iterator

import pytest
from werkzeug.wrappers import Request, Response

from provision.clients.registry import Blob, Registries, sha256
from provision.console.server import HttpServer
from provision.errors import ProvisionError
from provision.image import base as bases
from provision.image import layer
from provision.image.assembled import assemble
from provision.image.base import Base

# config.md, "Example", some fields left out.
CONFIG = {
    "created": "2015-10-31T22:22:56.015925234Z",
    "author": "Alyssa P. Hacker <alyspdev@example.com>",
    "architecture": "amd64",
    "os": "linux",
    "config": {
        "User": "alice",
        "ExposedPorts": {"8080/tcp": {}},
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin", "FOO=oci_is_a", "BAR=well_written_spec"],
        "Entrypoint": ["/bin/my-app-binary"],
        "Cmd": ["--foreground", "--config", "/etc/my-app.d/default.cfg"],
        "WorkingDir": "/home/alice",
    },
    "rootfs": {
        "diff_ids": [
            "sha256:c6f988f4874bb0add23a778f753c65efe992244e148a1d2ec2a8b664fb66bbd1",
            "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
        ],
        "type": "layers",
    },
    "history": [
        {
            "created": "2015-10-31T22:22:54.690851953Z",
            "created_by": "/bin/sh -c #(nop) ADD file:a3bc in /",
        },
        {
            "created": "2015-10-31T22:22:55.613815829Z",
            "created_by": '/bin/sh -c #(nop) CMD ["sh"]',
            "empty_layer": True,
        },
    ],
}
# manifest.md, "Example Image Manifest": its first layer.
LAYER = {
    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
    "digest": "sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0",
    "size": 32654,
}
# image-index.md, "Example Image Index".
INDEX = {
    "schemaVersion": 2,
    "manifests": [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "size": 7143,
            "digest": "sha256:e692418e4cbaf90ca69d05a66403747baa33ee08806650b51fab815ad7fc331f",
            "platform": {"architecture": "ppc64le", "os": "linux"},
        },
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "size": 7682,
            "digest": "sha256:5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270",
            "platform": {"architecture": "amd64", "os": "linux"},
        },
    ],
}


def test_digest() -> None:
    """descriptor.md, "Guidance for an Empty Descriptor": the digest of `{}`."""
    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert empty == sha256(b"{}")


def test_manifest_and_configuration() -> None:
    """Our layer on the example: its diff_id and history come last, the example's command is replaced."""
    theirs = Blob(LAYER["digest"], LAYER["size"], LAYER["mediaType"], lambda: ())  # type: ignore[arg-type]
    ours = layer.in_memory([("app/a", b"a")], "COPY a")
    image = assemble(Base("sha256:b5b2", CONFIG, (theirs,)), [ours])
    config = b"".join(image.blobs[-1].read())
    assert {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": sha256(config),
            "size": len(config),
        },
        "layers": [LAYER, {**LAYER, "digest": ours.blob.digest, "size": ours.blob.size}],
    } == image.manifest.document
    assert {
        "architecture": "amd64",
        "os": "linux",
        "created": "2015-10-31T22:22:56.015925234Z",
        "config": {
            "User": "10001:10001",
            "ExposedPorts": {"8080/tcp": {}},
            "Env": [
                "PATH=/usr/local/sbin:/usr/local/bin",
                "FOO=oci_is_a",
                "BAR=well_written_spec",
                "PYTHONUNBUFFERED=1",
                "PYTHONDONTWRITEBYTECODE=1",
                "PYTHONPATH=/app:/app/packages",
            ],
            "Cmd": ["python", "-m", "bot"],
            "WorkingDir": "/app",
            "Labels": {"org.opencontainers.image.base.digest": "sha256:b5b2"},
        },
        "rootfs": {"type": "layers", "diff_ids": [*CONFIG["rootfs"]["diff_ids"], ours.diff_id]},  # type: ignore[index]
        "history": [
            *CONFIG["history"],
            {"created": "2015-10-31T22:22:56.015925234Z", "created_by": "COPY a"},
        ],
    } == json.loads(config)


Script = Callable[[Request], Response]


@pytest.fixture
def serve() -> Iterator[Callable[[Script], str]]:
    """Yield a function that serves a handler and returns its URL."""
    servers: list[HttpServer] = []

    def serve(answer: Script) -> str:
        servers.append(HttpServer(Request.application(answer)))
        return servers[-1].url

    yield serve
    for server in servers:
        server.close()


def test_index_without_the_platform(serve: Callable[[Script], str]) -> None:
    """The example has no linux/arm64; the error lists what it has."""
    kind = "application/vnd.oci.image.index.v1+json"
    url = serve(lambda request: Response(json.dumps(INDEX), content_type=kind))
    with pytest.raises(
        ProvisionError, match="it is for linux/amd64, linux/ppc64le, not for linux/arm64"
    ):
        bases.read(Registries(lambda: url), "public.ecr.aws/a/b:1", "linux/arm64")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"manifests": 1}',
        b'{"manifests": ["a"]}',
        b'{"manifests": [{"platform": {"os": "linux"}}]}',
        b'{"config": []}',
        b'{"config": {"digest": 5}, "layers": []}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_no_image(content: bytes, serve: Callable[[Script], str]) -> None:
    """Whatever a registry sends instead of a manifest is its error, and no crash."""
    registries = Registries(mirror=lambda: serve(lambda request: Response(content)))
    with pytest.raises(ProvisionError, match="Could not"):
        bases.read(registries, "public.ecr.aws/a:1", "linux/amd64")


def endless(request: Request) -> Response:
    """Answer with more than any manifest has."""
    status = 200 if "blobs" not in request.path else 404
    return Response((b" " * 65536 for _ in range(1000)), status)


def test_large_answers_are_not_read(serve: Callable[[Script], str]) -> None:
    """A manifest and an error of more than 4 MiB, a layer of more than its manifest says."""
    url = serve(endless)
    remote = Registries(mirror=lambda: url).public("public.ecr.aws", "a")
    for read in (lambda: remote.manifest("1"), lambda: list(remote.blob("sha256:0"))):
        with pytest.raises(ProvisionError, match="larger than the 4194304 bytes"):
            read()
    layer_url = serve(lambda request: Response(b"123456"))
    remote = Registries(mirror=lambda: layer_url).public("public.ecr.aws", "a")
    with pytest.raises(ProvisionError, match="larger than the 5 bytes"):
        list(remote.blob("sha256:0", 5))


def test_push_in_chunks(serve: Callable[[Script], str]) -> None:
    """Distribution specification, "Pushing a blob in chunks": relative and absolute Locations work."""
    requests: list[tuple[str, str, str | None, bytes]] = []
    content = b"a layer"

    def answer(request: Request) -> Response:
        kind = request.headers.get("Content-Type")
        requests.append((request.method, request.full_path.rstrip("?"), kind, request.get_data()))
        match request.method:
            case "POST":
                return Response(status=202, headers={"Location": "/v2/a/blobs/uploads/1?_state=x"})
            case "PATCH":
                place = f"{request.host_url}v2/a/blobs/uploads/1?_state=y"
                return Response(status=202, headers={"Location": place, "Range": "0-6"})
        return Response(status=201, headers={"Location": "/v2/a/blobs/1"})

    at = Registries().private(serve(answer), "a", "dG9rZW4=")
    at.push(Blob(sha256(content), len(content), "", lambda: [content[:3], content[3:]]))
    octets, digest = "application/octet-stream", sha256(content).replace(":", "%3A")
    assert [
        ("POST", "/v2/a/blobs/uploads/", None, b""),
        ("PATCH", "/v2/a/blobs/uploads/1?_state=x", octets, content),
        ("PUT", f"/v2/a/blobs/uploads/1?_state=y&digest={digest}", None, b""),
    ] == requests


def test_registry_errors_are_shown(serve: Callable[[Script], str]) -> None:
    """Distribution specification, "Error codes": an array of code, message and detail."""
    errors = [
        {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": {"Tag": "1"}},
        {"code": "DENIED", "message": "requested access to the resource is denied"},
    ]
    url = serve(lambda request: Response(json.dumps({"errors": errors}), status=404))
    with pytest.raises(ProvisionError) as refusal:
        Registries().private(url, "a", "").manifest("1")
    expected = (
        "HTTP 404 MANIFEST_UNKNOWN: manifest unknown; "
        "DENIED: requested access to the resource is denied"
    )
    assert expected == refusal.value.why


def test_anonymous_token(serve: Callable[[Script], str]) -> None:
    """Token authentication: the realm gets the challenge's service and scope, as in the example."""
    token_requests: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        if request.path == "/token":
            token_requests.append(request.args.to_dict())
            return Response(json.dumps({"token": "eyJhbGci", "expires_in": 3600}))
        if request.headers.get("Authorization") == "Bearer eyJhbGci":
            return Response("{}", content_type="application/vnd.oci.image.manifest.v1+json")
        challenge = (
            f'Bearer realm="{request.host_url}token",service="registry.docker.io",'
            'scope="repository:samalba/my-app:pull,push"'
        )
        return Response(status=401, headers={"WWW-Authenticate": challenge})

    url = serve(answer)
    assert b"{}" == Registries(lambda: url).public("public.ecr.aws", "a").manifest("1").content
    scope = "repository:samalba/my-app:pull,push"
    assert [{"service": "registry.docker.io", "scope": scope}] == token_requests
