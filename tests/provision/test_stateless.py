"""line.token: stateless: only channel ID and channel secret are kept, and LINE issues the tokens."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from werkzeug import Request, Response

from provision.cli.planning import shown_settings, tasks_cost
from provision.clients.line import Line, LineError
from provision.console.server import HttpServer
from provision.errors import Pending, UsageError
from provision.library import read_settings
from provision.sandbox.clock import ManualClock
from provision.sandbox.line.platform import LinePlatform
from provision.sandbox.web.serving import TlsServer
from provision.settings import Settings
from provision.stack import Secrets
from provision.verify.tree import ok, skip
from provision.wizard import channel
from tests.provision.conftest import Env
from tests.provision.finished_stack import FinishedStack
from tests.provision.shell import Person, aws_environment, runtime_info
from tests.provision.terminal import ENTER, Terminal
from tests.provision.test_changed_settings import apply_change, write_settings
from tests.provision.test_domain import inspected_run
from tests.provision.test_line_channel import inspected_run_with_line
from tests.provision.test_rotation import rotate
from tests.provision.test_verify import failed_states, verify_findings
from tests.provision.test_verify import load_balancer_server as load_balancer_server


class CountedLine:
    """A LINE on a socket; `issued` counts the tokens, `status` (if not 200) is the answer instead of one."""

    def __init__(self) -> None:
        self.platform = LinePlatform(lambda *_: (200, b""), lambda _name: [], ManualClock())
        self.issued, self.status = 0, 200
        self._wsgi = self.platform.wsgi
        self.server = HttpServer(Request.application(self._answer))

    def _answer(self, request: Request) -> Response:
        if request.path == "/oauth2/v3/token":
            self.issued += 1
            if self.status != 200:
                return Response("{}", self.status)
        return Response.from_app(self._wsgi, request.environ)

    def client(self) -> Line:
        """Return a client of the channel."""
        line = Line(lambda: self.platform.channel_secret, self.server.url)
        line.issue_tokens(self.platform.channel_id)
        return line


@pytest.fixture
def counted() -> Any:
    """Yield a LINE that counts."""
    line = CountedLine()
    yield line
    line.server.close()


def test_one_token_in_fifteen_minutes(counted: CountedLine) -> None:
    """It is issued before the first call, and again at the first call after it has expired."""
    line, clock = counted.client(), counted.platform.clock
    assert 0 == counted.issued
    issued = []
    for pause in (0, 1, 898, 1, 899, 1):
        clock.sleep(pause)
        assert "News" == line.info()["displayName"]
        issued.append(counted.issued)
    assert [1, 1, 1, 2, 2, 3] == issued
    assert counted.platform.channel_id == line.channel()
    assert 3 == counted.issued


def test_the_old_token_is_used_while_line_issues_none(counted: CountedLine) -> None:
    """Until it expires; then the call is pending."""
    line, clock = counted.client(), counted.platform.clock
    line.info()
    counted.status = 503
    clock.sleep(899)
    assert "News" == line.info()["displayName"]
    clock.sleep(1)
    with pytest.raises(Pending):
        line.info()
    counted.status = 200
    assert "News" == line.info()["displayName"]


def test_a_refused_token_is_renewed_once(counted: CountedLine) -> None:
    """A token that LINE refuses before it expires is issued again, once."""
    line = counted.client()
    line.info()
    counted.platform._stateless.clear()
    assert {} == line.endpoint()
    assert 2 == counted.issued


def test_a_wrong_secret(counted: CountedLine) -> None:
    """LINE's own words, what to do, and no secret."""
    line = Line(lambda: "0f" * 16, counted.server.url)
    line.issue_tokens("1650000000")
    with pytest.raises(LineError) as refusal:
        line.info()
    expected = [
        "LINE issues no access token for the channel 1650000000.",
        "  why:  LINE says 400: invalid client_id",
        "  next: Take line.channel_id and the channel secret from the same channel: "
        "https://developers.line.biz/console/, tab Basic settings.",
    ]
    assert expected == str(refusal.value).splitlines()


def stateless(env: Env) -> None:
    """Set it, with the sandbox's channel; no access token is given."""
    env.set(line__token="stateless", line__channel_id=env.sandbox.line.channel_id)
    env.secrets = replace(env.secrets, access_token="")


def test_setup(env: Env) -> None:
    """Nothing holds an access token: one parameter, one secret of the task, permissions for it alone."""
    stateless(env)
    assert not env.setup().errors
    client = env.aws_session.client
    assert ["CHANNEL_SECRET"] == [
        each["Name"] for each in client("ssm").describe_parameters()["Parameters"]
    ]
    ecs = client("ecs")
    definition = ecs.describe_task_definition(taskDefinition="news-bot")["taskDefinition"]
    (container,) = definition["containerDefinitions"]
    arn = "arn:aws:ssm:ap-northeast-1:123456789012:parameter/CHANNEL_SECRET"
    assert [{"name": "CHANNEL_SECRET", "valueFrom": arn}] == container["secrets"]
    names = ["CHANNEL_ID", "CHANNEL_SECRET_PARAMETER", "LINE_API_URL", "NEWS_URL", "PORT"]
    variables = {each["name"]: each["value"] for each in container["environment"]}
    assert names == sorted(variables)
    assert env.sandbox.line.channel_id == variables["CHANNEL_ID"]
    for role in ("execution", "task"):
        name = f"news-bot-{role}-ap-northeast-1"
        (policy,) = client("iam").list_role_policies(RoleName=name)["PolicyNames"]
        document = client("iam").get_role_policy(RoleName=name, PolicyName=policy)
        statements = document["PolicyDocument"]["Statement"]
        assert [[arn]] == [
            each["Resource"] for each in statements if each["Sid"] == "ReadTheSecrets"
        ]
    assert env.sandbox.line.send("ニュース", "U" + "1" * 32)["reply"]
    text = env.path.read_text()
    assert f"channel_id: '{env.sandbox.line.channel_id}'" in text
    assert env.sandbox.line.access_token not in text
    assert env.sandbox.line.channel_secret not in text
    assert ([], {}) == (env.teardown(everything=True).left, env.inventory())


def test_change_and_back(finished_stack: FinishedStack) -> None:
    """The bot goes on answering; the parameter with the access token goes, and comes back."""
    with finished_stack.on("default") as env:
        changed = {"line.token": "stateless", "line.channel_id": env.sandbox.line.channel_id}
        before = write_settings(env, changed)
        apply_change(env, "task_definition")
        assert 1 == env.inventory()["parameter"]
        write_settings(env, before)
        apply_change(env, "access_token")
        env.clock.advance(60)  # the surplus task stops
        finished_stack.whole(env)


def test_settings() -> None:
    """The channel ID is needed, and no default."""
    given = {"domain": "example.jp", "network.vpc": "default", "line.token": "stateless"}
    with pytest.raises(UsageError) as error:
        read_settings(given)
    assert "Could not set line.channel_id." == error.value.what
    assert read_settings({**given, "line.channel_id": "1650000000"}).missing() == []
    assert ["domain", "host", "network.vpc"] == Settings({}).missing()
    with pytest.raises(UsageError):
        read_settings({**given, "line.channel_id": "my channel"})


def test_the_pair_is_checked_before_anything_is_created(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """LINE issues a token for it, or says what is wrong."""
    stateless(env)
    assert not channel.complete_secrets(inspected_run_with_line(env))
    assert "LINE: the channel belongs to News.\n" == capsys.readouterr().err
    env.secrets = replace(env.secrets, channel_secret="0f" * 16)
    with pytest.raises(LineError) as refusal:
        channel.complete_secrets(inspected_run_with_line(env))
    assert "LINE says 400: invalid client_secret" == refusal.value.why
    env.set(line__channel_id="1650000000")
    assert [] == env.changes()


def test_other_commands(env: Env, load_balancer_server: TlsServer) -> None:
    """recover reads it from the task definition, deploy knows what the tasks cost, and verify says OK.

    No access token is stored, so AWS does not show its parameter, and there is none to look at.
    """
    stateless(env)
    assert not env.setup().errors
    definition = env.stack().task_definition
    live = definition.find(env.clients())
    assert live is not None
    found = definition.recovered_settings(live)
    assert {
        "line.token": "stateless",
        "line.channel_id": env.sandbox.line.channel_id,
        "line.channel_secret_parameter": "CHANNEL_SECRET",
    } == {key: value for key, value in found.items() if key.startswith("line.")}

    run = inspected_run(env)
    assert 0 < tasks_cost(run, shown_settings(run))
    findings = verify_findings(env, load_balancer_server)
    assert {"access_token": "SKIP"} == failed_states(findings)
    assert skip("not stored: line.token is stateless") == findings["access_token"]
    assert ok(f"channel {env.sandbox.line.channel_id}") == findings["channel"]


def test_rotate(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """The channel secret is all there is to rotate; the bot uses the new one at once."""
    stateless(env)
    assert not env.setup().errors
    env.sandbox.line.channel_secret = "b" * 32
    capsys.readouterr()
    assert 0 == rotate(env, Secrets(channel_secret="b" * 32))
    document = {"rotated": ["CHANNEL_SECRET"], "restarted": True}
    assert document == json.loads(capsys.readouterr().out)
    assert env.sandbox.line.send("ニュース", "U" + "1" * 32)["reply"]


def test_channel_id_is_asked_at_a_terminal(
    person: Person, terminals: Callable[..., Terminal], addresses: dict[str, str]
) -> None:
    """Only for stateless tokens, until it is one; no access token is asked for, and LINE checks the pair."""
    known = runtime_info(person)
    pairs = (
        "domain=shop.example",
        "image.uri=a/b:1",
        "network.vpc=default",
        "line.token=stateless",
    )
    words = [word for pair in pairs for word in ("--set", pair)]
    terminal = terminals("setup", "--wait", "0", *words, **aws_environment(known))
    terminal.until("What is the channel ID")
    terminal.type("my channel" + ENTER)
    terminal.until("expected: a channel ID: digits")
    terminal.type("\x15" + known["channel_id"] + ENTER)
    terminal.until("LINE's channel secret")
    terminal.type("0f" * 16 + ENTER)
    terminal.until("LINE says 400: invalid client_secret")
    terminal.until("It is shown as asterisks")
    terminal.type(known["channel_secret"] + ENTER)
    shown = terminal.until("Build this?")
    assert "the channel belongs to News" in shown
    assert "It is shown as asterisks" not in shown.partition("belongs to News")[2]
    terminal.type("n")
    assert 1 == terminal.wait()
    written = (person.folder / "stack.yaml").read_text()
    assert f"channel_id: '{known['channel_id']}'" in written
    assert known["channel_secret"] not in written


def test_without_a_terminal_the_channel_id_is_missing(person: Person) -> None:
    """The error names the setting."""
    known = runtime_info(person)
    pairs = ("domain=shop.example", "network.vpc=default", "line.token=stateless")
    words = [word for pair in pairs for word in ("--set", pair)]
    done = person.types("setup", "--yes", *words, **aws_environment(known))
    assert 2 == done.returncode
    assert "line.channel_id has no value, and there is no terminal to ask on" in done.stderr


@pytest.mark.slow
def test_recover_in_an_account(person: Person, addresses: dict[str, str]) -> None:
    """Without a file, and without LINE's secrets in the environment, the webhook is recovered too."""
    setup = person.types("--sandbox", "setup", "--yes", "--set", "line.token=stateless")
    assert 0 == setup.returncode, setup.stderr
    recovered = person.types("recover", "--yes", "--json", **aws_environment(addresses))
    assert 0 == recovered.returncode, recovered.stderr
    assert {} == json.loads(recovered.stdout)["unknown"]
    assert "  webhook/news-bot.example:\n" in (person.folder / "stack.yaml").read_text()


@pytest.mark.slow
def test_the_stored_token_is_to_be_revoked(person: Person) -> None:
    """The setup that deletes it says so, once; that the sandbox does not use a given channel is said, too."""
    setup = ("--sandbox", "setup", "--yes", "--set", "image.uri=a/b:1", "--set", "news.feeds=")
    first = person.types(*setup)
    assert 0 == first.returncode, first.stderr
    words = ("--set", "line.token=stateless", "--set", "line.channel_id=1650000000")
    switched = person.types(*setup, *words)
    assert 0 == switched.returncode, switched.stderr
    (console,) = [line for line in switched.stderr.splitlines() if "revoke it at" in line]
    assert console.startswith(
        "No access token is stored any more. The long-lived one stays valid: revoke it at http://127."
    )
    assert switched.stderr.startswith(
        "The sandbox's LINE has its own channel: line.channel_id is not used.\n"
    )
    assert "revoke it at" not in person.types(*setup).stderr


def test_secrets_of_the_environment_are_not_used_in_the_sandbox(person: Person) -> None:
    """They are not shown, but named; the sandbox's own are no news."""
    known = runtime_info(person)
    given = {
        "LINE_CHANNEL_SECRET": "0f" * 16,
        "LINE_CHANNEL_ACCESS_TOKEN": known["access_token"],
    }
    done = person.types("--sandbox", "cost", **given)
    assert (
        "The sandbox's LINE has its own secrets: LINE_CHANNEL_SECRET is not used."
        == done.stderr.splitlines()[0]
    )
    assert "LINE_CHANNEL_ACCESS_TOKEN" not in done.stderr
