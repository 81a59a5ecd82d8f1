"""ECS in the sandbox: services keep their tasks running, on the clock, and say no as AWS does."""

from collections.abc import Iterable
from typing import Any

import pytest

from provision.sandbox.tasks import Application, always_well
from tests.sandbox.conftest import Account
from tests.sandbox.newsbot import TRUST, Bot, is_steady


def always_ill(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """An application that fails every health check."""
    start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
    return [b"ill"]


@pytest.fixture
def bot(account: Account) -> Bot:
    """Everything but the service."""
    made = Bot(account)
    account.clock.step = 200.0  # nothing that is watched happens meanwhile
    made.settle()
    account.clock.step = 1.0
    return made


def test_service_becomes_steady(bot: Bot) -> None:
    """A task goes PROVISIONING, PENDING, RUNNING; it is registered, healthy; the service says so."""
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
    """Variables from the task definition, secrets from Parameter Store, the region from Fargate; and
    credentials of the task role."""
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


def test_container_logs_to_cloudwatch(bot: Bot) -> None:
    """Its lines arrive in the log group of the task definition, a stream per task."""
    bot.create()
    bot.steady()
    bot.tasks.started[0].end(3, "it went wrong")
    bot.clock.advance(2)
    events = bot.account.client("logs").filter_log_events(logGroupName="/bot")["events"]
    assert ["it went wrong"] == [event["message"] for event in events]
    assert events[0]["logStreamName"].startswith("bot/bot/")


def test_service_shows_what_it_was_given(bot: Bot) -> None:
    """Strategy, network, breaker, grace period and the task definition's ARN come back."""
    bot.create(tags=[{"key": "provision:stack", "value": "news"}])
    answer = bot.ecs.describe_services(cluster="news", services=["bot"], include=["TAGS"])
    (service,) = answer["services"]
    wish = bot.wish()
    for key in (
        "capacityProviderStrategy",
        "networkConfiguration",
        "healthCheckGracePeriodSeconds",
    ):
        assert wish[key] == service[key]
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert {"enable": True, "rollback": True} == breaker
    assert service["taskDefinition"].endswith("task-definition/bot:1")
    assert [{"key": "provision:stack", "value": "news"}] == service["tags"]
    assert "launchType" not in service


def test_dead_task_is_replaced(bot: Bot) -> None:
    """The process ends: the task stops with its exit code, another one takes its place."""
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


def test_unhealthy_task_is_replaced(bot: Bot) -> None:
    """Health checks fail: ECS says so, stops the task, and starts another one."""
    bot.create()
    bot.steady()
    bot.tasks.started[0].application = always_ill
    bot.clock.advance(40)
    bot.steady()
    (stopped,) = bot.shown("STOPPED")
    assert (
        f"Task failed ELB health checks in (target-group {bot.group})" == stopped["stoppedReason"]
    )
    said = [message for message in bot.messages() if "is unhealthy in" in message]
    assert 1 == len(said)
    assert "due to (reason Health checks failed with these codes: [500])." in said[0]


def test_closed_security_group_fails_health_checks(bot: Bot) -> None:
    """A bot that does not let the load balancer in never becomes healthy."""
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
    said = [message for message in bot.messages() if "is unhealthy in" in message]
    assert "due to (reason Request timed out)." in said[0]


def test_desired_count_zero_stops_everything(bot: Bot) -> None:
    """Deregistered, drained, SIGTERM, stopped; the interface goes last; nothing counts as ready."""
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


def test_stop_timeout_ends_in_a_kill(bot: Bot) -> None:
    """A container that ignores SIGTERM is killed stopTimeout later: exit code 137."""
    bot.create()
    bot.steady()
    bot.tasks.started[0].on_terminate = lambda: None
    bot.ecs.update_service(cluster="news", service="bot", desiredCount=0)
    bot.clock.advance(10 + 30 + 40)
    (stopped,) = bot.shown("STOPPED")
    assert [137] == [container["exitCode"] for container in stopped["containers"]]


def test_stop_task_is_made_up_for(bot: Bot) -> None:
    """StopTask by a person: the reason is shown, the service starts another task."""
    bot.create()
    bot.steady()
    (task,) = bot.shown()
    bot.ecs.stop_task(cluster="news", task=task["taskArn"], reason="trying")
    bot.clock.advance(2)
    bot.steady()
    assert ["trying"] == [stopped["stoppedReason"] for stopped in bot.shown("STOPPED")]
    assert 2 == len(bot.tasks.started)


def test_new_definition_rolls(bot: Bot) -> None:
    """The new task is up and healthy before the old one goes; then one deployment is left."""
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


def test_circuit_breaker_rolls_back(bot: Bot) -> None:
    """Three failed tasks end a deployment; the service goes back to the last completed one."""
    bot.create()
    bot.steady()
    old = bot.service()["taskDefinition"]

    def broken_three_times(environment: dict[str, str]) -> Application:
        if len(bot.tasks.started) <= 3:
            raise ValueError("a bug")
        return always_well

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


def test_first_deployment_can_fail(bot: Bot) -> None:
    """With nothing to go back to, it stays FAILED and no more tasks start."""

    def broken(environment: dict[str, str]) -> Application:
        raise ValueError("a bug")

    bot.tasks.application = broken
    bot.create()
    bot.until(lambda service: service["deployments"][0]["rolloutState"] == "FAILED")
    assert 3 == bot.service()["deployments"][0]["failedTasks"]
    started = len(bot.tasks.started)
    bot.clock.advance(100)
    assert started == len(bot.tasks.started)


def test_missing_secret_is_named(bot: Bot) -> None:
    """The task stops before its container starts, naming the parameter."""
    bot.account.client("ssm").delete_parameter(Name="CHANNEL_SECRET")
    bot.create()
    bot.clock.advance(35)
    reason = bot.shown("STOPPED")[0]["stoppedReason"]
    assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth")
    assert reason.endswith("invalid parameters: CHANNEL_SECRET")
    assert [] == bot.tasks.started


def test_missing_log_group_is_named(bot: Bot) -> None:
    """awslogs needs its group before the container starts."""
    bot.account.client("logs").delete_log_group(logGroupName="/bot")
    bot.create()
    bot.clock.advance(35)
    assert "The specified log group does not exist" in bot.shown("STOPPED")[0]["stoppedReason"]


def test_private_task_in_public_subnet_reaches_nothing(bot: Bot) -> None:
    """Without a public address there is no road out of a public subnet."""
    network = bot.wish()["networkConfiguration"]
    network["awsvpcConfiguration"]["assignPublicIp"] = "DISABLED"
    bot.create(networkConfiguration=network)
    bot.clock.advance(35)
    assert "i/o timeout" in bot.shown("STOPPED")[0]["stoppedReason"]


def test_fresh_role_costs_half_a_minute(bot: Bot) -> None:
    """A role nobody knows yet: an event, no task; 30 seconds later it works."""
    fresh = bot.account.client("iam").create_role(RoleName="new", AssumeRolePolicyDocument=TRUST)
    bot.definition(executionRoleArn=fresh["Role"]["Arn"])
    bot.ecs.create_service(**bot.wish())
    bot.clock.advance(20)
    assert [] == bot.shown()
    assert "ECS was unable to assume the role" in bot.messages()[0]
    bot.clock.advance(15)
    assert 1 == len(bot.shown())


def test_spot_shortage_is_an_event(bot: Bot) -> None:
    """No API error; tasks come when capacity does."""
    bot.account.cloud.ecs.spot_available = False
    bot.create()
    bot.clock.advance(10)
    assert "(service bot) was unable to place a task." in bot.messages()[0]
    bot.account.cloud.ecs.spot_available = True
    bot.clock.advance(30)
    assert 1 == len(bot.shown())


def test_deleted_service_drains(bot: Bot) -> None:
    """force; DRAINING blocks the name and the cluster, INACTIVE does neither."""
    bot.create()
    bot.steady()
    refusal = bot.account.refusal(bot.ecs.delete_service, cluster="news", service="bot")
    assert (
        "InvalidParameterException",
        400,
        "The service cannot be stopped while it is scaled above 0.",
    ) == refusal
    bot.ecs.delete_service(cluster="news", service="bot", force=True)
    assert "DRAINING" == bot.service()["status"]
    refusal = bot.account.refusal(bot.ecs.create_service, **bot.wish())
    assert "Unable to Start a service that is still Draining." == refusal[2]
    refusal = bot.account.refusal(bot.ecs.delete_cluster, cluster="news")
    assert "ClusterContainsServicesException" == refusal[0]
    bot.until(lambda service: service["status"] == "INACTIVE")
    assert [] == bot.ecs.list_services(cluster="news")["serviceArns"]
    bot.ecs.create_service(**bot.wish())
    bot.steady()


def test_cluster_outlives_its_tasks(bot: Bot) -> None:
    """It goes when its services are INACTIVE, stays describable as INACTIVE, and is listed no more."""
    bot.create()
    bot.steady()
    cluster = bot.ecs.describe_clusters(clusters=["news"])["clusters"][0]
    assert (1, 1) == (cluster["runningTasksCount"], cluster["activeServicesCount"])
    bot.ecs.delete_service(cluster="news", service="bot", force=True)
    bot.until(lambda service: service["status"] == "INACTIVE")
    bot.ecs.delete_cluster(cluster="news")
    assert "INACTIVE" == bot.ecs.describe_clusters(clusters=["news"])["clusters"][0]["status"]
    assert [] == bot.ecs.list_clusters()["clusterArns"]
    refusal = bot.account.refusal(bot.ecs.describe_services, cluster="news", services=["bot"])
    assert ("ClusterNotFoundException", 400, "Cluster not found.") == refusal


def test_service_refuses_what_does_not_fit(bot: Bot) -> None:
    """Container, port, target group, provider, name in use: AWS's words."""
    bot.definition()
    refuse = bot.account.refusal
    create = bot.ecs.create_service

    def balancer(**more: Any) -> dict[str, Any]:
        return bot.wish(loadBalancers=[bot.wish()["loadBalancers"][0] | more])

    assert (
        "InvalidParameterException",
        400,
        "The container web does not exist in the task definition.",
    ) == refuse(create, **balancer(containerName="web"))
    assert (
        "The container bot did not have a container port 80 defined."
        == (refuse(create, **balancer(containerPort=80))[2])
    )
    lonely = bot.account.target_group("lonely")
    assert (
        "InvalidParameterException",
        400,
        f"The target group with targetGroupArn {lonely} does not have an associated load balancer.",
    ) == refuse(create, **balancer(targetGroupArn=lonely))
    create(**bot.wish())
    assert "Creation of service was not idempotent." == refuse(create, **bot.wish())[2]
    answer = bot.ecs.describe_services(cluster="news", services=["other"])
    assert ["MISSING"] == [failure["reason"] for failure in answer["failures"]]


def test_client_token_makes_create_repeatable(bot: Bot) -> None:
    """The same token again: the same service, no error."""
    bot.definition()
    first = bot.ecs.create_service(**bot.wish(clientToken="once"))["service"]
    again = bot.ecs.create_service(**bot.wish(clientToken="once"))["service"]
    assert first["serviceArn"] == again["serviceArn"]


def test_ecs_needs_its_service_linked_role(account: Account) -> None:
    """The first use in an account."""
    refusal = account.refusal(account.client("ecs").create_cluster, clusterName="news")
    assert (
        "InvalidParameterException",
        400,
        "Unable to assume the service linked role. Please verify that the ECS service linked role "
        "exists.",
    ) == refusal


def test_fargate_refuses_definitions(bot: Bot) -> None:
    """CPU and memory that do not go together; no execution role where one is needed."""
    refuse = bot.account.refusal
    code, status, message = refuse(bot.definition, memory="256")
    assert ("ClientException", 400) == (code, status)
    assert message.startswith("No Fargate configuration exists for given values: 256 CPU")
    assert (
        "ClientException",
        400,
        "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    ) == refuse(bot.definition, executionRoleArn=None)


def test_definitions_come_and_go(bot: Bot) -> None:
    """Sorted and by status; a family is its latest ACTIVE revision; deletion waits for users."""
    first, second = bot.definition(), bot.definition()
    listed = bot.ecs.list_task_definitions(familyPrefix="bot", sort="DESC")
    assert [second, first] == listed["taskDefinitionArns"]
    bot.ecs.create_service(**bot.wish())
    bot.ecs.deregister_task_definition(taskDefinition=second)
    shown = bot.ecs.describe_task_definition(taskDefinition="bot")["taskDefinition"]
    assert first == shown["taskDefinitionArn"]
    answer = bot.ecs.delete_task_definitions(taskDefinitions=[first, second])
    assert [first] == [failure["arn"] for failure in answer["failures"]]
    assert ["DELETE_IN_PROGRESS"] == [d["status"] for d in answer["taskDefinitions"]]
    bot.clock.advance(5)
    still = bot.ecs.list_task_definitions(status="DELETE_IN_PROGRESS")["taskDefinitionArns"]
    assert [second] == still, "the service still runs it"
    bot.ecs.delete_service(cluster="news", service="bot", force=True)
    bot.until(lambda service: service["status"] == "INACTIVE")
    assert [] == bot.ecs.list_task_definitions(status="DELETE_IN_PROGRESS")["taskDefinitionArns"]
    code, _, message = bot.account.refusal(bot.ecs.describe_task_definition, taskDefinition=second)
    assert ("ClientException", "Unable to describe task definition.") == (code, message)
