"""EC2's network: the default VPC, security groups and what keeps them."""

from typing import Any

from .conftest import Account


def group(account: Account, name: str = "web", **more: Any) -> str:
    """A new security group in the default VPC; its id."""
    answer = account.client("ec2").create_security_group(GroupName=name, Description=name, **more)
    return str(answer["GroupId"])


def https_from(source: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **source}]


ANYWHERE = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def test_default_vpc_is_public(account: Account) -> None:
    """The main route table of the default VPC leads to an internet gateway, seen from outside."""
    ec2 = account.client("ec2")
    filters = [
        {"Name": "vpc-id", "Values": [account.vpc()]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    routes = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["Routes"]
    gateways = {route["DestinationCidrBlock"]: route.get("GatewayId", "") for route in routes}
    assert gateways["0.0.0.0/0"].startswith("igw-")
    attached = [{"Name": "attachment.vpc-id", "Values": [account.vpc()]}]
    found = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    assert [gateways["0.0.0.0/0"]] == [gateway["InternetGatewayId"] for gateway in found]
    subnets = ec2.describe_subnets()["Subnets"]
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 3


def test_group_names_are_unique_in_the_vpc(account: Account) -> None:
    """The same name in the same VPC is a duplicate, in another VPC it is not."""
    group(account)
    code, status, message = account.refusal(lambda: group(account))
    assert (code, status) == ("InvalidGroup.Duplicate", 400)
    assert "'web' already exists" in message
    vpc = account.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group(account, VpcId=vpc)


def test_duplicate_rule(account: Account) -> None:
    """The same permission twice is refused; another source is not."""
    ec2 = account.client("ec2")
    web, bot = group(account), group(account, "bot")
    for source in (ANYWHERE, {"UserIdGroupPairs": [{"GroupId": bot}]}):
        rule = {"GroupId": web, "IpPermissions": https_from(source)}
        ec2.authorize_security_group_ingress(**rule)
        refused = account.refusal(ec2.authorize_security_group_ingress, **rule)
        assert refused[:2] == ("InvalidPermission.Duplicate", 400)


def test_group_that_another_one_names_stays(account: Account) -> None:
    """A rule of another group that refers to it keeps it; its own rule does not."""
    ec2 = account.client("ec2")
    web, bot = group(account), group(account, "bot")
    for owner in (web, bot):
        ec2.authorize_security_group_ingress(
            GroupId=owner, IpPermissions=https_from({"UserIdGroupPairs": [{"GroupId": web}]})
        )
    refused = account.refusal(ec2.delete_security_group, GroupId=web)
    assert ("DependencyViolation", 400, f"resource {web} has a dependent object") == refused
    ec2.delete_security_group(GroupId=bot)
    ec2.delete_security_group(GroupId=web)


def test_group_of_an_interface_stays(account: Account) -> None:
    """A service's interface keeps group and subnet until it is released and gone."""
    ec2 = account.client("ec2")
    web, subnet = group(account), account.subnets(1)[0]
    interface = account.cloud.ec2.attach("ap-northeast-1", subnet, [web], "arn:aws:ecs:...")
    shown = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface.id])
    assert [found["Status"] for found in shown["NetworkInterfaces"]] == ["in-use"]
    code, _, message = account.refusal(ec2.delete_security_group, GroupId=web)
    assert ("DependencyViolation", f"resource {web} has a dependent object") == (code, message)
    refused = account.refusal(ec2.delete_subnet, SubnetId=subnet)
    expected = f"The subnet '{subnet}' has dependencies and cannot be deleted."
    assert ("DependencyViolation", 400, expected) == refused
    account.cloud.ec2.release("ap-northeast-1", interface.id)
    assert account.refusal(ec2.delete_security_group, GroupId=web)[0] == "DependencyViolation"
    account.clock.advance(account.cloud.delays.network_interfaces)
    ec2.delete_security_group(GroupId=web)
    ec2.delete_subnet(SubnetId=subnet)


def test_default_group_stays(account: Account) -> None:
    """Nobody deletes a VPC's default group."""
    ec2 = account.client("ec2")
    filters = [
        {"Name": "group-name", "Values": ["default"]},
        {"Name": "vpc-id", "Values": [account.vpc()]},
    ]
    default = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    refused = account.refusal(ec2.delete_security_group, GroupId=default)
    assert refused[:2] == ("CannotDelete", 400)
    missing = account.refusal(ec2.delete_security_group, GroupId="sg-0123456789abcdef0")
    assert missing[:2] == ("InvalidGroup.NotFound", 400)


def test_network_in_use_stays(account: Account) -> None:
    """A VPC with a group of one's own or a gateway stays, and a gateway while addresses are mapped."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ids = {"InternetGatewayId": gateway, "VpcId": vpc}
    ec2.attach_internet_gateway(**ids)
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    refused = account.refusal(ec2.detach_internet_gateway, **ids)
    assert (refused[0], refused[1]) == ("DependencyViolation", 400)
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    ec2.delete_subnet(SubnetId=subnet)
    assert account.refusal(ec2.delete_vpc, VpcId=vpc)[0] == "DependencyViolation"
    ec2.detach_internet_gateway(**ids)
    own = group(account, VpcId=vpc)
    assert account.refusal(ec2.delete_vpc, VpcId=vpc)[0] == "DependencyViolation"
    ec2.delete_security_group(GroupId=own)
    ec2.delete_vpc(VpcId=vpc)
