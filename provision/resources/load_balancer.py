"""The public door: an Application Load Balancer."""

from typing import Any, ClassVar

from provision.clients.aws import call_or_none
from provision.errors import ProvisionError
from provision.i18n import _
from provision.pricing import HOURS, Prices
from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Milestone,
    Resource,
    Tagged,
    flat,
    listed,
    marked,
    output,
    resource,
)
from provision.resources.network import Network
from provision.resources.security_group import SecurityGroup

ELB = "Elastic Load Balancing"
TAGS_A_CALL = 20  # ELB API, DescribeTags


@resource
class LoadBalancer(Resource):
    """An internet-facing Application Load Balancer. Others build on it while it is still provisioning."""

    name: str
    network: Network
    security_group: SecurityGroup
    arn: str = output("LoadBalancerArn")
    dns_name: str = output("DNSName")
    hosted_zone_id: str = output("CanonicalHostedZoneId")
    by_name = True
    console = ELB
    hourly = True
    remembered = True
    not_found = ("LoadBalancerNotFound",)
    exists = ("DuplicateLoadBalancerName",)
    retry = ("ResourceInUse",)
    expected: ClassVar[int] = 2

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """By name and tags."""
        pages = clients.aws.elbv2.get_paginator("describe_load_balancers").paginate()
        found = [_shape(live) for page in pages for live in page["LoadBalancers"]]
        return carrying(clients, stack, found, "LoadBalancerArn")

    def find(self, clients: Clients) -> Live | None:
        """By ARN, else by name."""
        which = {"LoadBalancerArns": [self.arn]} if self.arn else {"Names": [self.name]}
        found = clients.aws.elbv2.describe_load_balancers(**which)["LoadBalancers"]
        return _shape(found[0]) if found else None

    @classmethod
    def called(cls, stack: str, name: str) -> "LoadBalancer":
        """Return one that only its name is known of."""
        bare = cls.named_by(stack)
        bare.name = name
        return bare

    def create(self, clients: Clients) -> Live | None:
        """CreateLoadBalancer."""
        answer = clients.aws.elbv2.create_load_balancer(
            Name=self.name,
            Subnets=self.network.subnet_ids,
            SecurityGroups=[self.security_group.id],
            Scheme="internet-facing",
            Type="application",
            Tags=listed(self.tags),
        )
        return _shape(answer["LoadBalancers"][0])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """DescribeTags."""
        return tags_of(clients, live["LoadBalancerArn"])

    def desired(self) -> dict[str, Any]:
        """Its subnets and its group can be set afterwards."""
        return {
            "Subnets": sorted(self.network.subnet_ids),
            "SecurityGroups": [self.security_group.id],
        }

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """SetSubnets, SetSecurityGroups."""
        paths = [difference.path for difference in differences]
        if "Subnets" in paths:
            clients.aws.elbv2.set_subnets(LoadBalancerArn=self.arn, Subnets=self.network.subnet_ids)
        if "SecurityGroups" in paths:
            clients.aws.elbv2.set_security_groups(
                LoadBalancerArn=self.arn, SecurityGroups=[self.security_group.id]
            )

    def costs(self, prices: Prices) -> float:
        """Its hours, a little traffic left out, and one public IPv4 address per zone."""
        return HOURS * (prices.load_balancer_hour + self.network.zones() * prices.public_ipv4_hour)

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Listeners and rules that others added: they would go with it."""
        return [use for use, _actions in added(clients, self.arn, ours, self.stack)]

    def delete(self, clients: Clients) -> None:
        """DeleteLoadBalancer: returns at once; its network interfaces live on for a minute or more.

        Deletion protection, which somebody switched on, is switched off: it is ours, and was agreed to go.
        """
        elbv2, which = clients.aws.elbv2, {"LoadBalancerArn": self.arn}
        if call_or_none("OperationNotPermitted", elbv2.delete_load_balancer, **which) is None:
            off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
            elbv2.modify_load_balancer_attributes(**which, Attributes=off)
            elbv2.delete_load_balancer(**which)


@resource
class ActiveLoadBalancer(Milestone):
    """The load balancer takes traffic."""

    load_balancer: LoadBalancer
    expected: ClassVar[int] = 158

    def find(self, clients: Clients) -> Live | None:
        """The load balancer."""
        return self.load_balancer.find(clients)

    def pending(self, live: Live) -> str:
        """Its state, in AWS's word."""
        state = live.get("State", {})
        if state.get("Code") == "failed":
            raise ProvisionError(
                _("Waiting for the load balancer."),
                _("AWS says failed: {reason}", reason=state.get("Reason", "?")),
                _("Run `provision teardown`, mend what AWS names, then set up again."),
            )
        if state.get("Code") in ("active", "active_impaired"):
            return ""
        return _("the load balancer is {state}", state=state.get("Code", "?"))


def carrying(clients: Clients, stack: str, found: list[Live], arn: str) -> list[Tagged]:
    """Those whose name begins with the stack's and whose tags are its. arn: the key of each one's ARN."""
    name = arn.removesuffix("Arn") + "Name"
    lives = {live[arn]: live for live in found if live[name].startswith(stack)}
    arns, tagged = list(lives), []
    for start in range(0, len(arns), TAGS_A_CALL):
        answer = clients.aws.elbv2.describe_tags(ResourceArns=arns[start : start + TAGS_A_CALL])
        for told in answer["TagDescriptions"]:
            if marked(tags := flat(told["Tags"]), stack):
                tagged.append((tags, lives[told["ResourceArn"]]))
    return tagged


def added(
    clients: Clients, arn: str, ours: frozenset[str], stack: str
) -> list[tuple[ExternalUse, list[dict[str, Any]]]]:
    """Listeners and rules that others added to a load balancer of ours, each with its actions.

    None where it is gone, though a target group may name it for some minutes more.
    """
    elbv2, found = clients.aws.elbv2, []
    listeners = (
        call_or_none("LoadBalancerNotFound", elbv2.describe_listeners, LoadBalancerArn=arn) or {}
    )
    for live in listeners.get("Listeners", []):
        name = f"{live['Protocol']}:{live['Port']}"
        found.append((live["ListenerArn"], name, live["DefaultActions"]))
        for rule in elbv2.describe_rules(ListenerArn=live["ListenerArn"])["Rules"]:
            if not rule["IsDefault"]:
                found.append((rule["RuleArn"], f"{name} {rule['Priority']}", rule["Actions"]))
    return [
        (ExternalUse(f"{arn.split('/')[-2]} {name}", content=True), actions)
        for each, name, actions in found
        if each not in ours and not marked(tags_of(clients, each), stack)
    ]


def foreign(clients: Clients, arns: list[str], ours: frozenset[str]) -> list[ExternalUse]:
    """Those that are not ours. A load balancer that is gone may be named for some minutes more."""
    describe = clients.aws.elbv2.describe_load_balancers
    return [
        ExternalUse(arn)
        for arn in arns
        if arn not in ours
        and (
            ":loadbalancer/" not in arn
            or call_or_none("LoadBalancerNotFound", describe, LoadBalancerArns=[arn])
        )
    ]


def tags_of(clients: Clients, arn: str) -> dict[str, str]:
    """The tags of anything of Elastic Load Balancing's."""
    answer = clients.aws.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for tag in answer[0]["Tags"]} if answer else {}


def _shape(live: Live) -> Live:
    subnets = sorted(zone["SubnetId"] for zone in live.get("AvailabilityZones", []))
    return {**live, "Subnets": subnets}
