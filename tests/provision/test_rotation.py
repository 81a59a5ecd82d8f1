"""secrets rotate: new values are checked with LINE, stored encrypted, and reach the tasks."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

from provision.cli import secrets
from provision.cli.outcome import print_rotation_notice
from provision.clients.line import LineError
from provision.clients.tls import Tls
from provision.engine.plan import plan
from provision.errors import NoResponse, ProvisionError, UsageError
from provision.pricing import prices
from provision.resources.base import Clients
from provision.run import Options, Run
from provision.sandbox.delays import Delays
from provision.stack import Secrets, Stack
from provision.state.stack_file import StackFile
from provision.status_report import entry
from provision.ui.progress import Progress
from provision.verify.probes import is_stored
from provision.verify.tree import CheckContext, ng, ok
from provision.wizard import channel
from tests.provision.conftest import Env, PowerCut, line_of
from tests.provision.shell import Person, client, runtime_info
from tests.provision.terminal import ENTER, Terminal
from tests.provision.test_unanswered_requests import throttle

USER = "U" + "1" * 32
# The copy, the parameter, the parameter anew, the copy.
CONVERSION = ["PutParameter", "DeleteParameter", "PutParameter", "DeleteParameter"]
NEW_SECRET, NEW_TOKEN = "b" * 32, "new-token-" + "n" * 40


@pytest.fixture
def delays() -> Delays:
    """Return AWS's delays: the tasks are replaced one after another."""
    return Delays()


def run_with(env: Env, given: Secrets) -> Run:
    """Return a run with these values in its environment."""
    file = StackFile(env.path)
    stack = Stack(file.settings, given, {"LINE_API_URL": env.line_url})
    clients = env.engine().clients
    run = Run(Options(yes=True), file, stack, clients, env.clock)
    run.clients = Clients(env.aws, clients.dns, line_of(env, run))
    return run


def rotate(env: Env, given: Secrets, *, yes: bool = True) -> int:
    """Run the command with these values in its environment."""
    run = run_with(env, given)
    run.options.yes = yes
    progress = Progress(run.stack.resources, env.clock, io.StringIO())
    engine = run.engine(progress)
    engine.begin()
    return secrets.rotate(run, engine, progress, as_json=True)


def parameter(env: Env, name: str) -> dict[str, Any]:
    """Return a parameter as it is stored."""
    ssm = env.aws_session.client("ssm")
    return dict(ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"])


def task_ids(env: Env) -> list[str]:
    """Return the service's running tasks."""
    ecs = env.aws_session.client("ecs")
    return list(ecs.list_tasks(cluster="news-bot", serviceName="news-bot")["taskArns"])


def test_new_values(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """LINE has issued both anew: both are stored, new tasks run with them, and the bot answers."""
    env.setup()
    before = task_ids(env)
    line = env.sandbox.line
    line.channel_secret, line.access_token = NEW_SECRET, NEW_TOKEN
    env.changes()
    assert 0 == rotate(env, Secrets(NEW_TOKEN, NEW_SECRET))
    document = {"rotated": ["ACCESS_TOKEN", "CHANNEL_SECRET"], "restarted": True}
    printed = capsys.readouterr()
    assert document == json.loads(printed.out)
    assert ["PutParameter", "PutParameter", "UpdateService"] == env.changes()
    for name, value in (("ACCESS_TOKEN", NEW_TOKEN), ("CHANNEL_SECRET", NEW_SECRET)):
        stored = parameter(env, name)
        assert (value, "SecureString", 2) == (stored["Value"], stored["Type"], stored["Version"])
        assert value not in printed.out + printed.err + env.path.read_text()
    after = task_ids(env)
    assert 1 == len(after)
    assert before != after
    assert line.send("help", USER)["reply"]
    assert [] == env.setup().errors


def test_one_value(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """It is asked first; the other one stays; a second run has nothing to do."""
    env.setup()
    env.sandbox.line.channel_secret = NEW_SECRET
    env.changes()
    with pytest.raises(UsageError, match="Could not ask: Store CHANNEL_SECRET, and start new task"):
        rotate(env, Secrets("", NEW_SECRET), yes=False)
    assert [] == env.changes()
    assert 0 == rotate(env, Secrets("", NEW_SECRET))
    assert ["PutParameter", "UpdateService"] == env.changes()
    assert 1 == parameter(env, "ACCESS_TOKEN")["Version"]
    capsys.readouterr()
    assert 0 == rotate(env, Secrets("", NEW_SECRET))
    assert {"rotated": [], "restarted": False} == json.loads(capsys.readouterr().out)
    assert [] == env.changes()


@pytest.mark.parametrize("given", [Secrets("wrong-token", ""), Secrets("", "0" * 32)])
def test_wrong_value(given: Secrets, env: Env) -> None:
    """LINE refuses it: nothing is stored, and the error does not show it."""
    env.setup()
    env.changes()
    with pytest.raises(LineError) as error:
        rotate(env, given)
    assert [] == env.changes()
    assert (given.access_token or given.channel_secret) not in str(error.value)


@pytest.mark.parametrize(
    ("service", "operation"), [("ecs", "DescribeServices"), ("ssm", "DescribeParameters")]
)
def test_unknown_state_is_no_stopped_bot(env: Env, service: str, operation: str) -> None:
    """Nothing is stored, or said to be done, while it is unknown whether tasks run or what is stored."""
    env.setup()
    env.sandbox.line.channel_secret = NEW_SECRET
    throttle(env, service, operation)
    env.changes()
    with pytest.raises(NoResponse, match="AWS is throttling requests"):
        rotate(env, Secrets("", NEW_SECRET))
    assert [] == env.changes()


def test_stopped_bot(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """It starts with the new value later; nothing is started now."""
    env.setup()
    env.aws_session.client("ecs").update_service(
        cluster="news-bot", service="news-bot", desiredCount=0
    )
    env.sandbox.line.channel_secret = NEW_SECRET
    env.changes()
    assert 0 == rotate(env, Secrets("", NEW_SECRET))
    assert {"rotated": ["CHANNEL_SECRET"], "restarted": False} == json.loads(
        capsys.readouterr().out
    )
    assert ["PutParameter"] == env.changes()


@pytest.mark.parametrize("kind", ["String", "StringList"])
def test_plain_string(
    kind: Literal["String", "StringList"], env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made by hand, unencrypted: plan and verify name it, setup leaves it; it is stored anew on request."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name="ACCESS_TOKEN", Value=env.secrets.access_token, Type=kind)
    steps = plan(env.engine().inspect(), [], prices("ap-northeast-1")).steps
    note = "ACCESS_TOKEN is not encrypted: `provision secrets rotate` does that"
    assert [[note]] == [step.notes for step in steps if step.key == "access_token/ACCESS_TOKEN"]
    assert [] == env.setup().errors
    run = run_with(env, Secrets())
    context = CheckContext(run, run.engine(Progress([], env.clock)).inspect(), Tls())
    assert ok(note) == is_stored(run.stack.access_token)(context)
    assert ok() == is_stored(run.stack.channel_secret)(context)
    assert kind == parameter(env, "ACCESS_TOKEN")["Type"]
    env.changes()
    assert 0 == rotate(env, Secrets())
    assert ["ACCESS_TOKEN"] == json.loads(capsys.readouterr().out)["rotated"]
    assert [*CONVERSION, "UpdateService"] == env.changes()
    stored = parameter(env, "ACCESS_TOKEN")
    assert (env.secrets.access_token, "SecureString") == (stored["Value"], stored["Type"])
    assert [] == env.setup().errors


@pytest.mark.sample(6)
@pytest.mark.parametrize("finish", ["rotate", "setup"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", range(len(CONVERSION)))
def test_killed_while_a_string_is_stored_anew(
    call: int, moment: str, finish: str, env: Env
) -> None:
    """Its value is always in Parameter Store: the next rotation, or setup, finishes without being told it."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name="ACCESS_TOKEN", Value=env.secrets.access_token, Type="String")
    env.setup()
    made: list[str] = []

    def cut(operation: str) -> None:
        if operation in CONVERSION:
            made.append(operation)
            if len(made) == call + 1:
                env.aws_session.cut(f"{moment} {operation}")

    setattr(env.aws_session, moment, cut)
    with pytest.raises(PowerCut):
        rotate(env, Secrets())
    env.aws_session.free()
    values = [
        ssm.get_parameter(Name=each["Name"], WithDecryption=True)["Parameter"]["Value"]
        for each in ssm.describe_parameters()["Parameters"]
        if each["Name"].startswith("ACCESS_TOKEN")
    ]
    assert {env.secrets.access_token} == set(values)
    if finish == "rotate":
        assert 0 == rotate(env, Secrets())
    else:
        run = run_with(env, Secrets())
        engine = run.engine(Progress(run.stack.resources, env.clock, io.StringIO()))
        engine.begin()
        run.observations = engine.inspect()
        channel.complete_secrets(run)
        assert [] == engine.setup(600).errors
    names = [each["Name"] for each in ssm.describe_parameters()["Parameters"]]
    assert ["ACCESS_TOKEN", "CHANNEL_SECRET"] == sorted(names)
    assert env.secrets.access_token == parameter(env, "ACCESS_TOKEN")["Value"]
    assert [] == env.teardown().left
    if finish == "rotate":
        assert {} == env.inventory()


def test_what_a_killed_rotation_leaves_is_told(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """plan and status: only the parameter is missing, the policies that name it stay; how it is finished."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name="ACCESS_TOKEN", Value=env.secrets.access_token, Type="String")
    env.setup()
    env.aws_session.after = lambda operation: (
        env.aws_session.cut(operation) if operation == "DeleteParameter" else None
    )
    with pytest.raises(PowerCut):
        rotate(env, Secrets())
    env.aws_session.free()
    observations = env.engine().inspect()
    actions = {
        step.key: step.action
        for step in plan(observations, [], prices("ap-northeast-1")).steps
        if step.action != "keep"
    }
    assert {"access_token/ACCESS_TOKEN": "create"} == actions
    states = [entry(observation) for observation in observations.values()]
    assert [("access_token/ACCESS_TOKEN", "not there")] == [
        (each["key"], each["reason"]) for each in states if not each["ready"]
    ]
    run = run_with(env, Secrets())
    print_rotation_notice(run)
    assert (
        "`provision secrets rotate` was interrupted while it encrypted ACCESS_TOKEN: run it again to "
        "finish.\n"
    ) == capsys.readouterr().err
    context = CheckContext(run, observations, Tls())
    assert ng(
        "`provision secrets rotate` was interrupted while it encrypted it",
        "Run `provision secrets rotate` again: it finishes that.",
    ) == is_stored(run.stack.access_token)(context)
    assert ok() == is_stored(run.stack.channel_secret)(context)
    assert 0 == rotate(env, Secrets())
    assert [] == run_with(env, Secrets()).half_rotated()


def test_somebody_elses_parameter_has_the_name_of_the_copy(env: Env) -> None:
    """It is neither used nor changed, and the String stays."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name="ACCESS_TOKEN", Value=env.secrets.access_token, Type="String")
    ssm.put_parameter(Name="ACCESS_TOKEN.provision-copy", Value="theirs", Type="String")
    env.setup()
    env.changes()
    assert 1 == rotate(env, Secrets())
    assert [] == env.changes()
    assert "String" == parameter(env, "ACCESS_TOKEN")["Type"]
    assert "theirs" == parameter(env, "ACCESS_TOKEN.provision-copy")["Value"]


def test_string_in_place_of_ours(env: Env) -> None:
    """Somebody stored ours anew as a String: setup with another value says what to do."""
    env.setup()
    ssm = env.aws_session.client("ssm")
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="ACCESS_TOKEN")
    ssm.delete_parameter(Name="ACCESS_TOKEN")
    ssm.put_parameter(
        Name="ACCESS_TOKEN", Value=env.secrets.access_token, Type="String", Tags=tags["TagList"]
    )
    assert [] == env.setup().errors
    env.secrets = replace(env.secrets, access_token=NEW_TOKEN)
    (error,) = env.setup().errors
    assert "Run `provision secrets rotate`: it stores the parameter anew." == error.then
    assert 0 == rotate(env, Secrets())
    assert [] == env.setup().errors


def test_nothing_given(env: Env) -> None:
    """Without a value, and with both encrypted."""
    env.setup()
    with pytest.raises(UsageError, match="no new value was given"):
        rotate(env, Secrets())


def test_before_setup(env: Env) -> None:
    """There is nothing to rotate."""
    env.secrets = replace(env.secrets)
    with pytest.raises(ProvisionError, match="there is none yet"):
        rotate(env, Secrets(NEW_TOKEN, NEW_SECRET))


@pytest.mark.slow(seconds=90)
def test_at_a_terminal(
    person: Person, terminals: Callable[..., Terminal], addresses: dict[str, str]
) -> None:
    """Hidden; an empty answer keeps a value, one that LINE refuses is asked for again."""
    secret = runtime_info(person)["channel_secret"]
    assert 0 == person.types("--sandbox", "setup", "--yes", "--set", "image.uri=a/b:1").returncode
    terminal = terminals("--sandbox", "secrets", "rotate")
    terminal.until("Empty: the present value stays.")
    terminal.type(ENTER)
    terminal.until("Basic settings")
    terminal.until("Empty: the present value stays.")
    terminal.type("0" * 32 + ENTER)
    terminal.until("and the secret is not")
    terminal.until("It is shown as asterisks")
    terminal.type(secret + ENTER)
    terminal.until("Store CHANNEL_SECRET, and start new tasks?")
    terminal.type(ENTER)
    terminal.until("The bot's new tasks use the new values.")
    assert 0 == terminal.wait()
    ssm = client(addresses, "ssm")
    stored = ssm.get_parameter(Name="CHANNEL_SECRET", WithDecryption=True)["Parameter"]
    ssm.close()
    assert (secret, 2) == (stored["Value"], stored["Version"])
