"""The floor: how soon, and with how few calls, this stack could come to be and go, on a model of AWS.

Nobody can be faster on that model: every wait overlaps every other one that it does not depend on, every call
is made the moment what it needs is there, and nothing is asked that need not be. What depends on what is read
off stack.py itself; what each kind costs stands here.
"""

from dataclasses import dataclass

from provision.resources.base import Milestone, Resource, kinds
from provision.resources.target_group import ATTRIBUTES, DEREGISTRATION
from provision.settings import Settings
from provision.stack import Secrets, Stack


@dataclass(frozen=True)
class Cost:
    """Calls of one kind of resource: all of them, and those that others have to wait for.

    waits: the delays of the sandbox (delays.py) that follow. off: calls to take it away again.
    looks: calls to see all of it that can be set.
    """

    calls: int
    first: int = 1
    waits: tuple[str, ...] = ()
    off: int = 1
    looks: int = 1


KINDS: dict[str, Cost] = {
    "HostedZone": Cost(2, looks=2),  # and its tags
    "Certificate": Cost(2, 2, ("resource_record",)),  # and one look at the record it asks for
    "Delegation": Cost(0, 0, off=0, looks=0),  # asked of DNS, not of AWS
    "ValidationRecord": Cost(1),
    "IssuedCertificate": Cost(1, 1, ("certificate",), off=0, looks=0),
    "Repository": Cost(2, looks=2),  # and its lifecycle policy
    "NewsBucket": Cost(
        4, off=2, looks=6
    ),  # and public access block, policy, tags; its versions are listed
    "LogGroup": Cost(2),  # and its retention
    "Parameter": Cost(1),
    "Role": Cost(1),
    "ExecutionPermissions": Cost(1),
    "TaskPermissions": Cost(1),
    "SchedulerPermissions": Cost(1),
    "ExistingNetwork": Cost(3, 2, off=0, looks=2),  # the VPC; then its subnets and route tables
    "SecurityGroup": Cost(1),
    "IngressRule": Cost(1, off=0),  # goes with its group, but for the one that names another group
    "LoadBalancer": Cost(1),
    "ActiveLoadBalancer": Cost(1, 1, ("load_balancer",), off=0, looks=0),
    "Alias": Cost(1),
    "TargetGroup": Cost(2, looks=2),  # and its attributes
    "BootstrapListener": Cost(1, off=0),  # listeners and rules go with their load balancer
    "BootstrapRule": Cost(1, off=0),
    "HttpsListener": Cost(1, off=0),
    "EcsServiceLinkedRole": Cost(1, off=0),
    # A token; four layers side by side, each begun, sent and ended; its manifest. Goes with its repository.
    "Image": Cost(1 + 4 * 3 + 1, 5, off=0),
    "Cluster": Cost(1),
    "TaskDefinition": Cost(1, off=2),  # deregistered, then deleted
    "Service": Cost(1),
    "SteadyService": Cost(1, 1, ("task_start",), off=0, looks=0),  # and see `finish`
    "ScheduleGroup": Cost(1),  # takes its schedules with it
    "Schedule": Cost(1, off=0),
    "WebhookEndpoint": Cost(0, 0, off=0, looks=0),  # LINE's, not AWS's: its test and the PUT
    "ActiveWebhook": Cost(0, 0, off=0, looks=0),
}
OTHER = Cost(1)  # a kind that has nothing of its own to say
SIGNED_IN = 1  # GetCallerIdentity: no tool works in an account that it does not know
# Kinds of which one call shows all: groups, rules, listeners, parameters; a zone's record sets.
BATCHED = (
    {"SecurityGroup"},
    {"IngressRule"},
    {"Parameter"},
    {"BootstrapListener", "HttpsListener"},
    {"ValidationRecord", "Alias"},
)
LOOKS_LONG = 2  # round trips: who am I, and everything else at once
GOES_LONG = 3  # round trips after a look: a service's delete, later its group's, every list


@dataclass(frozen=True)
class Model:
    """Seconds for a call; the sandbox's delays, in its own seconds; how much faster than ours they pass.

    ending: real seconds from a task's SIGTERM until its bot has ended: it goes on accepting requests for 20
    of the sandbox's (bot/settings.py), and then gunicorn takes its own time.
    """

    latency: float
    delays: dict[str, float]
    speed: float = 1.0
    ending: float = 20.0

    def wait(self, *names: str) -> float:
        """Real seconds for which those delays, one after the other, let one wait."""
        return sum(self.delays[name] for name in names) / self.speed


def of(resource: Resource) -> Cost:
    """Return what it costs."""
    return KINDS.get(resource.kind, OTHER)


def stack() -> Stack:
    """Return the stack that the benchmark builds, as `provision --sandbox setup --yes` has it."""
    given = {
        "domain": "news-bot.example",
        "network.vpc": "default",
    }
    return Stack(Settings(given), Secrets(), {})


def finish(resources: list[Resource], model: Model) -> dict[str, float]:
    """Seconds from the first call until each is there, by its key."""
    done: dict[str, float] = {}
    for resource in resources:
        cost = of(resource)
        begin = max((done[need.key] for need in resource.needs() if need.key in done), default=0.0)
        done[resource.key] = begin + cost.first * model.latency + model.wait(*cost.waits)
        if resource.kind == "SteadyService":  # a load balancer checks no target before it is active
            balancer = max(done[r.key] for r in resources if r.kind == "LoadBalancer")
            active = balancer + model.wait("load_balancer")
            done[resource.key] = max(done[resource.key], active) + model.wait("steady")
    return done


def setup_seconds(resources: list[Resource], model: Model) -> float:
    """Return the longest chain, from the first call to the last."""
    return SIGNED_IN * model.latency + max(finish(resources, model).values())


def setup_calls(resources: list[Resource]) -> int:
    """As few as can build it, in an account where what is somebody's own must not be touched.

    So besides the calls that make it there is one look each at what has a name of its own there.
    """
    named = [r for r in resources if not isinstance(r, Milestone) and r.owners({}) is None]
    batches = sum(1 for batch in BATCHED if batch.intersection(r.kind for r in named))
    alone = [r for r in named if not any(r.kind in batch for batch in BATCHED)]
    looks = batches + len([r for r in alone if of(r).looks and r.kind != "ExistingNetwork"])
    return SIGNED_IN + looks + sum(of(resource).calls for resource in resources)


def teardown_seconds(model: Model) -> float:
    """Return the longer of two chains that need not wait for each other.

    The service: its task lingers and lets go of its interface; then group and cluster go. Nothing drains: a
    target group goes with its listeners.
    The load balancer: its interfaces linger, and the certificate counts as in use; then they go.
    """
    task = model.ending + model.wait("network_interfaces")
    service = max(task, model.wait("service_drain"))
    balancer = max(model.wait("network_interfaces"), model.wait("certificate_in_use"))
    return (LOOKS_LONG + GOES_LONG) * model.latency + max(service, balancer)


# Whether a certificate elsewhere needs the validation record: the account's regions, two lists in each.
CERTIFICATES_ELSEWHERE = 1 + 2 * 17


def teardown_calls(resources: list[Resource]) -> int:
    """As few as can take it away: nothing that others use, and nothing left.

    So each is looked at before the first delete, every kind's own list is read after the last, and what goes
    slowly is looked at once more.
    """
    lists = sum("tagged" in vars(kind) for kind in kinds().values())
    gone = sum(of(resource).off for resource in resources)
    return look_calls(resources) + 2 + CERTIFICATES_ELSEWHERE + lists + gone


def pause_seconds(model: Model) -> float:
    """Return the same for a pause: the target group stays, so its targets drain before their tasks stop."""
    return teardown_seconds(model) + int(ATTRIBUTES[DEREGISTRATION]) / model.speed


def _paused(resources: list[Resource]) -> list[Resource]:
    """Return what a pause deletes: what is paid by the hour, and what depends on it."""
    paid = [resource for resource in resources if resource.deletion.on_pause]
    return [*paid, *(user for one in paid for user in resources if one in user.needs())]


def pause_calls(resources: list[Resource]) -> int:
    """As few as can take those away, and one look each at the two that go slowly."""
    return SIGNED_IN + 2 + sum(of(r).off for r in set(_paused(resources)))


def resume_calls(resources: list[Resource]) -> int:
    """As few as can put them back."""
    return SIGNED_IN + sum(of(r).calls for r in set(_paused(resources)))


def resume_seconds(resources: list[Resource], model: Model) -> float:
    """As setup: the load balancer is the longest."""
    waits = max(model.wait("load_balancer"), model.wait("task_start")) + model.wait("steady")
    return (SIGNED_IN + 3) * model.latency + waits


def delegated_seconds(model: Model) -> float:
    """From the registrar's entry to LINE's test: the certificate, usable, and its listener."""
    return model.wait("certificate", "certificate_usable") + 2 * model.latency


def look_calls(resources: list[Resource]) -> int:
    """As few as show everything that can be set: of what is batched one call for all."""
    kinds = [resource.kind for resource in resources]
    alone = [r for r in resources if not any(r.kind in batch for batch in BATCHED)]
    batches = sum(1 for batch in BATCHED if batch.intersection(kinds))
    return SIGNED_IN + batches + sum(of(r).looks for r in alone)


def look_seconds(model: Model) -> float:
    """Return the round trips of a rerun with nothing to do, of status, and of plan."""
    return LOOKS_LONG * model.latency
