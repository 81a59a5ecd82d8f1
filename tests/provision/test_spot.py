"""Fargate Spot interrupts tasks or has no capacity; several tasks at once, in every command."""

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


def observed_tasks(env: Env) -> Observation:
    """Return the observation of the tasks."""
    return env.engine().inspect()["steady_service"]


def tasks_status(env: Env) -> dict[str, Any]:
    """Return what status prints about the tasks."""
    observations = env.engine().inspect()
    return tasks(observations[env.stack().service.key], observations["steady_service"])


def test_interruption_and_replacement(env: Env) -> None:
    """status mentions Spot and shows the replacement until it has taken over."""
    env.setup()
    assert [] == tasks_status(env)["rollout"]
    env.sandbox.cloud.ecs.interrupt("ap-northeast-1", "news-bot", "news-bot")
    env.clock.advance(2)
    status = tasks_status(env)
    assert (0, 1) == (status["running"], status["wanted"])
    assert "1 interrupted by Spot; ECS starts replacements" in status["rollout"]
    assert "new: 1 starting, 1 stopping" == status["rollout"][0]
    assert "not begun" != observed_tasks(env).waiting
    env.clock.advance(200)
    assert {"running": 1, "wanted": 1, "rollout": []} == tasks_status(env)


def test_setup_without_spot_capacity(env: Env) -> None:
    """ECS's message and both alternatives are shown; on-demand capacity then works."""
    env.sandbox.cloud.ecs.spot_available = False
    outcome = env.setup()
    (refusal,) = outcome.errors
    assert "Capacity is unavailable" in refusal.why
    assert "service.capacity=on-demand" in refusal.then
    env.set(service__capacity="on-demand")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


def scale(env: Env, count: int) -> tuple[list[ProvisionError], int]:
    """Run start or stop; return the errors, and how many tasks then run."""
    engine = env.engine()
    stack = env.stack()
    engine.resources = stack.resources
    run = Run(Options(), StackFile(env.path), stack, engine.clients, env.clock)
    outcome = scaling.scale_service(run, engine, count)
    ecs = env.aws_session.client("ecs")
    service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
    return outcome.errors, service["runningCount"]


def target_states(env: Env) -> list[str]:
    """Return the health of the load balancer's targets."""
    elbv2 = env.aws_session.client("elbv2")
    (group,) = elbv2.describe_target_groups()["TargetGroups"]
    health = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    return [each["TargetHealth"]["State"] for each in health["TargetHealthDescriptions"]]


def test_start_waits_for_the_first_answer(env: Env) -> None:
    """A running task is not enough: here the load balancer reaches it only later."""
    env.setup()
    assert ([], 0) == scale(env, 0)
    ec2 = env.aws_session.client("ec2")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    (group,) = [each for each in groups if each["GroupName"] == "news-bot-bot"]
    rules = {"GroupId": group["GroupId"], "IpPermissions": group["IpPermissions"]}
    ec2.revoke_security_group_ingress(**rules)
    began = env.clock.now()

    def reachable() -> None:
        if rules and env.clock.now() - began > 70:
            ec2.authorize_security_group_ingress(**rules)
            rules.clear()

    env.clock.on_advance(reachable)
    assert ([], 1) == scale(env, 1)
    assert ["healthy"] == target_states(env)
    assert 200 == env.sandbox.line.send("help", "U" + "1" * 32)["status"]


def test_two_tasks(env: Env) -> None:
    """Start, stop and schedule use the count; if one task is interrupted, the other answers."""
    env.set(service__count="2")
    env.setup()
    assert {"running": 2, "wanted": 2, "rollout": []} == tasks_status(env)
    found = env.aws_session.client("scheduler").get_schedule(GroupName="news-bot", Name="start")
    assert 2 == json.loads(found["Target"]["Input"])["DesiredCount"]
    assert ([], 0) == scale(env, 0)
    assert ([], 2) == scale(env, 2)
    assert ["healthy", "healthy"] == target_states(env)
    one = next(task for task in env.sandbox.cloud.ecs.tasks if task.should_run)
    one.stop(env.clock.now(), "SpotInterruption", "Your Spot Task was interrupted.")
    for _second in range(120):
        env.clock.advance(1)
        assert 200 == env.sandbox.line.send("help", "U" + "1" * 32)["status"]
    assert {"running": 2, "wanted": 2, "rollout": []} == tasks_status(env)
