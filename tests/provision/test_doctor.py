"""doctor: what setup needs of this computer, its network and the account, and what to do about it."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.parsers import ResponseParserError
from werkzeug.wrappers import Response

from provision.clients.aws import Aws, Identity
from provision.clients.dns import Dns, DnsError
from provision.clients.line import Line
from provision.clients.package_index import PackageIndex
from provision.console.server import HttpServer
from provision.errors import ProvisionError
from provision.resources.base import Clients
from provision.sandbox.clock import ManualClock
from provision.settings import Settings
from provision.verify.doctor import DoctorContext, checks
from provision.verify.tree import Finding, run_checks
from tests.provision.conftest import ANSWERS, Env
from tests.provision.shell import Person, aws_environment, runtime_info
from tests.provision.terminal import Terminal

FRESH = {**ANSWERS, "domain": None}


class FakeAws:
    """An account that answers as it is told; what is not told is not asked."""

    region = "ap-northeast-1"
    profile = "work"

    def __init__(self, identity: Identity | ProvisionError, found: str = "sso") -> None:
        self._identity, self._found = identity, found

    def credentials(self) -> str:
        return self._found

    def regions(self, _service: str) -> list[str]:
        return ["ap-northeast-1"]

    def in_region(self, _region: str) -> "FakeAws":
        return self

    @property
    def ec2(self) -> object:
        raise ProvisionError("Could not list.", "not allowed", "Ask.")

    def identity(self) -> Identity:
        if isinstance(self._identity, ProvisionError):
            raise self._identity
        return self._identity


def findings(aws: object, line_url: str, **changes: object) -> dict[str, Finding]:
    """Return the findings with these clients."""

    def unreachable(_query: object, address: str, _port: int) -> object:
        raise DnsError(f"{address} is blocked")

    dns = Dns(("192.0.2.1", 53), unreachable)
    clients = Clients(aws, dns, Line(lambda: "token", line_url))
    settings = Settings(changes.pop("settings", FRESH))
    context = DoctorContext(settings, clients, ManualClock(), line_url, **changes)
    return run_checks(checks(), context)


def in_account(env: Env, **changes: object) -> dict[str, Finding]:
    """Return the findings in the emulated account."""
    return findings(Aws("ap-northeast-1", env.aws_session.session), env.line_url, **changes)


def states(found: dict[str, Finding]) -> dict[str, str | None]:
    """Return the states that are not OK."""
    return {key: finding.state for key, finding in found.items() if finding.state != "OK"}


def test_all_is_well(env: Env) -> None:
    """What is not needed, or cannot be found out, is not checked and says why."""
    found = in_account(env)
    skipped = {"pip", "base", "dns", "clock"}
    assert dict.fromkeys(skipped, "SKIP") == states(found)
    assert "not checked: no domain is chosen yet" == found["dns"].reason
    assert "1234-5678-9012, root" == found["account"].reason
    assert "the root user may do everything" == found["permissions"].reason


def test_nothing_is_changed(env: Env) -> None:
    """Only reads are sent."""
    in_account(env)
    assert [] == env.changes()


def test_python() -> None:
    """An old Python is named, with the version that is needed."""
    found = findings(
        FakeAws(Identity("1" * 12, "a:root")), "http://127.0.0.1:9", python=(3, 10, 13)
    )
    assert (
        Finding("NG", "this is 3.10.13", "Install provision with Python 3.11 or newer.")
        == (found["python"])
    )


def test_line_and_dns_are_unreachable() -> None:
    """Each is a finding of its own, and the account is checked all the same."""
    found = findings(FakeAws(Identity("1" * 12, "a:root")), "http://127.0.0.1:9", settings=ANSWERS)
    assert ("NG", "NG", "OK") == tuple(found[key].state for key in ("line", "dns", "account"))
    assert found["line"].reason.startswith("http://127.0.0.1:9 does not answer (")
    assert "192.0.2.1 is blocked" == found["dns"].reason


def test_no_credentials() -> None:
    """What needs them is skipped."""
    found = findings(FakeAws(Identity(), found=""), "http://127.0.0.1:9")
    assert "there are none, neither in a profile nor in the environment" == (
        found["credentials"].reason
    )
    needing = ("enabled", "endpoint", "clock", "account", "permissions")
    assert {"needs: credentials"} == {found[key].reason for key in needing}


def test_unknown_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """A region that AWS does not have is found without asking; another cloud has its own."""
    aws = FakeAws(Identity("1" * 12, "a:root"))
    aws.region = "ap-northeast-9"
    found = findings(aws, "http://127.0.0.1:9")
    assert "AWS has no region ap-northeast-9, or none with Amazon ECS" == found["region"].reason
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "OK" == findings(aws, "http://127.0.0.1:9")["region"].state


def test_region_that_is_not_enabled(env: Env) -> None:
    """Asked in a region that answers; the account's own refusal would mislead."""
    aws = Aws("ap-east-1", env.aws_session.session)
    found = findings(aws, env.line_url)
    assert "the account has not enabled ap-east-1" == found["enabled"].reason
    assert Finding("SKIP", "needs: region is enabled") == found["account"]


@pytest.mark.parametrize(
    ("offset", "state", "reason"),
    [
        (299, "OK", ""),
        (-299, "OK", ""),
        (1200, "NG", "it is 20 minutes ahead of AWS's"),
        (-1200, "NG", "it is 20 minutes behind AWS's"),
    ],
)
def test_clock(offset: int, state: str, reason: str) -> None:
    """Signatures hold for five minutes; the date is known from a refusal as well."""
    refused = ProvisionError("Could not.", "SignatureDoesNotMatch", "Sign in.")
    identity = Identity(date="Mon, 30 Nov 2026 08:00:00 GMT", error=refused)
    now = datetime(2026, 11, 30, 8, tzinfo=UTC) + timedelta(seconds=offset)
    found = findings(FakeAws(identity), "http://127.0.0.1:9", now=lambda: now)
    assert (state, reason) == (found["clock"].state, found["clock"].reason)
    assert "NG" == found["account"].state


def test_answer_without_a_date() -> None:
    """Then the clock is not checked."""
    found = findings(FakeAws(Identity("1" * 12, "a:root")), "http://127.0.0.1:9")
    assert Finding("SKIP", "not checked: the answer had no date") == found["clock"]


def test_endpoint_that_does_not_answer() -> None:
    """The connection's error, once."""
    error = ProvisionError("Could not connect to AWS.", "no route", "Check the network.")
    found = findings(FakeAws(error), "http://127.0.0.1:9")
    assert Finding("NG", "no route", "Check the network.") == found["endpoint"]
    assert "SKIP" == found["account"].state


def test_permissions_of_a_user(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Actions that the simulator does not allow are named; a role is asked for by name."""
    iam = env.aws_session.client("iam")
    iam.create_user(UserName="reader")
    arn = "arn:aws:iam::123456789012:user/reader"
    identity = Identity("123456789012", arn, "Mon, 30 Nov 2026 08:00:00 GMT")
    monkeypatch.setattr(Aws, "identity", lambda _self: identity)
    found = in_account(env)["permissions"]
    denied = found.reason.removeprefix("not allowed on every resource: ").split(", ")
    needed = {
        "ecs:CreateService",
        "iam:PassRole",
        "route53:CreateHostedZone",
        "ecr:CreateRepository",
    }
    assert ("NG", needed) == (found.state, needed & {*denied})
    assert "scheduler:CreateSchedule" in denied
    assert len(denied) == len({*denied})
    policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    iam.put_user_policy(UserName="reader", PolicyName="all", PolicyDocument=policy)
    assert Finding("OK", "simulated by IAM") == in_account(env)["permissions"]


def test_root_user(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM does not simulate it."""
    identity = Identity("123456789012", "arn:aws:iam::123456789012:root")
    monkeypatch.setattr(Aws, "identity", lambda _self: identity)
    assert Finding("OK", "the root user may do everything") == in_account(env)["permissions"]


def test_pip_without_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded if there are wheels of an earlier build."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    index = PackageIndex(lambda: tmp_path)
    with pytest.raises(ProvisionError, match="Could not download from Python's package index"):
        index.check()
    (tmp_path / "wheels/a").mkdir(parents=True)
    (tmp_path / "wheels/a/b.whl").touch()
    assert index.check()


def test_no_pip(tmp_path: Path) -> None:
    """An interpreter without pip."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    python.chmod(0o755)
    with pytest.raises(ProvisionError, match="No module named pip"):
        PackageIndex(lambda: tmp_path, str(python)).check()


def test_command(person: Person) -> None:
    """The exit status tells whether anything is wrong; credentials never appear."""
    doctor = person.types("--sandbox", "doctor")
    assert 0 == doctor.returncode, doctor.stdout
    assert "All is well." == doctor.stdout.splitlines()[0]
    bare = person.types(
        "doctor",
        AWS_ACCESS_KEY_ID="",  # moto sets one in the process of the tests
        AWS_SECRET_ACCESS_KEY="",
        AWS_EC2_METADATA_DISABLED="true",
        LINE_API_URL="http://127.0.0.1:9",
    )
    assert 1 == bare.returncode
    assert "  NG    credentials: there are none" in bare.stdout


def test_setup_stops_before_the_first_question(
    person: Person, terminals: Callable[..., Terminal]
) -> None:
    """At a terminal without valid credentials nothing is asked."""
    known = {**aws_environment(runtime_info(person)), "AWS_SECRET_ACCESS_KEY": "wrong"}
    terminal = terminals("setup", **known)
    terminal.until("Setup cannot begin: account.")
    assert 1 == terminal.wait()
    assert "Which domain" not in terminal.output
    assert not (person.folder / "stack.yaml").exists()


def test_clock_is_compared_when_aws_answers() -> None:
    """Other checks, such as a slow download by pip, may take minutes before that."""
    times = [datetime(2026, 11, 30, 8, 10, tzinfo=UTC)]

    class LateAws(FakeAws):
        def identity(self) -> Identity:
            times.append(datetime(2026, 11, 30, 8, 20, tzinfo=UTC))
            return super().identity()

    identity = Identity("1" * 12, "a:root", "Mon, 30 Nov 2026 08:20:00 GMT")
    found = findings(LateAws(identity), "http://127.0.0.1:9", now=lambda: times[-1])
    assert "OK" == found["clock"].state


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, '{"message": "Authentication failed."}', None),
        (200, "<html>sign in</html>", "HTTP 200"),
        (302, "", "HTTP 302"),
        (403, "<html>blocked</html>", "HTTP 403"),
        (401, "[]", "HTTP 401"),
    ],
)
def test_page_of_a_network_that_wants_a_login_is_not_line(
    status: int, body: str, reason: str | None
) -> None:
    """LINE's errors are JSON with a message."""
    server = HttpServer(Response(body, status, headers={"Location": "http://192.0.2.1/"}))
    found = findings(FakeAws(Identity("1" * 12, "a:root")), server.url)["line"]
    expected = f"{server.url} is not LINE: {reason}" if reason else f"127.0.0.1:{server.port}"
    server.close()
    assert ("NG" if reason else "OK", expected) == (found.state, found.reason)


def test_simulation_in_pages(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """A denied action on the second page counts; an action that was not evaluated is not allowed."""
    arn = "arn:aws:iam::123456789012:user/reader"
    env.aws_session.client("iam").create_user(UserName="reader")
    monkeypatch.setattr(Aws, "identity", lambda _self: Identity("123456789012", arn, ""))
    pages: list[str] = []

    def split(operation: str, answer: dict[str, Any]) -> None:
        if operation == "SimulatePrincipalPolicy":
            pages.append(operation)
            for result in answer["EvaluationResults"]:
                result["EvalDecision"] = "allowed" if len(pages) == 1 else "implicitDeny"
            answer |= {"IsTruncated": True, "Marker": "2"} if len(pages) == 1 else {}

    env.aws_session.answer = split
    found = in_account(env)["permissions"]
    assert ("NG", 2) == (found.state, len(pages))

    def cut(operation: str, answer: dict[str, Any]) -> None:
        if operation == "SimulatePrincipalPolicy":
            answer["EvaluationResults"] = []

    env.aws_session.answer = cut
    found = in_account(env)["permissions"]
    assert ("SKIP", True) == (
        found.state,
        found.reason.endswith(" has no acm:AddTagsToCertificate"),
    )


def test_region_that_aws_does_not_name_is_not_checked(env: Env) -> None:
    """An empty list does not say that the region is enabled."""

    def empty(operation: str, answer: dict[str, Any]) -> None:
        if operation == "DescribeRegions":
            answer["Regions"] = []

    env.aws_session.answer = empty
    assert Finding("SKIP", "not checked: AWS did not name the region") == in_account(env)["enabled"]


def test_throttled_account_is_asked_again(env: Env) -> None:
    """One throttled answer must not end setup."""
    env.sandbox.cloud.faults.add({"kind": "throttle", "service": "sts", "times": 2})
    assert "OK" == in_account(env)["account"].state


def test_simulator_that_never_answers(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """An optional check gives up soon, and stays unknown: an emulator's page may be an outage."""
    arn = "arn:aws:iam::123456789012:user/reader"
    monkeypatch.setattr(Aws, "identity", lambda _self: Identity("123456789012", arn, ""))
    tries: list[str] = []

    def page(operation: str) -> None:
        if operation == "SimulatePrincipalPolicy":
            tries.append(operation)
            raise ResponseParserError("Unable to parse response (syntax error)")

    env.aws_session.before = page
    began = env.clock.now()
    found = in_account(env)["permissions"]
    reason = "the answer cannot be read; it may be from a proxy or from another server than AWS"
    assert (None, True) == (found.state, found.reason.startswith(reason))
    assert 5 == len(tries)
    assert env.clock.now() - began < 10
