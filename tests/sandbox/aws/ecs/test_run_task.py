"""ECS RunTask: programs that run once, in the sandbox as on Fargate."""

import json
from typing import Any

import pytest

from tests.sandbox.aws.ecs.bot_service import TRUST, Bot

INVALID = ("InvalidParameterException", 400)
COLLECT = ("python", "-m", "collector")


def run_parameters(bot: Bot, **more: Any) -> dict[str, Any]:
    """Return the parameters of RunTask; None leaves one out."""
    given = {
        "cluster": "news",
        "taskDefinition": "bot",
        "launchType": "FARGATE",
        "networkConfiguration": bot.service_parameters()["networkConfiguration"],
    } | more
    return {key: value for key, value in given.items() if value is not None}


def run(bot: Bot, **more: Any) -> tuple[str, int, str]:
    """Return the error for such a task."""
    refusal: tuple[str, int, str] = bot.account.refusal(
        bot.ecs.run_task, **run_parameters(bot, **more)
    )
    return refusal


def override(**more: Any) -> dict[str, Any]:
    """Return the parameter overrides, for the bot's container."""
    return {"overrides": {"containerOverrides": [{"name": "bot", **more}]}}


def described(bot: Bot, arn: str) -> dict[str, Any]:
    """Return the task as it is now."""
    found = bot.ecs.describe_tasks(cluster="news", tasks=[arn], include=["TAGS"])["tasks"]
    assert found, "the task is there"
    return dict(found[0])


@pytest.fixture
def registered(bot: Bot) -> Bot:
    """Return the bot with its task definition registered."""
    bot.definition()
    return bot


@pytest.mark.behaviour("ecs.run-task")
def test_program_runs_once(registered: Bot) -> None:
    """Command and variables of the override, secrets of the definition; it is not restarted."""
    seen: list[dict[str, str]] = []

    def collect(environment: dict[str, str]) -> int:
        seen.append(environment)
        return 3

    registered.tasks.programs[COLLECT] = collect
    variables = [{"name": "NEWS_URL", "value": "s3://other"}, {"name": "ONCE", "value": "1"}]
    tag = {"key": "why", "value": "test"}
    more = override(command=list(COLLECT), environment=variables)
    answer = registered.ecs.run_task(
        **run_parameters(registered, startedBy="me", tags=[tag], **more)
    )
    (task,) = answer["tasks"]
    assert [] == answer["failures"]
    assert ("PROVISIONING", "family:bot", "me", "FARGATE") == (
        task["lastStatus"],
        task["group"],
        task["startedBy"],
        task["launchType"],
    )
    assert "ElasticNetworkInterface" == task["attachments"][0]["type"]
    statuses = []
    while "STOPPED" not in statuses:
        statuses.append(described(registered, task["taskArn"])["lastStatus"])
        registered.clock.advance(2)
        assert 100 > len(statuses)
    order = sorted(set(statuses), key=statuses.index)
    assert ["PROVISIONING", "PENDING"] == order[:2]
    assert ["DEPROVISIONING", "STOPPED"] == order[-2:]
    assert ("s3://other", "1", "the ACCESS_TOKEN") == (
        seen[0]["NEWS_URL"],
        seen[0]["ONCE"],
        seen[0]["ACCESS_TOKEN"],
    )
    stopped = described(registered, task["taskArn"])
    assert ("EssentialContainerExited", "Essential container in task exited") == (
        stopped["stopCode"],
        stopped["stoppedReason"],
    )
    assert [3] == [container["exitCode"] for container in stopped["containers"]]
    assert [tag] == stopped["tags"]
    registered.clock.advance(60)
    assert 1 == len(registered.tasks.started)


def test_started_task_runs_until_it_is_stopped(registered: Bot) -> None:
    """A web server without a load balancer: no health check, SIGTERM at once."""
    (task,) = registered.ecs.run_task(**run_parameters(registered))["tasks"]
    registered.clock.advance(120)
    assert "RUNNING" == described(registered, task["taskArn"])["lastStatus"]
    registered.ecs.stop_task(cluster="news", task=task["taskArn"], reason="enough")
    registered.clock.advance(40)
    stopped = described(registered, task["taskArn"])
    assert ("STOPPED", "UserInitiated", "enough") == (
        stopped["lastStatus"],
        stopped["stopCode"],
        stopped["stoppedReason"],
    )


def test_start_that_fails_says_why(registered: Bot) -> None:
    """As for a service's task."""
    registered.account.client("ssm").delete_parameter(Name="ACCESS_TOKEN")
    (task,) = registered.ecs.run_task(**run_parameters(registered))["tasks"]
    registered.clock.advance(35)
    failed = described(registered, task["taskArn"])
    assert "TaskFailedToStart" == failed["stopCode"]
    assert failed["stoppedReason"].endswith("invalid parameters: ACCESS_TOKEN")


@pytest.mark.behaviour("ecs.run-task-token-repeated")
def test_client_token_with_same_parameters(registered: Bot) -> None:
    """The same token and parameters return the same task."""
    (first,) = registered.ecs.run_task(**run_parameters(registered, clientToken="once"))["tasks"]
    (again,) = registered.ecs.run_task(**run_parameters(registered, clientToken="once"))["tasks"]
    assert first["taskArn"] == again["taskArn"]
    registered.clock.step = 600.0
    registered.clock.advance(24 * 3600)
    (later,) = registered.ecs.run_task(**run_parameters(registered, clientToken="once"))["tasks"]
    assert first["taskArn"] != later["taskArn"], "a token lives a day"


@pytest.mark.behaviour("ecs.run-task-token-conflict")
def test_client_token_with_other_parameters(registered: Bot) -> None:
    """The same token with another count is an error."""
    registered.ecs.run_task(**run_parameters(registered, clientToken="once"))
    code, status, _ = run(registered, clientToken="once", count=2)
    assert ("ConflictException", 400) == (code, status)


@pytest.mark.behaviour("ecs.run-task-count")
def test_eleven_tasks_are_too_many(registered: Bot) -> None:
    """Ten are accepted, and spread over all zones."""
    assert INVALID == run(registered, count=11)[:2]
    tasks = registered.ecs.run_task(**run_parameters(registered, count=10))["tasks"]
    assert (10, 3) == (len(tasks), len({task["availabilityZone"] for task in tasks}))


@pytest.mark.behaviour("ecs.run-task-fresh-role")
def test_fresh_role_is_refused(registered: Bot) -> None:
    """A service would wait; RunTask fails."""
    iam = registered.account.client("iam")
    fresh = iam.create_role(RoleName="new", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    registered.definition(taskRoleArn=fresh)
    code, status, message = run(registered)
    assert ("ClientException", 400) == (code, status)
    assert message.startswith(f"ECS was unable to assume the role '{fresh}'")
    registered.clock.advance(registered.account.cloud.delays.role)
    registered.ecs.run_task(**run_parameters(registered))


@pytest.mark.behaviour("ecs.run-task-on-ec2-without-instances")
def test_no_launch_type_is_ec2(registered: Bot) -> None:
    """And there are no instances."""
    expected = (*INVALID, "No Container Instances were found in your cluster.")
    assert expected == run(registered, launchType=None)


@pytest.mark.behaviour("ecs.override-of-unknown-container")
def test_override_of_unknown_container(registered: Bot) -> None:
    """The container's name is misspelt."""
    given = {"containerOverrides": [{"name": "bto", "command": ["ls"]}]}
    assert (
        *INVALID,
        "Override for container named bto is not a container in the TaskDefinition.",
    ) == run(registered, overrides=given)


@pytest.mark.behaviour("ecs.overrides-too-long")
def test_overrides_that_are_too_long(registered: Bot) -> None:
    """8,192 characters."""
    variable = {"name": "LONG", "value": "x" * 8192}
    expected = (*INVALID, "Container Overrides length must be at most 8192")
    assert expected == run(registered, **override(environment=[variable]))


@pytest.mark.behaviour("ecs.run-task-no-spot-capacity")
def test_no_spot_capacity_is_a_failure_in_the_answer(registered: Bot) -> None:
    """No error is raised: it is in `failures`."""
    registered.account.cloud.ecs.spot_available = False
    entry = {"capacityProvider": "FARGATE_SPOT", "weight": 1}
    given = run_parameters(registered, launchType=None, capacityProviderStrategy=[entry])
    answer = registered.ecs.run_task(**given)
    assert [] == answer["tasks"]
    assert [
        "Capacity is unavailable at this time. Please try again later or in a different "
        "availability zone"
    ] == [failure["reason"] for failure in answer["failures"]]


def test_starter_has_an_alphabet(registered: Bot) -> None:
    """Letters, digits, - / _, up to 128."""
    for starter in ("me & you", "x" * 129):
        assert INVALID == run(registered, startedBy=starter)[:2]


def test_schedule_runs_the_program(registered: Bot) -> None:
    """EventBridge Scheduler with an ECS cluster as its target starts the same task."""
    registered.tasks.programs[COLLECT] = lambda environment: 0
    iam = registered.account.client("iam")
    trust = TRUST.replace("ecs-tasks", "scheduler")
    role = iam.create_role(RoleName="clock", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    may = {"Effect": "Allow", "Action": ["ecs:RunTask", "iam:PassRole"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_role_policy(RoleName="clock", PolicyName="run", PolicyDocument=policy)
    registered.clock.advance(registered.account.cloud.delays.role)
    network = registered.service_parameters()["networkConfiguration"]["awsvpcConfiguration"]
    definition = registered.ecs.describe_task_definition(taskDefinition="bot")["taskDefinition"]
    cluster = registered.ecs.describe_clusters(clusters=["news"])["clusters"][0]
    target = {
        "Arn": cluster["clusterArn"],
        "RoleArn": role,
        "Input": json.dumps(override(command=list(COLLECT))["overrides"]),
        "EcsParameters": {
            "TaskDefinitionArn": definition["taskDefinitionArn"],
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {
                "awsvpcConfiguration": {
                    "Subnets": network["subnets"],
                    "SecurityGroups": network["securityGroups"],
                    "AssignPublicIp": "ENABLED",
                }
            },
        },
    }
    registered.account.client("scheduler").create_schedule(
        Name="collect",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    registered.clock.step = 10.0
    registered.clock.advance(60)
    before = len(registered.tasks.started)
    registered.clock.advance(3600)
    assert before + 1 == len(registered.tasks.started)
    assert (COLLECT, 0) == (
        registered.tasks.started[-1].command,
        registered.tasks.started[-1].exit_code,
    )
