"""Create the ECS service that runs the bot."""

from dataclasses import field
from typing import Any, Literal

from provision.pricing import HOURS, Prices
from provision.resources.awsvpc import PROVIDERS, awsvpc_configuration, strategy
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    FoundSettings,
    Live,
    Permission,
    Polling,
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
from provision.resources.cluster import Cluster
from provision.resources.listener import BootstrapRule
from provision.resources.network import Network
from provision.resources.permissions import ExecutionPermissions, TaskPermissions
from provision.resources.security_group import IngressRule, SecurityGroup
from provision.resources.target_group import TargetGroup
from provision.resources.task_definition import CONTAINER, TaskDefinition

GRACE = 60  # seconds after a task's start in which failed health checks are ignored
DEPLOYMENT = {
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
}


@resource
class Service(Resource):
    """A service with `count` tasks. Later the schedules, start and stop set the desired count."""

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
    hours: float | None = None  # scheduled hours per month; None: all
    stopped: bool = field(default=False, init=False)  # created without tasks, which `scale` starts
    arn: str = output("serviceArn", arn_pattern("service/"))
    cluster_arn: str = output("clusterArn", arn_pattern("cluster/"))
    counted: str = output("Counted")  # the service.count that was last applied
    errors = Errors(
        not_found=(
            "ClusterNotFoundException",
            "ServiceNotFoundException",
            "ServiceNotActiveException",
        ),
        exists=("InvalidParameterException: Creation of service was not idempotent",),
        retry=(
            "InvalidParameterException: service linked role",
            "InvalidParameterException: does not have an associated load balancer",
            "InvalidParameterException: proper permissions",
            "InvalidParameterException: still Draining",
            "InvalidParameterException: deployments are active",
            "ClientException: Role is not valid",
            "ClientException: Cluster was not ACTIVE",
        ),
    )
    deletion = Deletion(
        on_pause=True,
        release_delay=50,  # tasks end within 20 s of SIGTERM, then it is DRAINING
    )
    console = "Amazon ECS"
    polling = Polling(
        expected=2,
        interval_near=0.75,  # a teardown waits for nothing else at that time
        after_propagation=True,
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        service = f"service/{self.stack}/{identity_in(self.key)}"
        return [
            Permission("read", "ecs", "DescribeServices", f"service/{self.stack}/*"),
            Permission("deploy", "ecs", "UpdateService", service),
            Permission("create", "ecs", "CreateService TagResource", service),
            Permission("delete", "ecs", "DeleteService", service),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return services in the stack's clusters, without draining ones."""
        ecs, found = clients.aws.ecs, []
        for _tags, cluster in Cluster.list_tagged(clients, stack):
            arn = cluster["clusterArn"]
            pages = ecs.get_paginator("list_services").paginate(
                cluster=arn, PaginationConfig={"PageSize": 10}
            )
            for arns in [page["serviceArns"] for page in pages if page["serviceArns"]]:
                answer = ecs.describe_services(cluster=arn, services=arns, include=["TAGS"])
                found += [live for live in answer["services"] if live["status"] == "ACTIVE"]
        tagged = ((tags_to_dict(live.get("tags", [])), live) for live in found)
        return [(tags, dict(live)) for tags, live in tagged if has_stack_tag(tags, stack)]

    def exists_within(self) -> list[Resource]:
        """Return the cluster."""
        return [self.cluster]

    def find(self, clients: Clients) -> Live | None:
        """Find the service by ARN, else by name; an INACTIVE one counts as not found."""
        answer = clients.aws.ecs.describe_services(
            cluster=self.cluster_arn or self.cluster.arn,
            services=[self.arn or self.name],
            include=["TAGS"],
        )
        for live in answer["services"]:
            mine = (self.arn or self.name) in (live["serviceArn"], live.get("serviceName"))
            if mine and live["status"] != "INACTIVE":
                return self._shape(live, self.counted or _count(self))
        return None

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return the capacity, and the number of tasks unless it is stopped."""
        provider = (live.get("capacityProviderStrategy") or [{}])[0].get("capacityProvider", "")
        capacities = {known: capacity for capacity, known in PROVIDERS.items()}
        found: FoundSettings = {}
        if provider in capacities:
            found["service.capacity"] = capacities[provider]
        if live["desiredCount"]:
            found["service.count"] = str(live["desiredCount"])
        return found

    def create(self, clients: Clients) -> Live | None:
        """Call CreateService."""
        answer = clients.aws.ecs.create_service(
            cluster=self.cluster.arn,
            serviceName=self.name,
            desiredCount=0 if self.stopped else self.count,
            loadBalancers=self._load_balancers(),
            propagateTags="SERVICE",
            tags=tags_to_list(self.tags, "key", "value"),
            **self._settings(),
        )
        self.counted = str(self.count)
        return self._shape(answer["service"], self.counted)

    def _shape(self, live: Live, counted: str) -> Live:
        """Return it with the compared properties; those that an AWS emulator omits are set as desired."""
        shape = {"healthCheckGracePeriodSeconds": GRACE, **live}
        if not live.get("deploymentConfiguration"):
            shape["deploymentConfiguration"] = DEPLOYMENT
        shows_capacity = live.get("capacityProviderStrategy") or live.get("launchType")
        if not shows_capacity and not self.recorded_key:  # a record has no settings
            shape["capacityProviderStrategy"] = strategy(self.capacity)
        return {**shape, "Vpc": _vpc(live), "Counted": counted}

    def _load_balancers(self) -> list[dict[str, Any]]:
        return [
            {
                "targetGroupArn": self.target_group.arn,
                "containerName": CONTAINER,
                "containerPort": self.target_group.port,
            }
        ]

    def _settings(self) -> dict[str, Any]:
        """Return the parameters that CreateService and UpdateService share."""
        return {
            "taskDefinition": self.task_definition.arn,
            "capacityProviderStrategy": strategy(self.capacity),
            "networkConfiguration": {
                "awsvpcConfiguration": awsvpc_configuration(self.network, self.security_group)
            },
            "healthCheckGracePeriodSeconds": GRACE,
            "deploymentConfiguration": DEPLOYMENT,
        }

    def deletion_state(self, live: Live) -> Literal["", "leaving", "released"]:
        """Return `leaving` while it is DRAINING, and `released` once its tasks have stopped.

        Without tasks it needs only its cluster, although its name is still taken.
        """
        if live["status"] != "DRAINING":
            return ""
        return "leaving" if live["runningCount"] or live["pendingCount"] else "released"

    def desired(self) -> dict[str, Any]:
        """Return revision, capacity, network, target group and service.count."""
        properties = {
            "taskDefinition": self.task_definition.arn,
            "capacityProviderStrategy[0].capacityProvider": PROVIDERS[self.capacity],
            "loadBalancers[0].targetGroupArn": self.target_group.arn,
            "Vpc": _vpc(self._settings()),
            "healthCheckGracePeriodSeconds": GRACE,
        }
        deployment = {f"deploymentConfiguration.{name}": want for name, want in DEPLOYMENT.items()}
        return {**properties, **deployment, "Counted": str(self.count)}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call UpdateService."""
        change = self._settings()
        if any(d.path.startswith("capacityProviderStrategy") for d in differences):
            change["forceNewDeployment"] = True  # required with a new strategy
        else:
            del change["capacityProviderStrategy"]
        if any(d.path.startswith("loadBalancers") for d in differences):
            # Replaces all tasks, so send it only if it changes.
            change["loadBalancers"] = self._load_balancers()
        if any(d.path == "Counted" for d in differences):
            change["desiredCount"] = self.count
        clients.aws.ecs.update_service(cluster=self.cluster_arn, service=self.arn, **change)
        self.counted = str(self.count)

    def scale(self, clients: Clients, count: int) -> None:
        """Set the desired count."""
        clients.aws.ecs.update_service(
            cluster=self.cluster_arn, service=self.arn, desiredCount=count
        )

    def restart(self, clients: Clients) -> None:
        """Replace the tasks by new ones of the same revision."""
        clients.aws.ecs.update_service(
            cluster=self.cluster_arn, service=self.arn, forceNewDeployment=True
        )

    def costs(self, prices: Prices) -> float:
        """Return the price of its tasks in the scheduled hours."""
        task, hours = self.task_definition, HOURS if self.hours is None else self.hours
        return hours * self.count * prices.task_hour(task.cpu, task.memory, self.capacity)

    def delete(self, clients: Clients) -> None:
        """Call DeleteService with force, without scaling to zero first."""
        clients.aws.ecs.delete_service(cluster=self.cluster_arn, service=self.arn, force=True)


def _count(service: Service) -> str:
    """Return service.count, for a lost record; "" for a resource built from a record."""
    return "" if service.recorded_key else str(service.count)


def _vpc(live: Live) -> dict[str, Any]:
    configuration = live.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return {
        "subnets": sorted(configuration.get("subnets", [])),
        "securityGroups": sorted(configuration.get("securityGroups", [])),
        "assignPublicIp": configuration.get("assignPublicIp"),
    }
