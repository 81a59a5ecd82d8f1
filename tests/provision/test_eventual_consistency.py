"""The project's own walks against the strict sandbox: AWS's delays, and every service behind its changes."""

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

LAG = 10.0  # seconds: EC2's and IAM's guides speak of seconds, of minutes at the worst


@pytest.fixture
def delays() -> Delays:
    """AWS's medians, and lag everywhere."""
    return Delays(lag=LAG)


def settled(env: Env) -> dict[str, int]:
    """The inventory, once every service shows what is."""
    env.clock.advance(LAG + env.sandbox.cloud.delays.network_interfaces)
    return env.inventory()


def scaled(env: Env, count: int) -> Outcome:
    """`provision start` (a count) and `provision stop` (0)."""
    engine = env.engine()
    run = Run(Options(), engine.file, env.stack(), engine.clients, env.clock)
    return scaling.scaled(run, engine, count)


def deployed(env: Env, image: str) -> int:
    """`provision deploy --set image.uri=...`; its exit status."""
    sets = (f"image.uri={image}",)
    engine = env.engine()
    for pair in sets:
        engine.file.answer(*pair.split("=", 1), save=False)
    stack = Stack(engine.file.settings, env.secrets, {"LINE_API_URL": env.line_url})
    run = Run(Options(sets=sets), engine.file, stack, engine.clients, env.clock)
    progress = Progress(deploy.part(run), env.clock, io.StringIO())
    engine = Engine(stack.resources, engine.file, engine.clients, env.clock, progress.tell)
    engine.begin()
    return deploy.carry_out(run, engine, progress)


def pause(env: Env) -> DeletionResult:
    """`provision pause`."""
    return env.engine().pause()


def resume(env: Env) -> Outcome:
    """`provision resume`."""
    engine = env.engine()
    engine.file.mark_paused(False)
    return engine.setup(600)


def test_setup(env: Env) -> None:
    """One of everything, the bot answers, and a second setup finds nothing to do."""
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == settled(env)
    told = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_second_setup_at_once(env: Env) -> None:
    """While the services still answer as before the first one: nothing is made twice."""
    env.setup()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == settled(env)


def test_deploy(env: Env) -> None:
    """Twice, right after setup: the newest revision serves, and nothing is left to do."""
    env.setup()
    for number in (2, 3):
        assert 0 == deployed(env, f"example.jp/bot:{number}")
        assert f"example.jp/bot:{number}" == StackFile(env.path).settings["image.uri"]
    told = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    assert WHOLE | {"task definition": 6} == settled(env)
    ecs = env.aws_session.client("ecs")
    (service,) = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"]
    assert "news-bot:3" == service["taskDefinition"].rpartition("/")[2]
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_bad_deploy(env: Env) -> None:
    """An image that nobody pushed: taken back, and the old version goes on answering."""
    env.setup()
    env.sandbox.cloud.ecr.images.public["example.jp/bot:2"] = ()
    assert 1 == deployed(env, "example.jp/bot:2")
    assert "example.jp/bot:1" == StackFile(env.path).settings["image.uri"]
    told = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    env.clock.advance(300)  # the old version's own new deployment comes to its end
    assert WHOLE == settled(env)
    env.setup()
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_pause_resume_stop_start(env: Env) -> None:
    """Each right after the other."""
    env.setup()
    gone = pause(env)
    assert ([], []) == (gone.errors, gone.left)
    outcome = resume(env)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert [] == scaled(env, 0).errors
    assert [] == scaled(env, 1).errors
    told = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    assert WHOLE == settled(env)


@pytest.mark.parametrize("network", ["default", "new"])
def test_teardown_leaves_nothing(env: Env, network: str) -> None:
    """Right after setup, with everything."""
    env.set(network__vpc=network)
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == settled(env)
    assert {} == StackFile(env.path).records


def test_teardown_of_a_paused_stack(env: Env) -> None:
    """What the pause has taken is not missed."""
    env.setup()
    pause(env)
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == settled(env)


def test_changed_host(env: Env) -> None:
    """Certificate, listener and records are replaced, and the old ones are gone."""
    env.setup()
    env.set(host="bot.example.jp")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == settled(env)
