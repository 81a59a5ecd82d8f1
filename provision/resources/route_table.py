"""Where a VPC of our own leads: its route table, the route to the internet, the subnets that use it."""

from typing import Any, ClassVar

from provision.resources.base import Difference, Doors, Live, Resource, output, resource
from provision.resources.internet_gateway import GatewayAttachment
from provision.resources.tagged_ec2 import Unnamed, named
from provision.resources.vpc import Subnet, Vpc

ANYWHERE = "0.0.0.0/0"


@resource
class RouteTable(Unnamed):
    """A route table beside the VPC's main one."""

    vpc: Vpc
    noun = "route-table"
    goes_with = "vpc"
    absent = ("InvalidRouteTableID.NotFound",)
    patient = ("DependencyViolation",)

    @classmethod
    def seen(cls, doors: Doors, filters: list[dict[str, Any]]) -> list[Live]:
        """DescribeRouteTables."""
        return list(doors.aws.ec2.describe_route_tables(Filters=filters)["RouteTables"])

    def create(self, doors: Doors) -> Live | None:
        """CreateRouteTable."""
        answer = doors.aws.ec2.create_route_table(
            VpcId=self.vpc.id, TagSpecifications=self.tag_specifications()
        )
        return self.shape(answer["RouteTable"])

    def delete_one(self, doors: Doors, id: str) -> None:
        """DeleteRouteTable."""
        doors.aws.ec2.delete_route_table(RouteTableId=id)


@resource
class Route(Resource):
    """The route to everywhere, by the internet gateway."""

    table: RouteTable
    attachment: GatewayAttachment
    table_id: str = output("RouteTableId")
    absent = ("InvalidRouteTableID.NotFound", "InvalidRoute.NotFound")
    taken = ("RouteAlreadyExists",)
    within: ClassVar[str] = "table"
    goes_with: ClassVar[str] = "table"

    def holders(self, doors: Doors, live: Live) -> list[Resource]:
        """Return the table that it is a route of."""
        return [RouteTable.named_by(self.stack, id=live["RouteTableId"])]

    def identity(self) -> str:
        """A route belongs to its table."""
        return self.table.identity()

    def intent(self, doors: Doors) -> dict[str, str]:
        """The table: with the destination it is all that names a route."""
        return {"table_id": self.table.id}

    def find(self, doors: Doors) -> Live | None:
        """Among the table's routes."""
        which = named("route-table-id", self.table_id or self.table.id)
        for table in doors.aws.ec2.describe_route_tables(Filters=which)["RouteTables"]:
            for route in table.get("Routes", []):
                if route.get("DestinationCidrBlock") == ANYWHERE:
                    return {**route, "RouteTableId": table["RouteTableId"]}
        return None

    def create(self, doors: Doors) -> Live | None:
        """CreateRoute."""
        gateway = self.attachment.gateway.id
        doors.aws.ec2.create_route(
            RouteTableId=self.table.id, DestinationCidrBlock=ANYWHERE, GatewayId=gateway
        )
        return {"RouteTableId": self.table.id, "GatewayId": gateway}

    def wants(self) -> dict[str, Any]:
        """Our gateway."""
        return {"GatewayId": self.attachment.gateway.id}

    def update(self, doors: Doors, live: Live, differences: list[Difference]) -> None:
        """ReplaceRoute."""
        doors.aws.ec2.replace_route(
            RouteTableId=self.table_id,
            DestinationCidrBlock=ANYWHERE,
            GatewayId=self.attachment.gateway.id,
        )

    def delete(self, doors: Doors) -> None:
        """DeleteRoute."""
        doors.aws.ec2.delete_route(RouteTableId=self.table_id, DestinationCidrBlock=ANYWHERE)


@resource
class RouteTableAssociation(Resource):
    """A subnet that uses the table in place of the VPC's main one."""

    table: RouteTable
    subnet: Subnet
    id: str = output("RouteTableAssociationId")
    subnet_id: str = output("SubnetId")
    absent = ("InvalidAssociationID.NotFound",)
    taken = ("Resource.AlreadyAssociated",)
    within: ClassVar[str] = "subnet"
    goes_with: ClassVar[str] = "table"

    def holders(self, doors: Doors, live: Live) -> list[Resource]:
        """Return the subnet that uses the table."""
        return [Subnet.named_by(self.stack, id=live["SubnetId"])]

    def identity(self) -> str:
        """An association belongs to its subnet."""
        return self.subnet.identity()

    def intent(self, doors: Doors) -> dict[str, str]:
        """The subnet: it can have one association only."""
        return {"subnet_id": self.subnet.id}

    def find(self, doors: Doors) -> Live | None:
        """By the subnet; replaced, an association has another id."""
        subnet_id = self.subnet_id or self.subnet.id
        which = named("association.subnet-id", subnet_id)
        for table in doors.aws.ec2.describe_route_tables(Filters=which)["RouteTables"]:
            for association in table.get("Associations", []):
                if association.get("SubnetId") == subnet_id:
                    return {**association, "RouteTableId": table["RouteTableId"]}
        return None

    def create(self, doors: Doors) -> Live | None:
        """AssociateRouteTable."""
        ids = {"RouteTableId": self.table.id, "SubnetId": self.subnet.id}
        answer = doors.aws.ec2.associate_route_table(**ids)
        return {**ids, "RouteTableAssociationId": answer["AssociationId"]}

    def wants(self) -> dict[str, Any]:
        """Our table."""
        return {"RouteTableId": self.table.id}

    def update(self, doors: Doors, live: Live, differences: list[Difference]) -> None:
        """ReplaceRouteTableAssociation."""
        doors.aws.ec2.replace_route_table_association(
            AssociationId=self.id, RouteTableId=self.table.id
        )

    def delete(self, doors: Doors) -> None:
        """DisassociateRouteTable."""
        doors.aws.ec2.disassociate_route_table(AssociationId=self.id)
