"""The network the stack stands in: a VPC that is there, and its public subnets."""

from typing import Any

from provision.errors import Refusal
from provision.resource import Doors, Live, Resource, output, resource
from provision.words import _

SUBNETS = 3  # as in the article; a load balancer needs two


@resource
class Network(Resource):
    """The default VPC or a chosen one, with public subnets, one per zone. Adopted, never changed."""

    vpc: str
    subnets: list[str]
    vpc_id: str = output("VpcId")
    subnet_ids: list[str] = output("SubnetIds")

    def identity(self) -> str:
        """Another VPC is another network."""
        return self.vpc

    def find(self, doors: Doors) -> Live | None:
        """The VPC and its public subnets; those recorded, while they are there."""
        vpc_id = self.vpc_id or self._vpc_id(doors)
        subnets = doors.aws.ec2.describe_subnets(Filters=_filter("vpc-id", vpc_id))["Subnets"]
        tables = doors.aws.ec2.describe_route_tables(Filters=_filter("vpc-id", vpc_id))[
            "RouteTables"
        ]
        if not subnets and self.vpc_id:
            return None
        public = {s["SubnetId"]: s for s in subnets if is_public(s, tables)}
        if self.subnets:
            self._check_chosen(subnets, public)
            return {"VpcId": vpc_id, "SubnetIds": self.subnets}
        remembered = [subnet for subnet in self.subnet_ids if subnet in public]
        if len(remembered) >= 2:
            return {"VpcId": vpc_id, "SubnetIds": remembered}
        chosen = one_per_zone(list(public.values()))[:SUBNETS]
        if len(chosen) < 2:
            raise self._refusal(
                _(
                    "{vpc} has public subnets in {count} zones; two are needed",
                    vpc=vpc_id,
                    count=len(chosen),
                )
            )
        return {"VpcId": vpc_id, "SubnetIds": chosen}

    def _vpc_id(self, doors: Doors) -> str:
        wanted = (
            _filter("is-default", "true") if self.vpc == "default" else _filter("vpc-id", self.vpc)
        )
        vpcs = doors.aws.ec2.describe_vpcs(Filters=wanted)["Vpcs"]
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

    def _refusal(self, why: str) -> Refusal:
        return Refusal(
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


def _filter(name: str, value: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": [value]}]
