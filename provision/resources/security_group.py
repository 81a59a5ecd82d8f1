"""Security groups and their rules."""

from typing import Any

from provision.resources.base import (
    Batch,
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    FoundSettings,
    Live,
    Permission,
    Polling,
    Resource,
    Tagged,
    has_stack_tag,
    id_pattern,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)
from provision.resources.network import Network
from provision.resources.tagged_ec2 import (
    created_by,
    describe_all,
    ec2_filter,
    foreign_interfaces,
    matching,
    stack_filter,
)

# Filters of DescribeSecurityGroups for references to a group, with the member that has them.
REFERENCES = {
    "ip-permission.group-id": "IpPermissions",
    "egress.ip-permission.group-id": "IpPermissionsEgress",
}

ANYWHERE = "0.0.0.0/0"
HTTPS_AND_DNS = ("tcp 443", "tcp 53", "udp 53")


@resource
class SecurityGroup(Resource):
    """A security group of the VPC with its outbound rules; its inbound rules are separate resources."""

    name: str
    network: Network
    description: str
    egress: tuple[str, ...]  # protocols and ports, such as "tcp 443"
    only_to: "SecurityGroup | None" = None  # the group to which they lead; None: anywhere
    console = "Amazon EC2"
    id: str = output("GroupId", id_pattern("sg"))
    batch = Batch("ec2", "describe_security_groups", "GroupIds", "SecurityGroups", "GroupId")
    deletion = Deletion(
        immediate=True,
        release_delay=50,
    )
    errors = Errors(
        not_found=("InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
        exists=("InvalidGroup.Duplicate",),
        retry=(
            # Network interfaces remain for some time after the load balancer and the tasks.
            "DependencyViolation",
            "InvalidGroup.InUse",
            # The rules that were read were out of date; they are read again.
            "InvalidPermission.Duplicate",
            "InvalidPermission.NotFound",
        ),
    )
    polling = Polling(
        interval_near=0.5,  # a teardown waits for nothing else at that time
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        vpc = (self.network and self.network.vpc_id) or "*"
        return [
            Permission("read", "ec2", "DescribeSecurityGroups"),
            Permission("create", "ec2", "CreateSecurityGroup", "security-group/*", "RequestTag"),
            Permission("create", "ec2", "CreateSecurityGroup", f"vpc/{vpc}"),
            Permission(
                "create",
                "ec2",
                "CreateTags",
                "security-group/*",
                condition=created_by("CreateSecurityGroup"),
            ),
            Permission(
                "create",
                "ec2",
                "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress",
                "security-group/*",
                "ResourceTag",
            ),
            Permission("create", "ec2", "AuthorizeSecurityGroupEgress", "security-group-rule/*"),
            Permission("read", "ec2", "DescribeNetworkInterfaces"),
            Permission("delete", "ec2", "DeleteSecurityGroup", "security-group/*", "ResourceTag"),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return security groups by tag."""
        found = _describe_groups(clients, stack_filter(stack))
        return [(tags_to_dict(group.get("Tags", [])), group) for group in found]

    def lookup_needs(self) -> list[Resource]:
        """Return the network: the group is found by name in its VPC."""
        return [self.network]

    def find(self, clients: Clients) -> Live | None:
        """Find the group by id, else by name in the VPC."""
        if self.id:
            answer = clients.aws.ec2.describe_security_groups(GroupIds=[self.id])
            groups = matching(answer["SecurityGroups"], ec2_filter("group-id", self.id))
        elif not self.network.vpc_id:
            return None
        else:
            filters = [
                *ec2_filter("vpc-id", self.network.vpc_id),
                *ec2_filter("group-name", self.name),
            ]
            groups = _describe_groups(clients, filters)
        return _shape(groups[0]) if groups else None

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return the VPC, from the group's name: stack name, then `new` or a part of the VPC's id."""
        suffix = live["GroupName"].removeprefix(f"{self.stack}-").partition("-")[0]
        if suffix == "new":
            return {"network.vpc": "new"}
        is_chosen = live["VpcId"].endswith(suffix)
        return {"network.vpc": str(live["VpcId"]) if is_chosen else "default"}

    def create(self, clients: Clients) -> Live | None:
        """Call CreateSecurityGroup, which allows all outbound traffic; `update` limits it."""
        answer = clients.aws.ec2.create_security_group(
            GroupName=self.name,
            Description=self.description,
            VpcId=self.network.vpc_id,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": tags_to_list(self.tags)}],
        )
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}
        return _shape({"GroupId": answer["GroupId"], "IpPermissionsEgress": [everything]})

    def desired(self) -> dict[str, Any]:
        """Return the outbound rules."""
        where = self.only_to.id if self.only_to else ANYWHERE
        return {"Egress": sorted(f"{rule} {where}" for rule in self.egress)}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call AuthorizeSecurityGroupEgress for missing rules, then RevokeSecurityGroupEgress for others."""
        have, want = set(live["Egress"]), set(self.desired()["Egress"])
        ec2 = clients.aws.ec2
        if missing := sorted(want - have):
            ec2.authorize_security_group_egress(
                GroupId=self.id, IpPermissions=[_permission(rule) for rule in missing]
            )
        if others := sorted(have - want):
            ec2.revoke_security_group_egress(
                GroupId=self.id, IpPermissions=[_permission(rule) for rule in others]
            )

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return other groups whose rules refer to it, and other network interfaces that use it."""
        referring = {}
        for filter_name, rules in REFERENCES.items():
            for group in _describe_groups(clients, ec2_filter(filter_name, self.id)):
                ours_by_tag = has_stack_tag(tags_to_dict(group.get("Tags", [])), self.stack)
                if not ours_by_tag and self.id in _referenced(group.get(rules, [])):
                    referring[group["GroupId"]] = group["GroupName"]
        uses = [ExternalUse(f"{key} {name}") for key, name in referring.items() if key not in ours]
        return uses + foreign_interfaces(clients, ec2_filter("group-id", self.id), ours, self.stack)

    def delete(self, clients: Clients) -> None:
        """Call DeleteSecurityGroup."""
        clients.aws.ec2.delete_security_group(GroupId=self.id)


def _describe_groups(clients: Clients, filters: list[Live]) -> list[Live]:
    return describe_all(clients.aws, "describe_security_groups", "SecurityGroups", filters)


def _referenced(rules: list[Live]) -> set[str]:
    """Return the ids of the groups that rules refer to."""
    return {pair.get("GroupId", "") for rule in rules for pair in rule.get("UserIdGroupPairs", [])}


def _shape(live: Live) -> Live:
    """Return the group with its outbound rules as text: protocol, ports and destination."""
    rules = []
    for permission in live.get("IpPermissionsEgress", []):
        low, high = permission.get("FromPort"), permission.get("ToPort")
        ports = str(low) if low == high else f"{low}-{high}"
        head = permission["IpProtocol"] + ("" if low is None else f" {ports}")
        rules += [f"{head} {place}" for place in _destinations(permission)]
    return {**live, "Egress": sorted(rules)}


def _destinations(permission: Live) -> list[str]:
    """Return the ranges, groups and prefix lists of a permission."""
    keys = {
        "IpRanges": "CidrIp",
        "Ipv6Ranges": "CidrIpv6",
        "UserIdGroupPairs": "GroupId",
        "PrefixListIds": "PrefixListId",
    }
    return [item[key] for kind, key in keys.items() for item in permission.get(kind, [])]


def _permission(rule: str) -> dict[str, Any]:
    """Return a rule's text as EC2 takes it."""
    protocol, *ports, place = rule.split()
    low, _dash, high = ports[0].partition("-") if ports else ("", "", "")
    if place.startswith("sg-"):
        where: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": place}]}
    elif place.startswith("pl-"):
        where = {"PrefixListIds": [{"PrefixListId": place}]}
    elif ":" in place:
        where = {"Ipv6Ranges": [{"CidrIpv6": place}]}
    else:
        where = {"IpRanges": [{"CidrIp": place}]}
    between = {"FromPort": int(low), "ToPort": int(high or low)} if ports else {}
    return {"IpProtocol": protocol, **between, **where}


@resource
class IngressRule(Resource):
    """A rule that allows one TCP port from a CIDR range or from another group."""

    group: SecurityGroup
    port: int
    source: SecurityGroup | str  # a group, or a CIDR range
    id: str = output("SecurityGroupRuleId", id_pattern("sgr"))
    group_id: str = output("GroupId", id_pattern("sg"))
    batch = Batch(
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRuleIds",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
    )
    deletion = Deletion(
        immediate=True,
        retained_with="group",
    )
    errors = Errors(
        not_found=(
            "InvalidSecurityGroupRuleId.NotFound",
            "InvalidGroup.NotFound",
            "InvalidPermission.NotFound",
        ),
        exists=("InvalidPermission.Duplicate",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return [
            Permission("read", "ec2", "DescribeSecurityGroupRules"),
            Permission(
                "create",
                "ec2",
                "AuthorizeSecurityGroupIngress ModifySecurityGroupRules",
                "security-group/*",
                "ResourceTag",
            ),
            Permission(
                "create",
                "ec2",
                "AuthorizeSecurityGroupIngress ModifySecurityGroupRules",
                "security-group-rule/*",
            ),
            Permission(
                "create",
                "ec2",
                "CreateTags",
                "security-group-rule/*",
                condition=created_by("AuthorizeSecurityGroupIngress"),
            ),
            Permission(
                "delete", "ec2", "RevokeSecurityGroupIngress", "security-group/*", "ResourceTag"
            ),
        ]

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the rule's group."""
        group = live["GroupId"]
        return [SecurityGroup.from_record(self.stack, group, {"id": group})]

    def identity(self) -> str:
        """Return the group's identity."""
        return self.group.identity()

    def exists_within(self) -> list[Resource]:
        """Return the security group."""
        return [self.group]

    def find(self, clients: Clients) -> Live | None:
        """Find the rule by id, else by port and source."""
        if self.id:
            answer = clients.aws.ec2.describe_security_group_rules(SecurityGroupRuleIds=[self.id])
            rules = answer["SecurityGroupRules"]
            return dict(rules[0]) if rules else None
        for rule in describe_all(
            clients.aws,
            "describe_security_group_rules",
            "SecurityGroupRules",
            ec2_filter("group-id", self.group.id),
        ):
            if (
                not rule["IsEgress"]
                and rule.get("FromPort") == self.port
                and self._matches_source(rule)
            ):
                return dict(rule)
        return None

    def _matches_source(self, rule: Live) -> bool:
        if isinstance(self.source, SecurityGroup):
            return bool(rule.get("ReferencedGroupInfo", {}).get("GroupId") == self.source.id)
        return bool(rule.get("CidrIpv4") == self.source)

    def desired(self) -> dict[str, Any]:
        """Return the port and the source."""
        ports: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": self.port, "ToPort": self.port}
        if isinstance(self.source, SecurityGroup):
            return {**ports, "ReferencedGroupInfo.GroupId": self.source.id}
        return {**ports, "CidrIpv4": self.source}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ModifySecurityGroupRules, which requires the whole rule."""
        request = self.desired()
        if group := request.pop("ReferencedGroupInfo.GroupId", ""):
            request["ReferencedGroupId"] = group
        rule = {"SecurityGroupRuleId": self.id, "SecurityGroupRule": request}
        clients.aws.ec2.modify_security_group_rules(
            GroupId=self.group_id, SecurityGroupRules=[rule]
        )

    def create(self, clients: Clients) -> Live | None:
        """Call AuthorizeSecurityGroupIngress."""
        permission: dict[str, Any] = {
            "IpProtocol": "tcp",
            "FromPort": self.port,
            "ToPort": self.port,
        }
        if isinstance(self.source, SecurityGroup):
            permission["UserIdGroupPairs"] = [{"GroupId": self.source.id}]
        else:
            permission["IpRanges"] = [{"CidrIp": self.source}]
        answer = clients.aws.ec2.authorize_security_group_ingress(
            GroupId=self.group.id,
            IpPermissions=[permission],
            TagSpecifications=[
                {"ResourceType": "security-group-rule", "Tags": tags_to_list(self.tags)}
            ],
        )
        rules = answer.get("SecurityGroupRules") or []
        return dict(rules[0]) if rules else None

    def delete(self, clients: Clients) -> None:
        """Call RevokeSecurityGroupIngress."""
        clients.aws.ec2.revoke_security_group_ingress(
            GroupId=self.group_id, SecurityGroupRuleIds=[self.id]
        )
