"""The stack's network: an existing or a new VPC, and its public subnets."""

import re

from provision.clients.aws import Aws, list_items
from provision.clients.aws_errors import reading
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import (
    Clients,
    Live,
    Milestone,
    Permission,
    Resource,
    id_pattern,
    output,
    resource,
    tags_to_dict,
)
from provision.resources.route_table import Route, RouteTableAssociation
from provision.resources.tagged_ec2 import describe_all, ec2_filter
from provision.resources.vpc import MIN_ZONES, ZONES, has_fargate

FREE_ADDRESSES = 8  # ELB User Guide, "Subnets for your load balancer"


@resource
class Network(Resource):
    """A VPC and its public subnets, one per zone."""

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return [
            Permission("read", "ec2", "DescribeVpcs DescribeSubnets DescribeRouteTables"),
        ]

    @property
    def vpc_id(self) -> str:
        """Return the VPC's id; "" if it does not exist."""
        raise NotImplementedError(self.kind)

    @property
    def subnet_ids(self) -> list[str]:
        """Return the ids of the existing subnets."""
        raise NotImplementedError(self.kind)

    def zones(self) -> int:
        """Return the number of zones, or the expected number."""
        return len(self.subnet_ids) or ZONES


@resource
class NewNetwork(Network, Milestone):
    """A new VPC whose subnets have a route to the internet."""

    route: Route
    association_1: RouteTableAssociation
    association_2: RouteTableAssociation
    association_3: RouteTableAssociation

    def identity(self) -> str:
        """Return the value of the setting."""
        return "new"

    @property
    def vpc_id(self) -> str:
        """Return the id of the VPC that the route belongs to."""
        return self.route.table.vpc.id

    @property
    def subnet_ids(self) -> list[str]:
        """Return the ids of the existing subnets, the first of each zone, in the order of the zones."""
        associations = (self.association_1, self.association_2, self.association_3)
        by_zone: dict[str, str] = {}
        for subnet in (association.subnet for association in associations):
            if subnet.id:
                by_zone.setdefault(subnet.zone or subnet.id, subnet.id)
        return list(by_zone.values())

    def find(self, clients: Clients) -> Live | None:
        """Return the ids."""
        return {"VpcId": self.vpc_id, "SubnetIds": self.subnet_ids}


@resource
class ExistingNetwork(Network):
    """The default VPC or a chosen one, with public subnets, one per zone. Adopted, never changed."""

    vpc: str
    subnets: list[str]
    vpc_id: str = output("VpcId", id_pattern("vpc"))
    subnet_ids: list[str] = output("SubnetIds", id_pattern("subnet"))

    def zones(self) -> int:
        """Return the number of subnets, or of zones if none are chosen."""
        return len(self.subnet_ids) or len(self.subnets) or ZONES

    def identity(self) -> str:
        """Return the VPC of the setting."""
        return self.vpc

    def find(self, clients: Clients) -> Live | None:
        """Find the VPC and its public subnets; keep recorded subnets while they exist."""
        vpc_id = self.vpc_id or self._vpc_id(clients)
        subnets, public = subnets_of(clients.aws, vpc_id)
        if not subnets and self.vpc_id:
            return None
        if self.subnets:
            self._check_subnets(subnets, public)
            return {"VpcId": vpc_id, "SubnetIds": self.subnets}
        recorded = [subnet for subnet in self.subnet_ids if subnet in public]
        if len(recorded) >= MIN_ZONES:
            return {"VpcId": vpc_id, "SubnetIds": recorded}
        chosen = one_per_zone([s for s in public.values() if not unsuitable(s)])[:ZONES]
        if len(chosen) < MIN_ZONES:
            raise self._error(
                _(
                    "{vpc} has suitable public subnets in {count} zones; two are needed",
                    vpc=vpc_id,
                    count=len(chosen),
                )
            )
        return {"VpcId": vpc_id, "SubnetIds": chosen}

    def _vpc_id(self, clients: Clients) -> str:
        vpcs = _vpcs(clients.aws, self.vpc)
        if not vpcs and self.vpc == "default":
            raise ProvisionError(
                _("Could not choose the network."),
                _("this region has no default VPC"),
                _("Set network.vpc to `new` (a new VPC is free) or to one of your VPCs."),
            )
        if not vpcs:
            raise self._error(_("there is no such VPC in this region: {vpc}", vpc=self.vpc))
        return str(vpcs[0]["VpcId"])

    def _check_subnets(self, subnets: list[Live], public: dict[str, Live]) -> None:
        existing = {subnet["SubnetId"] for subnet in subnets}
        zones: dict[str, str] = {}
        for subnet in self.subnets:
            if subnet not in existing:
                raise self._error(_("{subnet} is not in that VPC", subnet=subnet))
            if subnet not in public:
                raise self._error(_("{subnet} has no route to an internet gateway", subnet=subnet))
            if why := unsuitable(public[subnet]):
                raise self._error(f"{subnet}: {why}")
            zone = public[subnet]["AvailabilityZone"]
            if zone in zones:
                raise self._error(
                    _(
                        "{one} and {other} are both in {zone}",
                        one=zones[zone],
                        other=subnet,
                        zone=zone,
                    )
                )
            zones[zone] = subnet

    def _error(self, why: str) -> ProvisionError:
        return ProvisionError(
            _("Could not choose the network."),
            why,
            _("Set network.vpc and network.subnets to a VPC with two public subnets in two zones."),
        )

    def may_adopt(self, live: Live) -> bool:
        """Adopt it always."""
        return True


def is_public(subnet: Live, tables: list[Live]) -> bool:
    """Return whether the subnet has a route to an internet gateway, in its route table or the VPC's main one.

    A default subnet counts as public if no route is shown at all (VPC User Guide, "Default VPC components"):
    moto's main route table has none.
    """
    own: Live = {}
    main: Live = {}
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("SubnetId") == subnet["SubnetId"]:
                own = own or table
            if association.get("Main"):
                main = main or table
    routes = (own or main).get("Routes", [])
    outside = [route for route in routes if route.get("GatewayId") != "local"]
    is_default = bool(subnet.get("DefaultForAz") and subnet.get("MapPublicIpOnLaunch"))
    return (is_default and not own and not outside) or any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0"
        and str(route.get("GatewayId", "")).startswith("igw-")
        and route.get("State", "active") == "active"
        for route in routes
    )


def unsuitable(subnet: Live) -> str:
    """Return why a public subnet cannot hold the load balancer and the tasks; "" if it can.

    Load balancers need 8 free addresses and zones of one type; Fargate does not exist in every zone. Sources:
    ELB User Guide, "Subnets for your load balancer"; ECS Developer Guide, "Fargate Regions".
    """
    zone, zone_id = str(subnet["AvailabilityZone"]), str(subnet.get("AvailabilityZoneId", ""))
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d+[a-z]", zone):
        return _("{zone} is a local or wavelength zone", zone=zone)
    if not has_fargate(zone_id):
        return _(
            "Fargate does not exist in the zone {zone} ({zone_id})", zone=zone, zone_id=zone_id
        )
    if not subnet.get("CidrBlock"):
        return _("it has no IPv4 addresses")
    if subnet.get("AvailableIpAddressCount", FREE_ADDRESSES) < FREE_ADDRESSES:
        return _("it has fewer than {count} free addresses", count=FREE_ADDRESSES)
    return ""


def one_per_zone(subnets: list[Live]) -> list[str]:
    """Return the first subnet of each zone, in the order of the zones."""
    by_zone: dict[str, str] = {}
    for subnet in sorted(subnets, key=lambda s: (s["AvailabilityZone"], s["SubnetId"])):
        by_zone.setdefault(subnet["AvailabilityZone"], subnet["SubnetId"])
    return list(by_zone.values())


def subnets_of(aws: Aws, vpc_id: str) -> tuple[list[Live], dict[str, Live]]:
    """Return all subnets of a VPC, and the public ones by id."""
    in_vpc = ec2_filter("vpc-id", vpc_id)
    subnets = describe_all(aws, "describe_subnets", "Subnets", in_vpc)
    tables = describe_all(aws, "describe_route_tables", "RouteTables", in_vpc)
    return subnets, {s["SubnetId"]: s for s in subnets if is_public(s, tables)}


def subnet_choices(aws: Aws, vpc: str) -> list[tuple[str, str]]:
    """Return the possible subnets in a VPC (or "default"), each with its zone and addresses."""
    with reading(_("Could not list the networks.")):
        vpcs = _vpcs(aws, vpc)
        public = subnets_of(aws, vpcs[0]["VpcId"])[1] if vpcs else {}
    suitable = [subnet for subnet in public.values() if not unsuitable(subnet)]
    found = sorted(suitable, key=lambda s: (s["AvailabilityZone"], s["SubnetId"]))
    return [(s["SubnetId"], f"{s['AvailabilityZone']} {s['CidrBlock']}") for s in found]


def choices(aws: Aws) -> list[tuple[str, str]]:
    """Return the possible values of network.vpc, each with a description."""
    with reading(_("Could not list the networks.")):
        vpcs = list_items(aws.ec2, "describe_vpcs", "Vpcs")
    return vpc_choices(vpcs)


def vpc_choices(vpcs: list[Live]) -> list[tuple[str, str]]:
    """Return the default VPC first, then the others by id, then a new one, each with a description."""
    found: list[tuple[str, str]] = []
    for vpc in sorted(vpcs, key=lambda v: (not v.get("IsDefault"), v["VpcId"])):
        name = tags_to_dict(vpc.get("Tags", [])).get("Name", "")
        description = " ".join(filter(None, (name, vpc["CidrBlock"])))
        if vpc.get("IsDefault"):
            found.append(
                ("default", _("the region's default VPC, {description}", description=description))
            )
        else:
            found.append((vpc["VpcId"], f"{vpc['VpcId']} {description}"))
    return [*found, ("new", _("a new VPC"))]


def _vpcs(aws: Aws, vpc: str) -> list[Live]:
    """Return the VPC of a value of network.vpc; [] if there is none."""
    filters = ec2_filter("is-default", "true") if vpc == "default" else ec2_filter("vpc-id", vpc)
    return describe_all(aws, "describe_vpcs", "Vpcs", filters)
