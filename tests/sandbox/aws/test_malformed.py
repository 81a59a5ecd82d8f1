"""Truncated, unreadable or incomplete requests: AWS's error, and never a traceback."""

import io
import json
import logging
import socket
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from provision.console.server import HttpServer
from tests.sandbox.conftest import REGION, Account

QUERY = "application/x-www-form-urlencoded"
JSON = "application/x-amz-json-1.1"


def post(
    account: Account,
    service: str,
    body: bytes,
    *,
    target: str = "",
    length: int | None = None,
    method: str = "POST",
    path: str = "/",
) -> tuple[int, bytes]:
    """Send a signed request; return status and body. length: its Content-Length."""
    headers = {"Content-Type": JSON if target else QUERY}
    if target:
        headers["X-Amz-Target"] = target
    request = AWSRequest(method, f"https://{service}.{REGION}.amazonaws.com{path}", headers, body)
    SigV4Auth(Credentials("AKIAIOSFODNN7EXAMPLE", "secret"), service, REGION).add_auth(request)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body) if length is None else length),
        "CONTENT_TYPE": headers["Content-Type"],
    }
    for name, value in request.headers.items():
        if name.lower() != "content-type":
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    given: list[int] = []
    chunks = account.aws_session.application(
        environ, lambda status, headers: given.append(int(status.split()[0]))
    )
    return given[0], b"".join(chunks)


def query(action: str, **parameters: str) -> bytes:
    """Return a body of the query protocol."""
    version = {"Version": "2010-05-08", **parameters}
    return urlencode({"Action": action, **version}).encode()


@pytest.mark.behaviour("iam.parameter-missing")
def test_a_required_parameter_is_missing(account: Account) -> None:
    """The query services say that it is null."""
    status, body = post(account, "iam", query("GetRole"))
    assert 400 == status
    assert b"<Code>ValidationError</Code>" in body
    assert (
        b"1 validation error detected: Value null at &#x27;roleName&#x27; failed to satisfy "
        b"constraint: Member must not be null"
    ) in body.replace(b"'", b"&#x27;")


@pytest.mark.behaviour("ec2.parameter-missing")
def test_ec2_names_what_is_missing(account: Account) -> None:
    """With its own code."""
    status, body = post(account, "ec2", query("CreateVpc").replace(b"2010-05-08", b"2016-11-15"))
    assert 400 == status
    status, body = post(account, "ec2", query("DeleteSubnet").replace(b"2010-05-08", b"2016-11-15"))
    assert 400 == status
    assert b"<Code>MissingParameter</Code>" in body
    assert b"The request must contain the parameter SubnetId" in body


CREATE = "AmazonEC2ContainerServiceV20141113.CreateService"


@pytest.mark.behaviour("ecs.unreadable")
@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'"a"', b'{"cluster": {}}', b'{"tags": 1}'])
def test_json_that_cannot_be_read(account: Account, body: bytes) -> None:
    """It is truncated, not an object, or has a wrong type."""
    status, answer = post(account, "ecs", body, target=CREATE)
    assert 400 == status
    assert "SerializationException" == json.loads(answer)["__type"]


@pytest.mark.behaviour("iam.incomplete-body")
def test_a_query_that_was_cut_off(account: Account) -> None:
    """It is not carried out, even if it looks complete."""
    whole = query("CreateInstanceProfile", InstanceProfileName="news-bot")
    status, body = post(account, "iam", whole[:-4], length=len(whole))
    assert 403 == status
    assert b"<Code>SignatureDoesNotMatch</Code>" in body
    assert [] == account.client("iam").list_instance_profiles()["InstanceProfiles"]


@pytest.mark.behaviour("ecs.incomplete-body")
def test_json_that_was_cut_off(account: Account) -> None:
    """The JSON services have another code."""
    status, body = post(account, "ecs", b"", target=CREATE, length=20)
    assert 400 == status
    assert b'"__type": "InvalidSignatureException"' in body


@pytest.mark.behaviour("s3.incomplete-body")
def test_an_upload_that_was_cut_off(account: Account) -> None:
    """S3 has its own code."""
    status, body = post(account, "s3", b"half", length=20, method="PUT", path="/theirs/key")
    assert 400 == status
    assert b"<Code>IncompleteBody</Code>" in body


@pytest.mark.parametrize("length", ["-1", "many", ""])
def test_invalid_content_length(account: Account, length: str) -> None:
    """An error response without a traceback."""
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": length}
    environ |= {"SERVER_NAME": "a", "SERVER_PORT": "1", "wsgi.url_scheme": "http"}
    given: list[str] = []
    b"".join(
        account.application(
            {**environ, "wsgi.input": io.BytesIO(b""), "HTTP_AUTHORIZATION": "nonsense"},
            lambda status, headers: given.append(status),
        )
    )
    assert "4" == given[0][0]


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"Action", b"Action=Nothing", b"<a/>"])
def test_form_without_an_operation(account: Account, body: bytes) -> None:
    """The answer is XML, as clients of the query services read it."""
    status, answer = post(account, "elasticloadbalancing", body)
    assert 400 == status
    assert b"<Code>InvalidAction</Code>" in answer


@pytest.mark.behaviour("elbv2.not-an-arn")
@pytest.mark.parametrize(
    ("operation", "parameters", "words"),
    [
        ("DescribeRules", {"ListenerArn": ""}, "'' is not a valid listener ARN"),
        ("DescribeRules", {"RuleArns.member.1": ""}, "'' is not a valid listener rule ARN"),
        ("DescribeTargetHealth", {"TargetGroupArn": "a"}, "'a' is not a valid target group ARN"),
        ("DeleteLoadBalancer", {"LoadBalancerArn": ""}, "'' is not a valid load balancer ARN"),
        (
            "DescribeListeners",
            {"LoadBalancerArn": "arn:aws:elasticloadbalancing:a:1:listener/app/a/b/c"},
            "is not a valid load balancer ARN",
        ),
    ],
)
def test_invalid_arn(
    account: Account, operation: str, parameters: dict[str, str], words: str
) -> None:
    """An empty one, and one of another kind."""
    body = query(operation, **parameters).replace(b"2010-05-08", b"2015-12-01")
    status, answer = post(account, "elasticloadbalancing", body)
    assert 400 == status
    assert b"<Code>ValidationError</Code>" in answer
    assert words.encode() in answer.replace(b"&#x27;", b"'").replace(b"&apos;", b"'")


def test_no_traceback_over_a_socket(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    """For what moto does not know, and for a client that disconnects in the middle."""
    caplog.set_level(logging.INFO)
    server = HttpServer(account.application)
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    scope = "Credential=AKIAIOSFODNN7EXAMPLE/20260101/ap-northeast-1/{}/aws4_request"
    for service, target, body in (
        ("iam", "", b"Action=Create"),
        ("ecs", CREATE, b'{"cl'),
        ("monitoring", "", b"Action=DescribeAlarms&Version=2010-08-01"),
        ("servicequotas", "ServiceQuotasV20190624.GetServiceQuota", b"{}"),
    ):
        head = [
            "POST / HTTP/1.1",
            "Host: localhost",
            f"Authorization: AWS4-HMAC-SHA256 {scope.format(service)}",
            f"Content-Type: {JSON if target else QUERY}",
            *([f"X-Amz-Target: {target}"] if target else []),
            f"Content-Length: {len(body) + (0 if b'}' in body or b'&' in body else 100)}",
        ]
        with socket.create_connection((host, port), 10) as client:
            client.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(65536)
        assert b"HTTP/1.1 " == answer[:9]
        assert b"5" != answer[9:10], answer
    server.close()
    assert "Traceback" not in caplog.text
