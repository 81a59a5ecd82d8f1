"""Runs commands against the in-process AWS.

Only this file, conftest.py and bot_runner.py use the code's own names. Everything else in this folder uses
the command line, the environment, and what is sent.
"""

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import boto3
import pytest

from provision.console.server import HttpServer
from provision.sandbox.dns.server import DnsServer
from tests.golden.recorder import Placeholders, Recorder
from tests.provision.conftest import AwsSession, Env
from tests.provision.test_image import make_wheel

ROOT = Path(__file__).parent.parent.parent
(ENTRY,) = entry_points(group="console_scripts", name="provision")


class Session:
    """The recorded boto3 session that every command gets; it caches its clients."""

    profile_name = "default"

    def __init__(self, aws_session: AwsSession, recorder: Recorder) -> None:
        self.aws_session, self.recorder = aws_session, recorder
        recorder.listen(aws_session.session)
        self._client = cache(aws_session.session.client)
        self.get_partition_for_region = aws_session.session.get_partition_for_region

    def client(self, service: str, **_: Any) -> Any:
        """Return the service's client."""
        return self._client(service)


class Shell:
    """A user with a folder; `aws` returns a service's client, `sent` is the recorder."""

    def __init__(self, env: Env, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = env.path.parent
        self.aws: Callable[[str], Any] = session.client
        self.sent = session.recorder
        self._line = env.sandbox.line
        self._monkeypatch = monkeypatch

    def write_stack(self, text: str) -> None:
        """Write stack.yaml."""
        (self.folder / "stack.yaml").write_text(text)

    def create_existing_resources(self) -> None:
        """Create what the stack would create: a hosted zone, a bucket, LINE's two secrets, a webhook."""
        self.aws("route53").create_hosted_zone(Name="example.jp", CallerReference="theirs")
        region = {"LocationConstraint": "ap-northeast-1"}
        self.aws("s3").create_bucket(Bucket="my-news", CreateBucketConfiguration=region)
        for name in ("ACCESS_TOKEN", "CHANNEL_SECRET"):
            value = os.environ[f"LINE_CHANNEL_{name.removeprefix('CHANNEL_')}"]
            self.aws("ssm").put_parameter(Name=name, Value=value, Type="SecureString")
        self._line.endpoint = "https://former.example/webhook"
        self._line.other_servers.add("former.example")
        self.sent.take()

    def run(self, *words: str, expected: int = 0) -> str:
        """Run one command without questions; assert its exit status. Return what it prints on stdout."""
        with redirect_stdout(io.StringIO()) as printed:
            status = self._status(*words, "--yes")
        print(printed.getvalue(), end="")  # for capsys, and where the test fails
        assert expected == status, f"provision {' '.join(words)}"
        return printed.getvalue()

    def document(self, *words: str, expected: int = 0) -> Any:
        """Return what one command prints with --json, with placeholders."""
        return json.loads(self.sent.names.hide(self.run(*words, "--json", expected=expected)))

    def question(self, *words: str) -> str:
        """Return what one command asks first where nobody can answer; assert that it changes nothing."""
        with redirect_stderr(io.StringIO()) as printed:
            status = self._status(*words)
        sent = self.sent.take()
        puts = [each for each in sent.pop("LINE", []) if each["request"].startswith("PUT")]
        assert (2, {}, []) == (status, sent, puts), printed.getvalue()
        (asked,) = re.findall("^Error: Could not ask: (.*)$", printed.getvalue(), re.MULTILINE)
        return str(asked)

    def _status(self, *words: str) -> Any:
        self._monkeypatch.setattr(sys, "argv", ["provision", *words])
        with pytest.raises(SystemExit) as ended:
            ENTRY.load()()
        return ended.value.code


@contextmanager
def open_shell(env: Env, session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Yield a shell whose environment has the sandbox's AWS, LINE, DNS, registrar, registries and time."""
    cloud, line, recorder = env.sandbox.cloud, env.sandbox.line, session.recorder
    with ExitStack() as servers:

        def serve(application: Any, name: str = "") -> str:
            wrapped = recorder.wrap(name, application) if name else application
            return servers.enter_context(closing(HttpServer(wrapped))).url

        host, port = servers.enter_context(closing(DnsServer(cloud.dns.respond))).address
        cloud.registry = serve(env.sandbox.registry, "registry")
        environment = {
            "AWS_REGION": "ap-northeast-1",
            "LANG": "C.UTF-8",
            "LINE_API_URL": serve(line.wsgi, "LINE"),
            "LINE_CHANNEL_ACCESS_TOKEN": line.access_token,
            "LINE_CHANNEL_SECRET": line.channel_secret,
            "PROVISION_DNS": f"{host}:{port}",
            "XDG_CACHE_HOME": str(env.path.parent / "cache"),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "Session", lambda **_: session)
        gallery = serve(env.sandbox.gallery)
        monkeypatch.setattr("provision.clients.registry._gallery", lambda: gallery)
        monkeypatch.setattr("provision.environment.clock", lambda: env.clock)
        monkeypatch.setattr(
            "provision.clients.package_index.PackageIndex.wheels",
            lambda index, *_: [make_wheel(env.path.parent)],
        )
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        monkeypatch.chdir(env.path.parent)
        env.clock.on_advance(lambda: enter_name_servers(env, session))
        recorder.names = Placeholders(
            {
                cloud.account_id: cloud.account_id,
                line.access_token: "<access token>",
                line.channel_secret: "<channel secret>",
                line.channel_id: "<channel id>",
                **default_network(session.client("ec2")),
            }
        )
        yield Shell(env, session, monkeypatch)
        recorder.take()


def enter_name_servers(env: Env, session: Session) -> None:
    """Enter the name servers at the registrar, as the user would."""
    route53 = session.client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        servers = route53.get_hosted_zone(Id=zone["Id"])["DelegationSet"]["NameServers"]
        env.sandbox.cloud.registrar.enter(zone["Name"], servers)


def default_network(ec2: Any) -> dict[str, str]:
    """Return names for what AWS itself has put into the account."""
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    subnets = ec2.describe_subnets()["Subnets"]
    named = {subnet["SubnetId"]: f"<subnet {subnet['AvailabilityZone']}>" for subnet in subnets}
    return {vpc["VpcId"]: "<default vpc>", **named}
