"""A lost response is not a failure: what was created stays recorded, and a teardown finds it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import botocore.exceptions as failures
import pytest
import urllib3
from botocore.exceptions import ClientError

from provision.clients.aws import Aws
from provision.state.stack_file import Record, StackFile
from tests.provision.conftest import WHOLE, AwsSession, Env, PowerCut

URL = "https://aws.example/"
GARBLED = failures.SSLError(endpoint_url=URL, error="[SSL: WRONG_VERSION_NUMBER]")
UNTRUSTED = failures.SSLError(
    endpoint_url=URL, error="[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable"
)
BROKEN = [
    GARBLED,
    failures.ProxyConnectionError(proxy_url="http://proxy"),
    failures.ConnectionClosedError(endpoint_url=URL),
    failures.ResponseStreamingError(error="cut"),
    failures.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    urllib3.exceptions.ProtocolError("cut"),
    ConnectionResetError("reset"),
    ClientError({"Error": {"Code": "Oops"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "A"),
]


@pytest.fixture
def fail_response(aws_session: AwsSession) -> Iterator[Callable[[str, str, Exception], None]]:
    """Yield a function that lets an operation be carried out, and then raises this error once."""
    registered: list[tuple[str, Any]] = []

    def register(service: str, operation: str, error: Exception) -> None:
        left = [error]

        def after_call(**_event: object) -> None:
            if left:
                raise left.pop()

        registered.append((f"after-call.{service}.{operation}", after_call))
        for client in aws_session.clients.values():
            client.meta.events.register(*registered[-1])
        aws_session.session.events.register(*registered[-1])

    yield register
    for name, handler in registered:
        aws_session.session.events.unregister(name, handler)
        for client in aws_session.clients.values():
            client.meta.events.unregister(name, handler)


@pytest.fixture
def fresh_env(env: Env, aws_session: AwsSession) -> Env:
    """Return an environment whose clients see the hooks registered on the session from now on."""
    env.aws = Aws("ap-northeast-1", aws_session.session)
    return env


@pytest.mark.sample(3)
@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_broken_connection_is_retried(
    fresh_env: Env,
    fail_response: Callable[[str, str, Exception], None],
    error: Exception,
) -> None:
    """The same run continues, with one bucket; teardown leaves nothing."""
    fail_response("s3", "CreateBucket", error)
    outcome = fresh_env.setup()
    assert [] == outcome.errors
    assert WHOLE == fresh_env.inventory()
    result = fresh_env.teardown()
    assert [] == result.left
    assert {} == fresh_env.inventory()


NOT_UNIQUE_BY_NAME = [  # resources without a name, or with a random one
    ("news_bucket", "s3", "CreateBucket"),
    ("zone", "route-53", "CreateHostedZone"),
    ("certificate", "acm", "RequestCertificate"),
    ("task_definition", "ecs", "RegisterTaskDefinition"),
    ("bootstrap_listener", "elastic-load-balancing-v2", "CreateListener"),
    ("initial_collection", "ecs", "RunTask"),
]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("line", "service", "operation"), NOT_UNIQUE_BY_NAME, ids=lambda part: str(part)
)
def test_permanent_connection_error_keeps_the_record(
    fresh_env: Env,
    fail_response: Callable[[str, str, Exception], None],
    line: str,
    service: str,
    operation: str,
) -> None:
    """An untrusted certificate ends the run at once; what was created is still recorded."""
    fail_response(service, operation, UNTRUSTED)
    outcome = fresh_env.setup()
    (refusal,) = outcome.errors + outcome.notes
    assert "not trusted" in refusal.why
    assert "AWS_CA_BUNDLE" in refusal.then
    states = [
        record.state
        for key, record in StackFile(fresh_env.path).records.items()
        if key.partition("/")[0] == line
    ]
    assert ["creating"] == states
    assert [] == fresh_env.setup().errors
    assert WHOLE == fresh_env.inventory()
    assert [] == fresh_env.teardown().left
    assert {} == fresh_env.inventory()


def test_proxys_403_keeps_the_record(
    fresh_env: Env, fail_response: Callable[[str, str, Exception], None]
) -> None:
    """A bare 403 comes from a proxy: it does not say what AWS has done."""
    page = {"Error": {"Code": "403", "Message": "Forbidden"}}
    fail_response("s3", "CreateBucket", ClientError(page, "CreateBucket"))
    assert [1] == [refusal.exit_status for refusal in fresh_env.setup().errors]
    assert [] == fresh_env.setup().errors
    assert WHOLE == fresh_env.inventory()
    assert [] == fresh_env.teardown().left
    assert {} == fresh_env.inventory()


def refuse(error: Any, model: Any, **_event: object) -> None:
    """Raise an error response instead of sending the call."""
    raise ClientError(error, model.name)


@pytest.mark.full
def test_rejected_second_call_keeps_the_record_of_the_first(
    fresh_env: Env, fail_response: Callable[[str, str, Exception], None]
) -> None:
    """The first call's response was lost, the next run's call is rejected: the bucket stays recorded."""
    fail_response("s3", "CreateBucket", UNTRUSTED)
    fresh_env.setup()
    (key,) = [k for k in StackFile(fresh_env.path).records if k.startswith("news_bucket")]
    denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    hidden: dict[str, Any] = {"Buckets": []}
    events = fresh_env.aws.s3.meta.events
    events.register("after-call.s3.ListBuckets", lambda parsed, **_: parsed.update(hidden), "lag")
    missing = {"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
    for operation, error in (("CreateBucket", denied), ("HeadBucket", missing)):
        events.register(f"before-call.s3.{operation}", partial(refuse, error), operation)
    assert ["AccessDenied: An error occurred"] == [r.why[:31] for r in fresh_env.setup().errors]
    assert "creating" == StackFile(fresh_env.path).records[key].state
    events.unregister("after-call.s3.ListBuckets", unique_id="lag")
    for operation in ("CreateBucket", "HeadBucket"):
        events.unregister(f"before-call.s3.{operation}", unique_id=operation)
    assert [] == fresh_env.teardown().left
    assert {} == fresh_env.inventory()


def test_rejected_call_removes_the_record(fresh_env: Env) -> None:
    """Nothing was created, so nothing stays recorded."""
    denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    def refuse(**_event: object) -> None:
        raise ClientError(denied, "CreateBucket")

    fresh_env.aws.s3.meta.events.register("before-call.s3.CreateBucket", refuse)
    fresh_env.setup()
    assert [] == [k for k in StackFile(fresh_env.path).records if k.startswith("news_bucket")]


def test_get_caller_identity_is_retried(
    fresh_env: Env, fail_response: Callable[[str, str, Exception], None]
) -> None:
    """One broken handshake in the very first call does not end the run."""
    fail_response("sts", "GetCallerIdentity", GARBLED)
    assert [] == fresh_env.setup().errors


def test_unlistable_kind_keeps_its_record(
    fresh_env: Env, fail_response: Callable[[str, str, Exception], None]
) -> None:
    """A create under former settings is forgotten only once AWS shows that nothing exists."""
    fail_response("acm", "RequestCertificate", UNTRUSTED)
    fresh_env.setup()
    fresh_env.set(host="www.example.jp")
    denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    def refuse(**_event: object) -> None:
        raise ClientError(denied, "ListCertificates")

    events = fresh_env.aws.acm.meta.events
    events.register("before-call.acm.ListCertificates", refuse, "denied")
    whys = [refusal.why[:12] for refusal in fresh_env.setup().errors]
    assert ["AccessDenied", "AccessDenied"] == whys  # today's, and the former one
    result = fresh_env.teardown()
    assert ["certificate/example.jp"] == result.left
    assert "certificate/example.jp" in StackFile(fresh_env.path).records
    events.unregister("before-call.acm.ListCertificates", unique_id="denied")
    assert [] == fresh_env.teardown().left
    assert {} == fresh_env.inventory()


def test_teardown_of_unfinished_listener_and_rule(fresh_env: Env) -> None:
    """Both are recorded as creating, neither exists: teardown finds that out, and continues."""
    fresh_env.setup()
    file = StackFile(fresh_env.path)
    arn = file.records["bootstrap_listener/news-bot"].outputs["arn"]
    for key in ("bootstrap_listener/news-bot", "bootstrap_rule/news-bot"):
        file.record(key, Record(file.records[key].kind, "creating"))
    fresh_env.aws_session.client("elbv2").delete_listener(ListenerArn=arn)
    result = fresh_env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == fresh_env.inventory()


def test_setup_right_after_request_certificate(fresh_env: Env) -> None:
    """The validation record has no name yet, which does not stop setup."""
    fresh_env.sandbox.cloud.delays.resource_record = 5
    fresh_env.cut_power("creating", "certificate", "after")
    with pytest.raises(PowerCut):
        fresh_env.setup()
    observations = fresh_env.engine().inspect()
    assert [] == [observation.error for observation in observations.values() if observation.error]
    assert [] == fresh_env.setup().errors
    assert WHOLE == fresh_env.inventory()


def test_rule_that_is_visible_late(fresh_env: Env) -> None:
    """It has no name, and the next priority is free: it is not created again, but waited for."""
    created: list[str] = []
    hidden: list[str] = []

    def lose_second(operation: str, answer: dict[str, Any]) -> None:
        if operation == "CreateRule":
            created.append(operation)
            if len(created) == 2:
                raise BROKEN[0]
        if operation == "DescribeRules" and len(created) == 2 and not hidden:
            hidden.append(operation)
            answer["Rules"] = [rule for rule in answer["Rules"] if rule["IsDefault"]]

    fresh_env.aws_session.answer = lose_second
    assert [] == fresh_env.setup().errors
    assert (["CreateRule", "CreateRule"], ["DescribeRules"]) == (created, hidden)
    assert WHOLE == fresh_env.inventory()
