"""A network of the stack's own: the VPC and its subnets."""

from typing import Any

from provision.errors import Refusal
from provision.i18n import _
from provision.resources.base import Difference, Doors, Live, Use, flat, marked, output, resource
from provision.resources.tagged_ec2 import Unnamed, foreign_interfaces, named

ZONES = 3  # as in the article: a public subnet in each of three zones


@resource
class Vpc(Unnamed):
    """A VPC of our own: its own range of addresses, and nothing of anybody else's in it."""

    cidr: str
    noun = "vpc"
    absent = ("InvalidVpcID.NotFound",)
    patient = ("DependencyViolation",)

    def foresee(self, doors: Doors) -> None:
        """A region may have too few zones for the subnets."""
        count = len(zones(doors))
        if count < ZONES:
            raise Refusal(
                _("Making a network of its own."),
                _("this region has {count} zones; three are needed", count=count),
                _("Set network.vpc to `default` or to a VPC of yours."),
            )

    @classmethod
    def seen(cls, doors: Doors, filters: list[dict[str, Any]]) -> list[Live]:
        """DescribeVpcs."""
        return list(doors.aws.ec2.describe_vpcs(Filters=filters)["Vpcs"])

    def find(self, doors: Doors) -> Live | None:
        """With its DNS host names, which only DescribeVpcAttribute shows."""
        live = super().find(doors)
        if live is None:
            return None
        answer = doors.aws.ec2.describe_vpc_attribute(
            VpcId=live["Id"], Attribute="enableDnsHostnames"
        )
        return {**live, "DnsHostnames": answer["EnableDnsHostnames"]["Value"]}

    def create(self, doors: Doors) -> Live | None:
        """CreateVpc. DNS host names are a difference, because the call does not take them."""
        answer = doors.aws.ec2.create_vpc(
            CidrBlock=self.cidr, TagSpecifications=self.tag_specifications()
        )
        return self.shape(answer["Vpc"])

    def pending(self, live: Live) -> str:
        """Its state, in AWS's word."""
        state = live.get("State", "?")
        return "" if state == "available" else _("the VPC is {state}", state=state)

    def wants(self) -> dict[str, Any]:
        """DNS host names too, as the default VPC has them."""
        return {**super().wants(), "DnsHostnames": True}

    def update(self, doors: Doors, live: Live, differences: list[Difference]) -> None:
        """ModifyVpcAttribute."""
        super().update(doors, live, differences)
        doors.aws.ec2.modify_vpc_attribute(VpcId=self.id, EnableDnsHostnames={"Value": True})

    def used_by(self, doors: Doors, ours: frozenset[str]) -> list[Use]:
        """What others put into it: network interfaces, subnets, security groups, route tables."""
        ec2, here = doors.aws.ec2, named("vpc-id", self.id)
        found = {s["SubnetId"]: s for s in ec2.describe_subnets(Filters=here)["Subnets"]}
        for group in ec2.describe_security_groups(Filters=here)["SecurityGroups"]:
            if group["GroupName"] != "default":
                found[group["GroupId"]] = group
        for table in ec2.describe_route_tables(Filters=here)["RouteTables"]:
            if not any(a.get("Main") for a in table.get("Associations", [])):
                found[table["RouteTableId"]] = table
        others = [
            Use(id)
            for id, live in found.items()
            if id not in ours and not marked(flat(live.get("Tags", [])), self.stack)
        ]
        return others + foreign_interfaces(doors, here, ours, self.stack)

    def delete_one(self, doors: Doors, id: str) -> None:
        """DeleteVpc: takes its default security group, network ACL and main route table with it."""
        doors.aws.ec2.delete_vpc(VpcId=id)


@resource
class Subnet(Unnamed):
    """One public subnet, in the region's zone of that place in the alphabet."""

    vpc: Vpc
    cidr: str
    place: int  # 1: the first zone
    zone: str = output("AvailabilityZone")
    noun = "subnet"
    goes_with = "vpc"
    absent = ("InvalidSubnetID.NotFound",)
    taken = ("InvalidSubnet.Conflict",)  # its range is taken already: by a lost answer of ours
    patient = ("DependencyViolation",)  # network interfaces outlive what used them

    def intent(self, doors: Doors) -> dict[str, str]:
        """The zone, so that one who goes on later means the same."""
        return {"zone": zones(doors)[self.place - 1]}

    @classmethod
    def seen(cls, doors: Doors, filters: list[dict[str, Any]]) -> list[Live]:
        """DescribeSubnets."""
        return list(doors.aws.ec2.describe_subnets(Filters=filters)["Subnets"])

    def create(self, doors: Doors) -> Live | None:
        """CreateSubnet."""
        answer = doors.aws.ec2.create_subnet(
            VpcId=self.vpc.id,
            CidrBlock=self.cidr,
            AvailabilityZone=self.zone,
            TagSpecifications=self.tag_specifications(),
        )
        return self.shape(answer["Subnet"])

    def pending(self, live: Live) -> str:
        """Its state, in AWS's word."""
        state = live.get("State", "?")
        return "" if state == "available" else _("the subnet is {state}", state=state)

    def delete_one(self, doors: Doors, id: str) -> None:
        """DeleteSubnet."""
        doors.aws.ec2.delete_subnet(SubnetId=id)


def zones(doors: Doors) -> list[str]:
    """The region's zones that this account may use, without local and wavelength zones, in order."""
    found = doors.aws.ec2.describe_availability_zones(Filters=named("state", "available"))
    return sorted(
        zone["ZoneName"]
        for zone in found["AvailabilityZones"]
        if zone.get("ZoneType", "availability-zone") == "availability-zone"
    )
