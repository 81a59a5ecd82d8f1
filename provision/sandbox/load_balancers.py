"""Elastic Load Balancing: load balancers, and what CreateLoadBalancer and others refuse."""

import re
from typing import TYPE_CHECKING

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import Answer, after, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


@before("elbv2", "CreateLoadBalancer")
def load_balancer_can_be(cloud: "Cloud", call: Call) -> Answer | None:
    """API CreateLoadBalancer: name, subnets, and what the same name means."""
    name = call.params["Name"]
    for problem, wrong in (
        ("cannot be longer than '32' characters", len(name) > 32),
        (
            "can only contain characters that are alphanumeric characters or hyphens(-)",
            not re.fullmatch(r"[A-Za-z0-9-]+", name),
        ),
        ("cannot begin or end with '-'", name.startswith("-") or name.endswith("-")),
        ("cannot begin with 'internal-'", name.startswith("internal-")),
    ):
        if wrong:
            raise Refusal("ValidationError", f"The load balancer name '{name}' {problem}")
    mappings = call.params.get("SubnetMappings", [])
    subnet_ids = call.params.get("Subnets") or [mapping["SubnetId"] for mapping in mappings]
    for lb in cloud.backend("elbv2", call.region).load_balancers.values():
        if lb.name == name:
            same = {subnet.id for subnet in lb.subnets} == set(subnet_ids)
            same &= set(call.params.get("SecurityGroups", lb.security_groups)) == set(
                lb.security_groups
            )
            same &= lb.scheme == call.params.get("Scheme", "internet-facing")
            if same:
                return {"LoadBalancers": [cloud.elbv2.describe(lb)]}
            raise Refusal(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
    if call.params.get("Type", "application") == "application":
        _check_subnets(cloud, call, subnet_ids)
    return None


def _check_subnets(cloud: "Cloud", call: Call, subnet_ids: list[str]) -> None:
    """User Guide, ALB subnets: two zones, one subnet each, and a way to the internet."""
    known = {
        subnet.id: subnet
        for subnets in cloud.ec2.backend(call.region).subnets.values()
        for subnet in subnets.values()
    }
    unknown = [subnet_id for subnet_id in subnet_ids if subnet_id not in known]
    if unknown:
        raise Refusal("SubnetNotFound", f"The subnet ID '{unknown[0]}' does not exist")
    subnets = [known[subnet_id] for subnet_id in subnet_ids]
    zones = [subnet.availability_zone for subnet in subnets]
    if len(set(zones)) < 2:
        raise Refusal(
            "ValidationError",
            "At least two subnets in two different Availability Zones must be specified",
        )
    if len(set(zones)) < len(zones):
        raise Refusal(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if call.params.get("Scheme", "internet-facing") == "internet-facing":
        for subnet in subnets:
            if not cloud.ec2.is_public(call.region, subnet):
                raise Refusal(
                    "InvalidSubnet",
                    f"VPC {subnet.vpc_id} has no internet gateway for subnet {subnet.id}",
                )


@after("elbv2", "CreateLoadBalancer")
def load_balancer_is_provisioning(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API LoadBalancerState: provisioning until it is fully set up."""
    arn = answer["LoadBalancers"][0]["LoadBalancerArn"]
    load_balancer = cloud.backend("elbv2", call.region).load_balancers[arn]
    cloud.elbv2.created(call.region, load_balancer)
    answer["LoadBalancers"] = [cloud.elbv2.describe(load_balancer)]


@after("elbv2", "DescribeLoadBalancers")
def state_by_the_clock(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API LoadBalancerState; moto turns it active when somebody looks."""
    for shown in answer["LoadBalancers"]:
        shown["State"] = cloud.elbv2.state(shown["LoadBalancerArn"])


@after("elbv2", "SetSecurityGroups")
def interfaces_follow(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API SetSecurityGroups: the groups are those of the load balancer's interfaces."""
    balancers = cloud.backend("elbv2", call.region).load_balancers
    cloud.elbv2.regrouped(balancers[call.params["LoadBalancerArn"]])


@before("elbv2", "DeleteLoadBalancer")
def load_balancer_may_go(cloud: "Cloud", call: Call) -> None:
    """API DeleteLoadBalancer: not under deletion protection; its interfaces go later."""
    arn = call.params["LoadBalancerArn"]
    load_balancer = cloud.backend("elbv2", call.region).load_balancers.get(arn)
    if load_balancer is None:
        return
    if load_balancer.attrs.get("deletion_protection.enabled") == "true":
        raise Refusal(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    cloud.elbv2.deleted(call.region, arn)
