"""What reaches the sandbox's ports: nothing from web pages, and no control without the token."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from provision.sandbox.clock import RunningClock
from provision.sandbox.sandbox import Sandbox
from tests.provision.shell import client, send

HTTP = ["aws", "line", "registrar", "registry", "gallery", "news"]
JSON = {"Content-Type": "application/json"}
# Everything that is not plain reading: server, method, path, body.
CONTROLS = [
    ("aws", "POST", "/_sandbox/faults", {"kind": "error", "times": 1}),
    ("aws", "GET", "/_sandbox/faults", None),
    ("aws", "DELETE", "/_sandbox/faults", None),
    ("aws", "GET", "/_sandbox/calls", None),
    ("aws", "HEAD", "/_sandbox/calls", None),
    ("aws", "POST", "/_sandbox/reset", {}),
    ("aws", "POST", "/_sandbox/lag", {"seconds": 0}),
    ("aws", "POST", "/_sandbox/clock", {}),
    ("aws", "PUT", "/_sandbox/", {}),
    ("line", "POST", "/_sandbox/send", {"text": "help"}),
    ("line", "POST", "/_sandbox/switch", {"active": True}),
    ("line", "GET", "/_sandbox/channel", None),
    ("line", "GET", "//_sandbox/channel", None),
    ("line", "GET", "/_sandbox/chat?chat=U1", None),
    ("line", "GET", "/_sandbox/webhooks", None),
    ("line", "GET", "/_sandbox/stack.json", None),
    ("line", "GET", "/_sandbox/aws/clock", None),
    ("line", "POST", "/_sandbox/aws/reset", {}),
    ("line", "POST", "/_sandbox/aws/faults", {"kind": "error", "times": 1}),
    ("line", "GET", "/_sandbox/registrar/domains/example.jp", None),
    ("line", "PUT", "/_sandbox/registrar/domains/example.jp", {"name_servers": []}),
    ("line", "POST", "/_sandbox/feed/broken", {"broken": False}),
    ("news", "POST", "/_sandbox/broken", {"broken": False}),
    ("aws", "POST", "/_sandbox/stack", {"file": "/nowhere/stack.sandbox.yaml"}),
    ("line", "POST", "/%5Fsandbox/send", {"text": "help"}),
    ("registrar", "PUT", "/domains/example.jp", {"name_servers": []}),
]


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """Return the addresses of a served sandbox."""
    with Sandbox(RunningClock(20)) as sandbox:
        yield sandbox.serve()


def send_request(
    addresses: dict[str, str],
    server: str,
    method: str = "GET",
    path: str = "/",
    body: bytes | None = None,
    **headers: str | None,
) -> tuple[int, str, dict[str, str]]:
    """Send a request; return status, body, headers. Host: the given one, the server's own, or none."""
    place = urlsplit(addresses[server]).netloc
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    given.setdefault("Host", place)
    connection = http.client.HTTPConnection(place, timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        if value is not None:
            connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    response = answer.status, answer.read().decode(), dict(answer.getheaders())
    connection.close()
    return response


def bearer(addresses: dict[str, str]) -> dict[str, str]:
    """Return the header that authorises control."""
    return {"Authorization": f"Bearer {addresses['token']}"}


@pytest.mark.parametrize("server", HTTP)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example:{port}",
        "evil-localhost:{port}",
        "[::1]:{port}",
        "",
        None,
    ],
)
def test_foreign_host_header(addresses: dict[str, str], server: str, host: str | None) -> None:
    """A name that resolves to loopback only in somebody's DNS is not served."""
    if host:
        host = host.format(port=urlsplit(addresses[server]).port)
    assert 403 == send_request(addresses, server, Host=host)[0]


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
def test_own_hosts(addresses: dict[str, str], host: str) -> None:
    """Both names of loopback are served, and S3's bucket below the second."""
    port = urlsplit(addresses["aws"]).port
    assert (
        200
        == send_request(addresses, "aws", "GET", "/_sandbox/clock", Host=host.format(port=port))[0]
    )
    bucket = f"bucket.localhost:{port}"
    assert 200 == send_request(addresses, "aws", "GET", "/_sandbox/clock", Host=bucket)[0]


@pytest.mark.parametrize("server", HTTP)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:8765"},
        {"Origin": "https://{own}"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "http://{own}", "Sec_Fetch_Site": "cross-site"},
    ],
    ids=str,
)
def test_foreign_origin(addresses: dict[str, str], server: str, headers: dict[str, str]) -> None:
    """A page of another origin can do and read nothing, with or without a token."""
    own = urlsplit(addresses[server]).netloc
    given = {name: value.format(own=own) for name, value in headers.items()} | bearer(addresses)
    for method, path in (("GET", "/"), ("POST", "/_sandbox/send"), ("PUT", "/domains/a.example")):
        status, _text, answered = send_request(
            addresses, server, method, path, b"{}", **given, **JSON
        )
        assert 403 == status
        assert [] == [name for name in answered if name.lower().startswith("access-control")]


@pytest.mark.parametrize("server", HTTP)
@pytest.mark.parametrize("path", ["/", "/_sandbox/reset", "/domains/example.jp", "/news/object"])
def test_preflight(addresses: dict[str, str], server: str, path: str) -> None:
    """OPTIONS is rejected: no CORS header is returned."""
    for origin in ("http://evil.example", None):
        headers = {"Origin": origin, "Access_Control_Request_Method": "POST"}
        status, _text, answered = send_request(addresses, server, "OPTIONS", path, **headers)
        assert 403 == status
        assert [] == [name for name in answered if name.lower().startswith("access-control")]


def test_chat_page(addresses: dict[str, str]) -> None:
    """A user opens its URL; the page itself sends, with the token after the #."""
    address, _, token = addresses["page"].partition("#")
    assert addresses["token"] == token
    assert addresses["line"] + "/" == address
    status, text, answered = send_request(addresses, "line", Sec_Fetch_Site="none")
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert (200, policy) == (status, answered["Content-Security-Policy"])
    assert token not in text
    own = {"Origin": addresses["line"], "Sec_Fetch_Site": "same-origin"}
    body = json.dumps({"text": "help"}).encode()
    sent = send_request(
        addresses, "line", "POST", "/_sandbox/send", body, **own, **JSON, **bearer(addresses)
    )
    assert (200, "NO_WEBHOOK_ENDPOINT") == (sent[0], json.loads(sent[1])["reason"])


@pytest.mark.parametrize(("server", "method", "path", "body"), CONTROLS)
def test_control_needs_the_token(
    addresses: dict[str, str], server: str, method: str, path: str, body: Any
) -> None:
    """Without it, or with another: 401, and nothing is done."""
    data = None if body is None else json.dumps(body).encode()
    for header in (None, "Bearer ", "Bearer wrong", f"Basic {addresses['token']}", "Bearer é"):
        response = send_request(addresses, server, method, path, data, Authorization=header, **JSON)
        assert (401, "Bearer") == (response[0], response[2]["WWW-Authenticate"])
    assert (
        401 != send_request(addresses, server, method, path, data, **JSON, **bearer(addresses))[0]
    )


@pytest.mark.parametrize(
    ("server", "method", "path"),
    [(server, method, path) for server, method, path, _ in CONTROLS if method in ("POST", "PUT")],
)
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", None],
)
def test_form_posts_are_rejected(
    addresses: dict[str, str], server: str, method: str, path: str, kind: str | None
) -> None:
    """What a page's form can send is no control request, even with the token."""
    body = b'{"kind": "error", "a": "=", "text": "help", "name_servers": []}'
    given = {"Content_Type": kind} | bearer(addresses)
    assert 415 == send_request(addresses, server, method, path, body, **given)[0]


@pytest.mark.parametrize(
    ("server", "path"),
    [
        ("aws", "/_sandbox/"),
        ("aws", "/_sandbox/clock"),
        ("aws", "/_sandbox/gallery"),
        ("registrar", "/domains/example.jp"),
        ("line", "/"),
        ("line", "/console/console.js"),
        ("line", "/news/1780000000/0"),
        ("news", "/feed.xml"),
    ],
)
def test_public_endpoints(addresses: dict[str, str], server: str, path: str) -> None:
    """The clock and the gallery, which the tool finds by AWS_ENDPOINT_URL, and what has no secrets."""
    if server == "news":
        path = urlsplit(addresses["news"]).path
    assert 200 == send_request(addresses, server, "GET", path)[0]


def test_task_command_needs_an_access_key(addresses: dict[str, str]) -> None:
    """Without a key of this sandbox nobody can make it run a command; with one, one can."""
    place = {"endpoint_url": addresses["aws"], "region_name": "ap-northeast-1"}
    guest = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    unsigned = Config(signature_version=UNSIGNED)
    for more, code in (
        (guest, "UnrecognizedClientException"),
        ({"config": unsigned}, "MissingAuthenticationTokenException"),
    ):
        ecs = boto3.client("ecs", **place, **more)
        with pytest.raises(ClientError) as caught:
            ecs.register_task_definition(
                family="a", containerDefinitions=[{"name": "a", "image": "b", "command": ["id"]}]
            )
        ecs.close()
        assert code == caught.value.response["Error"]["Code"]
    own = client(addresses, "ecs")
    assert [] == own.list_task_definitions()["taskDefinitionArns"]
    own.close()
    assert "NO_WEBHOOK_ENDPOINT" == send(addresses, "help")["reason"]


@pytest.mark.parametrize("service", ["sts", "ec2", "s3", "route53", "scheduler", "ssm", "iam"])
def test_boto3_over_http(addresses: dict[str, str], service: str) -> None:
    """boto3 with the keys that `sandbox --json` prints, at both names of loopback."""
    reads = {
        "sts": "get_caller_identity",
        "ec2": "describe_vpcs",
        "s3": "list_buckets",
        "route53": "list_hosted_zones",
        "scheduler": "list_schedules",
        "ssm": "describe_parameters",
        "iam": "list_roles",
    }
    for name in ("127.0.0.1", "localhost"):
        one = client(addresses | {"aws": addresses["aws"].replace("127.0.0.1", name)}, service)
        answer = getattr(one, reads[service])()
        one.close()
        assert 200 == answer["ResponseMetadata"]["HTTPStatusCode"]


def test_s3_over_http(addresses: dict[str, str]) -> None:
    """Signed bodies are stored and returned; of a file as of bytes, and in parts."""
    s3 = client(addresses, "s3")
    s3.create_bucket(
        Bucket="guarded", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    s3.put_object(Bucket="guarded", Key="a b/ü+.json", Body=b"1", CacheControl="max-age=60")
    assert b"1" == s3.get_object(Bucket="guarded", Key="a b/ü+.json")["Body"].read()
    upload = s3.create_multipart_upload(Bucket="guarded", Key="big")["UploadId"]
    whole = {"Bucket": "guarded", "Key": "big", "UploadId": upload}
    tag = s3.upload_part(**whole, PartNumber=1, Body=b"12")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    s3.complete_multipart_upload(**whole, MultipartUpload=parts)
    assert b"12" == s3.get_object(Bucket="guarded", Key="big")["Body"].read()
    gone = [{"Key": "a b/ü+.json"}, {"Key": "big"}]
    s3.delete_objects(Bucket="guarded", Delete={"Objects": gone})
    s3.delete_bucket(Bucket="guarded")
    s3.close()
