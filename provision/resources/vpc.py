"""Create a VPC for the stack, and its subnets."""

from typing import Any

from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    Live,
    Permission,
    has_stack_tag,
    id_pattern,
    output,
    resource,
    tags_to_dict,
)
from provision.resources.tagged_ec2 import (
    TaggedEc2,
    created_by,
    describe_all,
    ec2_filter,
    foreign_interfaces,
    matching,
)

ZONES = 3  # as in the article
MIN_ZONES = 2  # of a load balancer. ELB User Guide, "Subnets for your load balancer"
# Zone ids with Fargate, by prefix, where not every zone has it. Source: ECS Developer Guide, "Amazon ECS
# on AWS Fargate", Regions.
FARGATE_ZONES = {
    "apne1": ("apne1-az1", "apne1-az2", "apne1-az4"),
    "cac1": ("cac1-az1", "cac1-az2"),
    "cnn1": ("cnn1-az1", "cnn1-az2"),
    "usw1": ("usw1-az1", "usw1-az3"),
}


@resource
class Vpc(TaggedEc2):
    """A VPC used by the stack alone."""

    cidr: str
    resource_type = "vpc"
    id: str = output("Id", id_pattern("vpc"))
    errors = Errors(
        not_found=("InvalidVpcID.NotFound",),
        retry=("DependencyViolation",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return [
            Permission("read", "ec2", "DescribeVpcs DescribeAvailabilityZones"),
            Permission("read", "ec2", "DescribeVpcAttribute", "vpc/*"),
            Permission("create", "ec2", "CreateVpc", "vpc/*", "RequestTag"),
            Permission("create", "ec2", "CreateTags", "vpc/*", condition=created_by("CreateVpc")),
            Permission("create", "ec2", "ModifyVpcAttribute", "vpc/*", "ResourceTag"),
            Permission("delete", "ec2", "DeleteVpc", "vpc/*", "ResourceTag"),
        ]

    def preflight(self, clients: Clients) -> None:
        """Raise ProvisionError if the region has too few zones for a load balancer."""
        count = len(zones(clients))
        if count < MIN_ZONES:
            raise ProvisionError(
                _("Could not create a new network."),
                _("this region has {count} suitable zones; two are needed", count=count),
                _("Set network.vpc to `default` or to one of your VPCs."),
            )

    @classmethod
    def describe(cls, clients: Clients, filters: list[dict[str, Any]]) -> list[Live]:
        """Call DescribeVpcs."""
        return describe_all(clients.aws, "describe_vpcs", "Vpcs", filters)

    def find(self, clients: Clients) -> Live | None:
        """Find the VPC and its attribute enableDnsHostnames, which only DescribeVpcAttribute returns."""
        live = super().find(clients)
        if live is None:
            return None
        answer = clients.aws.ec2.describe_vpc_attribute(
            VpcId=live["Id"], Attribute="enableDnsHostnames"
        )
        return {**live, "DnsHostnames": answer["EnableDnsHostnames"]["Value"]}

    def create(self, clients: Clients) -> Live | None:
        """Call CreateVpc, which does not set enableDnsHostnames; `update` sets it."""
        answer = clients.aws.ec2.create_vpc(
            CidrBlock=self.cidr, TagSpecifications=self.tag_specifications()
        )
        return self.shape(answer["Vpc"])

    def pending(self, live: Live) -> Pending | None:
        """Wait for `available`."""
        state = live.get("State", "?")
        return None if state == "available" else Pending(_("the VPC is {state}", state=state))

    def desired(self) -> dict[str, Any]:
        """Return enableDnsHostnames too, as in a default VPC."""
        return {**super().desired(), "DnsHostnames": True}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ModifyVpcAttribute."""
        super().update(clients, live, differences)
        clients.aws.ec2.modify_vpc_attribute(VpcId=self.id, EnableDnsHostnames={"Value": True})

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return network interfaces, subnets, security groups and route tables that others added."""
        aws, in_vpc = clients.aws, ec2_filter("vpc-id", self.id)
        subnets = describe_all(aws, "describe_subnets", "Subnets", in_vpc)
        groups = describe_all(aws, "describe_security_groups", "SecurityGroups", in_vpc)
        tables = describe_all(aws, "describe_route_tables", "RouteTables", in_vpc)
        found = {subnet["SubnetId"]: subnet for subnet in subnets}
        for group in groups:
            if group["GroupName"] != "default":
                found[group["GroupId"]] = group
        for table in tables:
            if not any(a.get("Main") for a in table.get("Associations", [])):
                found[table["RouteTableId"]] = table
        others = [
            ExternalUse(key)
            for key, live in found.items()
            if key not in ours and not has_stack_tag(tags_to_dict(live.get("Tags", [])), self.stack)
        ]
        return others + foreign_interfaces(clients, in_vpc, ours, self.stack)

    def delete_one(self, clients: Clients, resource_id: str) -> None:
        """Call DeleteVpc, which also deletes its default security group, network ACL and main route table."""
        clients.aws.ec2.delete_vpc(VpcId=resource_id)


@resource
class Subnet(TaggedEc2):
    """A public subnet in one of the region's zones."""

    vpc: Vpc
    cidr: str
    place: int  # 1: the first zone in alphabetical order
    zone: str = output("AvailabilityZone")
    resource_type = "subnet"
    id: str = output("Id", id_pattern("subnet"))
    deletion = Deletion(retained_with="vpc")
    errors = Errors(
        not_found=("InvalidSubnetID.NotFound",),
        exists=("InvalidSubnet.Conflict",),  # the range is in use, perhaps after a lost response
        retry=("DependencyViolation",),  # network interfaces remain longer than their users
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return [
            Permission("read", "ec2", "DescribeSubnets DescribeAvailabilityZones"),
            Permission("create", "ec2", "CreateSubnet", "subnet/*", "RequestTag"),
            Permission("create", "ec2", "CreateSubnet", "vpc/*", "ResourceTag"),
            Permission(
                "create", "ec2", "CreateTags", "subnet/*", condition=created_by("CreateSubnet")
            ),
            Permission("delete", "ec2", "DeleteSubnet", "subnet/*", "ResourceTag"),
        ]

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return the zone, so that a later run uses the same zone.

        In a region of two zones the third subnet is in the first zone again, and is not used.
        """
        return {"zone": (zones(clients) * 2)[self.place - 1]}

    @classmethod
    def describe(cls, clients: Clients, filters: list[dict[str, Any]]) -> list[Live]:
        """Call DescribeSubnets."""
        return describe_all(clients.aws, "describe_subnets", "Subnets", filters)

    def create(self, clients: Clients) -> Live | None:
        """Call CreateSubnet."""
        answer = clients.aws.ec2.create_subnet(
            VpcId=self.vpc.id,
            CidrBlock=self.cidr,
            AvailabilityZone=self.zone,
            TagSpecifications=self.tag_specifications(),
        )
        return self.shape(answer["Subnet"])

    def pending(self, live: Live) -> Pending | None:
        """Wait for `available`."""
        state = live.get("State", "?")
        return None if state == "available" else Pending(_("the subnet is {state}", state=state))

    def delete_one(self, clients: Clients, resource_id: str) -> None:
        """Call DeleteSubnet."""
        clients.aws.ec2.delete_subnet(SubnetId=resource_id)


def has_fargate(zone_id: str) -> bool:
    """Return whether Fargate exists in a zone, by its id (its letter differs between accounts)."""
    return zone_id in FARGATE_ZONES.get(zone_id.partition("-")[0], (zone_id,))


def zones(clients: Clients) -> list[str]:
    """Return the names of the available zones, sorted, without local and wavelength zones."""
    available = ec2_filter("state", "available")
    found = clients.aws.ec2.describe_availability_zones(Filters=available)["AvailabilityZones"]
    return sorted(
        zone["ZoneName"]
        for zone in matching(found, available)
        if zone.get("ZoneType", "availability-zone") == "availability-zone"
        and has_fargate(str(zone.get("ZoneId", "")))
    )
