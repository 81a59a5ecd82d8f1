"""EC2: what security groups and their rules reject."""

from typing import Any

import pytest

from tests.sandbox.conftest import Account

MISSING = "sg-0123456789abcdef0"
ANYWHERE = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def group(account: Account, name: str = "web", **more: Any) -> str:
    """Create a security group in the default VPC; return its id."""
    given = {"GroupName": name, "Description": name} | more
    return str(account.client("ec2").create_security_group(**given)["GroupId"])


def https_from(source: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **source}]


def admit(account: Account, group_id: str, *permissions: dict[str, Any]) -> Any:
    return account.client("ec2").authorize_security_group_ingress(
        GroupId=group_id, IpPermissions=list(permissions)
    )


@pytest.mark.behaviour("ec2.group-duplicate")
def test_group_names_are_unique_in_the_vpc(account: Account) -> None:
    """The same name in the same VPC is a duplicate, in another VPC it is not."""
    group(account)
    code, status, message = account.refusal(lambda: group(account))
    assert (code, status) == ("InvalidGroup.Duplicate", 400)
    assert "'web' already exists" in message
    vpc = account.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group(account, VpcId=vpc)


@pytest.mark.behaviour("ec2.group-name")
@pytest.mark.parametrize("name", ["sg-web", "ニュース", "a|b", "a" * 256])
def test_group_names_have_an_alphabet(account: Account, name: str) -> None:
    """A limited set of ASCII, and nothing that looks like an id."""
    code, status, message = account.refusal(group, account=account, name=name, Description="x")
    assert ("InvalidParameterValue", 400) == (code, status)
    assert message.startswith(f"Value ({name}) for parameter GroupName is invalid. ")


@pytest.mark.behaviour("ec2.group-description")
def test_group_descriptions_are_not_japanese(account: Account) -> None:
    """Only a limited set of ASCII is accepted."""
    refused = account.refusal(group, account=account, Description="ボットの入口")
    expected = (
        "Value (ボットの入口) for parameter GroupDescription is invalid. "
        "Character sets beyond ASCII are not supported."
    )
    assert ("InvalidParameterValue", 400, expected) == refused


@pytest.mark.behaviour("ec2.group-in-unknown-vpc")
def test_group_needs_a_vpc_that_exists(account: Account) -> None:
    """An unknown VPC is an error, not the default one."""
    refused = account.refusal(group, account=account, VpcId="vpc-0123456789abcdef0")
    expected = "The vpc ID 'vpc-0123456789abcdef0' does not exist"
    assert ("InvalidVpcID.NotFound", 400, expected) == refused


@pytest.mark.behaviour("ec2.unknown-group")
def test_unknown_group_is_named(account: Account) -> None:
    """The error contains the unknown one of several ids."""
    refused = account.refusal(
        account.client("ec2").describe_security_groups, GroupIds=[group(account), MISSING]
    )
    expected = f"The security group '{MISSING}' does not exist"
    assert ("InvalidGroup.NotFound", 400, expected) == refused


@pytest.mark.behaviour("ec2.malformed-group-id")
def test_malformed_id(account: Account) -> None:
    """A malformed id gives another error than an unknown id."""
    delete = account.client("ec2").delete_security_group
    expected = 'Invalid id: "web" (expecting "sg-...")'
    refused = account.refusal(delete, GroupId="web")
    assert ("InvalidGroupId.Malformed", 400, expected) == refused
    assert "InvalidGroup.NotFound" == account.refusal(delete, GroupId=MISSING)[0]


@pytest.mark.behaviour("ec2.rule-duplicate")
def test_duplicate_rule(account: Account) -> None:
    """The same permission twice is rejected, even with another description; another source is not."""
    web, bot = group(account), group(account, "bot")
    for source in (ANYWHERE, {"UserIdGroupPairs": [{"GroupId": bot}]}):
        admit(account, web, *https_from(source))
        refused = account.refusal(lambda s=source: admit(account, web, *https_from(s)))
        assert refused[:2] == ("InvalidPermission.Duplicate", 400)
    described = {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "again"}]}
    refused = account.refusal(lambda: admit(account, web, *https_from(described)))
    assert "InvalidPermission.Duplicate" == refused[0]


@pytest.mark.behaviour("ec2.rule-of-another-network")
def test_rule_stays_in_its_network(account: Account) -> None:
    """A group of another VPC cannot be referenced."""
    vpc = account.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    web, foreign = group(account), group(account, VpcId=vpc)
    source = {"UserIdGroupPairs": [{"GroupId": foreign}]}
    refused = account.refusal(lambda: admit(account, web, *https_from(source)))
    expected = "You have specified two resources that belong to different networks."
    assert ("InvalidGroup.NotFound", 400, expected) == refused


@pytest.mark.behaviour("ec2.rule-ports")
@pytest.mark.parametrize(
    "ports",
    [
        {},
        {"FromPort": 443},
        {"FromPort": 443, "ToPort": 80},
        {"FromPort": 70000, "ToPort": 70000},
    ],
)
def test_tcp_needs_ports(account: Account, ports: dict[str, int]) -> None:
    """Both, within 0 to 65535, the lower one first."""
    web = group(account)
    refused = account.refusal(
        lambda: admit(account, web, {"IpProtocol": "tcp", **ports, **ANYWHERE})
    )
    assert ("InvalidParameterValue", 400) == refused[:2]
    admit(account, web, {"IpProtocol": "-1", **ANYWHERE})


@pytest.mark.behaviour("ec2.rule-protocol")
def test_http_is_no_ip_protocol(account: Account) -> None:
    """tcp is one, http is not."""
    web = group(account)
    permission = {"IpProtocol": "http", "FromPort": 80, "ToPort": 80, **ANYWHERE}
    refused = account.refusal(lambda: admit(account, web, permission))
    expected = "Invalid value 'http' for IP protocol. Unknown protocol."
    assert ("InvalidParameterValue", 400, expected) == refused


@pytest.mark.behaviour("ec2.rule-description")
def test_rule_descriptions_are_not_japanese(account: Account) -> None:
    """The characters are those of group descriptions."""
    web = group(account)
    source = {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "世界中"}]}
    code, status, message = account.refusal(lambda: admit(account, web, *https_from(source)))
    assert ("InvalidParameterValue", 400) == (code, status)
    assert message.startswith("Invalid rule description. Valid descriptions are strings")


@pytest.mark.behaviour("ec2.revoke-unknown-rule")
def test_unknown_rule_is_not_revoked(account: Account) -> None:
    """A permission that was never granted cannot be revoked."""
    refused = account.refusal(
        account.client("ec2").revoke_security_group_ingress,
        GroupId=group(account),
        IpPermissions=https_from(ANYWHERE),
    )
    assert ("InvalidPermission.NotFound", 400) == refused[:2]


@pytest.mark.behaviour("ec2.group-named-by-a-rule")
def test_group_that_another_one_names_stays(account: Account) -> None:
    """A rule of another group that references it prevents its deletion; its own rule does not."""
    ec2 = account.client("ec2")
    web, bot = group(account), group(account, "bot")
    for owner in (web, bot):
        admit(account, owner, *https_from({"UserIdGroupPairs": [{"GroupId": web}]}))
    refused = account.refusal(ec2.delete_security_group, GroupId=web)
    assert ("DependencyViolation", 400, f"resource {web} has a dependent object") == refused
    ec2.delete_security_group(GroupId=bot)
    ec2.delete_security_group(GroupId=web)


@pytest.mark.behaviour("ec2.group-of-an-interface")
def test_group_of_an_interface_stays(account: Account) -> None:
    """It can be deleted once the interface is gone."""
    ec2, web = account.client("ec2"), group(account)
    interface = ec2.create_network_interface(SubnetId=account.subnets(1)[0], Groups=[web])
    refused = account.refusal(ec2.delete_security_group, GroupId=web)
    assert ("DependencyViolation", 400, f"resource {web} has a dependent object") == refused
    interface_id = interface["NetworkInterface"]["NetworkInterfaceId"]
    ec2.delete_network_interface(NetworkInterfaceId=interface_id)
    ec2.delete_security_group(GroupId=web)


@pytest.mark.behaviour("ec2.default-group-stays")
def test_default_group_stays(account: Account) -> None:
    """A VPC's default group cannot be deleted."""
    ec2 = account.client("ec2")
    filters = [
        {"Name": "group-name", "Values": ["default"]},
        {"Name": "vpc-id", "Values": [account.vpc()]},
    ]
    default = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    refused = account.refusal(ec2.delete_security_group, GroupId=default)
    assert refused[:2] == ("CannotDelete", 400)


def changed(account: Account, rule: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """Change a rule with ModifySecurityGroupRules; return it as EC2 shows it."""
    ec2, id = account.client("ec2"), rule["SecurityGroupRuleId"]
    ec2.modify_security_group_rules(
        GroupId=rule["GroupId"],
        SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": wanted}],
    )
    shown = ec2.describe_security_group_rules(SecurityGroupRuleIds=[id])["SecurityGroupRules"]
    return dict(shown[0])


PORT = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}


@pytest.mark.behaviour("ec2.rule-of-another-group")
def test_rule_lets_another_group_in(account: Account) -> None:
    """The rule keeps its id."""
    web, bot, other = group(account), group(account, "bot"), group(account, "other")
    source = {"UserIdGroupPairs": [{"GroupId": web}]}
    rule = admit(account, bot, *https_from(source))["SecurityGroupRules"][0]
    shown = changed(account, rule, **PORT, ReferencedGroupId=other)
    assert (22, other) == (shown["FromPort"], shown["ReferencedGroupInfo"]["GroupId"])


@pytest.mark.behaviour("ec2.rule-keeps-its-kind")
def test_rule_keeps_its_kind(account: Account) -> None:
    """A range cannot become a group, or a group a range."""
    web, bot = group(account), group(account, "bot")
    by_range = admit(account, bot, *https_from(ANYWHERE))["SecurityGroupRules"][0]
    source = {"UserIdGroupPairs": [{"GroupId": web}]}
    by_group = admit(account, bot, *https_from(source))["SecurityGroupRules"][0]
    for rule, wanted in (
        (by_range, {"ReferencedGroupId": web}),
        (by_group, {"CidrIpv4": "10.0.0.0/8"}),
    ):
        code, status, message = account.refusal(
            lambda r=rule, w=wanted: changed(account, r, **PORT, **w)
        )
        assert ("InvalidParameterValue", 400) == (code, status)
        assert "Invalid rule type for security group rule" in message


@pytest.mark.behaviour("ec2.groups-for-vpc")
def test_groups_for_a_vpc(account: Account) -> None:
    """The VPC's own groups with their tags, none of another VPC."""
    ec2, vpc = account.client("ec2"), account.vpc()
    other = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_security_group(GroupName="theirs", Description="theirs", VpcId=other)
    tags = [{"Key": "app", "Value": "news"}]
    group = ec2.create_security_group(
        GroupName="bot",
        Description="the bot",
        VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )["GroupId"]
    found = ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]
    assert ["bot", "default"] == sorted(each["GroupName"] for each in found)
    assert {
        "GroupId": group,
        "GroupName": "bot",
        "Description": "the bot",
        "OwnerId": "123456789012",
        "PrimaryVpcId": vpc,
        "Tags": tags,
    } == next(each for each in found if each["GroupId"] == group)
    call = ec2.get_security_groups_for_vpc
    assert "InvalidVpcID.NotFound" == account.refusal(call, VpcId="vpc-1")[0]
