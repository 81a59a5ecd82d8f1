"""Control paths for Fargate Spot: interruptions and capacity."""

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.web.control import Params, control


@control("POST", "interrupt")
def interrupt_now(cloud: Cloud, params: Params) -> Params:
    """Interrupt Spot tasks of {"cluster", "service" (default: all of the cluster), "region"}."""
    cluster, region = str(params.get("cluster", "default")), str(params.get("region", ""))
    if not region:
        regions = [r for r in cloud.regions("ecs") if cluster in cloud.backend("ecs", r).clusters]
        region = regions[0] if regions else ""
    if not region or cluster not in cloud.backend("ecs", region).clusters:
        raise LookupError(f"no cluster {cluster}")
    return {"tasks": cloud.ecs.interrupt(region, cluster, str(params.get("service", "")))}


@control("POST", "spot")
def spot(cloud: Cloud, params: Params) -> Params:
    """Set whether there is capacity for new Spot tasks: {"available": true or false}."""
    if not isinstance(params.get("available"), bool):
        raise ValueError("available is true or false")
    with cloud.lock:
        cloud.ecs.spot_available = params["available"]
    return {"available": params["available"]}


@control("GET", "spot")
def spot_state(cloud: Cloud, params: Params) -> Params:
    """Return whether there is capacity for new Spot tasks."""
    return {"available": cloud.ecs.spot_available}
