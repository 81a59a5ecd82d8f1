"""Fargate Spot takes tasks back or has none; several tasks at once, in every verb."""

import json
from typing import Any

from provision.cli import scaling
from provision.engine.inspector import Observation
from provision.errors import ProvisionError
from provision.run import Options, Run
from provision.state.stack_file import StackFile
from provision.status_report import tasks
from tests.provision.conftest import Env
from tests.provision.test_deploy import delays as delays  # AWS as slow as it is


def seen(env: Env) -> Observation:
    """What status sees of the tasks."""
    return env.engine().inspect()["steady_service"]


def shown(env: Env) -> dict[str, Any]:
    """What status prints of the tasks."""
    observations = env.engine().inspect()
    return tasks(observations[env.stack().service.key], observations["steady_service"])


def test_interruption_and_replacement(env: Env) -> None:
    """Taken back: status names Spot and shows the task that is started instead, until it has taken over."""
    env.setup()
    assert [] == shown(env)["rollout"]
    env.sandbox.cloud.ecs.interrupt("ap-northeast-1", "news-bot", "news-bot")
    env.clock.advance(2)
    told = shown(env)
    assert (0, 1) == (told["running"], told["wanted"])
    assert "1 interrupted by Spot; ECS starts replacements" in told["rollout"]
    assert "1 PROVISIONING" in told["rollout"][0]
    assert "not begun" != seen(env).waiting
    env.clock.advance(200)
    assert {"running": 1, "wanted": 1, "rollout": []} == shown(env)


def test_shortage_in_setup(env: Env) -> None:
    """No Spot capacity from the start: ECS's words, and both ways out; then the dearer one works."""
    env.sandbox.cloud.ecs.spot_available = False
    outcome = env.setup()
    (refusal,) = outcome.errors
    assert "Capacity is unavailable" in refusal.why
    assert "service.capacity=on-demand" in refusal.then
    env.set(service__capacity="on-demand")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


def scaled(env: Env, count: int) -> tuple[list[ProvisionError], int]:
    """start or stop, as the verb does it: what was refused, and how many tasks then run."""
    engine = env.engine()
    stack = env.stack()
    engine.resources = stack.resources
    run = Run(Options(), StackFile(env.path), stack, engine.clients, env.clock)
    outcome = scaling.scale_service(run, engine, count)
    ecs = env.aws_session.client("ecs")
    service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
    return outcome.errors, service["runningCount"]


def test_two_tasks_throughout(env: Env) -> None:
    """Two from setup on; start, stop and schedule know the count; one taken back, the other answers."""
    env.set(service__count="2")
    env.setup()
    assert {"running": 2, "wanted": 2, "rollout": []} == shown(env)
    found = env.aws_session.client("scheduler").get_schedule(GroupName="news-bot", Name="start")
    assert 2 == json.loads(found["Target"]["Input"])["DesiredCount"]
    assert ([], 0) == scaled(env, 0)
    assert ([], 2) == scaled(env, 2)
    one = next(task for task in env.sandbox.cloud.ecs.tasks if task.should_run)
    one.stop(env.clock.now(), "SpotInterruption", "Your Spot Task was interrupted.")
    for _second in range(120):
        env.clock.advance(1)
        assert 200 == env.sandbox.line.send("help", "U" + "1" * 32)["status"]
    assert {"running": 2, "wanted": 2, "rollout": []} == shown(env)
