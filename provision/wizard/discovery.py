"""Read a stack's settings from the account: from the tags and properties of its resources."""

from provision.clients.aws import list_items
from provision.clients.aws_errors import reading
from provision.engine import inspector
from provision.engine.inventory import TaggedResource
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import Clients, FoundSettings, Live, Resource, identity_in
from provision.resources.certificate import Certificate
from provision.resources.collector_schedule import CollectorSchedule
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import Image, built_tag
from provision.resources.load_balancer import LoadBalancer
from provision.resources.network import one_per_zone, subnets_of
from provision.resources.role import Role
from provision.resources.schedule import Schedule, Scheduled, ScheduleGroup
from provision.resources.security_group import SecurityGroup
from provision.resources.service import Service
from provision.resources.target_group import TargetGroup
from provision.resources.task_definition import TaskDefinition
from provision.resources.vpc import ZONES, Vpc
from provision.settings import BY_KEY


def _is_required_tag(pair: str) -> bool:
    """Return whether a tag can be one of the setting aws.tags, which does not take every character."""
    try:
        BY_KEY["aws.tags"].parse([pair])
    except ValueError:
        return False
    return True


class DiscoveredSettings:
    """The settings of one stack, read from its tagged resources. unknown: what could not be read, and why."""

    def __init__(self, tagged: list[TaggedResource], clients: Clients, stack: str) -> None:
        newest: dict[str, TaggedResource] = {}  # by logical id: a task definition has revisions
        for resource in tagged:
            newest.setdefault(resource.logical_id, resource)
        self.tagged, self.clients, self.stack = list(newest.values()), clients, stack
        self.unknown: dict[str, str] = {}
        self.hosts = [
            identity_in(resource.key) for resource in tagged if resource.kind is Certificate
        ]

    def first(self, kind: type[Resource]) -> TaggedResource | None:
        """Return the first resource of a class."""
        return next((resource for resource in self.tagged if resource.kind is kind), None)

    def paused(self) -> bool:
        """Return whether the stack is paused: only the resources charged by the hour are missing."""
        deleted = not self.first(LoadBalancer) and not self.first(Service)
        return deleted and bool(self.first(TargetGroup) and self.first(TaskDefinition))

    def settings(self) -> FoundSettings:
        """Return the settings except domain and host; see `host` and `domain`."""
        found: FoundSettings = {"name": self.stack, "region": self.clients.aws.region}
        # First come, first served: the schedules' task count comes before the current one.
        described = (self._described(Role), self._described(LoadBalancer))
        before = (*self._schedules(), *described, self._required_tags())
        for settings in (*before, *(resource.settings() for resource in self.tagged)):
            for key, value in settings.items():
                found.setdefault(key, value)
        known = {k: v for k, v in found.items() if v != "" or k.startswith("schedule.")}
        feeds: FoundSettings = {"news.feeds": []} if self.built_further() else {}
        return {**feeds, **known, **self._subnets()}

    def built_further(self) -> bool:
        """Return whether more than zone, bucket and roles shows what the settings were."""
        return bool(self.first(SecurityGroup))

    def _schedules(self) -> list[FoundSettings]:
        """Return the settings of the schedules, which have no tags. A pause deletes the schedules."""
        hours = [
            hours_settings
            for name in ("start", "stop")
            if (hours_settings := self._schedule(Schedule, name))
        ]
        if len(hours) < 2:
            known = self.built_further() and not self.paused()
            hours = [{"schedule.start": "", "schedule.stop": ""}] if known else []
        return [*hours, self._schedule(CollectorSchedule, "collect")]

    def _schedule(self, kind: type[Scheduled], name: str) -> FoundSettings:
        """Return the settings of a schedule in the stack's group; {} if it does not exist."""
        tagged = self.first(ScheduleGroup)
        if not tagged:
            return {}
        names = {"schedule_name": name, "group_name": identity_in(tagged.key)}
        return self._read(kind.from_record(self.stack, name, names))

    def _described(self, kind: type[Resource]) -> FoundSettings:
        """Return the settings of the first resource of a class that its list does not show."""
        tagged = self.first(kind)
        if not tagged:
            return {}
        return self._read(kind.from_record(self.stack, tagged.key, tagged.outputs()))

    def _read(self, resource: Resource) -> FoundSettings:
        """Return the settings of a live resource; {} if it does not exist."""
        live = inspector.find(resource, self.clients)
        return resource.recovered_settings(live) if live else {}

    def _required_tags(self) -> FoundSettings:
        """Return the tags that all resources share, besides provision's and AWS's own."""
        # An image has no tags: its resource's are provision's.
        tags = [set(each.tags.items()) for each in self.tagged if each.kind is not Image]
        shared = (
            [f"{key}={value}" for key, value in sorted(set.intersection(*tags))] if tags else []
        )
        required = list(filter(_is_required_tag, shared))
        return {"aws.tags": required} if required else {}

    def built(self) -> str:
        """Return the image's tag if provision built it; "" for image.uri."""
        container = self._live(TaskDefinition).get("Container", {})
        return built_tag(str(container.get("image", "")), self.stack)

    def _subnets(self) -> FoundSettings:
        """Return the subnets of the load balancer or the service, unless they are the default."""
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
        """Return the certificate's host; with several certificates or none, the webhook URL's."""
        if len(self.hosts) == 1:
            return self.hosts[0]
        try:
            endpoint = str(self.clients.line.endpoint().get("endpoint", ""))
        except (Pending, ProvisionError):
            endpoint = ""
        host = endpoint.partition("://")[2].partition("/")[0].lower()
        return host if host in self.hosts or not self.hosts else self.hosts[0]

    def domain(self, host: str) -> str:
        """Return the domain of the stack's zone; without one, of the closest public zone above the host."""
        if zone := self.first(HostedZone):
            return identity_in(zone.key)
        with reading(_("Could not look up the hosted zone of {domain}.", domain=host)):
            zones = list_items(self.clients.aws.route53, "list_hosted_zones", "HostedZones")
        names = [
            zone["Name"].rstrip(".")
            for zone in zones
            if not zone.get("Config", {}).get("PrivateZone")
        ]
        fitting = [name for name in names if host == name or host.endswith(f".{name}")]
        return max(fitting, key=len, default="")
