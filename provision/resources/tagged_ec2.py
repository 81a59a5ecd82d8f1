"""Find EC2 resources that have neither a unique name nor an idempotency token by their tags."""

from typing import Any, ClassVar

from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Resource,
    Tagged,
    flat,
    listed,
    output,
    resource,
)


@resource
class TaggedEc2(Resource):
    """A resource found by id or tags. A create call whose answer was lost may leave a duplicate to delete.

    A duplicate is never in use, and EC2 refuses to delete what is in use (DependencyViolation).
    """

    name: str
    id: str = output("Id")
    surplus: list[str] = output("Surplus")
    identified_by = "tags"
    noun: ClassVar[str] = ""  # as in TagSpecifications: "vpc", "internet-gateway"

    @classmethod
    def seen(cls, clients: Clients, filters: list[dict[str, Any]]) -> list[Live]:
        """Call the service's Describe operation."""
        raise NotImplementedError(cls.__name__)

    def delete_one(self, clients: Clients, resource_id: str) -> None:
        """Call the service's Delete operation."""
        raise NotImplementedError(self.kind)

    def find(self, clients: Clients) -> Live | None:
        """Find by tags, and by id where somebody removed the tags; further ones with the tags are surplus."""
        tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in self.tags.items()]
        found = {self.id_of(live): live for live in self.seen(clients, tags)}
        if self.id and self.id not in found:
            for live in self.seen(clients, named(f"{self.noun}-id", self.id)):
                found[self.id_of(live)] = live
        ids = sorted(found, key=lambda key: (key != self.id, not in_use(found[key]), key))
        return {**found[ids[0]], "Id": ids[0], "Surplus": ids[1:]} if ids else None

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return resources by tag, for which EC2's Describe operations have a filter."""
        found = cls.seen(clients, of_stack(stack)) if cls.noun else []
        return [(flat(live["Tags"]), cls.shape(live)) for live in found]

    @classmethod
    def id_of(cls, live: Live) -> str:
        """Return the id, under EC2's key for it: VpcId, InternetGatewayId."""
        return str(live["".join(word.title() for word in cls.noun.split("-")) + "Id"])

    @classmethod
    def shape(cls, created: Live) -> Live:
        """Return the create call's answer in `find`'s shape."""
        return {**created, "Id": cls.id_of(created), "Surplus": []}

    def tag_specifications(self) -> list[dict[str, Any]]:
        """Return the stack's tags, and the Name that the console shows."""
        return [{"ResourceType": self.noun, "Tags": listed({**self.tags, "Name": self.name})}]

    def desired(self) -> dict[str, Any]:
        """Return that there is no duplicate."""
        return {"Surplus": []}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Delete the duplicates."""
        for duplicate in live["Surplus"]:
            self.delete_one(clients, duplicate)

    def delete(self, clients: Clients) -> None:
        """Delete it and its duplicates."""
        for resource_id in [*(self.surplus or []), self.id]:
            self.delete_one(clients, resource_id)


def in_use(live: Live) -> bool:
    """Return whether something is attached to it: a gateway's VPC, a route table's subnets."""
    return bool(live.get("Attachments") or live.get("Associations"))


def foreign_interfaces(
    clients: Clients, filters: list[dict[str, Any]], ours: frozenset[str], stack: str
) -> list[ExternalUse]:
    """Return network interfaces that belong neither to a load balancer of the stack nor to a task.

    ELB's description of an interface is `ELB app/name/id`, and it deletes the interface minutes after the
    load balancer; ECS's is `arn:aws:ecs:...:attachment/...`.
    """
    recorded = {name for arn in ours if (name := arn.partition(":loadbalancer/")[2])}
    foreign = []
    for live in clients.aws.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]:
        description = live.get("Description", "")
        balancer = description.removeprefix("ELB ")
        kind, _slash, name = balancer.partition("/")
        has_own_name = kind == "app" and name.startswith((f"{stack}/", f"{stack}-"))
        if not (description.startswith("arn:aws:ecs:") or balancer in recorded or has_own_name):
            text = " ".join(filter(None, (live["NetworkInterfaceId"], description)))
            foreign.append(ExternalUse(text))
    return foreign


def of_stack(stack: str) -> list[dict[str, Any]]:
    """Return the filter for the stack's tag, or for "" any stack's."""
    if not stack:
        return named("tag-key", "provision:stack")
    return named("tag:provision:stack", stack)


def named(name: str, value: str) -> list[dict[str, Any]]:
    """Return one filter of a Describe operation."""
    return [{"Name": name, "Values": [value]}]
