"""ECS clusters: names, capacity providers, and deletion."""

import json
from typing import Any

import pytest

from tests.sandbox.aws.ecs.bot_service import Bot
from tests.sandbox.conftest import Account

INVALID = ("InvalidParameterException", 400)
BOTH = ["FARGATE", "FARGATE_SPOT"]


def providers(bot: Bot, *names: str) -> dict[str, Any]:
    """Return the parameters of PutClusterCapacityProviders."""
    return {
        "cluster": "news",
        "capacityProviders": list(names),
        "defaultCapacityProviderStrategy": [],
    }


@pytest.mark.behaviour("ecs.service-linked-role-created")
def test_first_cluster_creates_the_service_linked_role(account: Account) -> None:
    """The first call creates the role; creating it again is refused."""
    iam = account.client("iam")
    account.client("ecs").create_cluster(clusterName="news")
    path = "/aws-service-role/ecs.amazonaws.com/"
    assert path == iam.get_role(RoleName="AWSServiceRoleForECS")["Role"]["Path"]
    create = iam.create_service_linked_role
    assert "InvalidInput" == account.refusal(create, AWSServiceName="ecs.amazonaws.com")[0]


@pytest.mark.behaviour("ecs.service-linked-role-missing")
def test_caller_who_may_not_create_the_service_linked_role(account: Account) -> None:
    """The first use of ECS is refused; once somebody else has created the role, it is not."""
    iam = account.client("iam")
    iam.create_user(UserName="maria")
    statement = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="maria", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="maria")["AccessKey"]
    ecs = account.aws_session.caller(key)("ecs")
    assert (
        *INVALID,
        "Unable to assume the service linked role. Please verify that the ECS service linked role "
        "exists.",
    ) == account.refusal(ecs.create_cluster, clusterName="news")
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    ecs.create_cluster(clusterName="news")


@pytest.mark.behaviour("ecs.cluster-name")
def test_cluster_name(bot: Bot) -> None:
    """Characters and length."""
    for name in ("news bot", "ニュース", "b" * 256):
        refusal = bot.account.refusal(bot.ecs.create_cluster, clusterName=name)
        assert INVALID == refusal[:2]


@pytest.mark.behaviour("ecs.create-cluster-again")
def test_cluster_that_is_there(bot: Bot) -> None:
    """The existing cluster is returned unchanged."""
    again = bot.ecs.create_cluster(clusterName="news")["cluster"]
    assert BOTH == again.get("capacityProviders")


@pytest.mark.behaviour("ecs.capacity-provider-unknown")
def test_capacity_provider_that_is_not_there(bot: Bot) -> None:
    """Only Fargate's two are known."""
    create = bot.ecs.create_cluster
    refusal = bot.account.refusal(create, clusterName="new", capacityProviders=["FARGATE_SPOTS"])
    assert INVALID == refusal[:2]
    put = bot.ecs.put_cluster_capacity_providers
    assert INVALID == bot.account.refusal(put, **providers(bot, "mine"))[:2]


@pytest.mark.behaviour("ecs.fargate-providers")
def test_capacity_providers_of_every_account(account: Account) -> None:
    """Fargate's two are there without being created."""
    found = account.client("ecs").describe_capacity_providers()["capacityProviders"]
    assert ["FARGATE", "FARGATE_SPOT"] == [provider["name"] for provider in found]


@pytest.mark.behaviour("ecs.capacity-provider-in-use")
def test_capacity_provider_that_a_service_uses(bot: Bot) -> None:
    """It cannot be removed."""
    bot.create()
    put = bot.ecs.put_cluster_capacity_providers
    code, status, _ = bot.account.refusal(put, **providers(bot, "FARGATE"))
    assert ("ResourceInUseException", 400) == (code, status)


@pytest.mark.behaviour("ecs.cluster-update-in-progress")
def test_cluster_that_is_being_changed(bot: Bot) -> None:
    """One change at a time, including deletion."""
    put = bot.ecs.put_cluster_capacity_providers
    put(**providers(bot, "FARGATE"))
    code, status, message = bot.account.refusal(put, **providers(bot, *BOTH))
    assert ("UpdateInProgressException", 400) == (code, status)
    assert message.startswith("The specified cluster is in a busy state.")
    refusal = bot.account.refusal(bot.ecs.delete_cluster, cluster="news")
    assert "UpdateInProgressException" == refusal[0]
    bot.clock.advance(bot.account.cloud.delays.cluster_attachments)
    put(**providers(bot, *BOTH))


@pytest.mark.behaviour("ecs.cluster-counts")
def test_cluster_counts(bot: Bot) -> None:
    """Its services and tasks."""
    bot.create(desiredCount=2)
    bot.steady()
    cluster = bot.ecs.describe_clusters(clusters=["news"])["clusters"][0]
    assert (2, 0, 1) == (
        cluster["runningTasksCount"],
        cluster["pendingTasksCount"],
        cluster["activeServicesCount"],
    )


@pytest.mark.behaviour("ecs.cluster-with-services")
def test_cluster_with_a_service(bot: Bot) -> None:
    """A draining service prevents its deletion too."""
    bot.create()
    delete, expected = bot.ecs.delete_cluster, "ClusterContainsServicesException"
    assert (expected, 400) == bot.account.refusal(delete, cluster="news")[:2]
    bot.ecs.delete_service(cluster="news", service="bot", force=True)
    assert expected == bot.account.refusal(delete, cluster="news")[0]
    bot.until(lambda service: service["status"] == "INACTIVE")
    delete(cluster="news")


@pytest.mark.behaviour("ecs.cluster-with-tasks")
def test_cluster_with_a_task(bot: Bot) -> None:
    """A standalone task prevents its deletion until it has stopped."""
    bot.definition()
    network = bot.service_parameters()["networkConfiguration"]
    run = {"cluster": "news", "taskDefinition": "bot", "networkConfiguration": network}
    (task,) = bot.ecs.run_task(**run, launchType="FARGATE")["tasks"]
    code, status, _ = bot.account.refusal(bot.ecs.delete_cluster, cluster="news")
    assert ("ClusterContainsTasksException", 400) == (code, status)
    bot.ecs.stop_task(cluster="news", task=task["taskArn"])
    bot.clock.advance(bot.account.cloud.delays.network_interfaces + 5)
    bot.ecs.delete_cluster(cluster="news")


@pytest.mark.behaviour("ecs.deleted-cluster-inactive")
def test_deleted_cluster_is_inactive(bot: Bot) -> None:
    """It is described, but not listed."""
    bot.ecs.delete_cluster(cluster="news")
    assert "INACTIVE" == bot.ecs.describe_clusters(clusters=["news"])["clusters"][0]["status"]
    assert [] == bot.ecs.list_clusters()["clusterArns"]


@pytest.mark.behaviour("ecs.cluster-unknown")
def test_cluster_that_is_not_there(bot: Bot) -> None:
    """For all calls with a cluster."""
    expected = ("ClusterNotFoundException", 400, "Cluster not found.")
    refuse = bot.account.refusal
    assert expected == refuse(bot.ecs.describe_services, cluster="other", services=["bot"])
    assert expected == refuse(bot.ecs.list_tasks, cluster="other")
    bot.ecs.delete_cluster(cluster="news")
    assert expected == refuse(bot.ecs.list_services, cluster="news")


def test_default_strategy_is_used(bot: Bot) -> None:
    """For a service without strategy and launch type."""
    entry = {"capacityProvider": "FARGATE", "weight": 1, "base": 0}
    bot.ecs.put_cluster_capacity_providers(
        **providers(bot, *BOTH) | {"defaultCapacityProviderStrategy": [entry]}
    )
    bot.definition()
    parameters = bot.service_parameters()
    del parameters["capacityProviderStrategy"]
    bot.ecs.create_service(**parameters)
    bot.clock.advance(2)
    assert ["FARGATE"] == [task["capacityProviderName"] for task in bot.shown()]
