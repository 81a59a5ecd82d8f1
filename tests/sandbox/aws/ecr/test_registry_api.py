"""ECR's registry API: authentication, layers, manifests, and errors."""

import hashlib
import json
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from provision.sandbox.aws.ecr.registry_api import Registry
from tests.sandbox.conftest import Account

OCI = "application/vnd.oci.image.manifest.v1+json"


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class DockerClient:
    """Sends the requests of `docker push` and `docker pull`."""

    def __init__(self, account: Account, client: Any = None) -> None:
        ecr = client or account.client("ecr")
        (authorization,) = ecr.get_authorization_token()["authorizationData"]
        self.http = Client(Registry(account.cloud))
        self.signed = {"Authorization": f"Basic {authorization['authorizationToken']}"}

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {**self.signed, **more.pop("headers", {})}
        return self.http.open(f"/v2/{path}", method=method, headers=headers, **more)

    def upload(self, content: bytes, digest: str = "") -> TestResponse:
        """Upload a layer in Docker's three requests."""
        begun = self.ask("POST", "bot/blobs/uploads/")
        assert 202 == begun.status_code, begun.text
        place = begun.headers["Location"].partition("/v2/")[2]
        assert 202 == self.ask("PATCH", place, data=content).status_code
        return self.ask("PUT", place, query_string={"digest": digest or sha256(content)})

    def put(self, tag: str, manifest: bytes) -> TestResponse:
        headers = {"Content-Type": OCI}
        return self.ask("PUT", f"bot/manifests/{tag}", data=manifest, headers=headers)

    def push(self, content: str, tag: str) -> TestResponse:
        """Push an image of one layer."""
        parts = [f'{{"of": "{content}"}}'.encode(), content.encode()]
        for part in parts:
            assert 201 == self.upload(part).status_code
        return self.put(tag, manifest(*parts))


def manifest(*parts: bytes) -> bytes:
    config, *layers = [{"digest": sha256(part), "size": len(part)} for part in parts]
    document = {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": layers}
    return json.dumps(document).encode()


def error_of(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the registry's error code; "" for an error of another server."""
    document = answer.get_json(silent=True) or {"errors": [{"code": ""}]}
    return answer.status_code, document["errors"][0]["code"]


@pytest.fixture
def docker(account: Account) -> DockerClient:
    """Return a client that is signed in, with a repository `bot`."""
    account.client("ecr").create_repository(repositoryName="bot")
    return DockerClient(account)


@pytest.mark.behaviour("ecr.registry-signed-in-only")
def test_token_is_required(account: Account, docker: DockerClient) -> None:
    """No token, an invalid one, and one of twelve hours ago are rejected; the challenge is Basic."""
    assert 200 == docker.ask("GET", "").status_code
    account.clock.advance(12 * 3600)
    old = docker.ask("GET", "")
    assert (401, "Not Authorized\n") == (old.status_code, old.text)
    assert "Basic" in old.headers["WWW-Authenticate"]
    for headers in ({}, {"Authorization": "Basic QVdTOm5v"}):
        assert 401 == docker.http.get("/v2/", headers=headers).status_code


@pytest.mark.behaviour("ecr.registry-blobs", "ecr.registry-upload")
def test_layer_upload_and_download(docker: DockerClient) -> None:
    """It is missing, is uploaded, and is returned byte for byte."""
    path = f"bot/blobs/{sha256(b'a layer')}"
    assert 404 == docker.ask("HEAD", path).status_code
    assert (404, "BLOB_UNKNOWN") == error_of(docker.ask("GET", path))
    answer = docker.upload(b"a layer")
    assert (201, sha256(b"a layer")) == (
        answer.status_code,
        answer.headers["Docker-Content-Digest"],
    )
    assert 200 == docker.ask("HEAD", path).status_code
    assert b"a layer" == docker.ask("GET", path).data
    assert 201 == docker.upload(b"a layer").status_code  # again: Docker is not told off


@pytest.mark.behaviour("ecr.registry-upload")
def test_layer_that_is_not_what_its_digest_says(docker: DockerClient) -> None:
    """It is rejected, and does not exist afterwards."""
    assert (400, "DIGEST_INVALID") == error_of(docker.upload(b"a layer", sha256(b"another")))
    assert 404 == docker.ask("HEAD", f"bot/blobs/{sha256(b'a layer')}").status_code


@pytest.mark.behaviour("ecr.registry-manifests")
def test_image_is_the_same_in_registry_and_api(account: Account, docker: DockerClient) -> None:
    """A pushed image is described by the API; fetched by tag and by digest; pushed twice it is one image."""
    for _ in range(2):
        digest = docker.push("one", "1").headers["Docker-Content-Digest"]
    (image,) = account.client("ecr").describe_images(repositoryName="bot")["imageDetails"]
    assert (digest, ["1"]) == (image["imageDigest"], image["imageTags"])
    for reference in ("1", digest):
        answer = docker.ask("GET", f"bot/manifests/{reference}")
        assert digest == sha256(answer.data) == answer.headers["Docker-Content-Digest"]
    assert (404, "MANIFEST_UNKNOWN") == error_of(docker.ask("GET", "bot/manifests/2"))


@pytest.mark.behaviour("ecr.registry-manifests")
def test_image_before_its_layers(docker: DockerClient) -> None:
    """The layers have to be pushed first."""
    assert (404, "BLOB_UNKNOWN") == error_of(docker.put("1", manifest(b"{}", b"a layer")))


@pytest.mark.behaviour("ecr.registry-manifests")
def test_repository_and_tag_as_the_api_has_them(account: Account, docker: DockerClient) -> None:
    """A missing repository is an error; an immutable tag cannot be moved."""
    unknown = docker.ask("POST", "other/blobs/uploads/")
    assert (404, "NAME_UNKNOWN") == error_of(unknown)
    assert "The repository with name 'other' does not exist" in unknown.text
    mutability = {"repositoryName": "bot", "imageTagMutability": "IMMUTABLE"}
    account.client("ecr").put_image_tag_mutability(**mutability)
    docker.push("one", "1")
    assert (400, "TAG_INVALID") == error_of(docker.push("two", "1"))


def test_token_acts_as_its_caller(account: Account, docker: DockerClient) -> None:
    """A user may be allowed to sign in and read, but not to push."""
    iam = account.client("iam")
    iam.create_user(UserName="reader")
    actions = ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=document)
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = DockerClient(account, account.aws_session.caller(made)("ecr"))
    assert 404 == reader.ask("HEAD", f"bot/blobs/{sha256(b'')}").status_code
    refused = reader.ask("POST", "bot/blobs/uploads/")
    assert (403, "DENIED") == error_of(refused)
    assert "ecr:InitiateLayerUpload" in refused.text


def test_calls_are_logged_and_faults_strike(account: Account, docker: DockerClient) -> None:
    """As for the API: UploadLayerPart is in the log, and PutImage can fail by a fault."""
    account.cloud.faults.add({"kind": "throttle", "service": "ecr", "operation": "PutImage"})
    assert 400 <= docker.push("one", "1").status_code
    assert 201 == docker.push("one", "1").status_code
    operations = [call["operation"] for call in account.cloud.log]
    assert 2 == operations.count("PutImage")
    assert "UploadLayerPart" in operations
