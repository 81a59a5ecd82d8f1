"""Create the hosted zone of the domain."""

import secrets
from contextlib import suppress
from dataclasses import field
from typing import Any

from provision.clients.aws import list_items
from provision.clients.aws_errors import UNSUPPORTED, call_or_none
from provision.clients.dns import DnsError
from provision.errors import ProvisionError
from provision.i18n import _
from provision.pricing import Prices
from provision.resources import migrated_records
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    Live,
    Permission,
    Polling,
    Resource,
    Tagged,
    has_stack_tag,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)

REGION = "provision:region"
COMMENT = "provision stack "  # and the stack's name
REFERENCE = "provision-"
# The condition key of ChangeResourceRecordSets with the records' names, without the final dot.
RECORD_NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
BATCH_SIZE = 10  # Route 53 API, ListTagsForResources
NO_DNSSEC = (*UNSUPPORTED, "InvalidInput")  # the latter says MiniStack of an unknown path


class SeveralZones(ProvisionError):
    """The account has several public zones of one name, and the domain is delegated to none of them.

    zones: the name servers by zone id.
    """

    def __init__(self, domain: str, zones: list[Live]) -> None:
        super().__init__(
            _("Could not look up the hosted zone of {domain}.", domain=domain),
            _(
                "there are {count} public hosted zones of that name, and the domain is delegated to "
                "none of them",
                count=len(zones),
            ),
            _(
                "Delete the ones you do not need in the Route 53 console, then run the same command again."
            ),
        )
        self.zones = {zone["Id"]: ", ".join(zone["NameServers"]) for zone in zones}


@resource
class HostedZone(Resource):
    """The public Route 53 zone of the domain; adopted if it exists."""

    domain: str
    region: str  # the stack's; Route 53 is global
    # Route 53 API Reference, ResourceId
    id: str = output("Id", r"(/hostedzone/)?[A-Z0-9]{8,32}")
    name_servers: list[str] = output("NameServers")
    caller_reference: str = output("CallerReference")
    copied: list[str] = output("Copied")  # records copied from the former servers at creation
    to_copy: list[str] = field(default_factory=list, init=False)  # chosen by the person
    deletion = Deletion(immediate=True)
    errors = Errors(
        not_found=("NoSuchHostedZone",),
        exists=("HostedZoneAlreadyExists",),
        retry=("HostedZoneNotEmpty",),  # its records are deleted in the same run
    )
    polling = Polling(expected=2)
    identified_by = "record"  # its CallerReference; its tags are set by a second call

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        zone, domain = f"hostedzone/{self.id or '*'}", identity_in(self.key)
        names = {RECORD_NAMES: [domain, f"*.{domain}"]}
        below = {"ForAllValues:StringLike": names}
        return [
            Permission("read", "route53", "ListHostedZones ListHostedZonesByName"),
            Permission(
                "read",
                "route53",
                "GetHostedZone ListTagsForResource ListTagsForResources ListResourceRecordSets",
                "hostedzone/*",
            ),
            Permission("create", "route53", "CreateHostedZone"),
            Permission("create", "ec2", "DescribeVpcs", any_region=True),  # asked by Route 53
            Permission("create", "route53", "ChangeTagsForResource", zone),
            Permission("create", "route53", "ChangeResourceRecordSets", zone, condition=below),
            Permission("delete", "route53", "ChangeResourceRecordSets", zone, condition=below),
            Permission("read", "route53", "GetDNSSEC", zone),
            Permission("delete", "route53", "DeleteHostedZone", zone),
        ]

    def identity(self) -> str:
        """Return the domain."""
        return self.domain

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags and the region, because another region may have a stack of the same name."""
        return {**super().tags, REGION: self.region}

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return public zones by tags, without those of stacks in other regions."""
        route53, found = clients.aws.route53, []
        zones = list_items(route53, "list_hosted_zones", "HostedZones")
        public = [_short_id(z["Id"]) for z in zones if not z.get("Config", {}).get("PrivateZone")]
        for start in range(0, len(public), BATCH_SIZE):
            answer = route53.list_tags_for_resources(
                ResourceType="hostedzone", ResourceIds=public[start : start + BATCH_SIZE]
            )
            for tag_set in answer["ResourceTagSets"]:
                tags = _tags_here(clients, tags_to_dict(tag_set.get("Tags", [])))
                if has_stack_tag(tags, stack):
                    zone = route53.get_hosted_zone(Id=tag_set["ResourceId"])
                    found.append((tags, _shape(zone, tag_set["Tags"])))
        return found

    def before_create(self, clients: Clients) -> dict[str, Any]:
        """Return a random CallerReference; Route 53 never accepts one twice, even after a deletion."""
        reference = f"{REFERENCE}{secrets.token_hex(12)}"
        return {"caller_reference": reference, "copied": self.to_copy}

    def find(self, clients: Clients) -> Live | None:
        """Find the zone by id, else by name."""
        if self.id:
            return _read(clients, self.id)
        named = _list_by_name(clients, identity_in(self.key) + ".")
        public = [each["Id"] for each in named if not each.get("Config", {}).get("PrivateZone")]
        zones = [_read(clients, zone_id) for zone_id in public]
        if self.recorded_key:
            return next((z for z in zones if z["CallerReference"] == self.caller_reference), None)
        return zones[0] if len(zones) == 1 else self._choose(clients, zones)

    def _choose(self, clients: Clients, zones: list[Live]) -> Live | None:
        """Return the zone with the stack's tags, else the one that the domain is delegated to."""
        if not zones:
            return None
        for zone in zones:
            if self.tags_of(clients, zone).get("provision:stack") == self.stack:
                return zone
        with suppress(DnsError):
            listed = clients.dns.delegated_to(self.domain)
            for zone in zones:
                if clients.dns.all_match(listed, zone["NameServers"]):
                    return zone
        raise SeveralZones(self.domain, zones)

    def create(self, clients: Clients) -> Live | None:
        """Call CreateHostedZone, which takes no tags; `update` sets them."""
        answer = clients.aws.route53.create_hosted_zone(
            Name=self.domain,
            CallerReference=self.caller_reference,
            HostedZoneConfig={"Comment": f"{COMMENT}{self.stack}"},
        )
        return _shape(answer, [])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return its tags; before they are set, comment and CallerReference identify the stack."""
        comment = str(live.get("Config", {}).get("Comment", ""))
        created = live["CallerReference"].startswith(REFERENCE) and comment.startswith(COMMENT)
        initial = {"provision:stack": comment.removeprefix(COMMENT)} if created else {}
        return _tags_here(clients, {**initial, **live["Tags"]})

    def may_adopt(self, live: Live) -> bool:
        """Adopt an existing zone, because another zone would have other name servers."""
        return True

    def desired(self) -> dict[str, Any]:
        """Return the stack's tags."""
        return {f'Tags."{name}"': value for name, value in self.tags.items()}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Copy the records, then call ChangeTagsForResource, so that a zone with tags has all copies."""
        if self.copied:
            migrated_records.create(clients, self.id, self.copied)
        clients.aws.route53.change_tags_for_resource(
            ResourceType="hostedzone", ResourceId=self.id, AddTags=tags_to_list(self.tags)
        )

    def costs(self, prices: Prices) -> float:
        """Return the price of a month."""
        return prices.hosted_zone_month

    def retention_reason(self, everything: bool) -> str:
        """Keep it unless `everything`: another zone would have other name servers."""
        if everything:
            return ""
        return _("the same name servers cannot be obtained again; --everything deletes it too")

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return records and DNSSEC keys that others added.

        An endpoint without GetDNSSEC has no keys; Route 53 itself refuses to delete a zone that has some.
        """
        get_dnssec = clients.aws.route53.get_dnssec
        answer = call_or_none(NO_DNSSEC, get_dnssec, HostedZoneId=self.id) or {}
        keys = answer.get("KeySigningKeys", [])
        return [
            *(ExternalUse(_("DNSSEC key-signing key {name}", name=key["Name"])) for key in keys),
            *(
                ExternalUse(f"{name} {kind}", content=True)
                for name, kind in migrated_records.foreign(clients, self.id, self.copied or [])
                if f"{self.id} {name} {kind}" not in ours
            ),
        ]

    def delete(self, clients: Clients) -> None:
        """Call DeleteHostedZone, which is refused for a zone with records other than its NS and SOA."""
        if self.with_contents:
            migrated_records.delete_all(clients, self.id)
        elif self.copied:
            migrated_records.delete(clients, self.id, self.copied)
        clients.aws.route53.delete_hosted_zone(Id=self.id)


def _list_by_name(clients: Clients, domain: str) -> list[Live]:
    """Return the zones of this name. ListHostedZonesByName returns a range, and has no paginator."""
    found: list[Live] = []
    request: dict[str, Any] = {"DNSName": domain}
    while True:
        page = clients.aws.route53.list_hosted_zones_by_name(MaxItems="100", **request)
        found += [dict(zone) for zone in page["HostedZones"] if zone["Name"] == domain]
        if not page.get("IsTruncated") or page.get("NextDNSName") != domain:
            return found
        request["HostedZoneId"] = page["NextHostedZoneId"]


def _short_id(zone_id: str) -> str:
    return zone_id.removeprefix("/hostedzone/")


def _tags_here(clients: Clients, tags: dict[str, str]) -> dict[str, str]:
    """Return the tags; {} for those of a stack in another region."""
    return tags if tags.get(REGION, clients.aws.region) == clients.aws.region else {}


def _read(clients: Clients, zone_id: str) -> Live:
    answer = clients.aws.route53.get_hosted_zone(Id=zone_id)
    tags = clients.aws.route53.list_tags_for_resource(
        ResourceType="hostedzone", ResourceId=_short_id(zone_id)
    )
    return _shape(answer, tags["ResourceTagSet"].get("Tags", []))


def _shape(answer: Any, tags: list[dict[str, str]]) -> Live:
    zone = answer["HostedZone"]
    servers = answer.get("DelegationSet", {}).get("NameServers", [])
    return {
        **zone,
        "Id": _short_id(zone["Id"]),
        "NameServers": sorted(server.rstrip(".").lower() for server in servers),
        "Tags": tags_to_dict(tags),
    }
