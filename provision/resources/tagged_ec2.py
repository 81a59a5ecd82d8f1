"""EC2's things that neither a name nor a token keeps apart: they are known by their tags."""

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
    """Found by id or tags. A create call whose answer was lost may leave a twin: the surplus is taken away.

    A twin never holds anything, and EC2 refuses to delete what something hangs on (DependencyViolation).
    """

    name: str
    id: str = output("Id")
    surplus: list[str] = output("Surplus")
    single: ClassVar[bool] = False
    noun: ClassVar[str] = ""  # as in TagSpecifications: "vpc", "internet-gateway"

    @classmethod
    def seen(cls, clients: Clients, filters: list[dict[str, Any]]) -> list[Live]:
        """The Describe call."""
        raise NotImplementedError(cls.__name__)

    def delete_one(self, clients: Clients, id: str) -> None:
        """The Delete call."""
        raise NotImplementedError(self.kind)

    def find(self, clients: Clients) -> Live | None:
        """By its tags, and by id where somebody took the tags away; others that carry them are surplus."""
        tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in self.tags.items()]
        found = {self.id_of(live): live for live in self.seen(clients, tags)}
        if self.id and self.id not in found:
            for live in self.seen(clients, named(f"{self.noun}-id", self.id)):
                found[self.id_of(live)] = live
        ids = sorted(found, key=lambda id: (id != self.id, not in_use(found[id]), id))
        return {**found[ids[0]], "Id": ids[0], "Surplus": ids[1:]} if ids else None

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """By tag, as every Describe call of EC2's can."""
        found = cls.seen(clients, of_stack(stack)) if cls.noun else []
        return [(flat(live["Tags"]), cls.shape(live)) for live in found]

    @classmethod
    def id_of(cls, live: Live) -> str:
        """Its id, under the key that EC2 gives it: VpcId, InternetGatewayId."""
        return str(live["".join(word.title() for word in cls.noun.split("-")) + "Id"])

    @classmethod
    def shape(cls, created: Live) -> Live:
        """The create call's answer as `find` shows it."""
        return {**created, "Id": cls.id_of(created), "Surplus": []}

    def tag_specifications(self) -> list[dict[str, Any]]:
        """Our tags, and the Name that the console shows."""
        return [{"ResourceType": self.noun, "Tags": listed({**self.tags, "Name": self.name})}]

    def desired(self) -> dict[str, Any]:
        """No twin."""
        return {"Surplus": []}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Takes the twins away."""
        for id in live["Surplus"]:
            self.delete_one(clients, id)

    def delete(self, clients: Clients) -> None:
        """It, and a twin that carries its tags."""
        for id in [*(self.surplus or []), self.id]:
            self.delete_one(clients, id)


def in_use(live: Live) -> bool:
    """Whether something hangs on it: a gateway's VPC, a route table's subnets."""
    return bool(live.get("Attachments") or live.get("Associations"))


def foreign_interfaces(
    clients: Clients, filters: list[dict[str, Any]], ours: frozenset[str], stack: str
) -> list[ExternalUse]:
    """Network interfaces that are neither a load balancer's of ours nor a task's.

    ELB writes its name into the description, `ELB app/name/id`, and lets go of it minutes after the load
    balancer has gone; ECS writes `arn:aws:ecs:...:attachment/...`.
    """
    recorded = {name for arn in ours if (name := arn.partition(":loadbalancer/")[2])}
    foreign = []
    for live in clients.aws.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]:
        told = live.get("Description", "")
        balancer = told.removeprefix("ELB ")
        kind, _slash, name = balancer.partition("/")
        named_ours = kind == "app" and name.startswith((f"{stack}/", f"{stack}-"))
        if not (told.startswith("arn:aws:ecs:") or balancer in recorded or named_ours):
            foreign.append(ExternalUse(" ".join(filter(None, (live["NetworkInterfaceId"], told)))))
    return foreign


def of_stack(stack: str) -> list[dict[str, Any]]:
    """The filter of a Describe call: what carries the stack's tag, or for "" any stack's."""
    if not stack:
        return named("tag-key", "provision:stack")
    return named("tag:provision:stack", stack)


def named(name: str, value: str) -> list[dict[str, Any]]:
    """One filter of a Describe call."""
    return [{"Name": name, "Values": [value]}]
