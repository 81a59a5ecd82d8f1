"""The bot's own way to AWS."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request, Response

from bot.aws import Aws, Missing, Refused
from bot.parameters import parameter_reader
from bot.sigv4 import Credentials, encoded, signed
from provision.sandbox.web.serving import HttpServer

KEYS = {"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "secret"}
REGION = "ap-northeast-1"


@given(st.text(max_size=40), st.sampled_from(["", "token"]))
def test_signatures_are_botocores(key: str, token: str) -> None:
    """For S3's paths, whatever an object is called, with and without a session token."""
    path = encoded("/" + key.encode("utf-8", "replace").decode())
    headers = {"If-None-Match": '"tag"'}
    request = AWSRequest("GET", f"https://news.s3.amazonaws.com{path}", headers=dict(headers))
    signer = S3SigV4Auth(BotocoreCredentials("access", "secret", token or None), "s3", REGION)
    signer.add_auth(request)
    stamp = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    who, host = Credentials("access", "secret", token), "news.s3.amazonaws.com"
    ours = signed(who, "GET", host, path, headers, b"", "s3", REGION, stamp.timestamp())
    assert request.headers["Authorization"] == ours["Authorization"]


def test_credentials_hide_themselves() -> None:
    """They may end up in a traceback."""
    shown = repr(Credentials("access", "the-secret", "the-token"))
    assert "the-secret" not in shown
    assert "the-token" not in shown


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An AWS over HTTP, with a bucket and a parameter."""
    server = HttpServer(DomainDispatcherApplication(create_backend_app))
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "s", "endpoint_url": server.url}
    s3 = boto3.client("s3", REGION, **keys)
    s3.create_bucket(Bucket="bot-aws", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="bot-aws", Key="news/道 1+2.json", Body=b"content")
    ssm = boto3.client("ssm", REGION, **keys)
    ssm.put_parameter(Name="BOT_AWS", Value="the value", Type="SecureString")
    yield server.url
    s3.close()
    ssm.close()
    server.close()


@pytest.fixture
def aws(endpoint: str) -> Iterator[Aws]:
    """The bot's door to it."""
    aws = Aws(REGION, {**KEYS, "AWS_ENDPOINT_URL": endpoint})
    yield aws
    aws.close()


def test_an_object(aws: Aws) -> None:
    """Read once, then only when it has changed."""
    read = aws.object("bot-aws", "news/道 1+2.json")
    assert read is not None
    assert b"content" == read[0]
    assert aws.object("bot-aws", "news/道 1+2.json", read[1]) is None
    assert read == aws.object("bot-aws", "news/道 1+2.json", '"another"')
    with pytest.raises(Missing, match="NoSuchKey"):
        aws.object("bot-aws", "none")
    with pytest.raises(Refused, match="NoSuchBucket"):
        aws.object("bot-aws-none", "none")


def test_a_parameter(aws: Aws) -> None:
    """Decrypted; without a name there is nothing to read."""
    read = parameter_reader("BOT_AWS", aws)
    assert read is not None
    assert "the value" == read()
    assert parameter_reader("", aws) is None
    with pytest.raises(Refused, match="400"):
        aws.parameter("BOT_AWS_NONE")


class Container:
    """ECS's credentials endpoint, and an S3 that shows who asked. `life` in seconds from 0."""

    def __init__(self) -> None:
        self.handed_out = 0
        self.life = 3600
        self.asked: list[str] = []
        self.server = HttpServer(self.answer)

    @Request.application
    def answer(self, request: Request) -> Response:
        if request.path.startswith("/credentials"):
            self.handed_out += 1
            self.asked.append(request.headers.get("Authorization", ""))
            until = datetime.fromtimestamp(self.life, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            told = {"AccessKeyId": f"key{self.handed_out}", "SecretAccessKey": "s", "Token": "t"}
            return Response(json.dumps({**told, "Expiration": until}))
        return Response(request.headers["Authorization"] + request.headers["X-Amz-Security-Token"])


@pytest.fixture
def container() -> Iterator[Container]:
    """Serves until the end."""
    container = Container()
    yield container
    container.server.close()


def test_credentials_of_the_container(container: Container) -> None:
    """Fetched once, and again some minutes before they expire."""
    now = [0.0]
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{container.server.url}/credentials?id=1",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let me",
        "AWS_ENDPOINT_URL_S3": container.server.url,
    }
    aws = Aws(REGION, environment, lambda: now[0])
    for moment, key in ((0, b"key1"), (3000, b"key1"), (3400, b"key2")):
        now[0], container.life = moment, moment + 3600
        read = aws.object("b", "k")
        assert read is not None
        assert key in read[0]
        assert read[0].endswith(b"t")
    assert ["let me"] * 2 == container.asked
    aws.close()


def test_other_credentials_are_boto3s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile in a file, as on a developer's machine."""
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = of-a-file\naws_secret_access_key = s\n")
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert "of-a-file" == Aws(REGION, {}).credentials().access_key


def test_endpoints() -> None:
    """AWS's own, where none is given; China's have another ending."""
    assert "https://ssm.eu-west-1.amazonaws.com" == Aws("eu-west-1", {}).endpoint("ssm")
    assert "https://b.s3.cn-north-1.amazonaws.com.cn" == Aws("cn-north-1", {}).endpoint("b.s3")
