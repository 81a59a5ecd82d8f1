"""ECS services: CreateService, UpdateService, DeleteService."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.capacity import with_default
from provision.sandbox.aws.ecs.clusters import find_cluster, need_service_linked_role
from provision.sandbox.aws.ecs.definitions import definition_to_run
from provision.sandbox.aws.ecs.launch import find_definition
from provision.sandbox.aws.ecs.service import REDEPLOYING, EcsService
from provision.sandbox.aws.ecs.service_checks import check_count, check_wish
from provision.sandbox.aws.rules import Answer, after, before


def find_service(cloud: Cloud, call: Call, name: str) -> EcsService | None:
    """Return the service with this name or ARN in the call's cluster."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    return cloud.ecs.services.get((call.region, cluster.name, name.rpartition("/")[2]))


@behaves(
    "ecs.service-name-used",
    "a second service of a name that is ACTIVE",
    "InvalidParameterException 400, Creation of service was not idempotent.",
    "hashicorp/terraform-provider-aws#2283",
)
@behaves(
    "ecs.service-token-repeated",
    "the same clientToken and parameters again give the same service",
    "the service of the first call",
    "Amazon ECS API Reference, Ensuring idempotency",
)
@behaves(
    "ecs.service-token-conflict",
    "the same clientToken with other parameters is refused",
    "InvalidParameterException 400, Creation of service was not idempotent.",
    "Amazon ECS API Reference, Ensuring idempotency",
)
@behaves(
    "ecs.service-name-draining",
    "the name of a service that is DRAINING is not free; of one that is INACTIVE it is",
    "InvalidParameterException 400, Unable to Start a service that is still Draining.",
    "spinnaker/spinnaker#5476",
)
@before("ecs", "CreateService")
def create_service(cloud: Cloud, call: Call) -> Answer | None:
    """Create a service after checking clientToken, name and references (API CreateService)."""
    given = call.params
    need_service_linked_role(cloud)
    known = find_service(cloud, call, given["serviceName"])
    if known is not None and known.status == "ACTIVE":
        if given.get("clientToken") and given == known.created:
            return {"service": known.describe()}
        raise _invalid("Creation of service was not idempotent.")
    if known is not None and known.status == "DRAINING":
        raise _invalid("Unable to Start a service that is still Draining.")
    check_count(given)
    definition = definition_to_run(cloud, call.region, given.get("taskDefinition") or "")
    check_wish(cloud, call, given, definition, set(given))
    return None


@after("ecs", "CreateService")
def start_deployment(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Start the first deployment; moto keeps the tags and nothing else."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    given = with_default(cloud, dict(call.params), cluster)
    now = cloud.clock.now()
    service = EcsService(
        call.region, cloud.account_id, cluster.name, given["serviceName"], given, now
    )  # fmt: skip
    service.created = call.params
    service.desired = given["desiredCount"]
    definition = definition_to_run(cloud, call.region, given["taskDefinition"])
    service.deploy(now, definition.arn)
    cloud.ecs.services[call.region, cluster.name, service.name] = service
    answer["service"] = service.describe() | {"tags": given.get("tags") or []}


@behaves(
    "ecs.service-unknown",
    "changing or deleting a service that does not exist",
    "ServiceNotFoundException 400",
    "Amazon ECS API Reference, UpdateService, Errors",
    moto="moto refuses it as well",
)
@behaves(
    "ecs.service-not-active",
    "changing or deleting a service that is DRAINING or INACTIVE",
    "ServiceNotActiveException 400",
    "Amazon ECS API Reference, UpdateService, Errors",
)
def active_service(cloud: Cloud, call: Call) -> EcsService:
    """Return the ACTIVE service that the call is about."""
    service = find_service(cloud, call, call.params["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    return service


@behaves(
    "ecs.strategy-change-needs-new-deployment",
    "another capacity provider strategy needs forceNewDeployment",
    "InvalidParameterException 400",
    "Amazon ECS API Reference, UpdateService, capacityProviderStrategy",
)
@before("ecs", "UpdateService")
def update_service(cloud: Cloud, call: Call) -> Answer:
    """Update the service in moto's place, which ignores half of the parameters (API UpdateService)."""
    service = active_service(cloud, call)
    given = {
        key: value
        for key, value in call.params.items()
        if key not in ("cluster", "service", "forceNewDeployment") and value is not None
    }
    strategy = given.get("capacityProviderStrategy", service.given.get("capacityProviderStrategy"))
    if strategy != service.given.get("capacityProviderStrategy") and not call.params.get(
        "forceNewDeployment"
    ):
        raise _invalid(
            "When switching from launch type to capacity provider strategy on an existing service, "
            "or making a change to a capacity provider strategy on a service that is already using "
            "one, you must force a new deployment."
        )
    check_count({"desiredCount": service.desired} | given)
    arn = service.primary.task_definition
    definition = find_definition(cloud, call.region, arn)
    if "taskDefinition" in given:
        definition = definition_to_run(cloud, call.region, given["taskDefinition"])
        arn = given["taskDefinition"] = definition.arn
    wish = {**service.given, **given}
    if "capacityProviderStrategy" in given:
        wish.pop("launchType", None)
    check_wish(cloud, call, wish, definition, set(given))
    before_it = {**service.given, "taskDefinition": service.primary.task_definition}
    redeploys = any(key in given and given[key] != before_it.get(key) for key in REDEPLOYING)
    service.given = wish
    if "desiredCount" in given:
        service.desired = service.primary.desired = given["desiredCount"]
        service.steady = False
        cloud.backend("ecs", call.region).services[
            f"{service.cluster}:{service.name}"
        ].desired_count = service.desired
    if redeploys or call.params.get("forceNewDeployment"):
        service.deploy(cloud.clock.now(), arn)
    return {"service": service.describe()}


@behaves(
    "ecs.service-scaled-above-zero",
    "a service with a desired count is deleted only by force",
    "InvalidParameterException 400, ... cannot be stopped while it is scaled above 0.",
    "Amazon ECS API Reference, DeleteService, force",
    moto="moto refuses it as well",
)
@before("ecs", "DeleteService")
def delete_service(cloud: Cloud, call: Call) -> Answer:
    """Require desired count 0 or force; then drain the service (API DeleteService)."""
    service = active_service(cloud, call)
    if service.desired > 0 and not call.params.get("force"):
        raise _invalid("The service cannot be stopped while it is scaled above 0.")
    service.status = "DRAINING"
    service.desired = service.primary.desired = 0
    service.drained_at = cloud.clock.now() + cloud.delays.service_drain
    backend = cloud.backend("ecs", call.region)
    backend.services[f"{service.cluster}:{service.name}"].status = "DRAINING"
    return {"service": service.describe()}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
