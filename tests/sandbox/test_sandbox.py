"""The complete sandbox: inside this process, over real sockets, and in its own process."""

import http.client
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from dnslib import DNSRecord

from bot.app import create_app
from bot.config import Config
from provision.console.server import HttpServer
from provision.sandbox.clock import ManualClock, RunningClock
from provision.sandbox.delays import Delays
from provision.sandbox.runtime import read_runtime
from provision.sandbox.sandbox import Sandbox
from provision.sandbox.tasks.runners import Application, InlineTasks
from tests.provision.shell import control, send
from tests.sandbox.aws.ecs.bot_service import Bot
from tests.sandbox.conftest import REGION, Account, AwsSession


class Running(RunningClock):
    """A running clock with the manual clock's method for waiting."""

    def advance(self, seconds: float) -> None:
        self.sleep(seconds)


def account_in(sandbox: Sandbox, clock: Any, aws_session: AwsSession) -> Account:
    """Return the sandbox's account, with this test session's clients."""
    aws_session.application = sandbox.aws
    return Account(sandbox.cloud, clock, sandbox.aws, aws_session)


def build(account: Account, sandbox: Sandbox, **environment: str) -> Bot:
    """Create the article's stack, with the channel's own secrets, and the webhook at LINE."""
    made = Bot(account)
    for name, value in (
        ("ACCESS_TOKEN", sandbox.line.access_token),
        ("CHANNEL_SECRET", sandbox.line.channel_secret),
    ):
        account.client("ssm").put_parameter(
            Name=name, Value=value, Type="SecureString", Overwrite=True
        )
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    made.definition(containerDefinitions=[made.container() | {"environment": variables}])
    made.ecs.create_service(**made.service_parameters())
    made.publish()
    made.settle()
    made.steady()
    sandbox.line.endpoint = "https://example.jp/webhook"
    return made


def test_webhook_through_everything_in_this_process(aws_session: AwsSession) -> None:
    """LINE, DNS, certificate, load balancer, target, bot and back, on a manual clock."""
    clock = ManualClock()

    def application(environment: dict[str, str]) -> Application:
        config = Config.from_environment(environment | {"LINE_API_URL": server.url})
        return create_app(config, clock=clock.now)

    with Sandbox(clock, tasks=InlineTasks(application)) as sandbox:
        server = HttpServer(sandbox.line.wsgi)
        clock.step = 5.0
        build(account_in(sandbox, clock, aws_session), sandbox)
        sent = sandbox.line.send("help", "U" + "1" * 32)
        assert 200 == sent["status"]
        assert 1 <= len(sent["reply"])
    server.close()


@pytest.fixture
def served(aws_session: AwsSession) -> Iterator[tuple[Sandbox, Running, dict[str, str]]]:
    clock = Running(100)
    # At this speed that moment is 20 real milliseconds, too few on a busy machine to be told from none.
    with Sandbox(clock, Delays(certificate_usable=0)) as sandbox:
        yield sandbox, clock, sandbox.serve()


def test_bot_process_behind_real_tls(
    served: tuple[Sandbox, Running, dict[str, str]], aws_session: AwsSession
) -> None:
    """This checkout's bot as a process; its certificate is verified; its reply, with the news that it read
    from S3, arrives at LINE.
    """
    sandbox, clock, addresses = served
    account = account_in(sandbox, clock, aws_session)
    s3, here = account.client("s3"), {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="news", CreateBucketConfiguration=here)
    news = json.dumps({"articles": [{"title": "Meteor lands"}]}).encode()
    s3.put_object(Bucket="news", Key="articles.json", Body=news)
    made = build(account, sandbox, NEWS_URL="s3://news")
    context = ssl.create_default_context(cafile=addresses["ca"])
    port = urlsplit(addresses["front"]).port or 0
    with (
        socket.create_connection(("127.0.0.1", port), 5) as raw,
        context.wrap_socket(raw, server_hostname="example.jp") as secured,
    ):
        connection = http.client.HTTPConnection("example.jp")
        connection.sock = secured
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        assert (200, b"ok") == (answer.status, answer.read())
        connection.close()
    with (
        socket.create_connection(("127.0.0.1", port), 5) as raw,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(raw, server_hostname="other.example.jp")
    sent = send(addresses, "latest")
    assert 200 == sent["status"], sent
    assert "Meteor lands" in json.dumps(sent["reply"])
    made.ecs.update_service(cluster="news", service="bot", desiredCount=0)
    made.until(lambda service: made.shown("STOPPED") != [], within=1000)


def test_first_call_waits_for_no_backend() -> None:
    """Nothing is loaded before it, only its own service for it, and all of them afterwards."""
    code = """if True:
        import boto3, sys, urllib.request
        from provision.sandbox.clock import RunningClock
        from provision.sandbox.sandbox import PRELOADED, Sandbox
        def loaded():
            return [name for name in PRELOADED if f"moto.{name}.responses" in sys.modules]
        clock = RunningClock()
        with Sandbox(clock) as sandbox:
            addresses = sandbox.serve(idle=60)
            urllib.request.urlopen(addresses["aws"] + "/_sandbox/clock", timeout=20).close()
            urllib.request.urlopen(addresses["page"], timeout=20).close()
            print(loaded())
            keys = addresses["access_key_id"], addresses["secret_access_key"]
            session = boto3.Session(*keys, region_name="ap-northeast-1")
            client = session.client("ecr", endpoint_url=addresses["aws"])
            client.describe_repositories()
            client.close()
            while len(loaded()) < len(PRELOADED):
                clock.sleep(0.05)
            print("all")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ("[]\nall\n", "") == (done.stdout, done.stderr)


def test_addresses_answer(served: tuple[Sandbox, Running, dict[str, str]]) -> None:
    """Something answers at every address of `sandbox --json`."""
    addresses = served[2]
    promised = {"aws", "dns", "line", "registrar", "page", "front", "ca", "registry"}
    promised |= {"gallery", "news", "access_key_id", "secret_access_key", "token"}
    assert promised == set(addresses)
    with urllib.request.urlopen(addresses["aws"] + "/_sandbox/clock", timeout=5) as answer:
        assert 100 == json.load(answer)["speed"]
    with urllib.request.urlopen(addresses["page"], timeout=5) as answer:
        assert 200 == answer.status
    with urllib.request.urlopen(addresses["registrar"] + "/domains/example.jp", timeout=5) as got:
        assert 2 == len(json.load(got)["name_servers"])
    host, _, port = addresses["dns"].rpartition(":")
    answer = DNSRecord.parse(DNSRecord.question("example.jp", "NS").send(host, int(port)))
    assert 2 == len(answer.rr)
    assert Path(addresses["ca"]).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_sandbox_process(tmp_path: Path) -> None:
    """One JSON line, a private runtime file while it serves, and a clean end on SIGTERM."""
    code = "from provision.sandbox.server import serve; serve(60, True)"
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        try:
            assert process.stdout is not None
            addresses = json.loads(process.stdout.readline())
            file = tmp_path / "provision" / "sandbox.json"
            runtime = read_runtime(file)
            assert runtime is not None
            assert process.pid == runtime["pid"]
            assert addresses.items() < runtime.items()
            assert {"access_token", "channel_secret"} < set(runtime)
            assert 0o600 == stat.S_IMODE(file.stat().st_mode)
            assert 0o700 == stat.S_IMODE(file.parent.stat().st_mode)
            assert [] == control(addresses, "calls")
        finally:
            process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(10)
    assert not file.exists()
    assert not Path(addresses["ca"]).exists()


def test_a_fault_of_the_sandbox_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A failure in every tick is logged once; after a different one it is logged again."""
    errors = iter([KeyError("a")] * 3 + [KeyError("b")] * 3 + [KeyError("a")] * 2)
    done = threading.Event()

    def tick() -> None:
        if error := next(errors, None):
            raise error
        done.set()

    with Sandbox(RunningClock(1000), tasks=InlineTasks()) as sandbox:
        sandbox.cloud.on_tick(tick)
        sandbox.serve(idle=0)
        assert done.wait(120)
    reports = [record for record in caplog.records if "tick" in record.message]
    assert ["'a'", "'b'", "'a'"] == [str((r.exc_info or ())[1]) for r in reports]
