"""ECS: describing and listing services and tasks."""

import pytest

from tests.sandbox.aws.ecs.bot_service import Bot

INVALID = ("InvalidParameterException", 400)


@pytest.mark.behaviour("ecs.describe-service-missing")
def test_missing_service_is_a_failure(bot: Bot) -> None:
    """In the response, not an error."""
    answer = bot.ecs.describe_services(cluster="news", services=["other"])
    assert ["MISSING"] == [failure["reason"] for failure in answer["failures"]]


@pytest.mark.behaviour("ecs.describe-services-ten")
def test_eleven_services_are_too_many(bot: Bot) -> None:
    """Ten per call."""
    names = [f"bot{number}" for number in range(11)]
    expected = (*INVALID, "service names can have at most 10 items.")
    describe = bot.ecs.describe_services
    assert expected == bot.account.refusal(describe, cluster="news", services=names)


@pytest.mark.behaviour("ecs.list-services-ten")
def test_services_are_listed_by_ten(bot: Bot) -> None:
    """The eleventh is on the next page."""
    bot.definition()
    for number in range(11):
        bot.ecs.create_service(
            **bot.service_parameters(serviceName=f"bot{number:02}", desiredCount=0)
        )
    page = bot.ecs.list_services(cluster="news")
    assert 10 == len(page["serviceArns"])
    rest = bot.ecs.list_services(cluster="news", nextToken=page["nextToken"])
    assert 1 == len(rest["serviceArns"])
    assert 11 == len(bot.ecs.list_services(cluster="news", maxResults=100)["serviceArns"])


@pytest.mark.behaviour("ecs.list-token-unknown")
def test_token_that_no_list_gave(bot: Bot) -> None:
    """It is rejected."""
    refusal = bot.account.refusal(bot.ecs.list_tasks, cluster="news", nextToken="over there")
    assert INVALID == refusal[:2]


@pytest.mark.behaviour("ecs.list-page-size")
def test_page_that_is_too_long(bot: Bot) -> None:
    """A hundred at most."""
    refusal = bot.account.refusal(bot.ecs.list_tasks, cluster="news", maxResults=101)
    assert INVALID == refusal[:2]


@pytest.mark.behaviour("ecs.list-tasks-filters")
def test_tasks_by_service_family_starter(bot: Bot) -> None:
    """A service's task is started by its deployment; stopped ones are listed only on request."""
    bot.create()
    bot.steady()
    network = bot.service_parameters()["networkConfiguration"]
    run = {"cluster": "news", "taskDefinition": "bot", "networkConfiguration": network}
    (own,) = bot.ecs.run_task(**run, launchType="FARGATE", startedBy="me")["tasks"]

    def listed(**by: str) -> set[str]:
        return set(bot.ecs.list_tasks(cluster="news", **by)["taskArns"])

    (served,) = listed(serviceName="bot")
    assert (
        {served, own["taskArn"]} == listed(family="bot") == listed() == listed(launchType="FARGATE")
    )
    assert {own["taskArn"]} == listed(startedBy="me")
    assert {served} == listed(startedBy=bot.service()["deployments"][0]["id"])
    assert set() == listed(desiredStatus="STOPPED")
    bot.ecs.stop_task(cluster="news", task=own["taskArn"])
    assert {own["taskArn"]} == listed(desiredStatus="STOPPED")


@pytest.mark.behaviour("ecs.list-tasks-of-unknown-service")
def test_tasks_of_a_service_that_is_not_there(bot: Bot) -> None:
    """An error."""
    refusal = bot.account.refusal(bot.ecs.list_tasks, cluster="news", serviceName="other")
    assert ("ServiceNotFoundException", 400, "Service not found.") == refusal


@pytest.mark.behaviour("ecs.list-tasks-starter-alone")
def test_starter_beside_another_filter(bot: Bot) -> None:
    """An error."""
    given = {"cluster": "news", "startedBy": "me", "family": "bot"}
    assert INVALID == bot.account.refusal(bot.ecs.list_tasks, **given)[:2]


@pytest.mark.behaviour("ecs.describe-task-missing")
def test_missing_task_is_a_failure(bot: Bot) -> None:
    """In the response, not an error."""
    answer = bot.ecs.describe_tasks(cluster="news", tasks=["0" * 32])
    assert ["MISSING"] == [failure["reason"] for failure in answer["failures"]]


@pytest.mark.behaviour("ecs.describe-tasks-hundred")
def test_too_many_tasks(bot: Bot) -> None:
    """A hundred per call."""
    names = [f"{number:032}" for number in range(101)]
    describe = bot.ecs.describe_tasks
    assert INVALID == bot.account.refusal(describe, cluster="news", tasks=names)[:2]


@pytest.mark.behaviour("ecs.stop-task-unknown")
def test_stopping_a_task_that_is_not_there(bot: Bot) -> None:
    """An error."""
    refusal = bot.account.refusal(bot.ecs.stop_task, cluster="news", task="0" * 32)
    assert (*INVALID, "The referenced task was not found.") == refusal


@pytest.mark.behaviour("ecs.zone-rebalancing")
@pytest.mark.parametrize("value", ["ENABLED", "DISABLED"])
def test_zone_rebalancing_is_shown(bot: Bot, value: str) -> None:
    """The value that CreateService or UpdateService set is returned."""
    bot.create(desiredCount=0, availabilityZoneRebalancing=value)
    assert value == bot.service()["availabilityZoneRebalancing"]
    bot.ecs.update_service(cluster="news", service="bot", availabilityZoneRebalancing="DISABLED")
    assert "DISABLED" == bot.service()["availabilityZoneRebalancing"]
