"""Resources known only from their record: they are no longer in stack.py, and their settings are gone."""

from types import SimpleNamespace
from typing import Any

from provision.resources.base import Clients, ExternalUse
from provision.resources.cluster import Cluster
from provision.resources.service import Service

CLUSTER = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/news-bot"
SERVICE = "arn:aws:ecs:ap-northeast-1:123456789012:service/news-bot/news-bot"


def clients(**calls: Any) -> Clients:
    """Return clients whose ECS client answers these calls only."""
    ecs = SimpleNamespace(
        **{name: lambda answer=answer, **_: answer for name, answer in calls.items()}
    )
    return Clients(SimpleNamespace(ecs=ecs), None, None)  # type: ignore[arg-type]


def test_cluster_is_named_by_its_key() -> None:
    """A foreign task in the cluster is reported with the cluster's name."""
    pages = {"list_tasks": [{"taskArns": []}, {"taskArns": ["foreign"]}]}
    ecs = clients(describe_tasks={"tasks": [{"taskArn": "foreign", "group": "family:foreign"}]})
    ecs.aws.ecs.get_paginator = lambda name: SimpleNamespace(
        paginate=lambda **_: pages.get(name, [])
    )
    cluster = Cluster.from_record("news-bot", "cluster/news-bot", {"arn": CLUSTER})
    assert [ExternalUse("news-bot: foreign")] == cluster.external_uses(ecs, frozenset())


def test_service_without_capacity_provider_strategy() -> None:
    """It is found although neither the emulator nor a setting knows its capacity."""
    live = {"serviceArn": SERVICE, "clusterArn": CLUSTER, "status": "ACTIVE"}
    outputs = {"arn": SERVICE, "cluster_arn": CLUSTER}
    service = Service.from_record("news-bot", "service/news-bot", outputs)
    found = service.find(clients(describe_services={"services": [live]}))
    assert found is not None
    assert (SERVICE, "") == (found["serviceArn"], found["Counted"])
