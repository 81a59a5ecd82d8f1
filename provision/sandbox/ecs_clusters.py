"""ECS clusters: what they refuse, what they count, and how they are shown when they are gone."""

from typing import TYPE_CHECKING, Any

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import Answer, after, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

_SERVICE_LINKED_ROLE = "AWSServiceRoleForECS"


def find_cluster(cloud: "Cloud", region: str, name: str | None) -> Any:
    """Moto's ACTIVE cluster for a name, an ARN, or None (the one called default)."""
    wanted = (name or "default").rpartition("/")[2]
    cluster = cloud.backend("ecs", region).clusters.get(wanted)
    if cluster is None or cluster.status != "ACTIVE":
        raise Refusal("ClusterNotFoundException", "Cluster not found.")
    return cluster


def need_service_linked_role(cloud: "Cloud") -> None:
    """Amazon ECS Developer Guide, service-linked roles: the first use of ECS in an account."""
    if cloud.iam.role(_SERVICE_LINKED_ROLE) is None:
        raise Refusal(
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked "
            "role exists.",
        )


@before("ecs", "CreateCluster")
def cluster_can_be(cloud: "Cloud", call: Call) -> Answer | None:
    """API CreateCluster: needs the service-linked role; a name that is there gives that cluster."""
    need_service_linked_role(cloud)
    name = call.params.get("clusterName") or "default"
    known = cloud.backend("ecs", call.region).clusters.get(name)
    if known is not None and known.status == "ACTIVE":
        return {"cluster": _describe(cloud, call.region, known)}
    return None


@after("ecs", "DescribeClusters")
def counted(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API DescribeClusters: how many services and tasks there are."""
    for cluster in answer.get("clusters", []):
        cluster.update(_counts(cloud, call.region, cluster["clusterName"]))


@before("ecs", "ListClusters")
def only_active_ones(cloud: "Cloud", call: Call) -> Answer:
    """API DeleteCluster: an INACTIVE cluster can be described, not listed."""
    clusters = cloud.backend("ecs", call.region).clusters.values()
    return {"clusterArns": [cluster.arn for cluster in clusters if cluster.status == "ACTIVE"]}


@before("ecs", "DeleteCluster")
def cluster_is_empty(cloud: "Cloud", call: Call) -> None:
    """API DeleteCluster: ClusterContainsServicesException, ClusterContainsTasksException."""
    name = find_cluster(cloud, call.region, call.params.get("cluster")).name
    for (region, cluster, _), service in cloud.ecs.services.items():
        if (region, cluster) == (call.region, name) and service.status != "INACTIVE":
            raise Refusal(
                "ClusterContainsServicesException",
                "The Cluster cannot be deleted while Services are active.",
            )
    for task in cloud.ecs.tasks:
        if (task.region, task.cluster) == (call.region, name) and task.last_status != "STOPPED":
            raise Refusal(
                "ClusterContainsTasksException",
                "The Cluster cannot be deleted while Tasks are active.",
            )


@before("ecs", "UpdateCluster", "PutClusterCapacityProviders")
def cluster_is_there(cloud: "Cloud", call: Call) -> None:
    """API UpdateCluster, PutClusterCapacityProviders: ClusterNotFoundException."""
    find_cluster(cloud, call.region, call.params.get("cluster"))


def _counts(cloud: "Cloud", region: str, name: str) -> dict[str, int]:
    tasks = [task for task in cloud.ecs.tasks if (task.region, task.cluster) == (region, name)]
    active = [
        service
        for (at, cluster, _), service in cloud.ecs.services.items()
        if (at, cluster) == (region, name) and service.status == "ACTIVE"
    ]
    return {
        "runningTasksCount": sum(1 for task in tasks if task.running),
        "pendingTasksCount": sum(1 for task in tasks if task.wanted and not task.running),
        "activeServicesCount": len(active),
    }


def _describe(cloud: "Cloud", region: str, cluster: Any) -> dict[str, Any]:
    return {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": 0,
        "tags": cluster.tags or [],
        "settings": cluster.settings,
        "capacityProviders": cluster.capacity_providers or [],
        "defaultCapacityProviderStrategy": cluster.default_capacity_provider_strategy or [],
        **_counts(cloud, region, cluster.name),
    }
