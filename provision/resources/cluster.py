"""The ECS cluster: a name under which Fargate runs the service."""

from typing import Any, ClassVar

from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Resource,
    Tagged,
    flat,
    listed,
    marked,
    output,
    resource,
)
from provision.resources.role import EcsServiceLinkedRole

PROVIDERS = ["FARGATE", "FARGATE_SPOT"]


@resource
class Cluster(Resource):
    """A cluster with both Fargate capacity providers."""

    name: str
    service_linked_role: EcsServiceLinkedRole
    arn: str = output("clusterArn")
    by_name = True
    console = "Amazon ECS"
    last: ClassVar[bool] = True  # "cannot be deleted while Services are active", DRAINING ones too
    not_found = ("ClusterNotFoundException",)
    retry = (
        "InvalidParameterException: service linked role",
        "ClusterContainsServicesException",
        "ClusterContainsTasksException",
        "UpdateInProgressException",
        "ResourceInUseException",
        "ClientException: Cluster was not ACTIVE",
    )

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """ListClusters has no prefix; a cluster that is INACTIVE or on its way there does not count."""
        ecs, found = clients.aws.ecs, []
        for page in ecs.get_paginator("list_clusters").paginate():  # 100 a page, as Describe takes
            if page["clusterArns"]:
                answer = ecs.describe_clusters(clusters=page["clusterArns"], include=["TAGS"])
                found += [c for c in answer["clusters"] if c["status"] in ("ACTIVE", "FAILED")]
        told = ((flat(cluster.get("tags", [])), cluster) for cluster in found)
        return [(tags, dict(cluster)) for tags, cluster in told if marked(tags, stack)]

    def find(self, clients: Clients) -> Live | None:
        """By ARN, else by name; an INACTIVE one counts as none."""
        answer = clients.aws.ecs.describe_clusters(
            clusters=[self.arn or self.name], include=["TAGS"]
        )
        for cluster in answer["clusters"]:
            if cluster["status"] != "INACTIVE":
                return {**cluster, "Providers": sorted(cluster.get("capacityProviders", []))}
        return None

    def create(self, clients: Clients) -> Live | None:
        """CreateCluster, with the capacity providers at once: attaching them later can be refused."""
        answer = clients.aws.ecs.create_cluster(
            clusterName=self.name,
            capacityProviders=PROVIDERS,
            tags=listed(self.tags, "key", "value"),
        )
        return {
            **answer["cluster"],
            "Providers": sorted(answer["cluster"].get("capacityProviders", [])),
        }

    def desired(self) -> dict[str, Any]:
        """Both providers."""
        return {"Providers": PROVIDERS}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """PutClusterCapacityProviders."""
        clients.aws.ecs.put_cluster_capacity_providers(
            cluster=self.arn, capacityProviders=PROVIDERS, defaultCapacityProviderStrategy=[]
        )

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Services and tasks that others run in it. ours: also a service of ours whose record has gone."""
        ecs, where = clients.aws.ecs, self.arn
        arns = [
            arn
            for page in ecs.get_paginator("list_services").paginate(cluster=where)
            for arn in page["serviceArns"]
            if arn not in ours
        ]
        found = []
        for start in range(0, len(arns), 10):
            some = arns[start : start + 10]
            answer = ecs.describe_services(cluster=where, services=some, include=["TAGS"])
            found += [
                live["serviceName"]
                for live in answer["services"]
                if live["status"] == "ACTIVE" and not marked(flat(live.get("tags", [])), self.stack)
            ]
        tasks = ecs.list_tasks(cluster=where)["taskArns"]
        told = ecs.describe_tasks(cluster=where, tasks=tasks)["tasks"] if tasks else []
        own = f"family:{self.stack}-collector"  # whoever ran it: setup, or a schedule of ours
        groups = [(t["taskArn"], str(t.get("group", ""))) for t in told]
        alone = [arn for arn, group in groups if group != own and not group.startswith("service:")]
        return [ExternalUse(f"{self.identity()}: {name}") for name in (*found, *alone)]

    def delete(self, clients: Clients) -> None:
        """DeleteCluster."""
        clients.aws.ecs.delete_cluster(cluster=self.arn)
