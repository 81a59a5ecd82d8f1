"""Create the Application Load Balancer."""

from collections.abc import Sequence
from typing import Any

from provision.clients.aws import list_items
from provision.clients.aws_errors import call_or_none
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.pricing import Prices
from provision.resources.base import (
    REPLACED_DELAY,
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    FoundSettings,
    Live,
    Milestone,
    Permission,
    Polling,
    Resource,
    Tagged,
    arn_pattern,
    has_stack_tag,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)
from provision.resources.bucket import AccessLogBucket
from provision.resources.network import Network
from provision.resources.security_group import SecurityGroup

ELB = "Elastic Load Balancing"
SERVICE = "elasticloadbalancing"  # the prefix of its actions
LINKED_ROLE = f"role/aws-service-role/{SERVICE}.amazonaws.com/*"  # of its first load balancer
BATCH_SIZE = 20  # ELB API, DescribeTags
# Requests that a server behind it may understand differently are not passed on. ALB User Guide, "Desync
# mitigation mode" and "HTTP headers"; LINE's webhooks are plain HTTP/1.1.
ATTRIBUTES = {
    "routing.http.drop_invalid_header_fields.enabled": "true",
    "routing.http.desync_mitigation_mode": "strictest",
}
# More attributes.
PROTECTION = "deletion_protection.enabled"
LOGS = "access_logs.s3.enabled"
LOG_BUCKET = "access_logs.s3.bucket"


@resource
class LoadBalancer(Resource):
    """An internet-facing Application Load Balancer. Its dependents do not wait until it is active."""

    name: str
    network: Network
    security_group: SecurityGroup
    deletion_protection: bool
    access_log_bucket: AccessLogBucket | None
    arn: str = output("LoadBalancerArn", arn_pattern("loadbalancer/app/"))
    dns_name: str = output("DNSName")
    hosted_zone_id: str = output("CanonicalHostedZoneId")
    protected_by: str = output("ProtectedBy", "nobody|provision|others")
    log_bucket: str = output("LogBucket")  # "none" without access logs
    console = ELB
    deletion = Deletion(
        on_pause=True,
        replaced_delay=REPLACED_DELAY,
    )
    errors = Errors(
        not_found=("LoadBalancerNotFound",),
        exists=("DuplicateLoadBalancerName",),
        retry=(
            "ResourceInUse",
            # The policy of the access logs' bucket may not be in effect yet.
            "InvalidConfigurationRequest: Access Denied for bucket",
            "InvalidConfigurationRequest: validation transient issue",
        ),
    )
    polling = Polling(expected=2)

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        balancer = f"loadbalancer/app/{identity_in(self.key)}/*"
        return [
            Permission(
                "read",
                SERVICE,
                "DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeTags DescribeListeners "
                "DescribeRules",
            ),
            Permission("create", SERVICE, "CreateLoadBalancer AddTags", balancer),
            Permission("create", SERVICE, "SetSubnets SetSecurityGroups", balancer),
            Permission("create", SERVICE, "ModifyLoadBalancerAttributes", balancer),
            Permission(
                "create",
                "iam",
                "CreateServiceLinkedRole",
                LINKED_ROLE,
                condition={"StringEquals": {"iam:AWSServiceName": f"{SERVICE}.amazonaws.com"}},
            ),
            Permission(
                "delete", SERVICE, "DeleteLoadBalancer ModifyLoadBalancerAttributes", balancer
            ),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return load balancers by name and tags."""
        found = list_items(clients.aws.elbv2, "describe_load_balancers", "LoadBalancers")
        balancers = [_shape(live) for live in found]
        return with_stack_tags(clients, stack, balancers, "LoadBalancerArn")

    def lookup_needs(self) -> list[Resource]:
        """Return [], because it is found by name."""
        return []

    def find(self, clients: Clients) -> Live | None:
        """Find the load balancer by ARN, else by name."""
        elbv2 = clients.aws.elbv2
        selector = {"LoadBalancerArns": [self.arn]} if self.arn else {"Names": [self.name]}
        found = elbv2.describe_load_balancers(**selector)["LoadBalancers"]
        mine = [lb for lb in found if (self.arn or self.name) in _names(lb)]
        if not mine:
            return None
        arn = mine[0]["LoadBalancerArn"]
        answer = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)
        return self._shape(mine[0], answer["Attributes"])

    def _shape(self, live: Live, attributes: Sequence[Live] = ()) -> Live:
        """Return it with its attributes, who protects it from deletion, and where its logs go."""
        shaped = _shape(live, attributes)
        by = "provision" if self.protected_by == "provision" else "others"
        found = shaped["Attributes"]
        return {
            **shaped,
            "ProtectedBy": by if found.get(PROTECTION) == "true" else "nobody",
            "LogBucket": found[LOG_BUCKET] if found.get(LOGS) == "true" else "none",
        }

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return whether it is protected, which its attributes tell and DescribeLoadBalancers does not."""
        protected = live["Attributes"].get(PROTECTION) == "true"
        return {"load_balancer.deletion_protection": "on" if protected else ""}

    @classmethod
    def from_name(cls, stack: str, name: str) -> "LoadBalancer":
        """Return a load balancer of which only the name is known."""
        balancer = cls.from_record(stack, name, {})
        balancer.name = name
        return balancer

    def create(self, clients: Clients) -> Live | None:
        """Call CreateLoadBalancer, which takes no attributes; `update` sets them."""
        answer = clients.aws.elbv2.create_load_balancer(
            Name=self.name,
            Subnets=self.network.subnet_ids,
            SecurityGroups=[self.security_group.id],
            Scheme="internet-facing",
            Type="application",
            Tags=tags_to_list(self.tags),
        )
        return self._shape(answer["LoadBalancers"][0])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (DescribeTags)."""
        return tags_of(clients, live["LoadBalancerArn"])

    def desired(self) -> dict[str, Any]:
        """Return the subnets, the security group and the attributes."""
        return {
            "Subnets": sorted(self.network.subnet_ids),
            "SecurityGroups": [self.security_group.id],
            **{f'Attributes."{name}"': value for name, value in self._attributes().items()},
        }

    def _attributes(self) -> dict[str, str]:
        """Return the desired attributes, without protection and logs that others switched on."""
        found = dict(ATTRIBUTES)
        if self.deletion_protection or self.protected_by == "provision":
            found[PROTECTION] = str(self.deletion_protection).lower()
        if self.access_log_bucket:
            found |= {LOGS: "true", LOG_BUCKET: self.access_log_bucket.bucket}
        elif AccessLogBucket.is_random(self.stack, self.log_bucket):
            found[LOGS] = "false"
        return found

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call SetSubnets, SetSecurityGroups and ModifyLoadBalancerAttributes."""
        paths = [difference.path for difference in differences]
        if "Subnets" in paths:
            clients.aws.elbv2.set_subnets(LoadBalancerArn=self.arn, Subnets=self.network.subnet_ids)
        if "SecurityGroups" in paths:
            clients.aws.elbv2.set_security_groups(
                LoadBalancerArn=self.arn, SecurityGroups=[self.security_group.id]
            )
        if any(path.startswith("Attributes") for path in paths):
            attributes = self._attributes()
            clients.aws.elbv2.modify_load_balancer_attributes(
                LoadBalancerArn=self.arn, Attributes=tags_to_list(attributes)
            )
            if f'Attributes."{PROTECTION}"' in paths:
                self.protected_by = "provision" if self.deletion_protection else "nobody"
            if LOGS in attributes:
                self.log_bucket = attributes.get(LOG_BUCKET, "none")

    def costs(self, prices: Prices) -> float:
        """Return the price without traffic, with one public IPv4 address per zone."""
        return prices.load_balancer_month(self.network.zones())

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return listeners and rules that others added, and deletion protection that they switched on."""
        found = [use for use, _actions in foreign_rules(clients, self.arn, ours, self.stack)]
        live = self.find(clients)
        if live and live["ProtectedBy"] == "others":
            found.append(ExternalUse(_("deletion protection"), content=True))
        return found

    def delete(self, clients: Clients) -> None:
        """Call DeleteLoadBalancer. Network interfaces remain for a minute or more.

        Switch off the setting's deletion protection, that of others only with their contents.
        """
        elbv2 = clients.aws.elbv2
        if self.protected_by == "provision" or (
            self.protected_by == "others" and self.with_contents
        ):
            off = [{"Key": PROTECTION, "Value": "false"}]
            elbv2.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=off)
        elbv2.delete_load_balancer(LoadBalancerArn=self.arn)


@resource
class ActiveLoadBalancer(Milestone):
    """The load balancer accepts traffic."""

    load_balancer: LoadBalancer
    polling = Polling(expected=158)

    def find(self, clients: Clients) -> Live | None:
        """Find the load balancer."""
        return self.load_balancer.find(clients)

    def pending(self, live: Live) -> Pending | None:
        """Wait for `active`. Raise ProvisionError for `failed`."""
        state = live.get("State", {})
        if state.get("Code") == "failed":
            raise ProvisionError(
                _("The load balancer could not be created."),
                _("AWS says failed: {reason}", reason=state.get("Reason", "?")),
                _(
                    "Run `provision teardown`, fix the problem AWS reported, then run `provision setup` "
                    "again."
                ),
            )
        if state.get("Code") in ("active", "active_impaired"):
            return None
        return Pending(_("the load balancer is {state}", state=state.get("Code", "?")))


def with_stack_tags(clients: Clients, stack: str, found: list[Live], arn: str) -> list[Tagged]:
    """Return the resources with the stack's tags, and with its name as prefix if they have one.

    arn: the key of the ARN.
    """
    name = arn.removesuffix("Arn") + "Name"
    lives = {live[arn]: live for live in found if live.get(name, stack).startswith(stack)}
    arns, tagged = list(lives), []
    for start in range(0, len(arns), BATCH_SIZE):
        answer = clients.aws.elbv2.describe_tags(ResourceArns=arns[start : start + BATCH_SIZE])
        for description in answer["TagDescriptions"]:
            if has_stack_tag(tags := tags_to_dict(description["Tags"]), stack):
                tagged.append((tags, lives[description["ResourceArn"]]))
    return tagged


def listeners_of(clients: Clients, arn: str) -> list[Live]:
    """Return the listeners of a load balancer."""
    return list_items(clients.aws.elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn)


def rules_of(clients: Clients, listener: str) -> list[Live]:
    """Return the rules of a listener, by its ARN."""
    return list_items(clients.aws.elbv2, "describe_rules", "Rules", ListenerArn=listener)


def foreign_rules(
    clients: Clients, arn: str, ours: frozenset[str], stack: str
) -> list[tuple[ExternalUse, list[dict[str, Any]]]]:
    """Return listeners and rules that others added to a load balancer, each with its actions.

    Return [] for a deleted load balancer, which a target group may refer to for some minutes.
    """
    found = []
    for live in call_or_none("LoadBalancerNotFound", listeners_of, clients=clients, arn=arn) or []:
        name = f"{live['Protocol']}:{live['Port']}"
        found.append((live["ListenerArn"], name, live["DefaultActions"]))
        for rule in rules_of(clients, live["ListenerArn"]):
            if not rule["IsDefault"]:
                found.append((rule["RuleArn"], f"{name} {rule['Priority']}", rule["Actions"]))
    return [
        (ExternalUse(f"{arn.split('/')[-2]} {name}", content=True), actions)
        for each, name, actions in found
        if each not in ours and not has_stack_tag(tags_of(clients, each), stack)
    ]


def foreign_users(clients: Clients, arns: list[str], ours: frozenset[str]) -> list[ExternalUse]:
    """Return the ARNs that are not in `ours`, without deleted load balancers that AWS still lists.

    Some AWS-compatible endpoints list listeners in place of their load balancers.
    """
    return [ExternalUse(arn) for arn in arns if arn not in ours and not _is_deleted(clients, arn)]


def _is_deleted(clients: Clients, arn: str) -> bool:
    """Return whether it is a load balancer that does not exist, or a listener of one."""
    if ":listener/" in arn:
        arn = arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0]
    describe = clients.aws.elbv2.describe_load_balancers
    return ":loadbalancer/" in arn and not call_or_none(
        "LoadBalancerNotFound", describe, LoadBalancerArns=[arn]
    )


def tags_of(clients: Clients, arn: str) -> dict[str, str]:
    """Return the tags of any resource of Elastic Load Balancing."""
    answer = clients.aws.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for tag in answer[0]["Tags"]} if answer else {}


def _names(live: Live) -> tuple[str, str]:
    return live["LoadBalancerArn"], live.get("LoadBalancerName", "")


def _shape(live: Live, attributes: Sequence[Live] = ()) -> Live:
    subnets = sorted(zone["SubnetId"] for zone in live.get("AvailabilityZones", []))
    return {**live, "Subnets": subnets, "Attributes": tags_to_dict(attributes)}
