"""What AWS's errors mean, and what a person reads who has no credentials or no connection."""

import http.client
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions as failures
import botocore.parsers
import pytest
import urllib3
from botocore.exceptions import ClientError

from provision.clients import aws
from provision.clients.aws import AlreadyExists, Aws, NotFound, UnknownId, translate_errors
from provision.errors import Pending, ProvisionError
from provision.sandbox.web.serving import HttpServer

URL = "https://sts.ap-northeast-1.amazonaws.com/"


def said(code: str, message: str = "", status: int = 400) -> ClientError:
    """An error as AWS answers it."""
    error = {"Error": {"Code": code, "Message": message}}
    return ClientError({**error, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (("DependencyViolation",), True),
        (("Other", "DependencyViolation"), True),
        (("DependencyViolation: has a dependent OBJECT",), True),
        (("DependencyViolation: something else",), False),
        (("Dependency",), False),
        ((), False),
    ],
)
def test_matches(declared: tuple[str, ...], expected: bool) -> None:
    """The whole code, and after a colon a part of the message in any case."""
    error = said("DependencyViolation", "resource sg-1 has a dependent object")
    assert expected == aws.matches(error, declared)


LOST = [
    failures.EndpointConnectionError(endpoint_url=URL, error="no route"),
    failures.ConnectTimeoutError(endpoint_url=URL, error="timed out"),
    failures.ReadTimeoutError(endpoint_url=URL, error="timed out"),
    failures.ConnectionClosedError(endpoint_url=URL, request=None, error="closed"),
    failures.HTTPClientError(error="IncompleteRead"),
    botocore.parsers.ResponseParserError("cut short"),
    failures.SSLError(endpoint_url=URL, error="[SSL: WRONG_VERSION_NUMBER] wrong version number"),
    failures.SSLError(endpoint_url=URL, error="[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred"),
    failures.ProxyConnectionError(proxy_url="http://proxy"),
    failures.ResponseStreamingError(error="Connection broken"),
    failures.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    failures.FlexibleChecksumError(error_msg="Expected checksum A did not match B"),
    urllib3.exceptions.ProtocolError("Connection broken"),
    urllib3.exceptions.SSLError("bad record mac"),
    http.client.IncompleteRead(b"", 5),
    ConnectionResetError("Connection reset by peer"),
    TimeoutError("The read operation timed out"),
]


UNTRUSTED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_lost_answers_may_pass(error: Exception) -> None:
    """No answer is no no: the engine asks again, and shows what happened by its name."""
    assert type(error).__name__ in aws.transient_reason(error)
    with (
        pytest.raises(Pending) as waiting,
        translate_errors("doing", not_found=("A",), retry=("B",)),
    ):
        raise error
    assert type(error).__name__ in waiting.value.reason


@pytest.mark.parametrize("code", aws.THROTTLES)
def test_throttles_may_pass(code: str) -> None:
    """Whatever a service calls it."""
    assert code in aws.transient_reason(said(code))


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (said("RequestTimeout", "not read within the timeout period"), False),
        (said("RequestTimeoutException"), False),
        (said("", status=408), False),
        (said("Whatever", status=429), True),
    ],
)
def test_what_aws_did_not_read_or_did_not_do(error: Exception, refused: bool) -> None:
    """A request that came in halves is a lost one; 429 says that nothing was done, whatever its code."""
    with pytest.raises(Pending) as waiting, translate_errors("doing"):
        raise error
    assert refused == waiting.value.refused


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        (said("AccessDenied", status=403), True),
        (said("403", "Forbidden", status=403), False),
        (said("407", "Proxy Authentication Required", status=407), False),
        (failures.SSLError(endpoint_url=URL, error=UNTRUSTED), False),
        (failures.NoCredentialsError(), False),
        (failures.ParamValidationError(report="Bad"), False),
    ],
)
def test_whose_no_it_is(error: Exception, answered: bool) -> None:
    """A code is AWS's own; a bare HTTP status is a page of somebody in between."""
    with pytest.raises(ProvisionError) as refusal, translate_errors("doing"):
        raise error
    assert answered == refusal.value.answered


@pytest.mark.parametrize("error", [said("InternalFailure", status=500), said("", status=503)])
def test_errors_inside_aws_may_pass(error: Exception) -> None:
    """5xx, with a code or without."""
    with pytest.raises(Pending, match=r"InternalFailure|503"), translate_errors("doing"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        said("ValidationError", "no"),
        failures.NoCredentialsError(),
        failures.SSLError(endpoint_url=URL, error=UNTRUSTED),
        failures.SSLError(endpoint_url=URL, error="[X509: NO_CERTIFICATE_OR_CRL_FOUND] none found"),
        failures.ParamValidationError(report="Unknown parameter"),
        ValueError("ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_does_not_pass(error: Exception) -> None:
    """To ask again would be in vain."""
    assert "" == aws.transient_reason(error)


def test_a_declaration_says_what_a_code_means() -> None:
    """absent, taken and patient, in the resource's own words; what is declared goes before what may pass."""
    declared = {
        "not_found": ("A",),
        "exists": ("T",),
        "retry": ("P: invalid principal", "Throttling"),
    }
    with pytest.raises(NotFound, match="A"), translate_errors("doing", **declared):
        raise said("A")
    with pytest.raises(AlreadyExists, match="T"), translate_errors("doing", **declared):
        raise said("T")
    with (
        pytest.raises(Pending, match=r"P: Invalid principal in policy"),
        translate_errors("doing", **declared),
    ):
        raise said("P", "Invalid principal in policy")
    with (
        pytest.raises(ProvisionError, match=r"P: something else"),
        translate_errors("doing", **declared),
    ):
        raise said("P", "something else")
    with (
        pytest.raises(Pending, match=r"Throttling: Rate exceeded"),
        translate_errors("doing", **declared),
    ):
        raise said("Throttling", "Rate exceeded")


@pytest.mark.parametrize(
    ("error", "why", "then"),
    [
        (said("Conflict", "is in use"), "Conflict: is in use", "Fix the problem AWS reported"),
        (said("AccessDenied", "not for you"), "AccessDenied: not for you", "administrator"),
        (said("ExpiredToken", "expired"), "ExpiredToken: expired", "Sign in"),
        (said("RequestExpired", "expired"), "RequestExpired: expired", "Sign in"),
        (failures.ParamValidationError(report="Bad"), "Bad", "Fix the problem AWS reported"),
        (failures.NoCredentialsError(), "Unable to locate credentials", "aws configure"),
        (failures.ProfileNotFound(profile="p"), "(p)", "aws configure"),
        (failures.SSLError(endpoint_url=URL, error=UNTRUSTED), "self-signed", "AWS_CA_BUNDLE"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_refusals_say_why_and_what_next(error: Exception, why: str, then: str) -> None:
    """AWS's own words, and an advice that fits."""
    with pytest.raises(ProvisionError) as refusal, translate_errors("doing"):
        raise error
    assert why in refusal.value.why
    assert then in refusal.value.then
    assert 1 == refusal.value.exit_status


def test_what_is_not_botocores_passes_through() -> None:
    """A defect of ours shows as one; our own words stay as they are; no error is no error."""
    for error in (KeyError("x"), Pending("slow"), ProvisionError("what", "why", "then")):
        with pytest.raises(type(error)) as arrived, translate_errors("doing", not_found=("A",)):
            raise error
        assert error is arrived.value
    with translate_errors("doing"):
        pass


ACCOUNT = """
from provision.clients.aws import Aws
from provision.errors import ProvisionError
try:
    print(Aws("ap-northeast-1").account())
except ProvisionError as refusal:
    print(refusal)
"""


def account(home: Path, **environment: str) -> str:
    """Which account it is, asked by a process that has this environment and nothing else."""
    ours = {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "PATH": "/usr/bin"}
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", ACCOUNT],
        env={**ours, **environment},
        capture_output=True,
        text=True,
        timeout=400,
        check=True,
    )
    assert "" == finished.stderr
    return finished.stdout


KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "secret-key"}


def test_no_credentials_no_profile_no_address(tmp_path: Path) -> None:
    """Three sentences each, without a traceback and without the key."""
    said = account(tmp_path)
    assert "Unable to locate credentials" in said
    assert "aws configure" in said
    said = account(tmp_path, AWS_PROFILE="nobody", **KEYS)
    assert "nobody" in said
    assert "aws configure" in said
    said = account(tmp_path, AWS_ENDPOINT_URL="nonsense", **KEYS)
    assert "nonsense" in said
    assert "AWS_ENDPOINT_URL" in said
    assert "secret-key" not in said


def test_account_without_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question to AWS is not waited for: a refusal names the network."""
    server = HttpServer(None)
    server.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProvisionError) as refusal:
        Aws("ap-northeast-1").account()
    assert "EndpointConnectionError" in refusal.value.why
    assert "AWS_ENDPOINT_URL" in refusal.value.then


def test_clients_are_kept_and_never_retry(session: object) -> None:
    """One client per service and region; one attempt a call."""
    door = Aws("eu-west-1", session)
    assert door.sts is door.sts
    assert "eu-west-1" == door.sts.meta.region_name
    assert 1 == door.sts.meta.config.retries["total_max_attempts"]
    with pytest.raises(AttributeError):
        _ = door._nothing


@pytest.fixture
def session() -> object:
    """A session with plain keys."""
    import boto3

    return boto3.Session("access", "secret", region_name="ap-northeast-1")


class Sent(Exception):
    """A request that would have gone out."""


def sent(*_given: object, **_named: object) -> None:
    raise Sent


@pytest.fixture
def door(session: Any) -> Aws:
    """A door whose requests end where they would leave this machine."""
    session.events.register("before-send", sent)
    return Aws("ap-northeast-1", session)


FORWARD = {"Type": "forward", "TargetGroupArn": ""}
HOST = {"Field": "host-header", "Values": ["a"]}


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda a: a.elbv2.describe_rules(ListenerArn=""), "ListenerArn"),
        (lambda a: a.elbv2.describe_rules(RuleArns=[""]), "RuleArns"),
        (
            lambda a: a.ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [""]}]),
            "Filters.Values",
        ),
        (lambda a: a.ecs.describe_services(cluster="", services=["a"]), "cluster"),
        (lambda a: a.ecs.create_service(cluster="", serviceName="a"), "cluster"),
        (lambda a: a.ecs.list_task_definitions(familyPrefix=""), "familyPrefix"),
        (lambda a: a.elbv2.delete_rule(RuleArn=""), "RuleArn"),
        (
            lambda a: a.elbv2.create_rule(
                ListenerArn="a", Priority=1, Conditions=[HOST], Actions=[FORWARD]
            ),
            "Actions.TargetGroupArn",
        ),
    ],
)
def test_no_request_names_nothing(door: Aws, call: Callable[[Any], Any], name: str) -> None:
    """An id that is not known yet is never sent: it is "not yet", and nothing was done."""
    with pytest.raises(UnknownId, match=rf": {name}\)$") as waiting, translate_errors("doing"):
        call(door)
    assert waiting.value.refused


def test_texts_may_be_empty(door: Aws) -> None:
    """The value of a container's variable, say, is no id."""
    container = {"name": "bot", "image": "a", "environment": [{"name": "A", "value": ""}]}
    with pytest.raises(Sent):
        door.ecs.register_task_definition(family="a", containerDefinitions=[container])
    with pytest.raises(Sent):
        door.s3.list_object_versions(Bucket="a", Prefix="")


def test_timeouts_and_tries() -> None:
    """5 s to connect, 30 s for an answer, and one try: waiting is the engine's."""
    session = boto3.Session("access", "secret", region_name="ap-northeast-1")
    config = Aws("ap-northeast-1", session).sts.meta.config
    tries = config.retries["total_max_attempts"]
    assert (5, 30, 1) == (config.connect_timeout, config.read_timeout, tries)
