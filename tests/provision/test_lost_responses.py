"""A broken connection is no "no": what was made stays recorded, and a teardown finds it."""

from collections.abc import Callable, Iterator
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
def answer(aws_session: AwsSession) -> Iterator[Callable[[str, str, Exception], None]]:
    """Has an operation, once it was carried out, end with this error, once."""
    registered: list[tuple[str, Any]] = []

    def told(service: str, operation: str, error: Exception) -> None:
        left = [error]

        def after_call(**_event: object) -> None:
            if left:
                raise left.pop()

        registered.append((f"after-call.{service}.{operation}", after_call))
        for client in aws_session.clients.values():
            client.meta.events.register(*registered[-1])
        aws_session.session.events.register(*registered[-1])

    yield told
    for name, handler in registered:
        aws_session.session.events.unregister(name, handler)
        for client in aws_session.clients.values():
            client.meta.events.unregister(name, handler)


@pytest.fixture
def fresh(env: Env, aws_session: AwsSession) -> Env:
    """An environment whose clients hear what is registered on the session from now on."""
    env.aws = Aws("ap-northeast-1", aws_session.session)
    return env


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_broken_connection_is_waited_for(
    fresh: Env, answer: Callable[[str, str, Exception], None], error: Exception
) -> None:
    """The same run goes on, with one bucket; teardown leaves nothing."""
    answer("s3", "CreateBucket", error)
    outcome = fresh.setup()
    assert [] == outcome.errors
    assert WHOLE == fresh.inventory()
    gone = fresh.teardown()
    assert [] == gone.left
    assert {} == fresh.inventory()


MADE = [  # what no name keeps single, or has a random one
    ("news_bucket", "s3", "CreateBucket"),
    ("zone", "route-53", "CreateHostedZone"),
    ("certificate", "acm", "RequestCertificate"),
    ("task_definition", "ecs", "RegisterTaskDefinition"),
    ("bootstrap_listener", "elastic-load-balancing-v2", "CreateListener"),
    ("initial_collection", "ecs", "RunTask"),
]


@pytest.mark.parametrize(("line", "service", "operation"), MADE, ids=lambda part: str(part))
def test_what_no_try_helps_against_keeps_the_record(
    fresh: Env,
    answer: Callable[[str, str, Exception], None],
    line: str,
    service: str,
    operation: str,
) -> None:
    """A certificate that is not trusted ends the run at once; what was made is still known."""
    answer(service, operation, UNTRUSTED)
    outcome = fresh.setup()
    (refusal,) = outcome.errors + outcome.notes
    assert "not trusted" in refusal.why
    assert "AWS_CA_BUNDLE" in refusal.then
    states = [
        record.state
        for key, record in StackFile(fresh.path).records.items()
        if key.partition("/")[0] == line
    ]
    assert ["creating"] == states
    assert [] == fresh.setup().errors
    assert WHOLE == fresh.inventory()
    assert [] == fresh.teardown().left
    assert {} == fresh.inventory()


def test_a_page_of_somebody_in_between_keeps_the_record(
    fresh: Env, answer: Callable[[str, str, Exception], None]
) -> None:
    """A bare 403 is a proxy's: it says nothing of what AWS has done."""
    page = {"Error": {"Code": "403", "Message": "Forbidden"}}
    answer("s3", "CreateBucket", ClientError(page, "CreateBucket"))
    assert [1] == [refusal.exit_status for refusal in fresh.setup().errors]
    assert [] == fresh.setup().errors
    assert WHOLE == fresh.inventory()
    assert [] == fresh.teardown().left
    assert {} == fresh.inventory()


def test_a_no_to_the_second_call_proves_nothing_of_the_first(
    fresh: Env, answer: Callable[[str, str, Exception], None]
) -> None:
    """The first one's answer was lost, the next run's call is refused: the bucket stays recorded."""
    answer("s3", "CreateBucket", UNTRUSTED)
    fresh.setup()
    (key,) = [k for k in StackFile(fresh.path).records if k.startswith("news_bucket")]
    denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    hidden: dict[str, Any] = {"Buckets": []}
    events = fresh.aws.s3.meta.events
    events.register("after-call.s3.ListBuckets", lambda parsed, **_: parsed.update(hidden), "lag")
    events.register(
        "before-call.s3.CreateBucket",
        lambda **_: (_ for _ in ()).throw(ClientError(denied, "CreateBucket")),
        "denied",
    )
    assert ["AccessDenied: An error occurred"] == [r.why[:31] for r in fresh.setup().errors]
    assert "creating" == StackFile(fresh.path).records[key].state
    events.unregister("after-call.s3.ListBuckets", unique_id="lag")
    events.unregister("before-call.s3.CreateBucket", unique_id="denied")
    assert [] == fresh.teardown().left
    assert {} == fresh.inventory()


def test_awss_own_no_strikes_the_record_out(fresh: Env) -> None:
    """Nothing was made, so nothing stays written down."""
    denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    def refuse(**_event: object) -> None:
        raise ClientError(denied, "CreateBucket")

    fresh.aws.s3.meta.events.register("before-call.s3.CreateBucket", refuse)
    fresh.setup()
    assert [] == [k for k in StackFile(fresh.path).records if k.startswith("news_bucket")]


def test_the_account_is_asked_for_again(
    fresh: Env, answer: Callable[[str, str, Exception], None]
) -> None:
    """One broken handshake at the very first question ends no run."""
    answer("sts", "GetCallerIdentity", GARBLED)
    assert [] == fresh.setup().errors


def test_a_kind_that_cannot_be_listed_keeps_its_record(
    fresh: Env, answer: Callable[[str, str, Exception], None]
) -> None:
    """What was begun under former settings is forgotten only where AWS shows that there is none."""
    answer("acm", "RequestCertificate", UNTRUSTED)
    fresh.setup()
    fresh.set(host="www.example.jp")
    denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    def refuse(**_event: object) -> None:
        raise ClientError(denied, "ListCertificates")

    events = fresh.aws.acm.meta.events
    events.register("before-call.acm.ListCertificates", refuse, "denied")
    whys = [refusal.why[:12] for refusal in fresh.setup().errors]
    assert ["AccessDenied", "AccessDenied"] == whys  # today's, and the former one
    gone = fresh.teardown()
    assert ["certificate/example.jp"] == gone.left
    assert "certificate/example.jp" in StackFile(fresh.path).records
    events.unregister("before-call.acm.ListCertificates", unique_id="denied")
    assert [] == fresh.teardown().left
    assert {} == fresh.inventory()


def test_what_lies_in_something_unknown_is_not_asked_for(fresh: Env) -> None:
    """Listener and rule were begun, neither is there: teardown finds that out, and goes on."""
    fresh.setup()
    file = StackFile(fresh.path)
    arn = file.records["bootstrap_listener/news-bot"].outputs["arn"]
    for key in ("bootstrap_listener/news-bot", "bootstrap_rule/news-bot"):
        file.record(key, Record(file.records[key].kind, "creating"))
    fresh.aws_session.client("elbv2").delete_listener(ListenerArn=arn)
    gone = fresh.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == fresh.inventory()


def test_what_acm_has_not_told_yet_stops_no_setup(fresh: Env) -> None:
    """Begun again right after RequestCertificate: the validation record has no name yet."""
    fresh.sandbox.cloud.delays.resource_record = 5
    fresh.cut_power("creating", "certificate", "after")
    with pytest.raises(PowerCut):
        fresh.setup()
    observations = fresh.engine().inspect()
    assert [] == [
        observation.refusal for observation in observations.values() if observation.refusal
    ]
    assert [] == fresh.setup().errors
    assert WHOLE == fresh.inventory()
