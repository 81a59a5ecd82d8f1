"""ECS clusters: creation, counts, capacity providers and deletion."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.capacity import PROVIDERS, check_providers
from provision.sandbox.aws.ecs.errors import invalid_parameter
from provision.sandbox.aws.ecs.pagination import page
from provision.sandbox.aws.permissions.actions import context
from provision.sandbox.aws.permissions.enforcement import denial_message
from provision.sandbox.aws.rules import Answer, after, before

_SERVICE = "ecs.amazonaws.com"
_SERVICE_LINKED_ROLE = "AWSServiceRoleForECS"


@behaves("ecs.cluster-unknown")
def find_cluster(cloud: Cloud, region: str, name: str | None) -> Any:
    """Return moto's ACTIVE cluster for a name, an ARN, or None (the one called default)."""
    short_name = (name or "default").rpartition("/")[2]
    cluster = cloud.backend("ecs", region).clusters.get(short_name)
    if cluster is None or cluster.status != "ACTIVE":
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return cluster


@behaves("ecs.service-linked-role-missing")
def require_service_linked_role(cloud: Cloud) -> None:
    """Refuse to use ECS in an account without its service-linked role (Developer Guide)."""
    if cloud.iam.role(_SERVICE_LINKED_ROLE) is None:
        raise invalid_parameter(
            "Unable to assume the service linked role. Please verify that the ECS service linked "
            "role exists."
        )


@behaves("ecs.service-linked-role-created")
def create_service_linked_role(cloud: Cloud, call: Call) -> None:
    """Create the role at the first use of ECS if the caller may (Developer Guide); else refuse the call."""
    principal = cloud.permissions.caller(call.access_key)
    arn = f"arn:aws:iam::{cloud.account_id}:role/aws-service-role/{_SERVICE}/{_SERVICE_LINKED_ROLE}"
    permission = ("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": _SERVICE})
    if cloud.iam.role(_SERVICE_LINKED_ROLE) is None and (
        principal is None or not denial_message(cloud, principal, permission, context(cloud, call))
    ):
        cloud.backend("iam").create_service_linked_role(_SERVICE, "", "")
    require_service_linked_role(cloud)


@behaves("ecs.create-cluster-again")
@before("ecs", "CreateCluster")
def create_cluster(cloud: Cloud, call: Call) -> Answer | None:
    """Create the service-linked role; return a cluster that exists already (API CreateCluster)."""
    create_service_linked_role(cloud, call)
    check_providers(call.params)
    name = call.params.get("clusterName") or "default"
    existing = cloud.backend("ecs", call.region).clusters.get(name)
    if existing is not None and existing.status == "ACTIVE":
        return {"cluster": _describe(cloud, call.region, existing)}
    return None


@behaves("ecs.fargate-providers")
@before("ecs", "DescribeCapacityProviders")
def describe_providers(cloud: Cloud, call: Call) -> Answer | None:
    """Describe Fargate's two if no name is given, which moto cannot (API DescribeCapacityProviders)."""
    if call.params.get("capacityProviders"):
        return None
    place = f"arn:aws:ecs:{call.region}:{cloud.account_id}:capacity-provider"
    found = [
        {"name": name, "status": "ACTIVE", "capacityProviderArn": f"{place}/{name}"}
        for name in PROVIDERS
    ]
    return {"capacityProviders": found}


@behaves("ecs.cluster-counts")
@after("ecs", "DescribeClusters")
def count_members(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set the counts of services and tasks (API DescribeClusters)."""
    for cluster in answer.get("clusters", []):
        cluster.update(_counts(cloud, call.region, cluster["clusterName"]))


@behaves("ecs.deleted-cluster-inactive")
@before("ecs", "ListClusters")
def list_active(cloud: Cloud, call: Call) -> Answer:
    """List ACTIVE clusters only; an INACTIVE one can be described (API DeleteCluster)."""
    clusters = cloud.backend("ecs", call.region).clusters.values()
    arns = sorted(cluster.arn for cluster in clusters if cluster.status == "ACTIVE")
    return page("clusterArns", arns, call)


@behaves("ecs.cluster-with-services", "ecs.cluster-with-tasks")
@before("ecs", "DeleteCluster")
def check_cluster_empty(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a cluster with services or tasks (API DeleteCluster)."""
    name = find_updatable_cluster(cloud, call).name
    if cloud.ecs.services_in(call.region, name):
        raise AwsError(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        )
    if any(task.last_status != "STOPPED" for task in cloud.ecs.tasks_in(call.region, name)):
        raise AwsError(
            "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."
        )


@behaves("ecs.cluster-update-in-progress")
def find_updatable_cluster(cloud: Cloud, call: Call) -> Any:
    """Return moto's cluster; refuse while capacity providers are being attached to it."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    if cloud.clock.now() < cloud.ecs.attachments_until.get(cluster.arn, 0.0):
        raise AwsError(
            "UpdateInProgressException",
            "The specified cluster is in a busy state. Cluster attachments must be in "
            "UPDATE_COMPLETE or UPDATE_FAILED state before they can be updated. Wait and try again",
        )
    return cluster


@behaves("ecs.capacity-provider-in-use")
@before("ecs", "PutClusterCapacityProviders")
def put_providers(cloud: Cloud, call: Call) -> None:
    """Refuse concurrent changes, and removal of a provider in use (API PutClusterCapacityProviders)."""
    cluster = find_updatable_cluster(cloud, call)
    check_providers(call.params)
    providers_left = call.params.get("capacityProviders") or []
    for service in cloud.ecs.services_in(call.region, cluster.name):
        strategy = service.params.get("capacityProviderStrategy") or []
        if {entry["capacityProvider"] for entry in strategy} - set(providers_left):
            raise AwsError(
                "ResourceInUseException",
                "The specified capacity provider is in use and cannot be removed.",
            )
    cloud.ecs.attachments_until[cluster.arn] = cloud.clock.now() + cloud.delays.cluster_attachments


def _counts(cloud: Cloud, region: str, name: str) -> dict[str, int]:
    tasks, services = cloud.ecs.tasks_in(region, name), cloud.ecs.services_in(region, name)
    return {
        "runningTasksCount": sum(1 for task in tasks if task.running),
        "pendingTasksCount": sum(1 for task in tasks if task.should_run and not task.running),
        "activeServicesCount": sum(1 for service in services if service.status == "ACTIVE"),
    }


def _describe(cloud: Cloud, region: str, cluster: Any) -> dict[str, Any]:
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
