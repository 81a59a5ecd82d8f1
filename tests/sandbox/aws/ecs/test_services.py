"""ECS services: they keep their tasks running, on the sandbox's clock."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.sandbox.aws.ecs.bot_service import Bot


def always_unhealthy(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """An application that fails every health check."""
    start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
    return [b"ill"]


@pytest.mark.behaviour("ecs.task-lifecycle", "ecs.rollout-state", "ecs.steady-state-event")
def test_service_becomes_steady(bot: Bot) -> None:
    """A task becomes PROVISIONING, PENDING, RUNNING; it is registered and healthy, and an event says so."""
    bot.create()
    assert ["PROVISIONING"] == [task["lastStatus"] for task in bot.shown()]
    bot.clock.advance(15)
    assert ["PENDING"] == [task["lastStatus"] for task in bot.shown()]
    assert 60 <= 15 + bot.steady() < 160
    (task,) = bot.shown()
    assert ("RUNNING", "FARGATE_SPOT") == (task["lastStatus"], task["capacityProviderName"])
    short = task["taskArn"].rpartition("/")[2]
    assert [
        f"(service bot) has started 1 tasks: (task {short}).",
        f"(service bot) registered 1 targets in (target-group {bot.group})",
        f"(service bot) (deployment {bot.service()['deployments'][0]['id']}) deployment completed.",
        "(service bot) has reached a steady state.",
    ] == bot.messages()
    health = bot.account.client("elbv2").describe_target_health(TargetGroupArn=bot.group)
    assert ["healthy"] == [t["TargetHealth"]["State"] for t in health["TargetHealthDescriptions"]]


def test_container_gets_its_environment(bot: Bot) -> None:
    """Variables from the task definition, secrets from Parameter Store, the region, and the task role's
    credentials.
    """
    bot.create()
    bot.steady()
    environment = dict(bot.tasks.started[0].environment)
    credentials = [name for name in environment if name.startswith(("AWS_ACC", "AWS_S"))]
    assert 3 == len([environment.pop(name) for name in credentials])
    assert {
        "NEWS_URL": "s3://news",
        "ACCESS_TOKEN": "the ACCESS_TOKEN",
        "CHANNEL_SECRET": "the CHANNEL_SECRET",
        "AWS_REGION": "ap-northeast-1",
    } == environment


@pytest.mark.behaviour("ecs.task-log-stream")
def test_container_logs_to_cloudwatch(bot: Bot) -> None:
    """Its lines are in the task definition's log group, one stream per task."""
    bot.create()
    bot.steady()
    bot.tasks.started[0].end(3, "it went wrong")
    bot.clock.advance(2)
    events = bot.account.client("logs").filter_log_events(logGroupName="/bot")["events"]
    assert ["it went wrong"] == [event["message"] for event in events]
    assert events[0]["logStreamName"].startswith("bot/bot/")


def test_service_shows_what_it_was_given(bot: Bot) -> None:
    """Strategy, network, circuit breaker, grace period and the task definition's ARN are returned."""
    bot.create(tags=[{"key": "provision:stack", "value": "news"}])
    answer = bot.ecs.describe_services(cluster="news", services=["bot"], include=["TAGS"])
    (service,) = answer["services"]
    parameters = bot.service_parameters()
    for key in (
        "capacityProviderStrategy",
        "networkConfiguration",
        "healthCheckGracePeriodSeconds",
    ):
        assert parameters[key] == service[key]
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert {"enable": True, "rollback": True} == breaker
    assert service["taskDefinition"].endswith("task-definition/bot:1")
    assert [{"key": "provision:stack", "value": "news"}] == service["tags"]
    assert "launchType" not in service


@pytest.mark.behaviour("ecs.dead-task-replaced", "ecs.essential-container-exits")
def test_dead_task_is_replaced(bot: Bot) -> None:
    """If the process ends, the task stops with its exit code and another one starts."""
    bot.create()
    bot.steady()
    bot.tasks.started[0].end(3)
    bot.clock.advance(2)
    (stopped,) = bot.shown("STOPPED")
    assert "Essential container in task exited" == stopped["stoppedReason"]
    assert "EssentialContainerExited" == stopped["stopCode"]
    bot.clock.advance(1)
    bot.steady()
    (stopped,) = bot.shown("STOPPED")
    assert [3] == [container["exitCode"] for container in stopped["containers"]]
    assert 2 == len(bot.tasks.started)
    assert 0 == bot.service()["deployments"][0]["failedTasks"]


@pytest.mark.behaviour("ecs.unhealthy-task-replaced")
def test_unhealthy_task_is_replaced(bot: Bot) -> None:
    """After failed health checks ECS reports it, stops the task, and starts another one."""
    bot.create()
    bot.steady()
    bot.tasks.started[0].application = always_unhealthy
    bot.clock.advance(40)
    bot.steady()
    (stopped,) = bot.shown("STOPPED")
    assert (
        f"Task failed ELB health checks in (target-group {bot.group})" == stopped["stoppedReason"]
    )
    messages = [message for message in bot.messages() if "is unhealthy in" in message]
    assert 1 == len(messages)
    assert "due to (reason Health checks failed with these codes: [500])." in messages[0]


def test_closed_security_group_fails_health_checks(bot: Bot) -> None:
    """A bot that does not admit the load balancer never becomes healthy."""
    bot.account.client("ec2").revoke_security_group_ingress(
        GroupId=bot.inner,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 8080,
                "ToPort": 8080,
                "UserIdGroupPairs": [{"GroupId": bot.outer}],
            }
        ],
    )
    bot.create()
    bot.clock.advance(80)
    messages = [message for message in bot.messages() if "is unhealthy in" in message]
    assert "due to (reason Request timed out)." in messages[0]


@pytest.mark.behaviour("ecs.task-drains-first")
def test_desired_count_zero_stops_everything(bot: Bot) -> None:
    """Deregistered, drained, SIGTERM, stopped; the interface is deleted last; nothing counts as ready."""
    bot.create()
    bot.steady()
    ended: list[str] = []
    inline = bot.tasks.started[0]

    def terminate() -> None:
        ended.append("SIGTERM")
        inline.end(0)

    inline.on_terminate = terminate
    bot.ecs.update_service(cluster="news", service="bot", desiredCount=0)
    bot.clock.advance(5)
    assert [] == ended, "it drains first"
    bot.clock.advance(10)
    assert ["SIGTERM"] == ended
    assert [] == bot.shown()
    assert (0, 0) == (bot.service()["runningCount"], bot.service()["desiredCount"])
    mine = [{"Name": "group-id", "Values": [bot.inner]}]
    ec2 = bot.account.client("ec2")
    assert 1 == len(ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"])
    bot.clock.advance(bot.account.cloud.delays.network_interfaces + 1)
    assert [] == ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    (stopped,) = bot.shown("STOPPED")
    assert "STOPPED" == stopped["lastStatus"]
    assert "has reached a steady state." in bot.messages()[-1]


@pytest.mark.behaviour("ecs.stop-timeout")
def test_stop_timeout_ends_in_a_kill(bot: Bot) -> None:
    """A container that ignores SIGTERM is killed after stopTimeout with exit code 137."""
    bot.create()
    bot.steady()
    bot.tasks.started[0].on_terminate = lambda: None
    bot.ecs.update_service(cluster="news", service="bot", desiredCount=0)
    bot.clock.advance(10 + 30 + 40)
    (stopped,) = bot.shown("STOPPED")
    assert [137] == [container["exitCode"] for container in stopped["containers"]]


@pytest.mark.behaviour("ecs.stop-task")
def test_stopped_task_is_replaced(bot: Bot) -> None:
    """After StopTask the reason is shown, and the service starts another task."""
    bot.create()
    bot.steady()
    (task,) = bot.shown()
    bot.ecs.stop_task(cluster="news", task=task["taskArn"], reason="trying")
    bot.clock.advance(2)
    bot.steady()
    assert ["trying"] == [stopped["stoppedReason"] for stopped in bot.shown("STOPPED")]
    assert 2 == len(bot.tasks.started)
