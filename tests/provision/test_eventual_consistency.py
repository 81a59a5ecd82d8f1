"""Setup, deploy, pause and teardown with AWS's delays, while every service answers with stale data."""

import io

import pytest

from provision.cli import deploy, scaling
from provision.engine.deleter import DeletionResult
from provision.engine.engine import Engine
from provision.engine.executor import Outcome
from provision.run import Options, Run
from provision.sandbox.delays import Delays
from provision.stack import Stack
from provision.state.stack_file import StackFile
from provision.ui.progress import Progress
from tests.provision.conftest import WHOLE, Env

LAG = 10.0  # seconds; EC2's and IAM's guides say seconds, at worst minutes


@pytest.fixture
def delays() -> Delays:
    """Return AWS's median delays, with lag in every service."""
    return Delays(lag=LAG)


def settled_inventory(env: Env) -> dict[str, int]:
    """Return the inventory once every service shows the current state."""
    env.clock.advance(LAG + env.sandbox.cloud.delays.network_interfaces)
    return env.inventory()


def scale(env: Env, count: int) -> Outcome:
    """Run `provision start` (a count) or `provision stop` (0)."""
    engine = env.engine()
    run = Run(Options(), engine.file, env.stack(), engine.clients, env.clock)
    return scaling.scale_service(run, engine, count)


def deploy_image(env: Env, image: str) -> int:
    """Run `provision deploy --set image.uri=...`; return its exit status."""
    sets = (f"image.uri={image}",)
    engine = env.engine()
    for pair in sets:
        engine.file.set(*pair.split("=", 1), save=False)
    stack = Stack(engine.file.settings, env.secrets, {"LINE_API_URL": env.line_url})
    run = Run(Options(sets=sets), engine.file, stack, engine.clients, env.clock)
    progress = Progress(deploy.service_and_dependencies(run), env.clock, io.StringIO())
    engine = Engine(stack.resources, engine.file, engine.clients, env.clock, progress.report)
    engine.begin()
    return deploy.deploy_revision(run, engine, progress)


def pause(env: Env) -> DeletionResult:
    """Run `provision pause`."""
    return env.engine().pause()


def resume(env: Env) -> Outcome:
    """Run `provision resume`."""
    engine = env.engine()
    engine.file.mark_paused(False)
    return engine.setup(600)


def test_setup(env: Env) -> None:
    """One of everything, the bot answers, and a second setup changes nothing."""
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == settled_inventory(env)
    message = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (message["status"], len(message["reply"]))
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_second_setup_at_once(env: Env) -> None:
    """While the services still answer with stale data, nothing is created twice."""
    env.setup()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == settled_inventory(env)


def test_two_deploys_right_after_setup(env: Env) -> None:
    """The newest revision serves, and nothing is left to do."""
    env.setup()
    for number in (2, 3):
        assert 0 == deploy_image(env, f"example.jp/bot:{number}")
        assert f"example.jp/bot:{number}" == StackFile(env.path).settings["image.uri"]
    message = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (message["status"], len(message["reply"]))
    assert WHOLE | {"task definition": 6} == settled_inventory(env)
    ecs = env.aws_session.client("ecs")
    (service,) = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"]
    assert "news-bot:3" == service["taskDefinition"].rpartition("/")[2]
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_failed_deploy_is_rolled_back(env: Env) -> None:
    """An image that was never pushed is rolled back, and the old version goes on answering."""
    env.setup()
    env.sandbox.cloud.ecr.images.public["example.jp/bot:2"] = ()
    assert 1 == deploy_image(env, "example.jp/bot:2")
    assert "example.jp/bot:1" == StackFile(env.path).settings["image.uri"]
    message = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (message["status"], len(message["reply"]))
    env.clock.advance(300)  # the rollback's deployment completes
    assert WHOLE == settled_inventory(env)
    env.setup()
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_pause_resume_stop_start(env: Env) -> None:
    """Each command right after the previous one."""
    env.setup()
    result = pause(env)
    assert ([], []) == (result.errors, result.left)
    outcome = resume(env)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert [] == scale(env, 0).errors
    assert [] == scale(env, 1).errors
    message = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (message["status"], len(message["reply"]))
    assert WHOLE == settled_inventory(env)


@pytest.mark.parametrize("network", ["default", "new"])
def test_teardown_right_after_setup_leaves_nothing(env: Env, network: str) -> None:
    """With --everything."""
    env.set(network__vpc=network)
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == settled_inventory(env)
    assert {} == StackFile(env.path).records


def test_teardown_of_a_paused_stack(env: Env) -> None:
    """What the pause has deleted is not missed."""
    env.setup()
    pause(env)
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == settled_inventory(env)


def test_changed_host(env: Env) -> None:
    """Certificate, listener and records are replaced, and the old ones deleted."""
    env.setup()
    env.set(host="bot.example.jp")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == settled_inventory(env)


@pytest.mark.parametrize("group", ["load balancer", "bot"])
def test_change_of_outbound_rules_that_fails_halfway(env: Env, group: str) -> None:
    """The rules that were added are not visible yet when the change is tried again."""
    revoked: list[str] = []

    def fail_once(operation: str) -> None:
        if operation == "RevokeSecurityGroupEgress":
            revoked.append(operation)
            if len(revoked) == ("load balancer", "bot").index(group) + 1:
                env.sandbox.cloud.faults.add({"kind": "error", "operation": operation})

    env.aws_session.before = fail_once
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == settled_inventory(env)
