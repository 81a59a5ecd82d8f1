"""Images and registries, checked against the examples in OCI's specifications.

Image specification: config.md, manifest.md, image-index.md, descriptor.md. Distribution specification:
"Pushing blobs", "Error codes"; Docker's "Token authentication specification".
"""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from provision.clients.registry import Blob, Registries, sha256
from provision.console.server import HttpServer
from provision.errors import Pending, ProvisionError
from provision.image import base as bases
from provision.image import given, layer
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


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


GOOD_CONFIG = as_json(CONFIG | {"config": {"Env": ["PYTHON_VERSION=3.12.1"]}})
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"


def manifest_of(config: bytes) -> bytes:
    """Return a manifest of two layers with this configuration."""
    descriptor = {"mediaType": CONFIG_TYPE, "digest": sha256(config), "size": len(config)}
    return as_json({"schemaVersion": 2, "config": descriptor, "layers": [LAYER, LAYER]})


def registry(answers: dict[str, bytes]) -> Script:
    """Return a registry with these manifests by tag; it has each content as manifest and blob by digest."""
    contents = {sha256(content): content for content in answers.values()} | answers

    def answer(request: Request) -> Response:
        content = contents.get(request.path.rpartition("/")[2])
        return Response(status=404) if content is None else Response(content)

    return answer


@pytest.mark.parametrize(
    "odd",
    [
        {"digest": "sha256:1", "platform": {}},
        {"digest": "sha256:1", "platform": None},
        {"digest": "sha256:1", "platform": "linux/amd64"},
        {"digest": "sha256:1", "platform": {"os": "linux"}},
        {"digest": "sha256:1"},
        None,
        [],
    ],
)
def test_index_entry_without_a_platform_is_skipped(
    serve: Callable[[Script], str], odd: object
) -> None:
    """The entry of the platform is used."""
    good = manifest_of(GOOD_CONFIG)
    entry = {"digest": sha256(good), "platform": {"os": "linux", "architecture": "amd64"}}
    answers = {"1": as_json({"manifests": [odd, entry]}), "good": good, "config": GOOD_CONFIG}
    url = serve(registry(answers))
    base = bases.read(Registries(lambda: url), "public.ecr.aws/a/b:1", "linux/amd64")
    assert ("3.12", [LAYER["digest"]] * 2) == (base.python, [each.digest for each in base.layers])
    remote = Registries(lambda: url).public("public.ecr.aws", "a/b")
    assert "linux/amd64" in given.platforms(remote, "1")


def changed(**members: object) -> dict[str, bytes]:
    """Return the answers of an image whose configuration has other members."""
    config = as_json(json.loads(GOOD_CONFIG) | members)
    return {"1": manifest_of(config), "config": config}


MALFORMED: list[tuple[dict[str, bytes], str]] = [
    ({"1": b"<html>sign in</html>"}, "the response is not an image's manifest"),
    ({"1": b""}, "the response is not an image's manifest"),
    ({"1": b"[]"}, "the response is not an image's manifest"),
    ({"1": b"null"}, "the response is not an image's manifest"),
    ({"1": b"\xff"}, "the response is not an image's manifest"),
    (
        {"1": as_json({"schemaVersion": 1, "fsLayers": []})},
        "the image has an old format (schema 1)",
    ),
    ({"1": as_json({"manifests": None})}, "it is for ?, not for linux/amd64"),
    ({"1": as_json({"manifests": [{"digest": "sha256:1"}]})}, "it is for ?, not for linux/amd64"),
    ({"1": as_json({"manifests": 3})}, "its manifest or configuration is not valid ("),
    (
        {"1": as_json({"manifests": [{"platform": {"os": "a", "architecture": "b"}}]})},
        "its manifest or configuration is not valid (KeyError('digest'))",
    ),
    ({"1": as_json({})}, "its manifest or configuration is not valid (KeyError('config'))"),
    ({"1": as_json({"config": None})}, "its manifest or configuration is not valid (TypeError("),
    ({"1": manifest_of(b"[]"), "config": b"[]"}, "its manifest or configuration is not valid ("),
    ({"1": manifest_of(b"x"), "config": b"x"}, "its manifest or configuration is not valid ("),
    (changed(config={"Env": [1]}), "its manifest or configuration is not valid ("),
    (changed(config=[]) | changed(config=["a"]), "its manifest or configuration is not valid ("),
    (changed(rootfs=None), "its manifest or configuration is not valid (TypeError("),
    (changed(rootfs={}), "its manifest or configuration is not valid (KeyError('diff_ids'))"),
    (changed(rootfs={"diff_ids": None}), "its manifest or configuration is not valid (TypeError("),
    (
        changed(rootfs={"diff_ids": ["sha256:1"]}),
        "its manifest or configuration is not valid (ValueError('rootfs.diff_ids'))",
    ),
    (changed(history=3), "its manifest or configuration is not valid (TypeError("),
    (changed(os="windows"), "it is for windows/amd64, not for linux/amd64"),
]


@pytest.mark.parametrize(("answers", "why"), MALFORMED)
def test_malformed_base_image_is_an_error(
    serve: Callable[[Script], str], answers: dict[str, bytes], why: str
) -> None:
    """A proxy's page, formats of other times and missing members: the error says what is wrong."""
    url = serve(registry(answers))
    with pytest.raises(ProvisionError) as caught:
        bases.read(Registries(lambda: url), "public.ecr.aws/a/b:1", "linux/amd64")
    assert caught.value.why.startswith(why)
    remote = Registries(lambda: url).public("public.ecr.aws", "a/b")
    assert given.platforms(remote, "1") in ((), ("linux/amd64",))  # of an existing image: no error


@pytest.mark.parametrize("settings", [None, {}, {"Env": None}, {"Env": ["FOO", "", "PATH=/a"]}])
def test_optional_members_of_a_configuration(
    serve: Callable[[Script], str], settings: dict[str, object] | None
) -> None:
    """Source: config.md, where `config`, `Env`, `created` and `history` are optional."""
    url = serve(registry(changed(config=settings, created=None, history=None)))
    base = bases.read(Registries(lambda: url), "public.ecr.aws/a/b:1", "linux/amd64")
    config = json.loads(b"".join(assemble(base, []).blobs[-1].read()))
    assert "1970-01-01T00:00:00Z" == config["created"]
    assert not [line for line in config["config"]["Env"] if line.startswith("=")]


BEARER = 'Bearer realm="{host}token",service="s"'
CHALLENGES = [
    [BEARER, 'Basic realm="x"'],
    ['Basic realm="x"', BEARER],
    [f'Basic realm="a, Bearer realm=b", charset="UTF-8", {BEARER}'],
    [f"Negotiate, {BEARER}"],
    ["Negotiate abc==", BEARER],
    ["bearer Realm={host}token , SERVICE=s"],
]


@pytest.mark.parametrize("challenges", CHALLENGES)
@pytest.mark.parametrize("account", ["", "?account=a"])
def test_bearer_among_several_challenges(
    serve: Callable[[Script], str], challenges: list[str], account: str
) -> None:
    """In one header or in several; a realm with a query keeps it. Source: RFC 9110, section 11.6.1."""
    queries: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        if request.path == "/token":
            queries.append(request.args.to_dict())
            return Response('{"token": "t"}')
        if request.headers.get("Authorization") == "Bearer t":
            return Response("{}")
        response = Response(status=401)
        for challenge in challenges:
            text = challenge.replace("{host}token", f"{request.host_url}token{account}")
            response.headers.add("WWW-Authenticate", text)
        return response

    url = serve(answer)
    assert b"{}" == Registries(lambda: url).public("public.ecr.aws", "a").manifest("1").content
    assert [{"service": "s"} | ({"account": "a"} if account else {})] == queries


@pytest.mark.parametrize(
    ("challenge", "schemes"),
    [('Basic realm="Registry Realm"', "basic"), ("Negotiate", "?"), ("", "?")],
)
def test_registry_that_wants_a_password(
    serve: Callable[[Script], str], challenge: str, schemes: str
) -> None:
    """It is an error at once; another public image is the way out."""
    url = serve(lambda request: Response(status=401, headers={"WWW-Authenticate": challenge}))
    with pytest.raises(ProvisionError) as caught:
        Registries(lambda: url).public("public.ecr.aws", "a").manifest("1")
    assert f"the registry wants a password ({schemes})" == caught.value.why


@pytest.mark.parametrize("token", [b"<html>", b"[]", b"{}", b'"t"'])
def test_page_instead_of_a_token_is_pending(serve: Callable[[Script], str], token: bytes) -> None:
    """It is retried for a minute."""

    def answer(request: Request) -> Response:
        if request.path == "/token":
            return Response(token)
        challenge = BEARER.replace("{host}", request.host_url)
        return Response(status=401, headers={"WWW-Authenticate": challenge})

    url = serve(answer)
    with pytest.raises(Pending, match="did not answer") as waiting:
        Registries(lambda: url).public("public.ecr.aws", "a").manifest("1")
    assert 60 == waiting.value.timeout


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
def test_layer_with_a_content_encoding_is_not_unpacked(
    serve: Callable[[Script], str], encoding: str
) -> None:
    """Some registries say so of a layer that is compressed itself; its digest is of the bytes sent."""
    content, accepted = gzip.compress(b"a layer"), list[str | None]()

    def answer(request: Request) -> Response:
        accepted.append(request.headers.get("Accept-Encoding"))
        return Response(content, headers={"Content-Encoding": encoding})

    url = serve(answer)
    remote = Registries(lambda: url).public("public.ecr.aws", "a")
    assert content == b"".join(remote.blob(sha256(content)))
    assert ["identity"] == accepted


@pytest.mark.parametrize(
    "location", ["http://[bad", "https:///x", "https://127.0.0.1:99999/", "https://a..b/"]
)
def test_malformed_redirect_is_an_error(location: str) -> None:
    """It is not retried."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("302 Found", [("Location", location)])
        return [b""]

    server = HttpServer(application)
    with pytest.raises(ProvisionError, match="an address is not valid"):
        Registries().ask("GET", server.url)
    server.close()


def test_redirect_in_raw_utf8() -> None:
    """The bytes of a Location are UTF-8, as browsers read them."""
    paths: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        paths.append(environ["PATH_INFO"].encode("latin-1").decode())
        moved = [("Location", "/日本語".encode().decode("latin-1"))]
        start_response("302 Found" if len(paths) == 1 else "200 OK", moved)
        return [b""]

    server = HttpServer(application)
    Registries().ask("GET", server.url).close()
    server.close()
    assert ["/", "/日本語"] == paths


def test_upload_location_is_relative_to_the_request(serve: Callable[[Script], str]) -> None:
    """Without a leading slash, as RFC 9110 reads it."""
    paths: list[str] = []

    def answer(request: Request) -> Response:
        paths.append(request.path)
        response = Response(status={"POST": 202, "PATCH": 202}.get(request.method, 201))
        response.autocorrect_location_header = False
        response.headers["Location"] = "7"
        return response

    at = Registries().private(serve(answer), "a", "dG9rZW4=")
    at.push(Blob(sha256(b"x"), 1, "", lambda: [b"x"]))
    assert ["/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/7", "/v2/a/blobs/uploads/7"] == paths


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "30"}, 30.0), ({"Retry-After": "86400"}, 60.0), ({}, None)],
)
def test_retry_after_of_a_registry(
    serve: Callable[[Script], str], status: int, headers: dict[str, str], seconds: float | None
) -> None:
    """It is pending for the seconds it asks for, a minute at most; the engine waits on its clock."""
    url = serve(lambda request: Response(status=status, headers=headers))
    with pytest.raises(Pending) as waiting:
        Registries(lambda: url).public("public.ecr.aws", "a").manifest("1")
    assert f"has an error (HTTP {status})" in waiting.value.reason
    assert (seconds, True) == (waiting.value.remaining, waiting.value.exact)
