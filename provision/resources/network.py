"""The network the stack stands in: a VPC that is there, or one of the stack's own; and its public subnets."""

from provision.clients.aws import Aws, reading
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import Clients, Live, Milestone, Resource, flat, output, resource
from provision.resources.route_table import Route, RouteTableAssociation
from provision.resources.tagged_ec2 import named
from provision.resources.vpc import ZONES


@resource
class Network(Resource):
    """What the rest is built on: a VPC and public subnets in it, one per zone."""

    @property
    def vpc_id(self) -> str:
        """The VPC; "" while there is none."""
        raise NotImplementedError(self.kind)

    @property
    def subnet_ids(self) -> list[str]:
        """The subnets; [] while there are none."""
        raise NotImplementedError(self.kind)

    def zones(self) -> int:
        """How many zones it stands in, known or supposed."""
        return len(self.subnet_ids) or ZONES


@resource
class NewNetwork(Network, Milestone):
    """A VPC of our own: reached when its subnets lead to the internet."""

    route: Route
    association_1: RouteTableAssociation
    association_2: RouteTableAssociation
    association_3: RouteTableAssociation

    def identity(self) -> str:
        """As the setting says."""
        return "new"

    @property
    def vpc_id(self) -> str:
        """The VPC that the route leads out of."""
        return self.route.table.vpc.id

    @property
    def subnet_ids(self) -> list[str]:
        """Those that are there, in the zones' order."""
        associations = (self.association_1, self.association_2, self.association_3)
        return [a.subnet.id for a in associations if a.subnet.id]

    def find(self, clients: Clients) -> Live | None:
        """What it is made of; each part is waited for by itself."""
        return {"VpcId": self.vpc_id, "SubnetIds": self.subnet_ids}


@resource
class ExistingNetwork(Network):
    """The default VPC or a chosen one, with public subnets, one per zone. Adopted, never changed."""

    vpc: str
    subnets: list[str]
    vpc_id: str = output("VpcId")
    subnet_ids: list[str] = output("SubnetIds")

    def zones(self) -> int:
        """As many as were chosen, where they were."""
        return len(self.subnet_ids) or len(self.subnets) or ZONES

    def identity(self) -> str:
        """Another VPC is another network."""
        return self.vpc

    def find(self, clients: Clients) -> Live | None:
        """The VPC and its public subnets; those recorded, while they are there."""
        vpc_id = self.vpc_id or self._vpc_id(clients)
        subnets, public = subnets_of(clients.aws, vpc_id)
        if not subnets and self.vpc_id:
            return None
        if self.subnets:
            self._check_chosen(subnets, public)
            return {"VpcId": vpc_id, "SubnetIds": self.subnets}
        remembered = [subnet for subnet in self.subnet_ids if subnet in public]
        if len(remembered) >= 2:
            return {"VpcId": vpc_id, "SubnetIds": remembered}
        chosen = one_per_zone(list(public.values()))[:ZONES]
        if len(chosen) < 2:
            raise self._refusal(
                _(
                    "{vpc} has public subnets in {count} zones; two are needed",
                    vpc=vpc_id,
                    count=len(chosen),
                )
            )
        return {"VpcId": vpc_id, "SubnetIds": chosen}

    def _vpc_id(self, clients: Clients) -> str:
        wanted = named("is-default", "true") if self.vpc == "default" else named("vpc-id", self.vpc)
        vpcs = clients.aws.ec2.describe_vpcs(Filters=wanted)["Vpcs"]
        if not vpcs and self.vpc == "default":
            raise ProvisionError(
                _("Choosing the network."),
                _("this region has no default VPC"),
                _(
                    "Set network.vpc to `new`: a VPC of its own costs nothing. Or set it to a VPC of yours."
                ),
            )
        if not vpcs:
            raise self._refusal(_("there is no such VPC in this region: {vpc}", vpc=self.vpc))
        return str(vpcs[0]["VpcId"])

    def _check_chosen(self, subnets: list[Live], public: dict[str, Live]) -> None:
        there = {subnet["SubnetId"] for subnet in subnets}
        zones: dict[str, str] = {}
        for subnet in self.subnets:
            if subnet not in there:
                raise self._refusal(_("{subnet} is not in that VPC", subnet=subnet))
            if subnet not in public:
                raise self._refusal(
                    _("{subnet} has no route to an internet gateway", subnet=subnet)
                )
            zone = public[subnet]["AvailabilityZone"]
            if zone in zones:
                raise self._refusal(
                    _(
                        "{one} and {other} are both in {zone}",
                        one=zones[zone],
                        other=subnet,
                        zone=zone,
                    )
                )
            zones[zone] = subnet

    def _refusal(self, why: str) -> ProvisionError:
        return ProvisionError(
            _("Choosing the network."),
            why,
            _("Set network.vpc and network.subnets to a VPC with two public subnets in two zones."),
        )

    def may_adopt(self, live: Live) -> bool:
        """It is always somebody's own."""
        return True


def is_public(subnet: Live, tables: list[Live]) -> bool:
    """Whether the subnet leads to an internet gateway: by its route table, else the VPC's main one.

    A default subnet counts: AWS makes it public (VPC User Guide, "Default VPC components"), and if somebody
    took its route away, CreateLoadBalancer refuses and names it.
    """
    if subnet.get("DefaultForAz") and subnet.get("MapPublicIpOnLaunch"):
        return True
    own = [
        t
        for t in tables
        if any(a.get("SubnetId") == subnet["SubnetId"] for a in t.get("Associations", []))
    ]
    main = [t for t in tables if any(a.get("Main") for a in t.get("Associations", []))]
    routes = (own or main or [{}])[0].get("Routes", [])
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0"
        and str(route.get("GatewayId", "")).startswith("igw-")
        and route.get("State", "active") == "active"
        for route in routes
    )


def one_per_zone(subnets: list[Live]) -> list[str]:
    """The first subnet of each zone, in the zones' order."""
    by_zone: dict[str, str] = {}
    for subnet in sorted(subnets, key=lambda s: (s["AvailabilityZone"], s["SubnetId"])):
        by_zone.setdefault(subnet["AvailabilityZone"], subnet["SubnetId"])
    return list(by_zone.values())


def subnets_of(aws: Aws, vpc_id: str) -> tuple[list[Live], dict[str, Live]]:
    """All subnets of a VPC; and those that are public, by id."""
    subnets = aws.ec2.describe_subnets(Filters=named("vpc-id", vpc_id))["Subnets"]
    tables = aws.ec2.describe_route_tables(Filters=named("vpc-id", vpc_id))["RouteTables"]
    return subnets, {s["SubnetId"]: s for s in subnets if is_public(s, tables)}


def subnet_choices(aws: Aws, vpc: str) -> list[tuple[str, str]]:
    """The answers there are to network.subnets in a VPC (or "default"), each with its zone and addresses."""
    with reading(_("Looking which networks there are.")):
        wanted = named("is-default", "true") if vpc == "default" else named("vpc-id", vpc)
        vpcs = aws.ec2.describe_vpcs(Filters=wanted)["Vpcs"]
        public = subnets_of(aws, vpcs[0]["VpcId"])[1] if vpcs else {}
    found = sorted(public.values(), key=lambda s: (s["AvailabilityZone"], s["SubnetId"]))
    return [(s["SubnetId"], f"{s['AvailabilityZone']} {s['CidrBlock']}") for s in found]


def choices(aws: Aws) -> list[tuple[str, str]]:
    """The answers there are to network.vpc, each with a few words: the account's VPCs, and a new one."""
    with reading(_("Looking which networks there are.")):
        pages = aws.ec2.get_paginator("describe_vpcs").paginate()
        vpcs = [vpc for page in pages for vpc in page["Vpcs"]]
    return offered(vpcs)


def offered(vpcs: list[Live]) -> list[tuple[str, str]]:
    """The default VPC first, where there is one; then the others by id; then a new one."""
    found: list[tuple[str, str]] = []
    for vpc in sorted(vpcs, key=lambda v: (not v.get("IsDefault"), v["VpcId"])):
        name = flat(vpc.get("Tags", [])).get("Name", "")
        told = " ".join(filter(None, (name, vpc["CidrBlock"])))
        if vpc.get("IsDefault"):
            found.append(("default", _("the region's default VPC, {told}", told=told)))
        else:
            found.append((vpc["VpcId"], told))
    return [*found, ("new", _("a VPC of its own"))]
