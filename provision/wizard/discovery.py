"""Read settings back from an account: from the resources' keys (which are tags) and properties."""

from provision.clients.aws import reading
from provision.engine import inspector
from provision.engine.inventory import TaggedResource
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import (
    Clients,
    FoundSettings,
    Live,
    Resource,
    identity_in,
)
from provision.resources.certificate import Certificate
from provision.resources.collector_schedule import CollectorSchedule
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import built_tag
from provision.resources.load_balancer import LoadBalancer
from provision.resources.network import one_per_zone, subnets_of
from provision.resources.schedule import Schedule, Scheduled, ScheduleGroup
from provision.resources.security_group import SecurityGroup
from provision.resources.service import Service
from provision.resources.target_group import TargetGroup
from provision.resources.task_definition import TaskDefinition
from provision.resources.vpc import ZONES, Vpc


class DiscoveredSettings:
    """The settings of one stack, from its tagged resources. unknown: what could not be read, and why."""

    def __init__(self, tagged: list[TaggedResource], clients: Clients, stack: str) -> None:
        newest: dict[str, TaggedResource] = {}  # by logical id: a task definition has revisions
        for thing in tagged:
            newest.setdefault(thing.logical_id, thing)
        self.tagged, self.clients, self.stack = list(newest.values()), clients, stack
        self.unknown: dict[str, str] = {}
        self.hosts = [identity_in(thing.key) for thing in tagged if thing.kind is Certificate]

    def first(self, kind: type[Resource]) -> TaggedResource | None:
        """Return the first resource of that class."""
        return next((thing for thing in self.tagged if thing.kind is kind), None)

    def paused(self) -> bool:
        """Return whether the stack is paused: only what is paid by the hour is gone."""
        gone = not self.first(LoadBalancer) and not self.first(Service)
        return gone and bool(self.first(TargetGroup) and self.first(TaskDefinition))

    def settings(self) -> FoundSettings:
        """Return the settings that the account shows, except domain and host: see `host` and `domain`."""
        found: FoundSettings = {"name": self.stack, "region": self.clients.aws.region}
        # What a schedule starts counts more than what runs now, a resource's own name more than a mention.
        for shown in (*self._schedules(), *(thing.settings() for thing in self.tagged)):
            for key, value in shown.items():
                found.setdefault(key, value)
        known = {k: v for k, v in found.items() if v != "" or k.startswith("schedule.")}
        return {"news.feeds": [], **known, **self._subnets()}

    def _schedules(self) -> list[FoundSettings]:
        """Return the settings of the schedules, which have no tags; none of a pause, which deletes them."""
        hours = [shown for name in ("start", "stop") if (shown := self._schedule(Schedule, name))]
        if len(hours) < 2:
            hours = [] if self.paused() else [{"schedule.start": "", "schedule.stop": ""}]
        return [*hours, self._schedule(CollectorSchedule, "collect")]

    def _schedule(self, kind: type[Scheduled], name: str) -> FoundSettings:
        """Return the settings of the schedule of that name in the stack's group."""
        tagged = self.first(ScheduleGroup)
        if not tagged:
            return {}
        names = {"schedule_name": name, "group_name": identity_in(tagged.key)}
        resource = kind.from_record(self.stack, name, names)
        live = inspector.find(resource, self.clients)
        return resource.recovered_settings(live) if live else {}

    def built(self) -> str:
        """Return the tag of the image where provision built it; "" where it was given."""
        container = self._live(TaskDefinition).get("Container", {})
        return built_tag(str(container.get("image", "")), self.stack)

    def _subnets(self) -> FoundSettings:
        """Return the subnets of load balancer or service, unless they are the default choice."""
        group = self._live(SecurityGroup)
        if not group or self.first(Vpc):
            return {}
        configuration = self._live(Service).get("networkConfiguration", {})
        used = self._live(LoadBalancer).get("Subnets") or sorted(
            configuration.get("awsvpcConfiguration", {}).get("subnets", [])
        )
        with reading(_("Could not list the networks.")):
            public = subnets_of(self.clients.aws, group["VpcId"])[1]
        default = set(one_per_zone(list(public.values()))[:ZONES])
        return {"network.subnets": used} if used and set(used) != default else {}

    def _live(self, kind: type[Resource]) -> Live:
        tagged = self.first(kind)
        return tagged.live if tagged else {}

    def host(self) -> str:
        """Return the host that LINE calls: the certificate's; of several or none, the webhook endpoint's."""
        if len(self.hosts) == 1:
            return self.hosts[0]
        try:
            endpoint = str(self.clients.line.endpoint().get("endpoint", ""))
        except (Pending, ProvisionError):
            endpoint = ""
        called = endpoint.partition("://")[2].partition("/")[0].lower()
        return called if called in self.hosts or not self.hosts else self.hosts[0]

    def domain(self, host: str) -> str:
        """Return the zone's domain; of adopted zones the public one with the longest name the host is in."""
        if zone := self.first(HostedZone):
            return identity_in(zone.key)
        with reading(_("Could not look up the hosted zone of {domain}.", domain=host)):
            pages = self.clients.aws.route53.get_paginator("list_hosted_zones").paginate()
            zones = [zone for page in pages for zone in page["HostedZones"]]
        names = [
            zone["Name"].rstrip(".")
            for zone in zones
            if not zone.get("Config", {}).get("PrivateZone")
        ]
        fitting = [name for name in names if host == name or host.endswith(f".{name}")]
        return max(fitting, key=len, default="")
