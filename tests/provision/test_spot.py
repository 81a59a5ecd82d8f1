"""Fargate Spot takes tasks back or has none; several tasks at once, in every verb."""

import json
from typing import Any

from provision import daily
from provision.errors import Refusal
from provision.look import Sight
from provision.run import Options, Run
from provision.stackfile import StackFile
from provision.status import tasks
from tests.provision.conftest import Desk
from tests.provision.test_deploy import delays as delays  # AWS as slow as it is


def seen(desk: Desk) -> Sight:
    """What status sees of the tasks."""
    return desk.engine().look()["steady_service"]


def shown(desk: Desk) -> dict[str, Any]:
    """What status prints of the tasks."""
    sights = desk.engine().look()
    return tasks(sights[desk.stack().service.key], sights["steady_service"])


def test_interruption_and_replacement(desk: Desk) -> None:
    """Taken back: status names Spot and shows the task that is started instead, until it has taken over."""
    desk.setup()
    assert [] == shown(desk)["rollout"]
    desk.sandbox.cloud.ecs.interrupt("ap-northeast-1", "news-bot", "news-bot")
    desk.clock.advance(2)
    told = shown(desk)
    assert (0, 1) == (told["running"], told["wanted"])
    assert "Spot took 1 back; ECS starts others instead" in told["rollout"]
    assert "1 PROVISIONING" in told["rollout"][0]
    assert "not begun" != seen(desk).waiting
    desk.clock.advance(200)
    assert {"running": 1, "wanted": 1, "rollout": []} == shown(desk)


def test_shortage_in_setup(desk: Desk) -> None:
    """No Spot capacity from the start: ECS's words, and both ways out; then the dearer one works."""
    desk.sandbox.cloud.ecs.spot_available = False
    outcome = desk.setup()
    (refusal,) = outcome.refusals
    assert "Capacity is unavailable" in refusal.why
    assert "service.capacity=on-demand" in refusal.then
    desk.set(service__capacity="on-demand")
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)


def scaled(desk: Desk, count: int) -> tuple[list[Refusal], int]:
    """start or stop, as the verb does it: what was refused, and how many tasks then run."""
    engine = desk.engine()
    stack = desk.stack()
    engine.resources = stack.resources
    run = Run(Options(), StackFile(desk.path), stack, engine.doors, desk.clock)
    outcome = daily.scaled(run, engine, count)
    ecs = desk.cable.client("ecs")
    service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
    return outcome.refusals, service["runningCount"]


def test_two_tasks_throughout(desk: Desk) -> None:
    """Two from setup on; start, stop and schedule know the count; one taken back, the other answers."""
    desk.set(service__count="2")
    desk.setup()
    assert {"running": 2, "wanted": 2, "rollout": []} == shown(desk)
    found = desk.cable.client("scheduler").get_schedule(GroupName="news-bot", Name="start")
    assert 2 == json.loads(found["Target"]["Input"])["DesiredCount"]
    assert ([], 0) == scaled(desk, 0)
    assert ([], 2) == scaled(desk, 2)
    one = next(task for task in desk.sandbox.cloud.ecs.tasks if task.wanted)
    one.ask_to_stop(desk.clock.now(), "SpotInterruption", "Your Spot Task was interrupted.")
    for _second in range(120):
        desk.clock.advance(1)
        assert 200 == desk.sandbox.line.send("help", "U" + "1" * 32)["status"]
    assert {"running": 2, "wanted": 2, "rollout": []} == shown(desk)
