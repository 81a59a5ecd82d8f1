"""ECS task definitions: what is rejected, and the life of revisions."""

from typing import Any

import pytest

from tests.sandbox.aws.ecs.bot_service import Bot

CLIENT = ("ClientException", 400)
NEEDING = "Fargate requires task definition to have execution role ARN to support"


def register(bot: Bot, **more: Any) -> tuple[str, int, str]:
    """Return the error for a task definition with these parameters; None leaves one out."""
    refusal: tuple[str, int, str] = bot.account.refusal(bot.definition, **more)
    return refusal


def container(bot: Bot, **more: Any) -> dict[str, Any]:
    """Return the parameter containerDefinitions with these differences; None leaves one out."""
    given = bot.container() | more
    return {
        "containerDefinitions": [{key: value for key, value in given.items() if value is not None}]
    }


@pytest.mark.behaviour("ecs.family-name")
def test_family_name(bot: Bot) -> None:
    """Characters and length."""
    for name in ("news bot", "ニュース", "b" * 256):
        assert CLIENT == register(bot, family=name)[:2]


@pytest.mark.behaviour("ecs.container-name")
def test_container_name(bot: Bot) -> None:
    """Characters, and no name twice."""
    assert CLIENT == register(bot, **container(bot, name="news bot"))[:2]
    twice = container(bot)["containerDefinitions"] * 2
    assert CLIENT == register(bot, containerDefinitions=twice)[:2]


@pytest.mark.behaviour("ecs.fargate-cpu-and-memory")
def test_fargate_sizes(bot: Bot) -> None:
    """CPU and memory are required, and only some pairs are valid."""
    code, status, message = register(bot, memory="256")
    assert CLIENT == (code, status)
    assert message.startswith("No Fargate configuration exists for given values: 256 CPU")
    assert CLIENT == register(bot, cpu="300")[:2]
    expected = (*CLIENT, "Fargate requires that 'memory' be defined at the task level.")
    assert expected == register(bot, memory=None)
    bot.definition(cpu="1024", memory="8192")


@pytest.mark.behaviour("ecs.units")
@pytest.mark.parametrize(
    ("cpu", "memory", "stored"),
    [
        (".25 vCPU", "2 GB", ("256", "2048")),
        ("0.25 vcpu", "1GB", ("256", "1024")),
        ("1 vCPU", "4GB", ("1024", "4096")),
        ("512", "1 GB", ("512", "1024")),
        (".25 vCPU", "0.5GB", ("256", "512")),
    ],
)
def test_units(bot: Bot, cpu: str, memory: str, stored: tuple[str, str]) -> None:
    """vCPUs become CPU units, GB become MiB."""
    arn = bot.definition(cpu=cpu, memory=memory)
    found = bot.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert stored == (found["cpu"], found["memory"])


@pytest.mark.behaviour("ecs.fargate-network-mode")
def test_fargate_has_one_network_mode(bot: Bot) -> None:
    """awsvpc."""
    expected = (*CLIENT, "Fargate only supports network mode ‘awsvpc’.")
    assert expected == register(bot, networkMode="bridge")


@pytest.mark.behaviour("ecs.log-driver-needs-role")
def test_logs_need_a_role(bot: Bot) -> None:
    """The execution role writes them."""
    more = container(bot, secrets=None)
    expected = (*CLIENT, f"{NEEDING} log driver awslogs.")
    assert expected == register(bot, executionRoleArn=None, **more)


@pytest.mark.behaviour("ecs.secrets-need-role")
def test_secrets_need_a_role(bot: Bot) -> None:
    """The execution role reads them."""
    more = container(bot, logConfiguration=None)
    code, status, message = register(bot, executionRoleArn=None, **more)
    assert CLIENT == (code, status)
    assert message.startswith("When you are specifying container secrets,")


@pytest.mark.behaviour("ecs.ecr-image-needs-role")
def test_private_image_needs_a_role(bot: Bot) -> None:
    """The execution role pulls it."""
    image = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/bot:1"
    more = container(bot, logConfiguration=None, secrets=None, image=image)
    expected = (*CLIENT, f"{NEEDING} ECR images.")
    assert expected == register(bot, executionRoleArn=None, **more)


@pytest.mark.behaviour("ecs.awslogs-options")
def test_log_options(bot: Bot) -> None:
    """Group, region and stream prefix."""
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/bot"}}
    assert (
        *CLIENT,
        "Log driver awslogs requires options: awslogs-region, awslogs-stream-prefix",
    ) == register(bot, **container(bot, logConfiguration=log))


@pytest.mark.behaviour("ecs.host-port-differs")
def test_host_port(bot: Bot) -> None:
    """It must equal the container port."""
    mapping = {"containerPort": 8080, "hostPort": 80}
    assert (
        *CLIENT,
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    ) == register(bot, **container(bot, portMappings=[mapping]))


@pytest.mark.behaviour("ecs.stop-timeout-too-long")
def test_stop_timeout(bot: Bot) -> None:
    """Two minutes at most."""
    assert CLIENT == register(bot, **container(bot, stopTimeout=121))[:2]
    bot.definition(**container(bot, stopTimeout=120))


@pytest.mark.behaviour("ecs.no-essential-container")
def test_no_essential_container(bot: Bot) -> None:
    """One container has to be essential."""
    assert CLIENT == register(bot, **container(bot, essential=False))[:2]


@pytest.mark.behaviour("ecs.role-not-an-arn")
def test_invalid_role(bot: Bot) -> None:
    """Neither a role's ARN nor a role's name."""
    expected = (*CLIENT, "Role is not valid")
    assert expected == register(bot, taskRoleArn="arn:aws:iam::123456789012:user/bot")


@pytest.mark.behaviour("ecs.family-is-its-latest-active-revision")
def test_family_is_its_latest_active_revision(bot: Bot) -> None:
    """Deregistered revisions are ignored."""
    first, second = bot.definition(), bot.definition()
    bot.ecs.deregister_task_definition(taskDefinition=second)
    shown = bot.ecs.describe_task_definition(taskDefinition="bot")["taskDefinition"]
    assert first == shown["taskDefinitionArn"]


@pytest.mark.behaviour("ecs.list-definitions-sorted")
def test_revisions_are_listed_in_order(bot: Bot) -> None:
    """Newest first on request, by status, in pages."""
    arns = [bot.definition() for _ in range(11)]
    listed = bot.ecs.list_task_definitions(familyPrefix="bot", sort="DESC")
    assert arns[::-1] == listed["taskDefinitionArns"]
    page = bot.ecs.list_task_definitions(familyPrefix="bot", maxResults=10)
    assert arns[:10] == page["taskDefinitionArns"]
    rest = bot.ecs.list_task_definitions(
        familyPrefix="bot", maxResults=10, nextToken=page["nextToken"]
    )
    assert arns[10:] == rest["taskDefinitionArns"]


@pytest.mark.behaviour("ecs.delete-definition-still-active")
def test_active_revision_is_not_deleted(bot: Bot) -> None:
    """It has to be deregistered first."""
    arn = bot.definition()
    answer = bot.ecs.delete_task_definitions(taskDefinitions=[arn])
    assert [arn] == [failure["arn"] for failure in answer["failures"]]
    assert "still in ACTIVE status" in answer["failures"][0]["reason"]


@pytest.mark.behaviour("ecs.delete-definitions-ten")
def test_eleven_revisions_are_too_many(bot: Bot) -> None:
    """Ten per call."""
    delete, arns = bot.ecs.delete_task_definitions, [f"bot:{number}" for number in range(1, 12)]
    code, status, _ = bot.account.refusal(delete, taskDefinitions=arns)
    assert ("InvalidParameterException", 400) == (code, status)


@pytest.mark.behaviour("ecs.definition-delete-in-progress")
def test_deleted_revision_waits_for_its_users(bot: Bot) -> None:
    """DELETE_IN_PROGRESS until the service is gone, then unknown."""
    arn = bot.definition()
    bot.ecs.create_service(**bot.service_parameters())
    bot.ecs.deregister_task_definition(taskDefinition=arn)
    answer = bot.ecs.delete_task_definitions(taskDefinitions=[arn])
    assert ["DELETE_IN_PROGRESS"] == [d["status"] for d in answer["taskDefinitions"]]
    bot.clock.advance(5)
    going = bot.ecs.list_task_definitions(status="DELETE_IN_PROGRESS")["taskDefinitionArns"]
    assert [arn] == going, "the service still runs it"
    bot.ecs.delete_service(cluster="news", service="bot", force=True)
    bot.until(lambda service: service["status"] == "INACTIVE")
    assert [] == bot.ecs.list_task_definitions(status="DELETE_IN_PROGRESS")["taskDefinitionArns"]
    refusal = bot.account.refusal(bot.ecs.describe_task_definition, taskDefinition=arn)
    assert (*CLIENT, "Unable to describe task definition.") == refusal
