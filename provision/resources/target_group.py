"""Where the load balancer sends requests: the bot's tasks, by address."""

import json
from typing import Any, ClassVar

from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Resource,
    Tagged,
    listed,
    output,
    resource,
)
from provision.resources.load_balancer import ELB, added, carrying, foreign, tags_of
from provision.resources.network import Network

HEALTH = {  # quick to take a healthy task in and a sick one out
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPath": "/healthz",
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 4,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}
DEREGISTRATION = "deregistration_delay.timeout_seconds"
ATTRIBUTES = {
    DEREGISTRATION: "20"
}  # a webhook is answered within seconds; AWS's 300 only make deploys slow


@resource
class TargetGroup(Resource):
    """A target group of type ip, created empty: ECS fills it."""

    name: str
    network: Network
    port: int
    arn: str = output("TargetGroupArn")
    by_name = True
    at_once = True
    console = ELB
    not_found = ("TargetGroupNotFound",)
    exists = ("DuplicateTargetGroupName",)
    retry = ("ResourceInUse",)  # listeners and rules have just gone
    later = ("Attributes",)
    expected: ClassVar[int] = 1

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """By name and tags."""
        pages = clients.aws.elbv2.get_paginator("describe_target_groups").paginate()
        found = [live for page in pages for live in page["TargetGroups"]]
        return carrying(clients, stack, found, "TargetGroupArn")

    def find(self, clients: Clients) -> Live | None:
        """By ARN, else by name; with its attributes."""
        elbv2 = clients.aws.elbv2
        which = {"TargetGroupArns": [self.arn]} if self.arn else {"Names": [self.name]}
        found = elbv2.describe_target_groups(**which)["TargetGroups"]
        if not found:
            return None
        attributes = elbv2.describe_target_group_attributes(
            TargetGroupArn=found[0]["TargetGroupArn"]
        )["Attributes"]
        return {**found[0], "Attributes": {item["Key"]: item["Value"] for item in attributes}}

    def create(self, clients: Clients) -> Live | None:
        """CreateTargetGroup. The deregistration delay is a difference, because the call takes none."""
        answer = clients.aws.elbv2.create_target_group(
            Name=self.name,
            Protocol="HTTP",
            Port=self.port,
            VpcId=self.network.vpc_id,
            TargetType="ip",
            Tags=listed(self.tags),
            **HEALTH,
        )
        return dict(answer["TargetGroups"][0])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """DescribeTags."""
        return tags_of(clients, live["TargetGroupArn"])

    def desired(self) -> dict[str, Any]:
        """Health check and attributes."""
        attributes = {f'Attributes."{name}"': value for name, value in ATTRIBUTES.items()}
        return {**HEALTH, **attributes}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """ModifyTargetGroup, ModifyTargetGroupAttributes."""
        elbv2 = clients.aws.elbv2
        if any(difference.path in HEALTH for difference in differences):
            elbv2.modify_target_group(TargetGroupArn=self.arn, **HEALTH)
        if any(difference.path not in HEALTH for difference in differences):
            elbv2.modify_target_group_attributes(
                TargetGroupArn=self.arn, Attributes=listed(ATTRIBUTES)
            )

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """A load balancer of others' that sends requests to it, or what others added to ours."""
        found = clients.aws.elbv2.describe_target_groups(TargetGroupArns=[self.arn])["TargetGroups"]
        balancers = found[0].get("LoadBalancerArns", []) if found else []
        here = [
            use
            for arn in balancers
            if arn in ours
            for use, actions in added(clients, arn, ours, self.stack)
            if self.arn in json.dumps(actions)
        ]
        return foreign(clients, balancers, ours) + here

    def delete(self, clients: Clients) -> None:
        """DeleteTargetGroup."""
        clients.aws.elbv2.delete_target_group(TargetGroupArn=self.arn)
