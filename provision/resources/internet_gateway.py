"""Create the internet gateway of a new VPC, and attach it."""

from typing import Any

from provision.errors import Pending
from provision.i18n import _
from provision.resources.base import (
    Clients,
    Deletion,
    Errors,
    Live,
    Permission,
    Resource,
    id_pattern,
    output,
    resource,
)
from provision.resources.tagged_ec2 import TaggedEc2, created_by, describe_all, ec2_filter
from provision.resources.vpc import Vpc


@resource
class InternetGateway(TaggedEc2):
    """An internet gateway."""

    resource_type = "internet-gateway"
    id: str = output("Id", id_pattern("igw"))
    errors = Errors(
        not_found=("InvalidInternetGatewayID.NotFound",),
        retry=("DependencyViolation",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return [
            Permission("read", "ec2", "DescribeInternetGateways"),
            Permission(
                "create", "ec2", "CreateInternetGateway", "internet-gateway/*", "RequestTag"
            ),
            Permission(
                "create",
                "ec2",
                "CreateTags",
                "internet-gateway/*",
                condition=created_by("CreateInternetGateway"),
            ),
            Permission(
                "delete", "ec2", "DeleteInternetGateway", "internet-gateway/*", "ResourceTag"
            ),
        ]

    @classmethod
    def describe(cls, clients: Clients, filters: list[dict[str, Any]]) -> list[Live]:
        """Call DescribeInternetGateways."""
        return describe_all(clients.aws, "describe_internet_gateways", "InternetGateways", filters)

    def create(self, clients: Clients) -> Live | None:
        """Call CreateInternetGateway."""
        answer = clients.aws.ec2.create_internet_gateway(
            TagSpecifications=self.tag_specifications()
        )
        return self.shape(answer["InternetGateway"])

    def delete_one(self, clients: Clients, resource_id: str) -> None:
        """Call DeleteInternetGateway."""
        clients.aws.ec2.delete_internet_gateway(InternetGatewayId=resource_id)


@resource
class GatewayAttachment(Resource):
    """The gateway's attachment to the VPC."""

    vpc: Vpc
    gateway: InternetGateway
    vpc_id: str = output("VpcId", id_pattern("vpc"))
    gateway_id: str = output("InternetGatewayId", id_pattern("igw"))
    errors = Errors(
        not_found=("InvalidInternetGatewayID.NotFound", "Gateway.NotAttached"),
        exists=("Resource.AlreadyAssociated",),
        retry=("DependencyViolation",),  # public addresses are still mapped in the VPC
    )
    deletion = Deletion(retained_with="vpc")

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        both = "internet-gateway/* vpc/*"
        return [
            Permission("read", "ec2", "DescribeInternetGateways"),
            Permission("create", "ec2", "AttachInternetGateway", both, "ResourceTag"),
            Permission("delete", "ec2", "DetachInternetGateway", both, "ResourceTag"),
        ]

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the attached gateway."""
        gateway = live["InternetGatewayId"]
        return [InternetGateway.from_record(self.stack, gateway, {"id": gateway})]

    def identity(self) -> str:
        """Return the VPC's identity."""
        return self.vpc.identity()

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return both ids, which identify the attachment."""
        return {"vpc_id": self.vpc.id, "gateway_id": self.gateway.id}

    def exists_within(self) -> list[Resource]:
        """Return the gateway."""
        return [self.gateway]

    def find(self, clients: Clients) -> Live | None:
        """Find it among the gateway's attachments."""
        vpc_id = self.vpc_id or self.vpc.id
        filters = ec2_filter("internet-gateway-id", self.gateway_id or self.gateway.id)
        for gateway in InternetGateway.describe(clients, filters):
            for attachment in gateway.get("Attachments", []):
                if attachment.get("VpcId") == vpc_id and attachment.get("State") != "detached":
                    return {**attachment, "InternetGatewayId": gateway["InternetGatewayId"]}
        return None

    def create(self, clients: Clients) -> Live | None:
        """Call AttachInternetGateway, which returns nothing."""
        ids = {"VpcId": self.vpc.id, "InternetGatewayId": self.gateway.id}
        clients.aws.ec2.attach_internet_gateway(**ids)
        return {**ids, "State": "available"}

    def pending(self, live: Live) -> Pending | None:
        """Wait for the attachment; EC2 reports `available` for an attached gateway."""
        state = live.get("State", "?")
        if state in ("available", "attached"):
            return None
        return Pending(_("the gateway is {state}", state=state))

    def delete(self, clients: Clients) -> None:
        """Call DetachInternetGateway."""
        clients.aws.ec2.detach_internet_gateway(
            InternetGatewayId=self.gateway_id, VpcId=self.vpc_id
        )
