"""Records in the hosted zone: the certificate's validation CNAME, and the alias that LINE's calls follow."""

import re
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any, ClassVar

from provision.i18n import _
from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Resource,
    Tagged,
    UsageChecks,
    output,
    resource,
)
from provision.resources.certificate import Certificate, every_certificate, validated_by
from provision.resources.hosted_zone import HostedZone
from provision.resources.load_balancer import LoadBalancer


@resource
class RecordSet(Resource):
    """One record set. It is ours when the zone is ours; in an adopted zone an equal one is adopted."""

    zone: HostedZone
    zone_id: str = output("ZoneId")
    name: str = output("Name")
    type: str = output("Type")
    at_once = True
    not_found = ("NoSuchHostedZone", "InvalidChangeBatch: but it was not found")
    owned_via: ClassVar[str] = "zone"
    console = "Route 53"
    setting = "host"
    expected: ClassVar[int] = 37

    def wanted(self) -> dict[str, Any]:
        """The record set as ChangeResourceRecordSets takes it."""
        raise NotImplementedError(self.kind)

    def find(self, clients: Clients) -> Live | None:
        """By zone, name and type."""
        if self.name:
            zone_id, name, kind = self.zone_id, self.name, self.type
        else:
            wanted = self.wanted()
            zone_id, name, kind = self.zone.id, wanted["Name"], wanted["Type"]
        answer = clients.aws.route53.list_resource_record_sets(
            HostedZoneId=zone_id, StartRecordName=name, StartRecordType=kind, MaxItems="1"
        )
        for record in answer["ResourceRecordSets"]:
            if _plain(record["Name"]) == _plain(name) and record["Type"] == kind:
                return {**_normal(record), "ZoneId": zone_id}
        return None

    def holders(self, clients: Clients, live: Live) -> Iterator[Resource]:
        """Yield its zone, then by what else it is ours: in a zone that was there before it is, too."""
        yield HostedZone.named_by(self.stack, id=live["ZoneId"])

    def cannot_be(self, made: Collection[str]) -> bool:
        """Not in a zone that this run has made, unless the former servers' records were copied into it."""
        return super().cannot_be(made) and not self.zone.copied

    def create(self, clients: Clients) -> Live | None:
        """One UPSERT."""
        _change(clients, self.zone.id, "UPSERT", self.wanted())
        return {**_normal(self.wanted()), "ZoneId": self.zone.id}

    def shown(self, live: Live) -> str:
        """Type, name and value."""
        target = live.get("AliasTarget", {}).get("DNSName")
        values = [item["Value"] for item in live.get("ResourceRecords", [])]
        return f"{live['Type']} {live['Name']} -> {target or ' '.join(values)}"

    def owners(self, live: Live) -> list[Resource]:
        """In our own zone too somebody may have put another value there since."""
        return [] if self.differences(live) else super().owners(live)

    def may_adopt(self, live: Live) -> bool:
        """A record that already says what we want."""
        return not self.differences(live)

    def desired(self) -> dict[str, Any]:
        """Name, type and what it points at."""
        wanted = _normal(self.wanted())
        return {key: wanted[key] for key in ("ResourceRecords", "AliasTarget") if key in wanted}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """UPSERT."""
        _change(clients, self.zone.id, "UPSERT", self.wanted())

    def delete(self, clients: Clients) -> None:
        """DELETE of the record set as it stands: Route 53 wants it named whole."""
        answer = clients.aws.route53.list_resource_record_sets(
            HostedZoneId=self.zone_id,
            StartRecordName=self.name,
            StartRecordType=self.type,
            MaxItems="1",
        )
        for record in answer["ResourceRecordSets"]:
            if _plain(record["Name"]) == _plain(self.name) and record["Type"] == self.type:
                _change(clients, self.zone_id, "DELETE", record)


@resource
class ValidationRecord(RecordSet):
    """The CNAME by which ACM sees that the domain is ours."""

    certificate: Certificate
    retained_with: ClassVar[str] = "certificate"  # ACM looks at it again whenever it renews

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """A record set has no tags: in the stack's zones, what its certificates ask for."""
        asked = {}
        for tags, live in Certificate.tagged(clients, stack):
            for option in live.get("DomainValidationOptions", []):
                if name := option.get("ResourceRecord", {}).get("Name"):
                    asked[_plain(name)] = {
                        **tags,
                        "provision:resource": _key(cls, live["DomainName"]),
                    }
        records = _in_zones_of(clients, stack) if asked else ()
        return [
            (asked[r["Name"]], r) for r in records if r["Type"] == "CNAME" and r["Name"] in asked
        ]

    def identity(self) -> str:
        """One for each host."""
        return self.certificate.host

    def usage_checks(self, clients: Clients, ours: frozenset[str]) -> UsageChecks:
        """Look for other certificates that ACM renews by it, in every region that the account can use."""

        def check(region: str, filters: dict[str, Any]) -> list[ExternalUse]:
            acm = clients.aws.in_region(region).acm
            found = validated_by(acm, filters, self.identity(), _plain(self.name), ours)
            return [ExternalUse(arn) for arn in found]

        regions = sorted({clients.aws.region, *clients.aws.enabled_regions("acm")})
        return {
            _("ACM in {region}", region=region) + which: partial(check, region, filters)
            for region in regions
            for which, filters in every_certificate(clients.aws.acm).items()
        }

    def holders(self, clients: Clients, live: Live) -> Iterator[Resource]:
        """Yield its zone, then the certificates that ask for it."""
        yield from super().holders(clients, live)
        acm = clients.aws.acm
        for filters in every_certificate(acm).values():
            for arn in validated_by(acm, filters, self.identity(), _plain(self.name), ()):
                yield Certificate.named_by(self.stack, arn=arn)

    def wanted(self) -> dict[str, Any]:
        """As ACM names it."""
        return {
            "Name": self.certificate.record_name,
            "Type": "CNAME",
            "TTL": 300,
            "ResourceRecords": [{"Value": self.certificate.record_value}],
        }


@resource
class Alias(RecordSet):
    """The A record, an alias: the host's name leads to the load balancer."""

    host: str
    load_balancer: LoadBalancer
    remembered = True
    lookup_scope: ClassVar[str] = "zone"

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """A record set has no tags: in the stack's zones, what leads to its load balancers."""
        balancers = {
            _plain(live["DNSName"]): tags for tags, live in LoadBalancer.tagged(clients, stack)
        }
        records = _in_zones_of(clients, stack) if balancers else ()
        found = ((balancers.get(r.get("AliasTarget", {}).get("DNSName", "")), r) for r in records)
        return [
            ({**tags, "provision:resource": _key(cls, r["Name"])}, r) for tags, r in found if tags
        ]

    def identity(self) -> str:
        """One for each host."""
        return self.host

    def find(self, clients: Clients) -> Live | None:
        """Before ours is known: all that stands at the name, for callers would follow that as well."""
        if self.name:
            return super().find(clients)
        answer = clients.aws.route53.list_resource_record_sets(
            HostedZoneId=self.zone.id, StartRecordName=self.host + ".", MaxItems="20"
        )
        records = [_normal(record) for record in answer["ResourceRecordSets"]]
        here = {record["Type"]: record for record in records if record["Name"] == self.host}
        if "A" in here:
            return {**here["A"], "ZoneId": self.zone.id}
        for kind in ("CNAME", "AAAA"):
            if kind in here:
                raise self.in_the_way(self.shown(here[kind]))
        return None

    def holders(self, clients: Clients, live: Live) -> Iterator[Resource]:
        """Yield its zone, then the load balancer that it leads to, or that has taken that one's name."""
        yield from super().holders(clients, live)
        target = str(live.get("AliasTarget", {}).get("DNSName", ""))
        if balancer := re.match(rf"(.+)-\d+\.{re.escape(clients.aws.region)}\.elb\.", target):
            yield LoadBalancer.called(self.stack, balancer[1])

    def owners(self, live: Live) -> list[Resource]:
        """Ours where it leads to our load balancer, whoever has the zone; or to a former one of ours."""
        if not self.differences(live):
            return [*super().owners(live), self.load_balancer]
        target = live.get("AliasTarget", {}).get("DNSName", "")
        former = re.match(rf"{re.escape(self.load_balancer.name)}-\d+\.", target)
        return [self.zone] if former else []

    def wanted(self) -> dict[str, Any]:
        """An alias costs nothing to look up and follows the load balancer's addresses."""
        return {
            "Name": self.host + ".",
            "Type": "A",
            "AliasTarget": {
                "HostedZoneId": self.load_balancer.hosted_zone_id,
                "DNSName": self.load_balancer.dns_name,
                "EvaluateTargetHealth": False,
            },
        }


def _change(clients: Clients, zone_id: str, action: str, record: dict[str, Any]) -> None:
    clients.aws.route53.change_resource_record_sets(
        HostedZoneId=zone_id,
        ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
    )


def _key(kind: type[RecordSet], host: str) -> str:
    """Its key: in stack.py the lines are called as the classes are."""
    line = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()
    return f"{line}/{host}"


def _in_zones_of(clients: Clients, stack: str) -> Iterator[Live]:
    """The record sets of the stack's own zones, in `find`'s shape; one by one, for there may be many."""
    for _tags, zone in HostedZone.tagged(clients, stack):
        pages = clients.aws.route53.get_paginator("list_resource_record_sets").paginate(
            HostedZoneId=zone["Id"]
        )
        for page in pages:
            for record in page["ResourceRecordSets"]:
                yield {**_normal(record), "ZoneId": zone["Id"]}


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _normal(record: dict[str, Any]) -> dict[str, Any]:
    """Names without the last dot, so that what we send and what Route 53 shows compare."""
    normal = dict(record, Name=_plain(record["Name"]))
    if record.get("ResourceRecords"):
        normal["ResourceRecords"] = [
            {"Value": _plain(item["Value"])} for item in record["ResourceRecords"]
        ]
    if target := record.get("AliasTarget"):
        normal["AliasTarget"] = {
            "HostedZoneId": target["HostedZoneId"],
            "DNSName": _plain(target["DNSName"]).removeprefix("dualstack."),
        }
    return normal
