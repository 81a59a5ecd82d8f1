"""The project's own walks against the strict sandbox: AWS's delays, and every service behind its changes."""

import io

import pytest

from provision import daily, deploy
from provision.console import Progress
from provision.engine import Engine, Gone
from provision.run import Options, Run
from provision.sandbox.delays import Delays
from provision.stack import Stack
from provision.stackfile import StackFile
from provision.walk import Outcome
from tests.provision.conftest import WHOLE, Desk

LAG = 10.0  # seconds: EC2's and IAM's guides speak of seconds, of minutes at the worst


@pytest.fixture
def delays() -> Delays:
    """AWS's medians, and lag everywhere."""
    return Delays(lag=LAG)


def settled(desk: Desk) -> dict[str, int]:
    """The inventory, once every service shows what is."""
    desk.clock.advance(LAG + desk.sandbox.cloud.delays.network_interfaces)
    return desk.inventory()


def scaled(desk: Desk, count: int) -> Outcome:
    """`provision start` (a count) and `provision stop` (0)."""
    engine = desk.engine()
    run = Run(Options(), engine.file, desk.stack(), engine.doors, desk.clock)
    return daily.scaled(run, engine, count)


def deployed(desk: Desk, image: str) -> int:
    """`provision deploy --set image.uri=...`; its exit status."""
    sets = (f"image.uri={image}",)
    engine = desk.engine()
    for pair in sets:
        engine.file.answer(*pair.split("=", 1), save=False)
    stack = Stack(engine.file.settings, desk.secrets, {"LINE_API_URL": desk.line_url})
    run = Run(Options(sets=sets), engine.file, stack, engine.doors, desk.clock)
    progress = Progress(deploy.part(run), desk.clock, io.StringIO())
    engine = Engine(stack.resources, engine.file, engine.doors, desk.clock, progress.tell)
    engine.begin()
    return deploy.carry_out(run, engine, progress)


def pause(desk: Desk) -> Gone:
    """`provision pause`."""
    return desk.engine().pause()


def resume(desk: Desk) -> Outcome:
    """`provision resume`."""
    engine = desk.engine()
    engine.file.mark_paused(False)
    return engine.setup(600)


def test_setup(desk: Desk) -> None:
    """One of everything, the bot answers, and a second setup finds nothing to do."""
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert WHOLE == settled(desk)
    told = desk.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    desk.changes()
    desk.setup()
    assert [] == desk.changes()


def test_second_setup_at_once(desk: Desk) -> None:
    """While the services still answer as before the first one: nothing is made twice."""
    desk.setup()
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert WHOLE == settled(desk)


def test_deploy(desk: Desk) -> None:
    """Twice, right after setup: the newest revision serves, and nothing is left to do."""
    desk.setup()
    for number in (2, 3):
        assert 0 == deployed(desk, f"example.jp/bot:{number}")
        assert f"example.jp/bot:{number}" == StackFile(desk.path).settings["image.uri"]
    told = desk.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    assert WHOLE | {"task definition": 6} == settled(desk)
    ecs = desk.cable.client("ecs")
    (service,) = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"]
    assert "news-bot:3" == service["taskDefinition"].rpartition("/")[2]
    desk.changes()
    desk.setup()
    assert [] == desk.changes()


def test_bad_deploy(desk: Desk) -> None:
    """An image that nobody pushed: taken back, and the old version goes on answering."""
    desk.setup()
    desk.sandbox.cloud.ecr.images.public["example.jp/bot:2"] = ()
    assert 1 == deployed(desk, "example.jp/bot:2")
    assert "example.jp/bot:1" == StackFile(desk.path).settings["image.uri"]
    told = desk.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    desk.clock.advance(300)  # the old version's own new deployment comes to its end
    assert WHOLE == settled(desk)
    desk.setup()
    desk.changes()
    desk.setup()
    assert [] == desk.changes()


def test_pause_resume_stop_start(desk: Desk) -> None:
    """Each right after the other."""
    desk.setup()
    gone = pause(desk)
    assert ([], []) == (gone.refusals, gone.left)
    outcome = resume(desk)
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert [] == scaled(desk, 0).refusals
    assert [] == scaled(desk, 1).refusals
    told = desk.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    assert WHOLE == settled(desk)


@pytest.mark.parametrize("network", ["default", "new"])
def test_teardown_leaves_nothing(desk: Desk, network: str) -> None:
    """Right after setup, with everything."""
    desk.set(network__vpc=network)
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)
    gone = desk.teardown()
    assert ([], []) == (gone.refusals, gone.left)
    assert {} == settled(desk)
    assert {} == StackFile(desk.path).records


def test_teardown_of_a_paused_stack(desk: Desk) -> None:
    """What the pause has taken is not missed."""
    desk.setup()
    pause(desk)
    gone = desk.teardown()
    assert ([], []) == (gone.refusals, gone.left)
    assert {} == settled(desk)


def test_changed_host(desk: Desk) -> None:
    """Certificate, listener and records are replaced, and the old ones are gone."""
    desk.setup()
    desk.set(host="bot.example.jp")
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert WHOLE == settled(desk)
