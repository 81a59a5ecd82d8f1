"""Fargate Spot: capacity that AWS takes back."""

from typing import TYPE_CHECKING

from provision.sandbox.aws.ecs.task import SPOT_INTERRUPTION, Task
from provision.sandbox.aws.rules import behaves
from provision.sandbox.web.control import Given, control

if TYPE_CHECKING:
    from provision.sandbox.aws.account import Cloud


@behaves(
    "ecs.spot-interruption",
    "an interrupted Spot task gets SIGTERM at once, two minutes at most, and is replaced",
    "stopCode SpotInterruption, stoppedReason Your Spot Task was interrupted.",
    "Amazon ECS Developer Guide, Fargate Spot termination notices",
)
@behaves(
    "ecs.spot-target-stays-registered",
    "an interrupted Spot task still gets requests for a while after its SIGTERM",
    "its target stays healthy while the container may be ending",
    "AWS Knowledge Center, How do I handle Spot termination notices in AWS Fargate Spot tasks",
)
def interrupt(cloud: "Cloud", region: str, cluster: str, service: str = "") -> list[Task]:
    """AWS takes the capacity of these Spot tasks back, of all the cluster's without `service`."""
    taken = [
        task
        for task in cloud.ecs.tasks
        if (task.region, task.cluster) == (region, cluster)
        and service in ("", task.service)
        and task.capacity_provider == "FARGATE_SPOT"
        and task.wanted
    ]
    for task in taken:
        reason = "Your Spot Task was interrupted."
        task.ask_to_stop(cloud.clock.now(), SPOT_INTERRUPTION, reason)
    return taken


@control("POST", "interrupt")
def interrupt_now(cloud: "Cloud", given: Given) -> Given:
    """AWS takes Spot tasks back: {"cluster", "service" (else all of the cluster's), "region"}."""
    cluster, region = str(given.get("cluster", "default")), str(given.get("region", ""))
    if not region:
        regions = [r for r in cloud.regions("ecs") if cluster in cloud.backend("ecs", r).clusters]
        region = regions[0] if regions else ""
    if not region or cluster not in cloud.backend("ecs", region).clusters:
        raise LookupError(f"no cluster {cluster}")
    return {"tasks": cloud.ecs.interrupt(region, cluster, str(given.get("service", "")))}


@control("POST", "spot")
def spot(cloud: "Cloud", given: Given) -> Given:
    """Whether there is capacity for new Spot tasks: {"available": true or false}."""
    if not isinstance(given.get("available"), bool):
        raise ValueError("available is true or false")
    with cloud.lock:
        cloud.ecs.spot_available = given["available"]
    return {"available": given["available"]}
