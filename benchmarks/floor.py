"""The floor: the shortest time and the fewest calls with which this stack can be built and deleted.

On a model of AWS where every wait overlaps all others it does not depend on, every call is made as soon as
its inputs exist, and no unnecessary call is made. Dependencies are read from stack.py; the cost of each kind
is defined here.
"""

from dataclasses import dataclass

from provision.resources.base import Milestone, Resource, kinds
from provision.resources.target_group import ATTRIBUTES, DEREGISTRATION
from provision.settings import Settings
from provision.stack import Secrets, Stack


@dataclass(frozen=True)
class Cost:
    """Calls for one kind of resource: all of them, and those that others wait for.

    waits: the sandbox's delays (delays.py) that follow. off: calls to delete it. reads: calls to read all its
    properties.
    """

    calls: int
    first: int = 1
    waits: tuple[str, ...] = ()
    off: int = 1
    reads: int = 1


KINDS: dict[str, Cost] = {
    "HostedZone": Cost(2, reads=2),  # with its tags
    "Certificate": Cost(2, 2, ("resource_record",)),  # with one read of the record it requires
    "Delegation": Cost(0, 0, off=0, reads=0),  # queries DNS, not AWS
    "ValidationRecord": Cost(1),
    "IssuedCertificate": Cost(1, 1, ("certificate",), off=0, reads=0),
    "Repository": Cost(2, reads=2),  # with its lifecycle policy
    "NewsBucket": Cost(
        5, off=2, reads=7
    ),  # and public access block, policy, lifecycle, tags; its versions are listed
    "LogGroup": Cost(2),  # with its retention
    "Parameter": Cost(1),
    "Role": Cost(1),
    "ExecutionPermissions": Cost(1),
    "CollectorExecutionPermissions": Cost(1),
    "TaskPermissions": Cost(1),
    "SchedulerPermissions": Cost(1),
    "ExistingNetwork": Cost(3, 2, off=0, reads=2),  # the VPC; then its subnets and route tables
    "SecurityGroup": Cost(3),  # with its outbound rules
    "IngressRule": Cost(1, off=0),  # deleted with its group
    "LoadBalancer": Cost(2, reads=2),  # with its attributes
    "ActiveLoadBalancer": Cost(1, 1, ("load_balancer",), off=0, reads=0),
    "Alias": Cost(1),
    "TargetGroup": Cost(2, reads=2),  # with its attributes
    "BootstrapListener": Cost(1, off=0),  # listeners and rules are deleted with their load balancer
    "BootstrapRule": Cost(1, off=0),
    "WebhookRule": Cost(2, 2, off=0),  # with the other rules' priorities
    "HttpsListener": Cost(1, off=0),
    "EcsServiceLinkedRole": Cost(1, off=0),
    # A token; four layers in parallel, each begun, sent and completed; the manifest. Deleted with its
    # repository.
    "Image": Cost(1 + 4 * 3 + 1, 5, off=0),
    "Cluster": Cost(1),
    "TaskDefinition": Cost(1, off=2),  # deregistered, then deleted
    "Service": Cost(1),
    "SteadyService": Cost(1, 1, ("task_start",), off=0, reads=0),  # see also `finish_times`
    "ScheduleGroup": Cost(1),  # its schedules are deleted with it
    "Schedule": Cost(1, off=0),
    "WebhookEndpoint": Cost(0, 0, off=0, reads=0),  # LINE's API, not AWS's
    "ActiveWebhook": Cost(0, 0, off=0, reads=0),
}
OTHER = Cost(1)  # any other kind
SIGNED_IN = 1  # GetCallerIdentity
# Kinds that are read with one call for all: groups, rules, listeners, parameters, record sets.
BATCHED = (
    {"SecurityGroup"},
    {"IngressRule"},
    {"Parameter"},
    {"BootstrapListener", "HttpsListener"},
    {"ValidationRecord", "Alias"},
)
INSPECTION_ROUND_TRIPS = 2  # GetCallerIdentity, and everything else in parallel
DELETION_ROUND_TRIPS = 3  # after the inspection: the service, later its group, then every list


@dataclass(frozen=True)
class Model:
    """Seconds per call; the sandbox's delays in its own seconds; how much faster than real time they pass.

    ending: real seconds from a task's SIGTERM until its bot has ended: it accepts requests for 20 more of the
    sandbox's seconds (bot/settings.py), and then gunicorn shuts down.
    """

    latency: float
    delays: dict[str, float]
    speed: float = 1.0
    ending: float = 20.0

    def wait(self, *names: str) -> float:
        """Return the real seconds of these delays, one after the other."""
        return sum(self.delays[name] for name in names) / self.speed


def cost_of(resource: Resource) -> Cost:
    """Return the cost of a resource."""
    return KINDS.get(resource.kind, OTHER)


def default_stack() -> Stack:
    """Return the stack of the benchmark, as built by `provision --sandbox setup --yes`."""
    given = {
        "domain": "news-bot.example",
        "network.vpc": "default",
    }
    return Stack(Settings(given), Secrets(), {})


def finish_times(resources: list[Resource], model: Model) -> dict[str, float]:
    """Return the seconds from the first call until each resource is ready, by key."""
    done: dict[str, float] = {}
    for resource in resources:
        cost = cost_of(resource)
        begin = max((done[need.key] for need in resource.needs() if need.key in done), default=0.0)
        done[resource.key] = begin + cost.first * model.latency + model.wait(*cost.waits)
        if (
            resource.kind == "SteadyService"
        ):  # targets are not checked before the load balancer is active
            balancer = max(done[r.key] for r in resources if r.kind == "LoadBalancer")
            active = balancer + model.wait("load_balancer")
            done[resource.key] = max(done[resource.key], active) + model.wait("steady")
    return done


def setup_seconds(resources: list[Resource], model: Model) -> float:
    """Return the longest chain, from the first call to the last."""
    return SIGNED_IN * model.latency + max(finish_times(resources, model).values())


def setup_calls(resources: list[Resource]) -> int:
    """Return the fewest calls to build the stack, in an account whose foreign resources must not be touched.

    Therefore each name is read once, besides the calls that create.
    """
    named = [r for r in resources if not isinstance(r, Milestone) and r.owners({}) is None]
    batches = sum(1 for batch in BATCHED if batch.intersection(r.kind for r in named))
    alone = [r for r in named if not any(r.kind in batch for batch in BATCHED)]
    reads = batches + len([r for r in alone if cost_of(r).reads and r.kind != "ExistingNetwork"])
    return SIGNED_IN + reads + sum(cost_of(resource).calls for resource in resources)


def teardown_seconds(model: Model) -> float:
    """Return the longer of two independent chains.

    The service: its task ends slowly and then releases its interface; then group and cluster are deleted.
    Nothing drains: a target group is deleted with its listeners. The load balancer: its interfaces remain for
    a while, and the certificate counts as in use; then they are deleted.
    """
    task = model.ending + model.wait("network_interfaces")
    service = max(task, model.wait("service_drain"))
    balancer = max(model.wait("network_interfaces"), model.wait("certificate_in_use"))
    return (INSPECTION_ROUND_TRIPS + DELETION_ROUND_TRIPS) * model.latency + max(service, balancer)


# Searching other certificates that need the validation record: the regions, and two lists in each.
CERTIFICATES_ELSEWHERE = 1 + 2 * 17


def teardown_calls(resources: list[Resource]) -> int:
    """Return the fewest calls to delete the stack, keeping what others use and leaving nothing.

    Therefore each resource is read before the first delete, every kind's list after the last, and slow
    deletions once more.
    """
    lists = sum("tagged" in vars(kind) for kind in kinds().values())
    deletes = sum(cost_of(resource).off for resource in resources)
    return inspection_calls(resources) + 2 + CERTIFICATES_ELSEWHERE + lists + deletes


def pause_seconds(model: Model) -> float:
    """Return the seconds of a pause: the target group is kept, so its targets drain before the tasks stop."""
    return teardown_seconds(model) + int(ATTRIBUTES[DEREGISTRATION]) / model.speed


def _paused(resources: list[Resource]) -> list[Resource]:
    """Return what a pause deletes: what is paid by the hour, and what depends on it."""
    paid = [resource for resource in resources if resource.deletion.on_pause]
    return [*paid, *(user for one in paid for user in resources if one in user.needs())]


def pause_calls(resources: list[Resource]) -> int:
    """Return the fewest calls to delete those, with one read each of the two slow ones."""
    return SIGNED_IN + 2 + sum(cost_of(r).off for r in set(_paused(resources)))


def resume_calls(resources: list[Resource]) -> int:
    """Return the fewest calls to recreate them."""
    return SIGNED_IN + sum(cost_of(r).calls for r in set(_paused(resources)))


def resume_seconds(resources: list[Resource], model: Model) -> float:
    """Return the seconds of a resume: as for setup, the load balancer takes longest."""
    waits = max(model.wait("load_balancer"), model.wait("task_start")) + model.wait("steady")
    return (SIGNED_IN + 3) * model.latency + waits


def delegated_seconds(model: Model) -> float:
    """Return the seconds from the delegation to LINE's test: the certificate, usable, and its listener."""
    return model.wait("certificate", "certificate_usable") + 2 * model.latency


def inspection_calls(resources: list[Resource]) -> int:
    """Return the fewest calls to read everything that can be set, with one call per batch."""
    kinds = [resource.kind for resource in resources]
    alone = [r for r in resources if not any(r.kind in batch for batch in BATCHED)]
    batches = sum(1 for batch in BATCHED if batch.intersection(kinds))
    return SIGNED_IN + batches + sum(cost_of(r).reads for r in alone)


def inspection_seconds(model: Model) -> float:
    """Return the round trips of a setup with nothing to do, of status, and of plan."""
    return INSPECTION_ROUND_TRIPS * model.latency
