"""Create the zone's records: the certificate's validation CNAME, and the alias of the bot's host."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from provision.i18n import _
from provision.resources.base import (
    REPLACED_DELAY,
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
    UsageCheck,
    differences,
    identity_in,
    name_conflict,
    output,
    resource,
)
from provision.resources.certificate import Certificate, every_certificate, validated_by
from provision.resources.hosted_zone import HostedZone
from provision.resources.load_balancer import LoadBalancer


@resource
class RecordSet(Resource):
    """A record set, owned through its zone. In an adopted zone an equal record set is adopted."""

    zone: HostedZone
    zone_id: str = output("ZoneId")
    name: str = output("Name")
    type: str = output("Type")
    deletion = Deletion(immediate=True)
    errors = Errors(
        not_found=("NoSuchHostedZone", "InvalidChangeBatch: but it was not found"),
        setting="host",
    )
    console = "Route 53"
    polling = Polling(expected=37)

    def operator_permissions(self) -> list[Permission]:
        """Return the permission to read; the zone's permissions include its records."""
        return [Permission("read", "route53", "ListResourceRecordSets", "hostedzone/*")]

    def to_request(self) -> dict[str, Any]:
        """Return the ResourceRecordSet parameter of ChangeResourceRecordSets."""
        raise NotImplementedError(self.kind)

    def find(self, clients: Clients) -> Live | None:
        """Find the record set by zone, name and type."""
        if self.name:
            zone_id, name, kind = self.zone_id, self.name, self.type
        else:
            record_set = self.to_request()
            zone_id, name, kind = self.zone.id, record_set["Name"], record_set["Type"]
        answer = clients.aws.route53.list_resource_record_sets(
            HostedZoneId=zone_id, StartRecordName=name, StartRecordType=kind, MaxItems="1"
        )
        for record in answer["ResourceRecordSets"]:
            if _normalize_name(record["Name"]) == _normalize_name(name) and record["Type"] == kind:
                return {**_normalize(record), "ZoneId": zone_id}
        return None

    def holders(self, clients: Clients, live: Live) -> Iterator[Resource]:
        """Yield its zone, then the resources that prove ownership in an adopted zone."""
        zone_id = live["ZoneId"]
        yield HostedZone.from_record(self.stack, zone_id, {"id": zone_id})

    def exists_within(self) -> list[Resource]:
        """Return the zone; [] if the former servers' records were copied into it."""
        return [] if self.zone.copied else [self.zone]

    def create(self, clients: Clients) -> Live | None:
        """Call ChangeResourceRecordSets with UPSERT."""
        _change(clients, self.zone.id, "UPSERT", self.to_request())
        return {**_normalize(self.to_request()), "ZoneId": self.zone.id}

    def label(self, live: Live) -> str:
        """Return type, name and value."""
        target = live.get("AliasTarget", {}).get("DNSName")
        values = [item["Value"] for item in live.get("ResourceRecords", [])]
        return f"{live['Type']} {live['Name']} -> {target or ' '.join(values)}"

    def owners(self, live: Live) -> list[Resource]:
        """Return the zone, unless somebody has changed the record's value."""
        return [] if differences(self, live) else [self.zone]

    def may_adopt(self, live: Live) -> bool:
        """Adopt a record set with the same value."""
        return not differences(self, live)

    def desired(self) -> dict[str, Any]:
        """Return the record set's values."""
        record_set = _normalize(self.to_request())
        return {k: record_set[k] for k in ("ResourceRecords", "AliasTarget") if k in record_set}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ChangeResourceRecordSets with UPSERT."""
        _change(clients, self.zone.id, "UPSERT", self.to_request())

    def delete(self, clients: Clients) -> None:
        """Read the record set and delete it, because Route 53 requires all of its values."""
        answer = clients.aws.route53.list_resource_record_sets(
            HostedZoneId=self.zone_id,
            StartRecordName=self.name,
            StartRecordType=self.type,
            MaxItems="1",
        )
        for record in answer["ResourceRecordSets"]:
            if (
                _normalize_name(record["Name"]) == _normalize_name(self.name)
                and record["Type"] == self.type
            ):
                _change(clients, self.zone_id, "DELETE", record)


@resource
class ValidationRecord(RecordSet):
    """The CNAME by which ACM validates the domain."""

    certificate: Certificate
    deletion = replace(
        RecordSet.deletion,
        retained_with="certificate",  # ACM needs it for each renewal
    )

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return the records in the stack's zones that validate its certificates."""
        tags_by_name = {}
        for tags, live in Certificate.list_tagged(clients, stack):
            for option in live.get("DomainValidationOptions", []):
                if name := option.get("ResourceRecord", {}).get("Name"):
                    key = _key(cls, live["DomainName"])
                    tags_by_name[_normalize_name(name)] = {**tags, "provision:resource": key}
        records = _list_in_zones_of(clients, stack) if tags_by_name else ()
        return [
            (tags_by_name[record["Name"]], record)
            for record in records
            if record["Type"] == "CNAME" and record["Name"] in tags_by_name
        ]

    def identity(self) -> str:
        """Return the host."""
        return self.certificate.host

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[UsageCheck]:
        """Return checks for other certificates that the record validates, for each enabled region."""

        def check(region: str, filters: dict[str, Any]) -> list[ExternalUse]:
            acm = clients.aws.in_region(region).acm
            found = validated_by(
                acm, filters, identity_in(self.key), _normalize_name(self.name), ours
            )
            return [ExternalUse(arn) for arn in found]

        regions = sorted({clients.aws.region, *clients.aws.enabled_regions("acm")})
        return [
            UsageCheck(_("ACM in {region}", region=region) + which, partial(check, region, filters))
            for region in regions
            for which, filters in every_certificate(clients.aws.acm).items()
        ]

    def holders(self, clients: Clients, live: Live) -> Iterator[Resource]:
        """Yield its zone, then the certificates that it validates."""
        yield from super().holders(clients, live)
        acm = clients.aws.acm
        for filters in every_certificate(acm).values():
            for arn in validated_by(
                acm, filters, identity_in(self.key), _normalize_name(self.name), ()
            ):
                yield Certificate.from_record(self.stack, arn, {"arn": arn})

    def to_request(self) -> dict[str, Any]:
        """Return the CNAME that ACM requires."""
        return {
            "Name": self.certificate.record_name,
            "Type": "CNAME",
            "TTL": 300,
            "ResourceRecords": [{"Value": self.certificate.record_value}],
        }


@resource
class Alias(RecordSet):
    """The alias A record that points the host's name to the load balancer."""

    host: str
    load_balancer: LoadBalancer
    deletion = replace(
        RecordSet.deletion,
        replaced_delay=REPLACED_DELAY,
    )

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return the records in the stack's zones that point to its load balancers."""
        balancers = {
            _normalize_name(live["DNSName"]): tags
            for tags, live in LoadBalancer.list_tagged(clients, stack)
        }
        records = _list_in_zones_of(clients, stack) if balancers else ()
        found = ((balancers.get(r.get("AliasTarget", {}).get("DNSName", "")), r) for r in records)
        return [
            ({**tags, "provision:resource": _key(cls, r["Name"])}, r) for tags, r in found if tags
        ]

    def identity(self) -> str:
        """Return the host."""
        return self.host

    def lookup_needs(self) -> list[Resource]:
        """Return the zone."""
        return [self.zone]

    def find(self, clients: Clients) -> Live | None:
        """Find the record set. Until it is recorded, raise ProvisionError for a CNAME or AAAA record."""
        if self.name:
            return super().find(clients)
        answer = clients.aws.route53.list_resource_record_sets(
            HostedZoneId=self.zone.id, StartRecordName=self.host + ".", MaxItems="20"
        )
        records = [_normalize(record) for record in answer["ResourceRecordSets"]]
        by_type = {record["Type"]: record for record in records if record["Name"] == self.host}
        if "A" in by_type:
            return {**by_type["A"], "ZoneId": self.zone.id}
        for kind in ("CNAME", "AAAA"):
            if kind in by_type:
                raise name_conflict(self, self.label(by_type[kind]))
        return None

    def holders(self, clients: Clients, live: Live) -> Iterator[Resource]:
        """Yield its zone, then the load balancer that it points to, found by name."""
        yield from super().holders(clients, live)
        target = str(live.get("AliasTarget", {}).get("DNSName", ""))
        if balancer := re.match(rf"(.+)-\d+\.{re.escape(clients.aws.region)}\.elb\.", target):
            yield LoadBalancer.from_name(self.stack, balancer[1])

    def owners(self, live: Live) -> list[Resource]:
        """Return the owners if it points to the load balancer or to a former one of the same name."""
        if not differences(self, live):
            return [self.zone, self.load_balancer]
        target = live.get("AliasTarget", {}).get("DNSName", "")
        former = re.match(rf"{re.escape(self.load_balancer.name)}-\d+\.", target)
        return [self.zone] if former else []

    def to_request(self) -> dict[str, Any]:
        """Return an alias record, whose queries are free and which follows the load balancer's addresses."""
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
    """Return the resource's key. In stack.py the attributes have the names of the classes."""
    logical_id = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()
    return f"{logical_id}/{host}"


def _list_in_zones_of(clients: Clients, stack: str) -> Iterator[Live]:
    """Yield the record sets of the stack's zones, as `find` returns them."""
    for _tags, zone in HostedZone.list_tagged(clients, stack):
        pages = clients.aws.route53.get_paginator("list_resource_record_sets").paginate(
            HostedZoneId=zone["Id"]
        )
        for page in pages:
            for record in page["ResourceRecordSets"]:
                yield {**_normalize(record), "ZoneId": zone["Id"]}


def _normalize_name(name: str) -> str:
    return name.rstrip(".").lower()


def _normalize(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record set with normalized names, so that requests and responses can be compared."""
    result = dict(record, Name=_normalize_name(record["Name"]))
    if record.get("ResourceRecords"):
        result["ResourceRecords"] = [
            {"Value": _normalize_name(item["Value"])} for item in record["ResourceRecords"]
        ]
    if target := record.get("AliasTarget"):
        result["AliasTarget"] = {
            "HostedZoneId": target["HostedZoneId"],
            "DNSName": _normalize_name(target["DNSName"]).removeprefix("dualstack."),
        }
    return result
