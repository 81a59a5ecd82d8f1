"""Read settings back from an account: from the resources' keys (which are tags) and properties."""

import json
from typing import Any

from provision.clients.aws import reading
from provision.engine import inspector
from provision.engine.deleter import from_record
from provision.engine.inventory import TaggedResource
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.image.inputs import PREFIX
from provision.resources.awsvpc import PROVIDERS
from provision.resources.base import Clients, Live
from provision.resources.network import one_per_zone, subnets_of
from provision.resources.task_definition import ARCHITECTURES
from provision.resources.vpc import ZONES
from provision.state.stack_file import Record

Found = dict[str, str | list[str]]  # settings, as they would be typed


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
            thing.key.partition("/")[2] for thing in tagged if thing.logical_id == "certificate"
        ]

    def paused(self) -> bool:
        """Return whether the stack is paused: only what is paid by the hour is gone."""
        gone = not {"load_balancer", "service"} & set(self.lines)
        return gone and {"target_group", "task_definition"} <= set(self.lines)

    def settings(self) -> Found:
        """Return the settings that the account shows, except domain and host: see `host` and `domain`."""
        return {
            "name": self.stack,
            "region": self.clients.aws.region,
            **self._network(),
            **self._task(),
            **self._service(),
            **self._schedule(),
            **self._named(),
            **self._collected(),
        }

    def _live(self, line: str) -> Live:
        return self.lines[line].live if line in self.lines else {}

    def _identity(self, line: str) -> str:
        return self.lines[line].key.partition("/")[2] if line in self.lines else ""

    def _network(self) -> Found:
        """Read the VPC from the security group in it, and the subnets if they are not the default choice."""
        if "vpc" in self.lines:
            return {"network.vpc": "new"}
        group = self._live("load_balancer_group")
        if not group:
            return {}
        default = self._identity("load_balancer_group") == f"{self.stack}-load-balancer"
        found: Found = {"network.vpc": "default" if default else str(group["VpcId"])}
        used = self._live("load_balancer").get("Subnets") or sorted(
            self._live("service")
            .get("networkConfiguration", {})
            .get("awsvpcConfiguration", {})
            .get("subnets", [])
        )
        with reading(_("Could not list the networks.")):
            public = subnets_of(self.clients.aws, group["VpcId"])[1]
        if used and set(used) != set(one_per_zone(list(public.values()))[:ZONES]):
            found["network.subnets"] = used
        return found

    def _task(self) -> Found:
        """Read size, processor and image from the newest revision."""
        task = self._live("task_definition")
        if not task:
            return {}
        architecture = task.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
        platforms = {value: key for key, value in ARCHITECTURES.items()}
        image = task["Container"]["image"]
        return {
            **({} if self.built() else {"image.uri": image}),
            "image.platform": platforms[architecture],
            "service.cpu": task["cpu"],
            "service.memory": task["memory"],
        }

    def built(self) -> str:
        """Return the tag of the image where provision built it; "" where it was given."""
        image = str(self._live("task_definition").get("Container", {}).get("image", ""))
        name, _colon, tag = image.rpartition(":")
        ours = name.endswith(f"/{self.stack}") and tag.startswith(PREFIX)
        return tag if ours else ""

    def _service(self) -> Found:
        """Read its capacity, and the number of its tasks while it is on."""
        service = self._live("service")
        strategy = (service.get("capacityProviderStrategy") or [{}])[0]
        capacities = {value: key for key, value in PROVIDERS.items()}
        found: Found = {}
        if capacity := capacities.get(strategy.get("capacityProvider", "")):
            found["service.capacity"] = capacity
        if service.get("desiredCount"):
            found["service.count"] = str(service["desiredCount"])
        return found

    def _schedule(self) -> Found:
        """Start and stop, as the schedules say; {} where a pause has taken them away with the service."""
        found: Found = {}
        for which in ("start", "stop"):
            live = self._scheduled(which, "Schedule")
            if live is None:
                return {} if self.paused() else {"schedule.start": "", "schedule.stop": ""}
            found[f"schedule.{which}"] = live["ScheduleExpression"]
            found["schedule.timezone"] = live["ScheduleExpressionTimezone"]
            if which == "start":
                found["service.count"] = str(json.loads(live["Target"]["Input"])["DesiredCount"])
        return found

    def _scheduled(self, name: str, kind: str) -> Live | None:
        """Read a schedule of the stack's group."""
        if "schedule_group" not in self.lines:
            return None
        group = self._identity("schedule_group")
        record = Record(kind, "created", {"schedule_name": name, "group_name": group})
        return inspector.find(
            from_record(f"{name}_schedule/{group}", record, self.stack), self.clients
        )

    def _collected(self) -> Found:
        """Read the feeds from the collector's environment, and their schedule; none without a collector."""
        told = self._live("collector_definition").get("Container", {}).get("environment", {})
        found: Found = {"news.feeds": str(told.get("NEWS_FEEDS", "")).split()}
        if live := self._scheduled("collect", "CollectorSchedule"):
            found["news.schedule"] = live["ScheduleExpression"]
            found["schedule.timezone"] = live["ScheduleExpressionTimezone"]
        return found

    def _named(self) -> Found:
        """Read the names of parameters and bucket from their keys, of adopted ones from the task."""
        told: dict[str, Any] = self._live("task_definition").get("Container", {})
        environment = told.get("environment", {})
        names = {
            "line.access_token_parameter": self._identity("access_token")
            or environment.get("ACCESS_TOKEN_PARAMETER", ""),
            "line.channel_secret_parameter": self._identity("channel_secret")
            or environment.get("CHANNEL_SECRET_PARAMETER", ""),
            "news.bucket": self._identity("news_bucket"),
        }
        if "news_bucket" not in self.lines:
            names["news.bucket"] = (
                environment.get("NEWS_URL", "").partition("://")[2].partition("/")[0]
            )
        return {key: name for key, name in names.items() if name}

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
        if zone := self._identity("zone"):
            return zone
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
