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
    identity_in,
)
from provision.resources.collector_schedule import CollectorSchedule
from provision.resources.image import built_tag
from provision.resources.network import one_per_zone, subnets_of
from provision.resources.schedule import Schedule, Scheduled
from provision.resources.vpc import ZONES


class DiscoveredSettings:
    """The settings of one stack, from its tagged resources by logical id."""

    def __init__(self, tagged: list[TaggedResource], clients: Clients, stack: str) -> None:
        self.clients, self.stack = clients, stack
        self.lines: dict[str, TaggedResource] = {}
        self.unknown: dict[
            str, str
        ] = {}  # what could not be looked at, by kind or key, with the reason
        for thing in tagged:
            self.lines.setdefault(thing.logical_id, thing)  # of a task's revisions the newest
        self.hosts = [
            identity_in(thing.key) for thing in tagged if thing.logical_id == "certificate"
        ]

    def paused(self) -> bool:
        """Return whether the stack is paused: only what is paid by the hour is gone."""
        gone = not {"load_balancer", "service"} & set(self.lines)
        return gone and {"target_group", "task_definition"} <= set(self.lines)

    def settings(self) -> FoundSettings:
        """Return the settings that the account shows, except domain and host: see `host` and `domain`."""
        found: FoundSettings = {"name": self.stack, "region": self.clients.aws.region}
        # What a schedule starts counts more than what runs now, a resource's own name more than a mention.
        for shown in (*self._schedules(), *(thing.settings() for thing in self.lines.values())):
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
        if "schedule_group" not in self.lines:
            return {}
        group = identity_in(self.lines["schedule_group"].key)
        resource = kind.from_record(
            self.stack, f"{name}_schedule/{group}", {"schedule_name": name, "group_name": group}
        )
        live = inspector.find(resource, self.clients)
        return resource.recovered_settings(live) if live else {}

    def built(self) -> str:
        """Return the tag of the image where provision built it; "" where it was given."""
        container = self._live("task_definition").get("Container", {})
        return built_tag(str(container.get("image", "")), self.stack)

    def _subnets(self) -> FoundSettings:
        """Return the subnets of load balancer or service, unless they are the default choice."""
        group = self._live("load_balancer_group")
        if not group or "vpc" in self.lines:
            return {}
        configuration = self._live("service").get("networkConfiguration", {})
        used = self._live("load_balancer").get("Subnets") or sorted(
            configuration.get("awsvpcConfiguration", {}).get("subnets", [])
        )
        with reading(_("Could not list the networks.")):
            public = subnets_of(self.clients.aws, group["VpcId"])[1]
        default = set(one_per_zone(list(public.values()))[:ZONES])
        return {"network.subnets": used} if used and set(used) != default else {}

    def _live(self, line: str) -> Live:
        return self.lines[line].live if line in self.lines else {}

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
        if "zone" in self.lines:
            return identity_in(self.lines["zone"].key)
        with reading(_("Looking for the hosted zone of {domain}.", domain=host)):
            pages = self.clients.aws.route53.get_paginator("list_hosted_zones").paginate()
            zones = [zone for page in pages for zone in page["HostedZones"]]
        names = [
            zone["Name"].rstrip(".")
            for zone in zones
            if not zone.get("Config", {}).get("PrivateZone")
        ]
        fitting = [name for name in names if host == name or host.endswith(f".{name}")]
        return max(fitting, key=len, default="")
