"""What makes a VPC of our own public: its internet gateway."""

from typing import Any, ClassVar

from provision.i18n import _
from provision.resources.base import Doors, Live, Resource, output, resource
from provision.resources.tagged_ec2 import Unnamed, named
from provision.resources.vpc import Vpc


@resource
class InternetGateway(Unnamed):
    """The door between a VPC and the internet."""

    noun = "internet-gateway"
    absent = ("InvalidInternetGatewayID.NotFound",)
    patient = ("DependencyViolation",)

    @classmethod
    def seen(cls, doors: Doors, filters: list[dict[str, Any]]) -> list[Live]:
        """DescribeInternetGateways."""
        return list(doors.aws.ec2.describe_internet_gateways(Filters=filters)["InternetGateways"])

    def create(self, doors: Doors) -> Live | None:
        """CreateInternetGateway."""
        answer = doors.aws.ec2.create_internet_gateway(TagSpecifications=self.tag_specifications())
        return self.shape(answer["InternetGateway"])

    def delete_one(self, doors: Doors, id: str) -> None:
        """DeleteInternetGateway."""
        doors.aws.ec2.delete_internet_gateway(InternetGatewayId=id)


@resource
class GatewayAttachment(Resource):
    """The gateway, attached to the VPC."""

    vpc: Vpc
    gateway: InternetGateway
    vpc_id: str = output("VpcId")
    gateway_id: str = output("InternetGatewayId")
    absent = ("InvalidInternetGatewayID.NotFound", "Gateway.NotAttached")
    taken = ("Resource.AlreadyAssociated",)
    patient = ("DependencyViolation",)  # public addresses are still mapped in the VPC
    within: ClassVar[str] = "gateway"
    goes_with: ClassVar[str] = "vpc"

    def holders(self, doors: Doors, live: Live) -> list[Resource]:
        """Return the gateway that is attached."""
        return [InternetGateway.named_by(self.stack, id=live["InternetGatewayId"])]

    def identity(self) -> str:
        """An attachment belongs to its VPC."""
        return self.vpc.identity()

    def intent(self, doors: Doors) -> dict[str, str]:
        """Both ids: they are all that an attachment is."""
        return {"vpc_id": self.vpc.id, "gateway_id": self.gateway.id}

    def find(self, doors: Doors) -> Live | None:
        """Among the gateway's attachments."""
        vpc_id = self.vpc_id or self.vpc.id
        which = named("internet-gateway-id", self.gateway_id or self.gateway.id)
        for gateway in doors.aws.ec2.describe_internet_gateways(Filters=which)["InternetGateways"]:
            for attachment in gateway.get("Attachments", []):
                if attachment.get("VpcId") == vpc_id and attachment.get("State") != "detached":
                    return {**attachment, "InternetGatewayId": gateway["InternetGatewayId"]}
        return None

    def create(self, doors: Doors) -> Live | None:
        """AttachInternetGateway, which answers nothing."""
        ids = {"VpcId": self.vpc.id, "InternetGatewayId": self.gateway.id}
        doors.aws.ec2.attach_internet_gateway(**ids)
        return {**ids, "State": "available"}

    def pending(self, live: Live) -> str:
        """Its state; EC2 says `available` for a gateway that is attached."""
        state = live.get("State", "?")
        return (
            "" if state in ("available", "attached") else _("the gateway is {state}", state=state)
        )

    def delete(self, doors: Doors) -> None:
        """DetachInternetGateway."""
        doors.aws.ec2.detach_internet_gateway(InternetGatewayId=self.gateway_id, VpcId=self.vpc_id)
