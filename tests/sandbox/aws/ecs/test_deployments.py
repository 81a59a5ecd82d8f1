"""ECS deployments: rolling updates, failures, rollbacks."""

from typing import Any

import pytest

from provision.sandbox.tasks.runners import Application, healthy_application
from tests.sandbox.aws.ecs.bot_service import Bot, is_steady
from tests.sandbox.conftest import REGION


def counts(bot: Bot) -> set[int]:
    """Return how many tasks ran at the same time until the service was steady."""
    seen = set()

    def over(service: dict[str, Any]) -> bool:
        seen.add(service["runningCount"])
        return is_steady(service)

    bot.until(over, within=600)
    return seen


def percents(least: int, most: int) -> dict[str, Any]:
    """Return the deployment configuration with these percentages."""
    return {
        "deploymentConfiguration": {"minimumHealthyPercent": least, "maximumPercent": most},
    }


@pytest.mark.behaviour("ecs.minimum-healthy-percent")
def test_new_definition_rolls(bot: Bot) -> None:
    """The new task is healthy before the old one stops; then one deployment is left."""
    bot.create()
    bot.steady()
    new = bot.definition()
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition="bot")
    assert ["PRIMARY", "ACTIVE"] == [d["status"] for d in bot.service()["deployments"]]
    running = set()

    def over(service: dict[str, Any]) -> bool:
        running.add(service["runningCount"])
        return is_steady(service)

    bot.until(over)
    assert {1, 2} == running
    assert new == bot.service()["taskDefinition"]
    assert [new] == [task["taskDefinitionArn"] for task in bot.shown()]


@pytest.mark.behaviour("ecs.circuit-breaker-rolls-back")
def test_circuit_breaker_rolls_back(bot: Bot) -> None:
    """Three failed tasks end a deployment; the service returns to the last completed one."""
    bot.create()
    bot.steady()
    old = bot.service()["taskDefinition"]

    def broken_three_times(environment: dict[str, str]) -> Application:
        if len(bot.tasks.started) <= 3:
            raise ValueError("a bug")
        return healthy_application

    bot.tasks.application = broken_three_times
    bot.definition()
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition="bot")
    bot.until(lambda service: service["deployments"][0]["failedTasks"] == 2)
    bot.until(lambda service: service["taskDefinition"] == old)
    bot.steady()
    joined = "\n".join(bot.messages())
    assert "deployment failed: tasks failed to start." in joined
    assert "rolling back to deployment" in joined
    assert 1 == len(bot.shown())


@pytest.mark.behaviour("ecs.circuit-breaker-nothing-to-go-back-to")
def test_first_deployment_can_fail(bot: Bot) -> None:
    """Without a completed one to return to, it stays FAILED and no more tasks start."""

    def broken(environment: dict[str, str]) -> Application:
        raise ValueError("a bug")

    bot.tasks.application = broken
    bot.create()
    bot.until(lambda service: service["deployments"][0]["rolloutState"] == "FAILED")
    assert 3 == bot.service()["deployments"][0]["failedTasks"]
    started = len(bot.tasks.started)
    bot.clock.advance(100)
    assert started == len(bot.tasks.started)


@pytest.mark.behaviour("ecs.maximum-percent")
def test_no_room_for_a_second_task(bot: Bot) -> None:
    """With 0 and 100 percent the old task stops before the new one starts."""
    bot.create(**percents(0, 100))
    bot.steady()
    bot.definition()
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition="bot")
    assert {0, 1} == counts(bot)
    assert 2 == len(bot.tasks.started)


def test_half_of_them_roll_at_a_time(bot: Bot) -> None:
    """Four tasks, 50 and 100 percent: two stop, two start, and again."""
    bot.create(desiredCount=4, **percents(50, 100))
    bot.steady()
    bot.definition()
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition="bot")
    seen = counts(bot)
    assert (2, 4) == (min(seen), max(seen))


@pytest.mark.behaviour("ecs.deployment-blocked-by-its-percents")
def test_deployment_that_cannot_move(bot: Bot) -> None:
    """One task, 100 and 150 percent: 1.5 is rounded to one, which has to keep running."""
    bot.create(**percents(100, 150))
    bot.steady()
    bot.definition()
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition="bot")
    bot.clock.advance(120)
    messages = [
        m for m in bot.messages() if "unable to stop or start tasks during a deployment" in m
    ]
    assert 1 == len(messages)
    assert 1 == len(bot.tasks.started)
    bot.ecs.update_service(cluster="news", service="bot", **percents(100, 200))
    bot.steady()


@pytest.mark.behaviour("ecs.superseded-deployment-makes-room")
@pytest.mark.parametrize("count", [1, 2])
def test_superseded_deployment_makes_room(bot: Bot, count: int) -> None:
    """A bad deployment's starting tasks fill maximumPercent: the next deployment does not wait for them."""
    bot.create(desiredCount=count)
    bot.steady()
    old, well = bot.service()["taskDefinition"], {task["taskArn"] for task in bot.shown()}
    bot.definition()
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition="bot")
    bot.clock.advance(5)
    bad = {task["taskArn"] for task in bot.shown()} - well
    assert count == len(bad)
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition=old)
    bot.clock.advance(3)
    assert bad == {task["taskArn"] for task in bot.shown("STOPPED")}
    primary = bot.service()["deployments"][0]
    new = {task["taskArn"] for task in bot.shown() if task["startedBy"] == primary["id"]}
    assert count == len(new)
    assert well | new == {task["taskArn"] for task in bot.shown()}, "what serves goes on serving"
    bot.steady()
    assert new == {task["taskArn"] for task in bot.shown()}


@pytest.mark.behaviour("ecs.circuit-breaker-threshold")
def test_threshold_is_half_the_desired_count(bot: Bot) -> None:
    """Eight tasks: four failed ones, not three, end the deployment."""

    def broken(environment: dict[str, str]) -> Application:
        if len(bot.tasks.started) < 4:
            raise ValueError("a bug")
        return healthy_application

    bot.tasks.application = broken
    bot.create(desiredCount=8)
    bot.until(lambda service: service["deployments"][0]["failedTasks"] >= 3)
    deployment = bot.until_deployment("FAILED")
    assert 4 <= deployment["failedTasks"]
    assert (
        "ECS deployment circuit breaker: tasks failed to start."
        == (deployment["rolloutStateReason"])
    )


@pytest.mark.behaviour("ecs.restarts-are-throttled")
def test_failed_starts_are_retried_with_growing_pauses(bot: Bot) -> None:
    """After three tasks that never ran, ECS waits longer each time; a new deployment does not wait."""
    bot.account.client("ssm").delete_parameter(Name="CHANNEL_SECRET")
    bot.create(deploymentConfiguration={"deploymentCircuitBreaker": _breaker(False)})
    bot.clock.advance(400)
    messages = [m for m in bot.messages() if "unable to consistently start tasks successfully" in m]
    assert messages
    assert 3 <= len(bot.shown("STOPPED")) <= 6, "unthrottled there would be a dozen"
    bot.account.client("ssm").put_parameter(Name="CHANNEL_SECRET", Value="v", Type="SecureString")
    bot.ecs.update_service(cluster="news", service="bot", forceNewDeployment=True)
    assert 160 > bot.steady()


def _breaker(on: bool) -> dict[str, bool]:
    return {"enable": on, "rollback": on}


@pytest.mark.behaviour("ecs.failed-start-is-an-event")
def test_failed_start_is_told(bot: Bot) -> None:
    """The stoppedReason is in the events."""
    bot.account.client("ssm").delete_parameter(Name="CHANNEL_SECRET")
    bot.create()
    bot.clock.advance(40)
    message = (
        "(service bot) was unable to place a task. Reason: ResourceInitializationError: unable"
    )
    assert message in "\n".join(bot.messages())


@pytest.mark.behaviour("ecs.health-check-grace-period")
def test_grace_period_forgives(bot: Bot) -> None:
    """A bot that needs a minute to become healthy is not replaced within the grace period."""
    ill_until = bot.clock.now() + 30 + 60

    def slow(environ: dict[str, Any], start_response: Any) -> Any:
        if bot.clock.now() < ill_until:
            start_response("503 Service Unavailable", [])
            return [b""]
        return healthy_application(environ, start_response)

    bot.tasks.application = lambda environment: slow
    bot.create(healthCheckGracePeriodSeconds=90)
    bot.steady()
    assert 1 == len(bot.tasks.started)


@pytest.mark.behaviour("ecs.tasks-spread-over-zones")
def test_tasks_are_spread(bot: Bot) -> None:
    """Three tasks in three zones; a replacement starts where one is missing."""
    bot.create(desiredCount=3)
    bot.clock.advance(5)
    zones = {task["availabilityZone"] for task in bot.shown()}
    assert 3 == len(zones)
    bot.steady()
    gone = bot.shown()[1]
    bot.ecs.stop_task(cluster="news", task=gone["taskArn"])
    bot.clock.advance(3)
    assert zones == {task["availabilityZone"] for task in bot.shown()}


@pytest.mark.behaviour("ec2.address-used-once")
def test_task_in_a_full_subnet(bot: Bot) -> None:
    """It is placed once there is an address for it."""
    ec2 = bot.account.cloud.ec2
    small = bot.account.client("ec2").create_subnet(
        VpcId=bot.account.vpc(), CidrBlock="172.31.255.0/28"
    )["Subnet"]
    held = [ec2.attach(REGION, small["SubnetId"], [], "another's") for _ in range(11)]
    network = bot.service_parameters()["networkConfiguration"]["awsvpcConfiguration"]
    network["subnets"] = [small["SubnetId"]]
    bot.create(networkConfiguration={"awsvpcConfiguration": network})
    bot.clock.advance(5)
    assert (
        "(service bot) was unable to place a task. Reason: InsufficientFreeAddressesInSubnet: There "
        f"are not enough free addresses in subnet '{small['SubnetId']}' to satisfy the requested "
        "number of instances." == bot.messages()[-1]
    )
    assert [] == bot.shown()
    ec2.release(REGION, held[0].id)
    bot.steady()


@pytest.mark.behaviour("ecs.propagate-tags")
def test_tags_go_on_to_the_tasks(bot: Bot) -> None:
    """With propagateTags SERVICE a task has the service's tags; otherwise none."""
    tag = {"key": "stack", "value": "news"}
    bot.create(tags=[tag], propagateTags="SERVICE")
    bot.clock.advance(2)
    arns = bot.ecs.list_tasks(cluster="news")["taskArns"]
    (task,) = bot.ecs.describe_tasks(cluster="news", tasks=arns, include=["TAGS"])["tasks"]
    assert [tag] == task["tags"]
    bot.ecs.create_service(**bot.service_parameters(serviceName="plain", tags=[tag]))
    bot.clock.advance(2)
    arns = bot.ecs.list_tasks(cluster="news", serviceName="plain")["taskArns"]
    (task,) = bot.ecs.describe_tasks(cluster="news", tasks=arns, include=["TAGS"])["tasks"]
    assert [] == task["tags"]
