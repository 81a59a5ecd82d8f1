"""Control of Fargate Spot: interruptions, and a shortage of capacity."""

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.web.control import Given, control


@control("POST", "interrupt")
def interrupt_now(cloud: Cloud, given: Given) -> Given:
    """Interrupt Spot tasks: {"cluster", "service" (else all of the cluster's), "region"}."""
    cluster, region = str(given.get("cluster", "default")), str(given.get("region", ""))
    if not region:
        regions = [r for r in cloud.regions("ecs") if cluster in cloud.backend("ecs", r).clusters]
        region = regions[0] if regions else ""
    if not region or cluster not in cloud.backend("ecs", region).clusters:
        raise LookupError(f"no cluster {cluster}")
    return {"tasks": cloud.ecs.interrupt(region, cluster, str(given.get("service", "")))}


@control("POST", "spot")
def spot(cloud: Cloud, given: Given) -> Given:
    """Set capacity for new Spot tasks: {"available": true or false}."""
    if not isinstance(given.get("available"), bool):
        raise ValueError("available is true or false")
    with cloud.lock:
        cloud.ecs.spot_available = given["available"]
    return {"available": given["available"]}
