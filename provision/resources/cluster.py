"""Create the ECS cluster."""

from typing import Any

from provision.clients.aws import list_items
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    Live,
    Permission,
    Resource,
    Tagged,
    arn_pattern,
    has_stack_tag,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)
from provision.resources.role import EcsServiceLinkedRole

PROVIDERS = ["FARGATE", "FARGATE_SPOT"]


@resource
class Cluster(Resource):
    """A cluster with both Fargate capacity providers."""

    name: str
    service_linked_role: EcsServiceLinkedRole
    arn: str = output("clusterArn", arn_pattern("cluster/"))
    console = "Amazon ECS"
    deletion = Deletion(
        # "The cluster cannot be deleted while Services are active", DRAINING ones included.
        after_dependents=True,
    )
    errors = Errors(
        not_found=("ClusterNotFoundException",),
        retry=(
            "InvalidParameterException: service linked role",
            "ClusterContainsServicesException",
            "ClusterContainsTasksException",
            "UpdateInProgressException",
            "ResourceInUseException",
            "ClientException: Cluster was not ACTIVE",
        ),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions; every cluster is read to find the stack's by its tags."""
        name = identity_in(self.key)
        cluster = f"cluster/{name}"
        inside = {"ArnLike": {"ecs:cluster": f"arn:*:ecs:*:*:cluster/{name}"}}
        return [
            Permission("read", "ecs", "DescribeClusters", "cluster/*"),
            Permission("read", "ecs", "ListClusters"),
            Permission("read", "ecs", "ListServices ListTasks", condition=inside),
            Permission("read", "ecs", "DescribeTasks", f"task/{name}/*"),
            Permission("create", "ecs", "CreateCluster TagResource", cluster),
            Permission("create", "ecs", "PutClusterCapacityProviders", cluster),
            Permission("delete", "ecs", "DeleteCluster", cluster),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return active clusters by tags (ListClusters has no filter)."""
        ecs, found = clients.aws.ecs, []
        for page in ecs.get_paginator("list_clusters").paginate():  # 100 a page, as Describe takes
            if page["clusterArns"]:
                answer = ecs.describe_clusters(clusters=page["clusterArns"], include=["TAGS"])
                found += [c for c in answer["clusters"] if c["status"] in ("ACTIVE", "FAILED")]
        tagged = ((tags_to_dict(cluster.get("tags", [])), cluster) for cluster in found)
        return [(tags, dict(cluster)) for tags, cluster in tagged if has_stack_tag(tags, stack)]

    def lookup_needs(self) -> list[Resource]:
        """Return [], because it is found by name."""
        return []

    def find(self, clients: Clients) -> Live | None:
        """Find the cluster by ARN, else by name; an INACTIVE one counts as not found."""
        answer = clients.aws.ecs.describe_clusters(
            clusters=[self.arn or self.name], include=["TAGS"]
        )
        for cluster in answer["clusters"]:
            mine = (self.arn or self.name) in (cluster["clusterArn"], cluster.get("clusterName"))
            if mine and cluster["status"] != "INACTIVE":
                return {**cluster, "Providers": sorted(cluster.get("capacityProviders", []))}
        return None

    def create(self, clients: Clients) -> Live | None:
        """Call CreateCluster with the capacity providers, because attaching them later can be refused."""
        answer = clients.aws.ecs.create_cluster(
            clusterName=self.name,
            capacityProviders=PROVIDERS,
            tags=tags_to_list(self.tags, "key", "value"),
        )
        return {
            **answer["cluster"],
            "Providers": sorted(answer["cluster"].get("capacityProviders", [])),
        }

    def desired(self) -> dict[str, Any]:
        """Return both capacity providers."""
        return {"Providers": PROVIDERS}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call PutClusterCapacityProviders."""
        clients.aws.ecs.put_cluster_capacity_providers(
            cluster=self.arn, capacityProviders=PROVIDERS, defaultCapacityProviderStrategy=[]
        )

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return services without the stack's tags, and tasks of neither a service nor the collector."""
        ecs = clients.aws.ecs
        every = list_items(ecs, "list_services", "serviceArns", cluster=self.arn)
        arns = [arn for arn in every if arn not in ours]
        services = []
        for start in range(0, len(arns), 10):
            batch = arns[start : start + 10]
            answer = ecs.describe_services(cluster=self.arn, services=batch, include=["TAGS"])
            services += [
                live["serviceName"]
                for live in answer["services"]
                if live["status"] == "ACTIVE"
                and not has_stack_tag(tags_to_dict(live.get("tags", [])), self.stack)
            ]
        tasks = list_tasks(clients, self.arn)
        collector = f"family:{self.stack}-collector"  # started by setup or by the stack's schedule
        groups = [(task["taskArn"], str(task.get("group", ""))) for task in tasks]
        single = [
            arn for arn, group in groups if group != collector and not group.startswith("service:")
        ]
        return [ExternalUse(f"{identity_in(self.key)}: {name}") for name in (*services, *single)]

    def delete(self, clients: Clients) -> None:
        """Call DeleteCluster."""
        clients.aws.ecs.delete_cluster(cluster=self.arn)


def list_tasks(clients: Clients, cluster: str, **selector: str) -> list[Live]:
    """Return the cluster's tasks that match the selector, from all pages of ListTasks."""
    ecs = clients.aws.ecs
    return [
        dict(task)
        for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, **selector)
        if page["taskArns"]
        for task in ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]
    ]
