"""Create the target group of the bot's tasks."""

import json
from typing import Any

from provision.clients.aws import list_items
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    Live,
    Permission,
    Polling,
    Resource,
    Tagged,
    arn_pattern,
    identity_in,
    output,
    resource,
    tags_to_list,
)
from provision.resources.load_balancer import (
    ELB,
    SERVICE,
    foreign_rules,
    foreign_users,
    tags_of,
    with_stack_tags,
)
from provision.resources.network import Network

HEALTH_CHECK = {  # detects healthy and unhealthy tasks within 10 s
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPath": "/healthz",
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 4,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}
DEREGISTRATION = "deregistration_delay.timeout_seconds"
# Webhooks are answered within seconds; AWS's default of 300 would slow down deployments.
ATTRIBUTES = {DEREGISTRATION: "20"}


@resource
class TargetGroup(Resource):
    """A target group of type ip, in which ECS registers the tasks."""

    name: str
    network: Network
    port: int
    arn: str = output("TargetGroupArn", arn_pattern("targetgroup/"))
    deletion = Deletion(immediate=True)
    console = ELB
    errors = Errors(
        not_found=("TargetGroupNotFound",),
        exists=("DuplicateTargetGroupName",),
        retry=("ResourceInUse",),  # just after its listeners and rules were deleted
    )
    polling = Polling(expected=1)

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        group = f"targetgroup/{identity_in(self.key)}/*"
        return [
            Permission(
                "read",
                SERVICE,
                "DescribeTargetGroups DescribeTargetGroupAttributes DescribeTargetHealth DescribeTags",
            ),
            Permission("create", SERVICE, "CreateTargetGroup AddTags", group),
            Permission("create", SERVICE, "ModifyTargetGroup ModifyTargetGroupAttributes", group),
            Permission("delete", SERVICE, "DeleteTargetGroup", group),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return target groups by name and tags."""
        groups = list_items(clients.aws.elbv2, "describe_target_groups", "TargetGroups")
        return with_stack_tags(clients, stack, groups, "TargetGroupArn")

    def lookup_needs(self) -> list[Resource]:
        """Return [], because it is found by name."""
        return []

    def find(self, clients: Clients) -> Live | None:
        """Find the target group by ARN, else by name, with its attributes."""
        elbv2 = clients.aws.elbv2
        selector = {"TargetGroupArns": [self.arn]} if self.arn else {"Names": [self.name]}
        found = [
            group
            for group in elbv2.describe_target_groups(**selector)["TargetGroups"]
            if (self.arn or self.name) in (group["TargetGroupArn"], group.get("TargetGroupName"))
        ]
        if not found:
            return None
        attributes = elbv2.describe_target_group_attributes(
            TargetGroupArn=found[0]["TargetGroupArn"]
        )["Attributes"]
        return {**found[0], "Attributes": {item["Key"]: item["Value"] for item in attributes}}

    def create(self, clients: Clients) -> Live | None:
        """Call CreateTargetGroup, which takes no attributes; `update` sets the deregistration delay."""
        answer = clients.aws.elbv2.create_target_group(
            Name=self.name,
            Protocol="HTTP",
            Port=self.port,
            VpcId=self.network.vpc_id,
            TargetType="ip",
            Tags=tags_to_list(self.tags),
            **HEALTH_CHECK,
        )
        return {**answer["TargetGroups"][0], "Attributes": {}}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (DescribeTags)."""
        return tags_of(clients, live["TargetGroupArn"])

    def desired(self) -> dict[str, Any]:
        """Return the health check and the attributes."""
        attributes = {f'Attributes."{name}"': value for name, value in ATTRIBUTES.items()}
        return {**HEALTH_CHECK, **attributes}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ModifyTargetGroup and ModifyTargetGroupAttributes."""
        elbv2 = clients.aws.elbv2
        if any(difference.path in HEALTH_CHECK for difference in differences):
            elbv2.modify_target_group(TargetGroupArn=self.arn, **HEALTH_CHECK)
        if any(difference.path not in HEALTH_CHECK for difference in differences):
            elbv2.modify_target_group_attributes(
                TargetGroupArn=self.arn, Attributes=tags_to_list(ATTRIBUTES)
            )

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return other load balancers that use it, and rules that others added to the stack's."""
        found = clients.aws.elbv2.describe_target_groups(TargetGroupArns=[self.arn])["TargetGroups"]
        balancers = found[0].get("LoadBalancerArns", []) if found else []
        rules = [
            use
            for arn in balancers
            if arn in ours
            for use, actions in foreign_rules(clients, arn, ours, self.stack)
            if self.arn in json.dumps(actions)
        ]
        return foreign_users(clients, balancers, ours) + rules

    def delete(self, clients: Clients) -> None:
        """Call DeleteTargetGroup."""
        clients.aws.elbv2.delete_target_group(TargetGroupArn=self.arn)
