"""ECS services: what creating, changing and deleting one refuses, and what it sets going."""

from typing import TYPE_CHECKING, Any

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.ecs_clusters import find_cluster, need_service_linked_role
from provision.sandbox.ecs_definitions import latest_active
from provision.sandbox.ecs_launch import find_definition
from provision.sandbox.ecs_service import REDEPLOYING, Service
from provision.sandbox.rules import Answer, after, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


def find_service(cloud: "Cloud", call: Call, name: str) -> Service | None:
    """The service with this name or ARN in the call's cluster."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    return cloud.ecs.services.get((call.region, cluster.name, name.rpartition("/")[2]))


@before("ecs", "CreateService")
def service_can_be(cloud: "Cloud", call: Call) -> Answer | None:
    """API CreateService: clientToken, names in use, and everything it refers to."""
    given = call.params
    need_service_linked_role(cloud)
    known = find_service(cloud, call, given["serviceName"])
    token = given.get("clientToken")
    if known is not None and known.status == "ACTIVE":
        if token and token == known.given.get("clientToken"):
            return {"service": known.describe()}
        raise _invalid("Creation of service was not idempotent.")
    if known is not None and known.status == "DRAINING":
        raise _invalid("Unable to Start a service that is still Draining.")
    definition = _definition(cloud, call.region, given.get("taskDefinition") or "")
    _check_capacity(cloud, call)
    if definition.network_mode == "awsvpc" and not given.get("networkConfiguration"):
        raise _invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    for balancer in given.get("loadBalancers") or []:
        _check_balancer(cloud, definition, balancer)
    return None


@after("ecs", "CreateService")
def service_begins(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """Its first deployment; moto keeps the tags and nothing else."""
    given = dict(call.params)
    cluster = find_cluster(cloud, call.region, given.get("cluster"))
    now = cloud.clock.now()
    service = Service(
        call.region, cloud.account, cluster.name, given["serviceName"], given, now
    )  # fmt: skip
    service.desired = given.get("desiredCount") or 0
    definition = _definition(cloud, call.region, given["taskDefinition"])
    service.deploy(now, definition.arn)
    cloud.ecs.services[call.region, cluster.name, service.name] = service
    answer["service"] = service.describe() | {"tags": given.get("tags") or []}


@before("ecs", "UpdateService")
def service_can_change(cloud: "Cloud", call: Call) -> Answer:
    """API UpdateService: answered here; moto forgets half of what it is given."""
    service = find_service(cloud, call, call.params["service"])
    if service is None:
        raise Refusal("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise Refusal("ServiceNotActiveException", "Service was not ACTIVE.")
    given = {
        key: value
        for key, value in call.params.items()
        if key not in ("cluster", "service", "forceNewDeployment") and value is not None
    }
    arn = service.primary.task_definition
    if "taskDefinition" in given:
        definition = _definition(cloud, call.region, given["taskDefinition"])
        for balancer in given.get("loadBalancers") or service.given.get("loadBalancers") or []:
            _check_balancer(cloud, definition, balancer)
        arn = given["taskDefinition"] = definition.arn
    before_it = {**service.given, "taskDefinition": service.primary.task_definition}
    redeploys = any(key in given and given[key] != before_it.get(key) for key in REDEPLOYING)
    service.given.update(given)
    if "desiredCount" in given:
        service.desired = service.primary.desired = given["desiredCount"]
        service.steady = False
        cloud.backend("ecs", call.region).services[
            f"{service.cluster}:{service.name}"
        ].desired_count = service.desired
    if redeploys or call.params.get("forceNewDeployment"):
        service.deploy(cloud.clock.now(), arn)
    return {"service": service.describe()}


@before("ecs", "DeleteService")
def service_can_go(cloud: "Cloud", call: Call) -> Answer:
    """API DeleteService: scaled to 0, or by force; then DRAINING, then INACTIVE."""
    service = find_service(cloud, call, call.params["service"])
    if service is None:
        raise Refusal("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise Refusal("ServiceNotActiveException", "Service was not ACTIVE.")
    if service.desired > 0 and not call.params.get("force"):
        raise _invalid("The service cannot be stopped while it is scaled above 0.")
    service.status = "DRAINING"
    service.desired = service.primary.desired = 0
    service.drained_at = cloud.clock.now() + cloud.delays.service_drain
    backend = cloud.backend("ecs", call.region)
    backend.services[f"{service.cluster}:{service.name}"].status = "DRAINING"
    return {"service": service.describe()}


def _definition(cloud: "Cloud", region: str, name: str) -> Any:
    if ":" not in name.rpartition("/")[2]:
        return latest_active(cloud, region, name)
    definition = find_definition(cloud, region, name)
    if definition.status != "ACTIVE":
        raise Refusal("ClientException", "TaskDefinition is inactive")
    return definition


def _check_capacity(cloud: "Cloud", call: Call) -> None:
    strategy = call.params.get("capacityProviderStrategy") or []
    if strategy and call.params.get("launchType"):
        raise _invalid(
            "Specifying both a launch type and capacity provider strategy is not supported."
        )
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    for entry in strategy:
        if entry["capacityProvider"] not in (cluster.capacity_providers or []):
            raise _invalid(
                "The specified capacity provider strategy cannot contain a capacity provider that "
                "is not associated with the cluster. Associate the capacity provider with the "
                "cluster and try again."
            )


def _check_balancer(cloud: "Cloud", definition: Any, balancer: dict[str, Any]) -> None:
    name, port = balancer.get("containerName"), balancer.get("containerPort")
    containers = {c["name"]: c for c in definition.container_definitions}
    if name not in containers:
        raise _invalid(f"The container {name} does not exist in the task definition.")
    mappings = containers[name].get("portMappings") or []
    if port not in [mapping["containerPort"] for mapping in mappings]:
        raise _invalid(f"The container {name} did not have a container port {port} defined.")
    arn = balancer.get("targetGroupArn") or ""
    group = cloud.elbv2.target_group(arn) if arn.count(":") >= 5 else None
    if group is None:
        raise _invalid(
            f"Unable to assume role and validate the specified targetGroupArn: {arn}"
            if not arn
            else "The specified target group does not exist."
        )
    if definition.network_mode == "awsvpc" and group.target_type != "ip":
        raise _invalid(
            f"The provided target group {arn} has target type {group.target_type}, which is "
            "incompatible with the awsvpc network mode specified in the task definition."
        )
    if not cloud.elbv2.load_balancers_of(arn):
        raise _invalid(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterException", message)
