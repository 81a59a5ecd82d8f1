"""Base class of EC2 resources without a unique name or an idempotency token; they are found by tags."""

from typing import Any, ClassVar

from provision.clients.aws import Aws, list_items
from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Resource,
    Tagged,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)


@resource
class TaggedEc2(Resource):
    """A resource found by id or tags. A create call whose response was lost may leave a duplicate.

    Duplicates are never in use and can be deleted safely: EC2 refuses to delete a resource that is in use
    (DependencyViolation).
    """

    name: str
    id: str = output("Id")
    surplus: list[str] = output("Surplus")
    identified_by = "surplus"
    resource_type: ClassVar[str] = ""  # as in TagSpecifications: "vpc", "internet-gateway"

    @classmethod
    def describe(cls, clients: Clients, filters: list[dict[str, Any]]) -> list[Live]:
        """Return what the service's Describe operation finds, by `describe_all`."""
        raise NotImplementedError(cls.__name__)

    def delete_one(self, clients: Clients, resource_id: str) -> None:
        """Call the service's Delete operation."""
        raise NotImplementedError(self.kind)

    def find(self, clients: Clients) -> Live | None:
        """Find by tags, and by id if somebody removed the tags. Duplicates are returned as Surplus."""
        identifying = self.identifying_tags.items()
        tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in identifying]
        found = {self.id_of(live): live for live in self.describe(clients, tags)}
        if self.id and self.id not in found:
            by_id = ec2_filter(f"{self.resource_type}-id", self.id)
            found |= {self.id_of(live): live for live in self.describe(clients, by_id)}
        ids = sorted(found, key=lambda key: (key != self.id, not in_use(found[key]), key))
        return {**found[ids[0]], "Id": ids[0], "Surplus": ids[1:]} if ids else None

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return resources by tag, with the filter of EC2's Describe operations."""
        found = cls.describe(clients, stack_filter(stack)) if cls.resource_type else []
        return [(tags_to_dict(live.get("Tags", [])), cls.shape(live)) for live in found]

    @classmethod
    def id_of(cls, live: Live) -> str:
        """Return the id from EC2's key for it (VpcId, InternetGatewayId)."""
        return str(live["".join(word.title() for word in cls.resource_type.split("-")) + "Id"])

    @classmethod
    def shape(cls, created: Live) -> Live:
        """Return the create call's response as `find` would return it."""
        return {**created, "Id": cls.id_of(created), "Surplus": []}

    def tag_specifications(self) -> list[dict[str, Any]]:
        """Return the stack's tags and the Name that the console shows."""
        return [
            {
                "ResourceType": self.resource_type,
                "Tags": tags_to_list({**self.tags, "Name": self.name}),
            }
        ]

    def desired(self) -> dict[str, Any]:
        """Return no duplicates."""
        return {"Surplus": []}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Delete the duplicates."""
        for duplicate in live["Surplus"]:
            self.delete_one(clients, duplicate)

    def delete(self, clients: Clients) -> None:
        """Delete the duplicates, then the resource."""
        for resource_id in [*(self.surplus or []), self.id]:
            self.delete_one(clients, resource_id)


def in_use(live: Live) -> bool:
    """Return whether it is attached to a VPC (gateway) or to subnets (route table)."""
    return bool(live.get("Attachments") or live.get("Associations"))


def foreign_interfaces(
    clients: Clients, filters: list[dict[str, Any]], ours: frozenset[str], stack: str
) -> list[ExternalUse]:
    """Return network interfaces that belong neither to a load balancer of the stack nor to an ECS task.

    ELB describes its interfaces as `ELB app/name/id` and deletes them minutes after the load balancer; ECS
    describes its interfaces as `arn:aws:ecs:...:attachment/...`.
    """
    recorded = {name for arn in ours if (name := arn.partition(":loadbalancer/")[2])}
    foreign = []
    for live in describe_all(
        clients.aws, "describe_network_interfaces", "NetworkInterfaces", filters
    ):
        description = live.get("Description", "")
        balancer = description.removeprefix("ELB ")
        kind, _slash, name = balancer.partition("/")
        has_own_name = kind == "app" and name.startswith((f"{stack}/", f"{stack}-"))
        if not (description.startswith("arn:aws:ecs:") or balancer in recorded or has_own_name):
            text = " ".join(filter(None, (live["NetworkInterfaceId"], description)))
            foreign.append(ExternalUse(text))
    return foreign


def describe_all(
    aws: Aws, operation: str, items_key: str, filters: list[dict[str, Any]]
) -> list[Live]:
    """Return the items on all pages of a Describe operation. items_key: their key in the response."""
    return matching(list_items(aws.ec2, operation, items_key, Filters=filters), filters)


def matching(found: list[Live], filters: list[dict[str, Any]]) -> list[Live]:
    """Return the items that match the filters with which they were requested.

    Some AWS-compatible endpoints ignore filters and return everything. A filter on a property that the
    endpoint does not return counts as matched; a filter on a tag does not.
    """
    return [dict(live) for live in found if all(_matches(live, given) for given in filters)]


def _matches(live: Live, given: dict[str, Any]) -> bool:
    name, values = given["Name"], given["Values"]
    tags = tags_to_dict(live.get("Tags") or [])
    if name == "tag-key":
        return any(value in tags for value in values)
    if name.startswith("tag:"):
        return tags.get(name.removeprefix("tag:")) in values
    member = "".join(word.title() for word in name.split("-"))
    if member == "GroupId" and "Groups" in live:  # a network interface has several
        return any(group["GroupId"] in values for group in live["Groups"])
    return member not in live or str(live[member]).lower() in [value.lower() for value in values]


def stack_filter(stack: str) -> list[dict[str, Any]]:
    """Return the filter for the stack's tag. stack: "" for any."""
    if not stack:
        return ec2_filter("tag-key", "provision:stack")
    return ec2_filter("tag:provision:stack", stack)


def created_by(operation: str) -> dict[str, dict[str, str]]:
    """Return the condition of ec2:CreateTags that allows tags only in that create call."""
    return {"StringEquals": {"ec2:CreateAction": operation}}


def ec2_filter(name: str, value: str) -> list[dict[str, Any]]:
    """Return one filter of a Describe operation."""
    return [{"Name": name, "Values": [value]}]
