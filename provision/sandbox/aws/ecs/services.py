"""ECS services: CreateService, UpdateService, DeleteService."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.capacity import with_default
from provision.sandbox.aws.ecs.clusters import create_service_linked_role, find_cluster
from provision.sandbox.aws.ecs.definitions import find_active_definition
from provision.sandbox.aws.ecs.errors import invalid_parameter
from provision.sandbox.aws.ecs.launch import find_definition
from provision.sandbox.aws.ecs.service import DEPLOYMENT_PARAMETERS, EcsService
from provision.sandbox.aws.ecs.service_checks import check_count, check_service
from provision.sandbox.aws.rules import Answer, after, before


def find_service(cloud: Cloud, call: Call, name: str) -> EcsService | None:
    """Return the service with this name or ARN in the call's cluster."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    return cloud.ecs.services.get((call.region, cluster.name, name.rpartition("/")[2]))


@behaves(
    "ecs.service-name-used",
    "ecs.service-token-repeated",
    "ecs.service-token-conflict",
    "ecs.service-name-draining",
)
@before("ecs", "CreateService")
def create_service(cloud: Cloud, call: Call) -> Answer | None:
    """Create a service after checking clientToken, name and references (API CreateService)."""
    params = call.params
    create_service_linked_role(cloud, call)
    existing = find_service(cloud, call, params["serviceName"])
    if existing is not None and existing.status == "ACTIVE":
        if params.get("clientToken") and params == existing.created:
            return {"service": existing.describe()}
        raise invalid_parameter("Creation of service was not idempotent.")
    if existing is not None and existing.status == "DRAINING":
        raise invalid_parameter("Unable to Start a service that is still Draining.")
    check_count(params)
    definition = find_active_definition(cloud, call.region, params.get("taskDefinition") or "")
    check_service(cloud, call, params, definition, set(params))
    return None


@after("ecs", "CreateService")
def start_deployment(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Start the first deployment; of moto's service only the tags are used."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    params = with_default(cloud, dict(call.params), cluster)
    now = cloud.clock.now()
    service = EcsService(
        call.region, cloud.account_id, cluster.name, params["serviceName"], params, now
    )  # fmt: skip
    service.created = call.params
    service.desired = params["desiredCount"]
    definition = find_active_definition(cloud, call.region, params["taskDefinition"])
    service.deploy(now, definition.arn)
    cloud.ecs.services[call.region, cluster.name, service.name] = service
    answer["service"] = service.describe() | {"tags": params.get("tags") or []}


@behaves("ecs.service-unknown", "ecs.service-not-active")
def active_service(cloud: Cloud, call: Call) -> EcsService:
    """Return the ACTIVE service that the call names."""
    service = find_service(cloud, call, call.params["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    return service


@behaves("ecs.strategy-change-needs-new-deployment")
@before("ecs", "UpdateService")
def update_service(cloud: Cloud, call: Call) -> Answer:
    """Update the service instead of moto, which ignores half of the parameters (API UpdateService)."""
    service = active_service(cloud, call)
    params = {
        key: value
        for key, value in call.params.items()
        if key not in ("cluster", "service", "forceNewDeployment") and value is not None
    }
    strategy = params.get(
        "capacityProviderStrategy", service.params.get("capacityProviderStrategy")
    )
    if strategy != service.params.get("capacityProviderStrategy") and not call.params.get(
        "forceNewDeployment"
    ):
        raise invalid_parameter(
            "When switching from launch type to capacity provider strategy on an existing service, "
            "or making a change to a capacity provider strategy on a service that is already using "
            "one, you must force a new deployment."
        )
    check_count({"desiredCount": service.desired} | params)
    arn = service.primary.task_definition
    definition = find_definition(cloud, call.region, arn)
    if "taskDefinition" in params:
        definition = find_active_definition(cloud, call.region, params["taskDefinition"])
        arn = params["taskDefinition"] = definition.arn
    merged = {**service.params, **params}
    if "capacityProviderStrategy" in params:
        merged.pop("launchType", None)
    check_service(cloud, call, merged, definition, set(params))
    previous = {**service.params, "taskDefinition": service.primary.task_definition}
    needs_deployment = any(
        key in params and params[key] != previous.get(key) for key in DEPLOYMENT_PARAMETERS
    )
    service.params = merged
    if "desiredCount" in params:
        service.desired = service.primary.desired = params["desiredCount"]
        service.steady = False
        cloud.backend("ecs", call.region).services[
            f"{service.cluster}:{service.name}"
        ].desired_count = service.desired
    if needs_deployment or call.params.get("forceNewDeployment"):
        service.deploy(cloud.clock.now(), arn)
    return {"service": service.describe()}


@behaves("ecs.service-scaled-above-zero")
@before("ecs", "DeleteService")
def delete_service(cloud: Cloud, call: Call) -> Answer:
    """Require desired count 0 or force; then drain the service (API DeleteService)."""
    service = active_service(cloud, call)
    if service.desired > 0 and not call.params.get("force"):
        raise invalid_parameter("The service cannot be stopped while it is scaled above 0.")
    service.status = "DRAINING"
    service.desired = service.primary.desired = 0
    service.drained_at = cloud.clock.now() + cloud.delays.service_drain
    backend = cloud.backend("ecs", call.region)
    backend.services[f"{service.cluster}:{service.name}"].status = "DRAINING"
    return {"service": service.describe()}
