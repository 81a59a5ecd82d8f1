"""The ECS service that keeps the bot running."""

from typing import Any, ClassVar

from provision.pricing import HOURS, Prices
from provision.resources.awsvpc import PROVIDERS, placed, strategy
from provision.resources.base import (
    Clients,
    Difference,
    Live,
    Resource,
    Tagged,
    flat,
    listed,
    marked,
    output,
    resource,
)
from provision.resources.cluster import Cluster
from provision.resources.listener import BootstrapRule
from provision.resources.network import Network
from provision.resources.permissions import ExecutionPermissions, TaskPermissions
from provision.resources.security_group import IngressRule, SecurityGroup
from provision.resources.target_group import TargetGroup
from provision.resources.task_definition import CONTAINER, TaskDefinition

GRACE = 60  # seconds in which a starting task's failed health checks do not count
DEPLOYMENT = {
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
}


@resource
class Service(Resource):
    """Keeps `count` tasks running. Its wanted count belongs to start, stop and the schedule afterwards."""

    name: str
    cluster: Cluster
    task_definition: TaskDefinition
    count: int
    capacity: str
    network: Network
    security_group: SecurityGroup
    ingress: IngressRule
    target_group: TargetGroup
    bootstrap_rule: BootstrapRule
    execution_permissions: ExecutionPermissions
    task_permissions: TaskPermissions
    hours: float | None = None  # a month, that the schedule leaves it on; None: all of them
    arn: str = output("serviceArn")
    cluster_arn: str = output("clusterArn")
    counted: str = output("Counted")  # the service.count it was last set to
    not_found = (
        "ClusterNotFoundException",
        "ServiceNotFoundException",
        "ServiceNotActiveException",
    )
    exists = ("InvalidParameterException: Creation of service was not idempotent",)
    retry = (
        "InvalidParameterException: service linked role",
        "InvalidParameterException: does not have an associated load balancer",
        "InvalidParameterException: proper permissions",
        "InvalidParameterException: still Draining",
        "InvalidParameterException: deployments are active",
        "ClientException: Role is not valid",
        "ClientException: Cluster was not ACTIVE",
    )
    hourly = True
    console = "Amazon ECS"
    expected: ClassVar[int] = 2
    poll_interval_near: ClassVar[float] = 0.75  # a teardown waits for nothing else
    release_delay: ClassVar[int] = 50  # its bots answer for 20 s after SIGTERM, then it is DRAINING
    through_others: ClassVar[bool] = True
    exists_within: ClassVar[str] = "cluster"

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """In the stack's clusters; one that drains does not count."""
        ecs, found = clients.aws.ecs, []
        for _tags, cluster in Cluster.tagged(clients, stack):
            where = cluster["clusterArn"]
            pages = ecs.get_paginator("list_services").paginate(
                cluster=where, PaginationConfig={"PageSize": 10}
            )
            for arns in [page["serviceArns"] for page in pages if page["serviceArns"]]:
                answer = ecs.describe_services(cluster=where, services=arns, include=["TAGS"])
                found += [live for live in answer["services"] if live["status"] == "ACTIVE"]
        told = ((flat(live.get("tags", [])), live) for live in found)
        return [(tags, dict(live)) for tags, live in told if marked(tags, stack)]

    def find(self, clients: Clients) -> Live | None:
        """By ARN, else by name; an INACTIVE one counts as none."""
        answer = clients.aws.ecs.describe_services(
            cluster=self.cluster_arn or self.cluster.arn,
            services=[self.arn or self.name],
            include=["TAGS"],
        )
        for live in answer["services"]:
            if live["status"] != "INACTIVE":
                return {**live, "Vpc": _vpc(live), "Counted": self.counted or _count(self)}
        return None

    def create(self, clients: Clients) -> Live | None:
        """CreateService."""
        answer = clients.aws.ecs.create_service(
            cluster=self.cluster.arn,
            serviceName=self.name,
            desiredCount=self.count,
            loadBalancers=self._balancers(),
            propagateTags="SERVICE",
            tags=listed(self.tags, "key", "value"),
            **self._settings(),
        )
        self.counted = str(self.count)
        live = answer["service"]
        return {**live, "Vpc": _vpc(live), "Counted": self.counted}

    def _balancers(self) -> list[dict[str, Any]]:
        return [
            {
                "targetGroupArn": self.target_group.arn,
                "containerName": CONTAINER,
                "containerPort": self.target_group.port,
            }
        ]

    def _settings(self) -> dict[str, Any]:
        """What CreateService and UpdateService take alike."""
        return {
            "taskDefinition": self.task_definition.arn,
            "capacityProviderStrategy": strategy(self.capacity),
            "networkConfiguration": {
                "awsvpcConfiguration": placed(self.network, self.security_group)
            },
            "healthCheckGracePeriodSeconds": GRACE,
            "deploymentConfiguration": DEPLOYMENT,
        }

    def leaving(self, live: Live) -> bool:
        """DRAINING: its name is not free yet, but it serves nobody."""
        return bool(live["status"] == "DRAINING")

    def desired(self) -> dict[str, Any]:
        """Revision, capacity, network, target group; the count only when the setting changed."""
        wanted = {
            "taskDefinition": self.task_definition.arn,
            "capacityProviderStrategy[0].capacityProvider": PROVIDERS[self.capacity],
            "loadBalancers[0].targetGroupArn": self.target_group.arn,
            "Vpc": _vpc(self._settings()),
            "healthCheckGracePeriodSeconds": GRACE,
        }
        deployment = {f"deploymentConfiguration.{name}": want for name, want in DEPLOYMENT.items()}
        return {**wanted, **deployment, "Counted": str(self.count)}

    def differences(self, live: Live) -> list[Difference]:
        """A cloud that shows neither strategy nor launch type cannot be held to one; as for deployments."""
        launched = live.get("capacityProviderStrategy") or live.get("launchType")
        shown = {
            "capacityProviderStrategy[0]": launched,
            "healthCheckGracePeriodSeconds": "healthCheckGracePeriodSeconds" in live,
            "deploymentConfiguration": live.get("deploymentConfiguration"),
        }
        found = super().differences(live)
        return [d for d in found if shown.get(d.path.partition(".")[0], True)]

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """UpdateService."""
        change = self._settings()
        if any(d.path.startswith("capacityProviderStrategy") for d in differences):
            change["forceNewDeployment"] = True  # the API asks for it with a new strategy
        else:
            del change["capacityProviderStrategy"]
        if any(d.path.startswith("loadBalancers") for d in differences):
            change["loadBalancers"] = (
                self._balancers()
            )  # new tasks, so only where it is another one
        if any(d.path == "Counted" for d in differences):
            change["desiredCount"] = self.count
        clients.aws.ecs.update_service(cluster=self.cluster_arn, service=self.arn, **change)
        self.counted = str(self.count)

    def scale(self, clients: Clients, count: int) -> None:
        """Wants that many tasks, without touching anything else."""
        clients.aws.ecs.update_service(
            cluster=self.cluster_arn, service=self.arn, desiredCount=count
        )

    def costs(self, prices: Prices) -> float:
        """Its tasks, in the hours that the schedule leaves them on."""
        task, hours = self.task_definition, HOURS if self.hours is None else self.hours
        return hours * self.count * prices.task_hour(task.cpu, task.memory, self.capacity)

    def releases_dependencies(self, live: Live) -> bool:
        """Its tasks have stopped; DRAINING itself needs nothing but the cluster, which says so."""
        return not live["runningCount"] and not live["pendingCount"]

    def delete(self, clients: Clients) -> None:
        """DeleteService with force: no scaling to zero first."""
        clients.aws.ecs.delete_service(cluster=self.cluster_arn, service=self.arn, force=True)


def _count(service: Service) -> str:
    """A lost record says nothing of the count, so the setting is taken for it (an orphan has neither)."""
    return str(getattr(service, "count", ""))


def _vpc(live: Live) -> dict[str, Any]:
    given = live.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return {
        "subnets": sorted(given.get("subnets", [])),
        "securityGroups": sorted(given.get("securityGroups", [])),
        "assignPublicIp": given.get("assignPublicIp"),
    }
