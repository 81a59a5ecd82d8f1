"""The route table of a new VPC, its route to the internet, and its associations with the subnets."""

from typing import Any

from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    Live,
    Permission,
    Resource,
    id_pattern,
    output,
    resource,
)
from provision.resources.internet_gateway import GatewayAttachment
from provision.resources.tagged_ec2 import TaggedEc2, created_by, describe_all, ec2_filter
from provision.resources.vpc import Subnet, Vpc

ANYWHERE = "0.0.0.0/0"


@resource
class RouteTable(TaggedEc2):
    """A custom route table."""

    vpc: Vpc
    resource_type = "route-table"
    id: str = output("Id", id_pattern("rtb"))
    deletion = Deletion(retained_with="vpc")
    errors = Errors(
        not_found=("InvalidRouteTableID.NotFound",),
        retry=("DependencyViolation",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return [
            Permission("read", "ec2", "DescribeRouteTables"),
            Permission("create", "ec2", "CreateRouteTable", "route-table/*", "RequestTag"),
            Permission("create", "ec2", "CreateRouteTable", "vpc/*", "ResourceTag"),
            Permission(
                "create",
                "ec2",
                "CreateTags",
                "route-table/*",
                condition=created_by("CreateRouteTable"),
            ),
            Permission("delete", "ec2", "DeleteRouteTable", "route-table/*", "ResourceTag"),
        ]

    @classmethod
    def describe(cls, clients: Clients, filters: list[dict[str, Any]]) -> list[Live]:
        """Call DescribeRouteTables."""
        return describe_all(clients.aws, "describe_route_tables", "RouteTables", filters)

    def create(self, clients: Clients) -> Live | None:
        """Call CreateRouteTable."""
        answer = clients.aws.ec2.create_route_table(
            VpcId=self.vpc.id, TagSpecifications=self.tag_specifications()
        )
        return self.shape(answer["RouteTable"])

    def delete_one(self, clients: Clients, resource_id: str) -> None:
        """Call DeleteRouteTable."""
        clients.aws.ec2.delete_route_table(RouteTableId=resource_id)


@resource
class Route(Resource):
    """The default route, through the internet gateway."""

    table: RouteTable
    attachment: GatewayAttachment
    table_id: str = output("RouteTableId", id_pattern("rtb"))
    errors = Errors(
        not_found=("InvalidRouteTableID.NotFound", "InvalidRoute.NotFound"),
        exists=("RouteAlreadyExists",),
    )
    deletion = Deletion(retained_with="table")

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return [
            Permission("read", "ec2", "DescribeRouteTables"),
            Permission("create", "ec2", "CreateRoute ReplaceRoute", "route-table/*", "ResourceTag"),
            Permission("delete", "ec2", "DeleteRoute", "route-table/*", "ResourceTag"),
        ]

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the route's table."""
        table = live["RouteTableId"]
        return [RouteTable.from_record(self.stack, table, {"id": table})]

    def identity(self) -> str:
        """Return the table's identity."""
        return self.table.identity()

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return the table's id, which identifies the route together with the destination."""
        return {"table_id": self.table.id}

    def exists_within(self) -> list[Resource]:
        """Return the route table."""
        return [self.table]

    def find(self, clients: Clients) -> Live | None:
        """Find the route among the table's routes."""
        filters = ec2_filter("route-table-id", self.table_id or self.table.id)
        for table in RouteTable.describe(clients, filters):
            for route in table.get("Routes", []):
                if route.get("DestinationCidrBlock") == ANYWHERE:
                    return {**route, "RouteTableId": table["RouteTableId"]}
        return None

    def create(self, clients: Clients) -> Live | None:
        """Call CreateRoute."""
        gateway = self.attachment.gateway.id
        clients.aws.ec2.create_route(
            RouteTableId=self.table.id, DestinationCidrBlock=ANYWHERE, GatewayId=gateway
        )
        return {"RouteTableId": self.table.id, "GatewayId": gateway}

    def desired(self) -> dict[str, Any]:
        """Return the stack's gateway."""
        return {"GatewayId": self.attachment.gateway.id}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ReplaceRoute."""
        clients.aws.ec2.replace_route(
            RouteTableId=self.table_id,
            DestinationCidrBlock=ANYWHERE,
            GatewayId=self.attachment.gateway.id,
        )

    def delete(self, clients: Clients) -> None:
        """Call DeleteRoute."""
        clients.aws.ec2.delete_route(RouteTableId=self.table_id, DestinationCidrBlock=ANYWHERE)


@resource
class RouteTableAssociation(Resource):
    """The association of a subnet with the route table."""

    table: RouteTable
    subnet: Subnet
    id: str = output("RouteTableAssociationId", id_pattern("rtbassoc"))
    subnet_id: str = output("SubnetId")
    errors = Errors(
        not_found=("InvalidAssociationID.NotFound",),
        exists=("Resource.AlreadyAssociated",),
    )
    deletion = Deletion(retained_with="table")

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        both = "route-table/* subnet/*"
        return [
            Permission("read", "ec2", "DescribeRouteTables"),
            Permission(
                "create",
                "ec2",
                "AssociateRouteTable ReplaceRouteTableAssociation",
                both,
                "ResourceTag",
            ),
            Permission("delete", "ec2", "DisassociateRouteTable", both, "ResourceTag"),
        ]

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the associated subnet."""
        subnet = live["SubnetId"]
        return [Subnet.from_record(self.stack, subnet, {"id": subnet})]

    def identity(self) -> str:
        """Return the subnet's identity."""
        return self.subnet.identity()

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return the subnet's id; a subnet has one association."""
        return {"subnet_id": self.subnet.id}

    def exists_within(self) -> list[Resource]:
        """Return the subnet."""
        return [self.subnet]

    def find(self, clients: Clients) -> Live | None:
        """Find the association by subnet, because replacing it changes its id."""
        subnet_id = self.subnet_id or self.subnet.id
        filters = ec2_filter("association.subnet-id", subnet_id)
        for table in RouteTable.describe(clients, filters):
            for association in table.get("Associations", []):
                if association.get("SubnetId") == subnet_id:
                    return {**association, "RouteTableId": table["RouteTableId"]}
        return None

    def create(self, clients: Clients) -> Live | None:
        """Call AssociateRouteTable."""
        ids = {"RouteTableId": self.table.id, "SubnetId": self.subnet.id}
        answer = clients.aws.ec2.associate_route_table(**ids)
        return {**ids, "RouteTableAssociationId": answer["AssociationId"]}

    def desired(self) -> dict[str, Any]:
        """Return the stack's table."""
        return {"RouteTableId": self.table.id}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ReplaceRouteTableAssociation."""
        clients.aws.ec2.replace_route_table_association(
            AssociationId=self.id, RouteTableId=self.table.id
        )

    def delete(self, clients: Clients) -> None:
        """Call DisassociateRouteTable."""
        clients.aws.ec2.disassociate_route_table(AssociationId=self.id)
