"""The public door: an Application Load Balancer."""

from typing import Any, ClassVar

from provision.clients.aws import unless
from provision.errors import Refusal
from provision.i18n import _
from provision.pricing import HOURS, Prices
from provision.resources.base import (
    Difference,
    Doors,
    Live,
    Milestone,
    Resource,
    Tagged,
    Use,
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
    absent = ("LoadBalancerNotFound",)
    taken = ("DuplicateLoadBalancerName",)
    patient = ("ResourceInUse",)
    typical: ClassVar[int] = 2

    @classmethod
    def tagged(cls, doors: Doors, stack: str) -> list[Tagged]:
        """By name and tags."""
        pages = doors.aws.elbv2.get_paginator("describe_load_balancers").paginate()
        found = [_shape(live) for page in pages for live in page["LoadBalancers"]]
        return carrying(doors, stack, found, "LoadBalancerArn")

    def find(self, doors: Doors) -> Live | None:
        """By ARN, else by name."""
        which = {"LoadBalancerArns": [self.arn]} if self.arn else {"Names": [self.name]}
        found = doors.aws.elbv2.describe_load_balancers(**which)["LoadBalancers"]
        return _shape(found[0]) if found else None

    @classmethod
    def called(cls, stack: str, name: str) -> "LoadBalancer":
        """Return one that only its name is known of."""
        bare = cls.named_by(stack)
        bare.name = name
        return bare

    def create(self, doors: Doors) -> Live | None:
        """CreateLoadBalancer."""
        answer = doors.aws.elbv2.create_load_balancer(
            Name=self.name,
            Subnets=self.network.subnet_ids,
            SecurityGroups=[self.security_group.id],
            Scheme="internet-facing",
            Type="application",
            Tags=listed(self.tags),
        )
        return _shape(answer["LoadBalancers"][0])

    def tags_of(self, doors: Doors, live: Live) -> dict[str, str]:
        """DescribeTags."""
        return tags_of(doors, live["LoadBalancerArn"])

    def wants(self) -> dict[str, Any]:
        """Its subnets and its group can be set afterwards."""
        return {
            "Subnets": sorted(self.network.subnet_ids),
            "SecurityGroups": [self.security_group.id],
        }

    def update(self, doors: Doors, live: Live, differences: list[Difference]) -> None:
        """SetSubnets, SetSecurityGroups."""
        paths = [difference.path for difference in differences]
        if "Subnets" in paths:
            doors.aws.elbv2.set_subnets(LoadBalancerArn=self.arn, Subnets=self.network.subnet_ids)
        if "SecurityGroups" in paths:
            doors.aws.elbv2.set_security_groups(
                LoadBalancerArn=self.arn, SecurityGroups=[self.security_group.id]
            )

    def costs(self, prices: Prices) -> float:
        """Its hours, a little traffic left out, and one public IPv4 address per zone."""
        return HOURS * (prices.load_balancer_hour + self.network.zones() * prices.public_ipv4_hour)

    def used_by(self, doors: Doors, ours: frozenset[str]) -> list[Use]:
        """Listeners and rules that others added: they would go with it."""
        return [use for use, _actions in added(doors, self.arn, ours, self.stack)]

    def delete(self, doors: Doors) -> None:
        """DeleteLoadBalancer: returns at once; its network interfaces live on for a minute or more.

        Deletion protection, which somebody switched on, is switched off: it is ours, and was agreed to go.
        """
        elbv2, which = doors.aws.elbv2, {"LoadBalancerArn": self.arn}
        if unless("OperationNotPermitted", elbv2.delete_load_balancer, **which) is None:
            off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
            elbv2.modify_load_balancer_attributes(**which, Attributes=off)
            elbv2.delete_load_balancer(**which)


@resource
class ActiveLoadBalancer(Milestone):
    """The load balancer takes traffic."""

    load_balancer: LoadBalancer
    typical: ClassVar[int] = 158

    def find(self, doors: Doors) -> Live | None:
        """The load balancer."""
        return self.load_balancer.find(doors)

    def pending(self, live: Live) -> str:
        """Its state, in AWS's word."""
        state = live.get("State", {})
        if state.get("Code") == "failed":
            raise Refusal(
                _("Waiting for the load balancer."),
                _("AWS says failed: {reason}", reason=state.get("Reason", "?")),
                _("Run `provision teardown`, mend what AWS names, then set up again."),
            )
        if state.get("Code") in ("active", "active_impaired"):
            return ""
        return _("the load balancer is {state}", state=state.get("Code", "?"))


def carrying(doors: Doors, stack: str, found: list[Live], arn: str) -> list[Tagged]:
    """Those whose name begins with the stack's and whose tags are its. arn: the key of each one's ARN."""
    name = arn.removesuffix("Arn") + "Name"
    lives = {live[arn]: live for live in found if live[name].startswith(stack)}
    arns, tagged = list(lives), []
    for start in range(0, len(arns), TAGS_A_CALL):
        answer = doors.aws.elbv2.describe_tags(ResourceArns=arns[start : start + TAGS_A_CALL])
        for told in answer["TagDescriptions"]:
            if marked(tags := flat(told["Tags"]), stack):
                tagged.append((tags, lives[told["ResourceArn"]]))
    return tagged


def added(
    doors: Doors, arn: str, ours: frozenset[str], stack: str
) -> list[tuple[Use, list[dict[str, Any]]]]:
    """Listeners and rules that others added to a load balancer of ours, each with its actions.

    None where it is gone, though a target group may name it for some minutes more.
    """
    elbv2, found = doors.aws.elbv2, []
    listeners = unless("LoadBalancerNotFound", elbv2.describe_listeners, LoadBalancerArn=arn) or {}
    for live in listeners.get("Listeners", []):
        name = f"{live['Protocol']}:{live['Port']}"
        found.append((live["ListenerArn"], name, live["DefaultActions"]))
        for rule in elbv2.describe_rules(ListenerArn=live["ListenerArn"])["Rules"]:
            if not rule["IsDefault"]:
                found.append((rule["RuleArn"], f"{name} {rule['Priority']}", rule["Actions"]))
    return [
        (Use(f"{arn.split('/')[-2]} {name}", content=True), actions)
        for each, name, actions in found
        if each not in ours and not marked(tags_of(doors, each), stack)
    ]


def foreign(doors: Doors, arns: list[str], ours: frozenset[str]) -> list[Use]:
    """Those that are not ours. A load balancer that is gone may be named for some minutes more."""
    describe = doors.aws.elbv2.describe_load_balancers
    return [
        Use(arn)
        for arn in arns
        if arn not in ours
        and (
            ":loadbalancer/" not in arn
            or unless("LoadBalancerNotFound", describe, LoadBalancerArns=[arn])
        )
    ]


def tags_of(doors: Doors, arn: str) -> dict[str, str]:
    """The tags of anything of Elastic Load Balancing's."""
    answer = doors.aws.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for tag in answer[0]["Tags"]} if answer else {}


def _shape(live: Live) -> Live:
    subnets = sorted(zone["SubnetId"] for zone in live.get("AvailabilityZones", []))
    return {**live, "Subnets": subnets}
