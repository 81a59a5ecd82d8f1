"""The hosted zone: where the domain's DNS records live."""

import secrets
from dataclasses import field
from typing import Any, ClassVar

from provision.clients.dns import Unanswered
from provision.errors import ProvisionError
from provision.i18n import _
from provision.pricing import Prices
from provision.resources import migrated_records
from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Resource,
    Tagged,
    flat,
    listed,
    marked,
    output,
    resource,
)

REGION = "provision:region"
COMMENT = "provision stack "  # and the stack's name
REFERENCE = "provision-"
TAGS_A_CALL = 10  # Route 53 API, ListTagsForResources


class SeveralZones(ProvisionError):
    """Several public zones of one name, and DNS does not say which is meant. zones: id -> name servers."""

    def __init__(self, domain: str, zones: list[Live]) -> None:
        super().__init__(
            _("Looking for the hosted zone of {domain}.", domain=domain),
            _(
                "there are {count} public zones of that name, and the domain is delegated to none of them",
                count=len(zones),
            ),
            _(
                "Delete the ones you do not need in the Route 53 console, then run the same command again."
            ),
        )
        self.zones = {zone["Id"]: ", ".join(zone["NameServers"]) for zone in zones}


@resource
class HostedZone(Resource):
    """The public Route 53 zone of the domain; created, or adopted where there is one."""

    domain: str
    region: str  # the stack's; Route 53 itself knows none
    id: str = output("Id")
    name_servers: list[str] = output("NameServers")
    caller_reference: str = output("CallerReference")
    copied: list[str] = output("Copied")  # records of the former servers, put in when it was made
    to_copy: list[str] = field(default_factory=list, init=False)  # as the person answered
    at_once = True
    not_found = ("NoSuchHostedZone",)
    exists = ("HostedZoneAlreadyExists",)
    later = ("Tags",)
    retry = ("HostedZoneNotEmpty",)  # of a former domain: its records go in the same walk
    expected: ClassVar[int] = 2
    retraceable: ClassVar[bool] = True  # its tags come with a second call
    single: ClassVar[bool] = False  # but for its CallerReference

    def identity(self) -> str:
        """A zone is its domain."""
        return self.domain

    @property
    def tags(self) -> dict[str, str]:
        """With the region: a stack of the same name may stand in another one."""
        return {**super().tags, REGION: self.region}

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """By the tags of every public zone; those of stacks in other regions are not ours."""
        route53, found = clients.aws.route53, []
        pages = route53.get_paginator("list_hosted_zones").paginate()
        zones = [zone for page in pages for zone in page["HostedZones"]]
        public = [_bare(z["Id"]) for z in zones if not z.get("Config", {}).get("PrivateZone")]
        for start in range(0, len(public), TAGS_A_CALL):
            answer = route53.list_tags_for_resources(
                ResourceType="hostedzone", ResourceIds=public[start : start + TAGS_A_CALL]
            )
            for told in answer["ResourceTagSets"]:
                tags = _here(clients, flat(told.get("Tags", [])))
                if marked(tags, stack):
                    answer = route53.get_hosted_zone(Id=told["ResourceId"])
                    found.append((tags, _shape(answer, told["Tags"])))
        return found

    def before_create(self, clients: Clients) -> dict[str, Any]:
        """A CallerReference can never be used again, even after deletion: random, on disk before the call."""
        reference = f"{REFERENCE}{secrets.token_hex(12)}"
        return {"caller_reference": reference, "copied": self.to_copy}

    def find(self, clients: Clients) -> Live | None:
        """By id, else by name (ListHostedZonesByName is a range, not a filter)."""
        if self.id:
            return _read(clients, self.id)
        route53 = clients.aws.route53
        domain = self.identity() + "."
        listing = route53.list_hosted_zones_by_name(DNSName=domain, MaxItems="100")
        public = [
            zone["Id"]
            for zone in listing["HostedZones"]
            if zone["Name"] == domain and not zone.get("Config", {}).get("PrivateZone")
        ]
        zones = [_read(clients, zone_id) for zone_id in public]
        if not hasattr(self, "domain"):  # no setting names it any more: ours, or not to be touched
            return next((z for z in zones if z["CallerReference"] == self.caller_reference), None)
        return zones[0] if len(zones) == 1 else self._chosen(clients, zones)

    def _chosen(self, clients: Clients, zones: list[Live]) -> Live | None:
        """Of several zones of one name: ours, else the one that the zone above delegates to."""
        if not zones:
            return None
        for zone in zones:
            if self.tags_of(clients, zone).get("provision:stack") == self.stack:
                return zone
        try:
            delegated = clients.dns.delegated_to(self.domain)
        except Unanswered:
            delegated = set()
        for zone in zones:
            if delegated == set(zone["NameServers"]):
                return zone
        raise SeveralZones(self.domain, zones)

    def create(self, clients: Clients) -> Live | None:
        """CreateHostedZone. Its tags are a difference, because the call takes none."""
        answer = clients.aws.route53.create_hosted_zone(
            Name=self.domain,
            CallerReference=self.caller_reference,
            HostedZoneConfig={"Comment": f"{COMMENT}{self.stack}"},
        )
        return _shape(answer, [])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Its tags; before it has any, the create call's comment and CallerReference say whose it is."""
        comment = str(live.get("Config", {}).get("Comment", ""))
        made = live["CallerReference"].startswith(REFERENCE) and comment.startswith(COMMENT)
        first = {"provision:stack": comment.removeprefix(COMMENT)} if made else {}
        return _here(clients, {**first, **live["Tags"]})

    def may_adopt(self, live: Live) -> bool:
        """A zone of the domain that is there is the one to use: a second one would have other servers."""
        return True

    def desired(self) -> dict[str, Any]:
        """Our tags."""
        return {f'Tags."{name}"': value for name, value in self.tags.items()}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """The copied records, then ChangeTagsForResource: a zone with tags has had its records."""
        if self.copied:
            migrated_records.put(clients, self.id, self.copied)
        clients.aws.route53.change_tags_for_resource(
            ResourceType="hostedzone", ResourceId=self.id, AddTags=listed(self.tags)
        )

    def costs(self, prices: Prices) -> float:
        """A flat price a month."""
        return prices.hosted_zone_month

    def retention_reason(self, everything: bool) -> str:
        """Its name servers can never be had again, so it goes only when asked to."""
        if everything:
            return ""
        return _("its name servers can never be had again; --everything takes it too")

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Records that people added, and DNSSEC keys, which nobody but their maker can replace."""
        keys = clients.aws.route53.get_dnssec(HostedZoneId=self.id).get("KeySigningKeys", [])
        return [
            *(ExternalUse(_("DNSSEC key-signing key {name}", name=key["Name"])) for key in keys),
            *(
                ExternalUse(f"{name} {kind}", content=True)
                for name, kind in migrated_records.others(clients, self.id, self.copied or [])
                if f"{self.id} {name} {kind}" not in ours
            ),
        ]

    def delete(self, clients: Clients) -> None:
        """DeleteHostedZone: refused while it holds records other than its own NS and SOA."""
        if self.with_contents:
            migrated_records.clear(clients, self.id)
        elif self.copied:
            migrated_records.take_away(clients, self.id, self.copied)
        clients.aws.route53.delete_hosted_zone(Id=self.id)


def _bare(zone_id: str) -> str:
    return zone_id.removeprefix("/hostedzone/")


def _here(clients: Clients, tags: dict[str, str]) -> dict[str, str]:
    """The tags, {} where they are those of a stack in another region."""
    return tags if tags.get(REGION, clients.aws.region) == clients.aws.region else {}


def _read(clients: Clients, zone_id: str) -> Live:
    answer = clients.aws.route53.get_hosted_zone(Id=zone_id)
    tags = clients.aws.route53.list_tags_for_resource(
        ResourceType="hostedzone", ResourceId=_bare(zone_id)
    )
    return _shape(answer, tags["ResourceTagSet"].get("Tags", []))


def _shape(answer: Any, tags: list[dict[str, str]]) -> Live:
    zone = answer["HostedZone"]
    servers = answer.get("DelegationSet", {}).get("NameServers", [])
    return {
        **zone,
        "Id": _bare(zone["Id"]),
        "NameServers": sorted(server.rstrip(".").lower() for server in servers),
        "Tags": flat(tags),
    }
