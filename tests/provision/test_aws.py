"""What AWS's errors mean, and what a user without credentials or connection reads."""

import http.client
import os
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

from provision.clients import aws, aws_errors
from provision.clients.aws import Aws
from provision.clients.aws_errors import (
    AlreadyExists,
    NotFound,
    UnknownId,
    reading,
    record_operation,
    translate_errors,
)
from provision.console.server import HttpServer
from provision.errors import Pending, ProvisionError, UnknownState
from provision.run import clients_for
from provision.state.stack_file import StackFile

URL = "https://sts.ap-northeast-1.amazonaws.com/"


def client_error(code: str, message: str = "", status: int = 400) -> ClientError:
    """Return an error as AWS answers it."""
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
    """A declaration is a whole code, optionally with a part of the message in any case."""
    error = client_error("DependencyViolation", "resource sg-1 has a dependent object")
    assert expected == aws_errors.matches(error, declared)


CONNECTION_ERRORS = [
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


@pytest.mark.parametrize("error", CONNECTION_ERRORS, ids=lambda error: type(error).__name__)
def test_connection_errors_are_transient(error: Exception) -> None:
    """A lost response is not a rejection: it becomes Pending with the error's name."""
    assert type(error).__name__ in aws_errors.transient_reason(error)
    with (
        pytest.raises(Pending) as waiting,
        translate_errors("doing", not_found=("A",), retry=("B",)),
    ):
        raise error
    assert type(error).__name__ in waiting.value.reason


@pytest.mark.parametrize("code", aws_errors.THROTTLES)
def test_throttling_is_transient(code: str) -> None:
    """Every service's code for throttling."""
    assert code in aws_errors.transient_reason(client_error(code))


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (client_error("RequestTimeout", "not read within the timeout period"), False),
        (client_error("RequestTimeoutException"), False),
        (client_error("", status=408), False),
        (client_error("Whatever", status=429), True),
    ],
)
def test_pending_knows_whether_the_request_was_rejected(error: Exception, refused: bool) -> None:
    """A partly received request may have been carried out; a 429 was not, whatever its code."""
    with pytest.raises(Pending) as waiting, translate_errors("doing"):
        raise error
    assert refused == waiting.value.refused


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        (client_error("AccessDenied", status=403), True),
        (client_error("403", "Forbidden", status=403), False),
        (client_error("407", "Proxy Authentication Required", status=407), False),
        (failures.SSLError(endpoint_url=URL, error=UNTRUSTED), False),
        (failures.NoCredentialsError(), False),
        (failures.ParamValidationError(report="Bad"), False),
    ],
)
def test_error_with_a_code_was_answered_by_aws(error: Exception, answered: bool) -> None:
    """A code is AWS's own; a bare HTTP status comes from a proxy or the like."""
    with pytest.raises(ProvisionError) as refusal, translate_errors("doing"):
        raise error
    assert answered == refusal.value.answered


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7.0), ({"retry-after": "soon"}, None), ({}, None)],
)
@pytest.mark.parametrize("code", ["SlowDown", "InternalFailure"])
def test_retry_after(headers: dict[str, str], seconds: float | None, code: str) -> None:
    """S3 and others may say when to come back."""
    metadata = {"HTTPStatusCode": 503, "HTTPHeaders": headers}
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "GetObject")  # type: ignore[typeddict-item]
    with pytest.raises(Pending) as waiting, translate_errors("doing"):
        raise error
    assert (seconds, True) == (waiting.value.remaining, waiting.value.exact)


@pytest.mark.parametrize(
    "error", [client_error("InternalFailure", status=500), client_error("", status=503)]
)
def test_server_errors_are_transient(error: Exception) -> None:
    """5xx, with a code or without."""
    with pytest.raises(Pending, match=r"InternalFailure|503"), translate_errors("doing"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        client_error("ValidationError", "no"),
        failures.NoCredentialsError(),
        failures.SSLError(endpoint_url=URL, error=UNTRUSTED),
        failures.SSLError(endpoint_url=URL, error="[X509: NO_CERTIFICATE_OR_CRL_FOUND] none found"),
        failures.ParamValidationError(report="Unknown parameter"),
        ValueError("ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_permanent_errors_are_not_transient(error: Exception) -> None:
    """A retry would not help."""
    assert "" == aws_errors.transient_reason(error)


PAGE = "<html><title>Sign in</title></html>"
CHECK = (
    "Check this computer's network, proxy, AWS_ENDPOINT_URL and AWS_CA_BUNDLE, then run the same command "
    "again."
)
SUPPORTED = (
    "Run the same command again. If AWS_ENDPOINT_URL points to something other than AWS, check that it "
    "supports this operation."
)


@pytest.mark.parametrize(
    ("error", "why", "then"),
    [
        (client_error("403", PAGE, 403), "the answer is not one of AWS's (HTTP 403)", CHECK),
        (client_error("302", "", 302), "the answer is not one of AWS's (HTTP 302)", CHECK),
        (client_error("", "", 400), "the answer is not one of AWS's (HTTP 400)", CHECK),
        (client_error("501", PAGE, 501), "the answer is not one of AWS's (HTTP 501)", CHECK),
        (client_error("InternalFailure", "pro", 501), "NotImplemented: pro", SUPPORTED),
        (client_error("InvalidAction", "none", 400), "InvalidAction: none", SUPPORTED),
    ],
)
def test_answer_of_another_server(error: Exception, why: str, then: str) -> None:
    """A proxy's page, or an emulator without the operation: neither waited for nor shown whole."""
    with pytest.raises(ProvisionError) as refusal, translate_errors("doing"):
        raise error
    assert ("doing", why, then) == (refusal.value.what, refusal.value.why, refusal.value.then)


def test_declared_codes_are_translated() -> None:
    """not_found, exists and retry take precedence over what is transient by itself."""
    declared = {
        "not_found": ("A",),
        "exists": ("T",),
        "retry": ("P: invalid principal", "Throttling"),
    }
    with pytest.raises(NotFound, match="A"), translate_errors("doing", **declared):
        raise client_error("A")
    with pytest.raises(AlreadyExists, match="T"), translate_errors("doing", **declared):
        raise client_error("T")
    with (
        pytest.raises(Pending, match=r"P: Invalid principal in policy"),
        translate_errors("doing", **declared),
    ):
        raise client_error("P", "Invalid principal in policy")
    with (
        pytest.raises(ProvisionError, match=r"P: something else"),
        translate_errors("doing", **declared),
    ):
        raise client_error("P", "something else")
    with (
        pytest.raises(Pending, match=r"Throttling: Rate exceeded"),
        translate_errors("doing", **declared),
    ):
        raise client_error("Throttling", "Rate exceeded")


@pytest.mark.parametrize(
    ("error", "why", "then"),
    [
        (
            client_error("Conflict", "is in use"),
            "Conflict: is in use",
            "Fix the problem AWS reported",
        ),
        (client_error("AccessDenied", "not for you"), "AccessDenied: not for you", "administrator"),
        (client_error("ExpiredToken", "expired"), "ExpiredToken: expired", "Sign in"),
        (client_error("RequestExpired", "expired"), "RequestExpired: expired", "Sign in"),
        (
            client_error("InvalidSignatureException", "Signature expired: 20261130 is now earlier"),
            "Signature expired",
            "Set this computer's clock",
        ),
        (client_error("RequestTimeTooSkewed", "too large"), "too large", "this computer's clock"),
        (
            client_error("SignatureDoesNotMatch", "Credential should be scoped to a valid region."),
            "valid region",
            "--set region=ap-northeast-1",
        ),
        (client_error("InvalidClientTokenId", "invalid"), "invalid", "may not be enabled"),
        (client_error("AuthFailure", "not able to validate"), "AuthFailure", "may not be enabled"),
        (client_error("OptInRequired", "not subscribed"), "OptInRequired", "may not be enabled"),
        (
            client_error("AccessDenied", "MultiFactorAuthentication failed with invalid MFA code."),
            "MultiFactorAuthentication",
            "with a new MFA code",
        ),
        (
            client_error("AccessDenied", "x with an explicit deny in a service control policy"),
            "service control policy",
            "A rule of the organization",
        ),
        (
            client_error("ClientException", "Your account is currently blocked"),
            "blocked",
            "open a support case",
        ),
        (
            client_error("OperationNotPermitted", "does not support creating load balancers"),
            "load balancers",
            "open a support case",
        ),
        *(
            (client_error(code, "in this region"), code, "open a support case")
            for code in ("PendingVerification", "AccountProblem", "NotSignedUp")
        ),
        *(
            (
                client_error("AccessDenied", f"with an explicit deny in a {rule}"),
                rule,
                "A rule of the",
            )
            for rule in ("resource control policy", "VPC endpoint policy")
        ),
        (client_error("RegionDisabledException", "STS"), "STS", "may not be enabled"),
        (client_error("InvalidIdentityToken", "no provider"), "no provider", "Sign in to AWS"),
        *(
            (client_error(code, "maximum"), code, "Service Quotas")
            for code in (
                *("TooManyTargetGroups", "TooManyListeners", "TooManyRules", "TooManyBuckets"),
                *("TooManyCertificates", "WAFLimitsExceededException"),
            )
        ),
        (client_error("VpcLimitExceeded", "maximum"), "VpcLimitExceeded", "Service Quotas"),
        (client_error("TooManyHostedZones", "maximum"), "maximum", "Service Quotas"),
        (
            client_error("LimitExceededException", "Too many requests. Retry later."),
            "LimitExceededException",
            "Fix the problem AWS reported",
        ),
        (EOFError(), "needs an MFA code, and there is no terminal", "with a new MFA code"),
        (failures.ParamValidationError(report="Bad"), "Bad", "Fix the problem AWS reported"),
        (failures.NoCredentialsError(), "Unable to locate credentials", "aws configure"),
        (failures.ProfileNotFound(profile="p"), "(p)", "aws configure list-profiles"),
        (
            failures.ConfigParseError(path="a/config", error="b"),
            "a/config",
            "correct ~/.aws/config",
        ),
        (failures.InvalidConfigError(error_msg="no source"), "no source", "correct ~/.aws/config"),
        (failures.SSLError(endpoint_url=URL, error=UNTRUSTED), "self-signed", "AWS_CA_BUNDLE"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_have_reason_and_advice(error: Exception, why: str, then: str) -> None:
    """AWS's own message, and matching advice."""
    with pytest.raises(ProvisionError) as refusal, translate_errors("doing"):
        raise error
    assert why in refusal.value.why
    assert then in refusal.value.then
    assert 1 == refusal.value.exit_status


def test_encoded_message_is_short() -> None:
    """An encoded authorization message is cut: only DecodeAuthorizationMessage reads it."""
    text = "You are not authorized. Encoded authorization failure message: " + "A" * 800
    with pytest.raises(ProvisionError) as refusal, translate_errors("doing"):
        raise client_error("UnauthorizedOperation", text)
    assert (
        "UnauthorizedOperation: You are not authorized. Encoded authorization failure message: "
        "AAAAAAAAAAAAAAAAAAAA..."
    ) == refusal.value.why


def test_mistyped_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the host and the regions that are meant."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    aws = Aws("ap-notheast-1")
    error = failures.EndpointConnectionError(
        endpoint_url="https://sts.ap-notheast-1.amazonaws.com/"
    )

    def fail(**_event: object) -> None:
        raise error

    aws.sts.meta.events.register("before-send", fail)
    with pytest.raises(ProvisionError) as refusal:
        aws.account()
    assert "sts.ap-notheast-1.amazonaws.com" in refusal.value.why
    assert "There may be no region ap-notheast-1" in refusal.value.then
    assert "ap-northeast-1" in refusal.value.then


def test_one_session_for_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A credential helper (and so an MFA code) is asked once, however many clients are made."""
    calls, helper = tmp_path / "calls", tmp_path / "helper.sh"
    answer = '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"}'
    helper.write_text(f"#!/bin/sh\necho >> {calls}\necho '{answer}'\n")
    helper.chmod(0o700)
    config = tmp_path / "config"
    config.write_text(f"[profile p]\ncredential_process = {helper}\n")
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "p")
    file = StackFile(tmp_path / "stack.yaml")
    aws = Aws("ap-northeast-1")
    for region in ("ap-northeast-1", "us-east-1", "ap-northeast-1"):
        file.set("region", region, save=False)
        assert "custom-process" == clients_for(file, aws=aws).aws.credentials()
    assert "\n" == calls.read_text()


@pytest.mark.parametrize("how", ["profile", "SSL_CERT_FILE"])
def test_ca_bundle_of_the_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    """What boto3 trusts by `ca_bundle`, LINE's and the registries' client trusts too, and SSL_CERT_FILE."""
    bundle, config = tmp_path / "ca.pem", tmp_path / "config"
    config.write_text(f"[default]\nca_bundle = {bundle}\n" if how == "profile" else "")
    # setenv first, so that monkeypatch removes what the session sets
    for name in ("AWS_CA_BUNDLE", "AWS_PROFILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    if how == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    Aws("ap-northeast-1")._open_session()
    assert str(bundle) == os.environ["AWS_CA_BUNDLE"]


def test_other_exceptions_pass_through() -> None:
    """A bug shows as one; our own errors stay as they are."""
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


def account_in_process(home: Path, **environment: str) -> str:
    """Return the account, or the error, in a process with only this environment."""
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


def test_missing_credentials_profile_and_endpoint(tmp_path: Path) -> None:
    """Three sentences each, without a traceback and without the key."""
    output = account_in_process(tmp_path)
    assert "Unable to locate credentials" in output
    assert "aws configure" in output
    output = account_in_process(tmp_path, AWS_PROFILE="nobody", **KEYS)
    assert "nobody" in output
    assert "aws configure" in output
    output = account_in_process(tmp_path, AWS_ENDPOINT_URL="nonsense", **KEYS)
    assert "nonsense" in output
    assert "AWS_ENDPOINT_URL" in output
    assert "secret-key" not in output


def test_account_without_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request to AWS is not retried: the error mentions the endpoint."""
    server = HttpServer(None)
    server.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProvisionError) as refusal:
        Aws("ap-northeast-1").account()
    assert "EndpointConnectionError" in refusal.value.why
    assert "AWS_ENDPOINT_URL" in refusal.value.then


def test_clients_are_cached_and_never_retry(session: object) -> None:
    """One client per service and region; one attempt per call."""
    client = Aws("eu-west-1", session)
    assert client.sts is client.sts
    assert "eu-west-1" == client.sts.meta.region_name
    assert 1 == client.sts.meta.config.retries["total_max_attempts"]
    with pytest.raises(AttributeError):
        _ = client._nothing


@pytest.fixture
def session() -> object:
    """Return a session with plain keys."""
    import boto3

    return boto3.Session("access", "secret", region_name="ap-northeast-1")


class RequestSent(Exception):
    """Raised where a request would leave the machine."""


def raise_request_sent(*_given: object, **_named: object) -> None:
    raise RequestSent


@pytest.fixture
def client(session: Any) -> Aws:
    """Return an AWS client whose requests end where they would leave the machine."""
    session.events.register("before-send", raise_request_sent)
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
def test_empty_id_is_never_sent(client: Aws, call: Callable[[Any], Any], name: str) -> None:
    """An unknown id is Pending, and nothing was done."""
    with pytest.raises(UnknownId, match=rf": {name}\)$") as waiting, translate_errors("doing"):
        call(client)
    assert waiting.value.refused


def test_other_strings_may_be_empty(client: Aws) -> None:
    """For example the value of a container's variable."""
    container = {"name": "bot", "image": "a", "environment": [{"name": "A", "value": ""}]}
    with pytest.raises(RequestSent):
        client.ecs.register_task_definition(family="a", containerDefinitions=[container])
    with pytest.raises(RequestSent):
        client.s3.list_object_versions(Bucket="a", Prefix="")


def test_timeouts_and_attempts() -> None:
    """5 s to connect, 30 s for a response, and one attempt: the engine does the waiting."""
    session = boto3.Session("access", "secret", region_name="ap-northeast-1")
    config = Aws("ap-northeast-1", session).sts.meta.config
    tries = config.retries["total_max_attempts"]
    assert (5, 30, 1) == (config.connect_timeout, config.read_timeout, tries)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "eu-west-3"),
        ({"AWS_PROFILE": "tokyo"}, "ap-northeast-1"),
        ({"AWS_PROFILE": "none"}, ""),
        ({"AWS_PROFILE": "missing"}, ""),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "us-west-2"}, "us-west-2"),
        ({"AWS_PROFILE": "tokyo", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_CONFIG_FILE": "/dev/null"}, ""),
    ],
)
def test_configured_region(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], expected: str
) -> None:
    """The environment comes before the AWS profile, as with boto3."""
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-west-3\n[profile tokyo]\nregion = ap-northeast-1\n[profile none]\n"
    )
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_CONFIG_FILE": str(tmp_path / "config"), **variables}.items():
        monkeypatch.setenv(name, value)
    assert expected == aws.configured_region()


@pytest.mark.parametrize("kind", [KeyError, AttributeError, ValueError, TypeError])
def test_answer_that_cannot_be_evaluated(kind: type[Exception]) -> None:
    """Its operation is named; before any answer an error is a bug, and shows as one."""

    def evaluate() -> None:
        record_operation("iam", "GetRolePolicy")
        raise kind("Tags")

    with pytest.raises(UnknownState, match="the answer to iam:GetRolePolicy "), reading("doing"):
        evaluate()
    with pytest.raises(kind), reading("doing"):
        raise kind("Tags")
