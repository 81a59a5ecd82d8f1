"""The emulated account as a whole: ticks, closing, and serving over real sockets."""

import threading
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from werkzeug.serving import make_server

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.clock import ManualClock
from provision.sandbox.delays import Delays
from tests.sandbox.conftest import REGION, Account


def test_advancing_the_clock_runs_tickers() -> None:
    """Advancing the clock runs every ticker once a second."""
    clock = ManualClock()
    cloud = Cloud(clock, Delays.none())
    ticks: list[float] = []
    cloud.on_tick(lambda: ticks.append(clock.now()))
    start = clock.now()
    clock.advance(3)
    assert [start + 1, start + 2, start + 3] == ticks
    cloud.close()
    clock.advance(1)
    assert len(ticks) == 3


def test_one_tick_at_a_time() -> None:
    """A tick during a running one neither waits nor runs twice."""
    cloud = Cloud(ManualClock())
    entered, leave = threading.Event(), threading.Event()
    count: list[int] = []

    def slow() -> None:
        count.append(1)
        entered.set()
        assert leave.wait(5)

    cloud.on_tick(slow)
    first = threading.Thread(target=cloud.tick)
    first.start()
    assert entered.wait(5)
    cloud.tick()
    leave.set()
    first.join()
    assert count == [1]
    cloud.close()


def test_on_close_callbacks_run_once() -> None:
    """on_close callbacks run newest first at the next reset, and not again at the end."""
    cloud = Cloud(ManualClock())
    ended: list[str] = []
    cloud.on_close(lambda: ended.append("first"))
    cloud.on_close(lambda: ended.append("second"))
    cloud.reset()
    assert ended == ["second", "first"]
    cloud.close()
    assert ended == ["second", "first"]


def test_reset_keeps_what_is_not_aws() -> None:
    """The registrar's entries and the authority's root survive a reset of the account."""
    cloud = Cloud(ManualClock())
    root = cloud.authority.root.read_bytes()
    cloud.registrar.enter("example.jp", ["ns1.test"])
    cloud.reset()
    assert cloud.registrar.name_servers("example.jp") == ("ns1.test",)
    assert root == cloud.authority.root.read_bytes()
    cloud.close()


@pytest.fixture
def endpoint(account: Account) -> Iterator[str]:
    """Serve the account's AWS endpoint on a free port."""
    server = make_server("127.0.0.1", 0, account.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_sockets(account: Account, endpoint: str) -> None:
    """A client with an endpoint URL: objects, errors, HEAD, dropped connections."""
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=REGION)
    s3 = session.client("s3", endpoint_url=endpoint, config=Config(retries={"max_attempts": 0}))
    s3.create_bucket(Bucket="news", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="news", Key="a/b.json", Body=b'{"a": 1}')
    assert s3.get_object(Bucket="news", Key="a/b.json")["Body"].read() == b'{"a": 1}'
    assert s3.head_object(Bucket="news", Key="a/b.json")["ContentLength"] == 8
    assert account.refusal(s3.head_object, Bucket="news", Key="no")[:2] == ("404", 404)
    account.cloud.faults.add({"kind": "lost", "operation": "DeleteObject"})
    with pytest.raises(ConnectionClosedError):
        s3.delete_object(Bucket="news", Key="a/b.json")
    assert s3.list_objects_v2(Bucket="news")["KeyCount"] == 0
    assert len([c for c in account.cloud.log if c["operation"] == "DeleteObject"]) == 1
    s3.close()


def test_a_client_that_gives_up(account: Account, endpoint: str) -> None:
    """A timeout fault keeps the connection open; the client gives up, and its next call works."""
    once = Config(read_timeout=0.2, retries={"total_max_attempts": 1})
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=REGION)
    ssm = session.client("ssm", endpoint_url=endpoint, config=once)
    account.client("ssm").describe_parameters()  # what loads slowly is loaded
    account.cloud.faults.add({"kind": "timeout", "service": "ssm"})
    with pytest.raises(ReadTimeoutError):
        ssm.describe_parameters()
    patient = session.client("ssm", endpoint_url=endpoint)
    assert [] == patient.describe_parameters()["Parameters"]
    ssm.close()
    patient.close()
