"""EC2: interfaces of AWS services, and client tokens."""

from typing import Any

import pytest

from tests.sandbox.conftest import Account


def interface_of_a_load_balancer(account: Account) -> dict[str, Any]:
    """Return one as DescribeNetworkInterfaces shows it; {} if there is none."""
    account.load_balancer()
    filters = [{"Name": "description", "Values": ["ELB app/*"]}]
    found = account.client("ec2").describe_network_interfaces(Filters=filters)
    return dict(next(iter(found["NetworkInterfaces"]), {}))


@pytest.mark.behaviour("ec2.interface-in-use-stays")
def test_interface_in_use_is_not_deleted(account: Account) -> None:
    """A load balancer's interface cannot be deleted; an unused one of the user can."""
    ec2 = account.client("ec2")
    used = interface_of_a_load_balancer(account).get("NetworkInterfaceId")
    assert used
    refused = account.refusal(ec2.delete_network_interface, NetworkInterfaceId=used)
    expected = f"Network interface '{used}' is currently in use."
    assert ("InvalidParameterValue", 400, expected) == refused
    own = ec2.create_network_interface(SubnetId=account.subnets(1)[0])["NetworkInterface"]
    ec2.delete_network_interface(NetworkInterfaceId=own["NetworkInterfaceId"])


@pytest.mark.behaviour("ec2.interface-owner-filters")
@pytest.mark.parametrize("name", ["attachment.instance-owner-id", "requester-id"])
def test_interfaces_by_owner(account: Account, name: str) -> None:
    """A load balancer's interfaces are found by their owner, amazon-elb."""
    ec2 = account.client("ec2")
    ec2.create_network_interface(SubnetId=account.subnets(1)[0])
    account.load_balancer()
    found = ec2.describe_network_interfaces(Filters=[{"Name": name, "Values": ["amazon-elb"]}])
    shown = [(i["RequesterId"], i["Description"][:8]) for i in found["NetworkInterfaces"]]
    assert {("amazon-elb", "ELB app/")} == set(shown)


@pytest.mark.behaviour("ec2.client-token")
def test_client_token_makes_one_thing(account: Account) -> None:
    """The same call with the same token returns the first interface; without a token it creates another."""
    create = account.client("ec2").create_route_table
    ids = [
        create(VpcId=account.vpc(), **token)["RouteTable"]["RouteTableId"]
        for token in ({"ClientToken": "once"}, {"ClientToken": "once"}, {"ClientToken": "twice"})
    ]
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


@pytest.mark.behaviour("ec2.client-token-mismatch")
def test_client_token_means_one_thing(account: Account) -> None:
    """The same token with another subnet is rejected."""
    create = account.client("ec2").create_network_interface
    first, second = account.subnets(2)
    create(SubnetId=first, ClientToken="once")
    refused = account.refusal(create, SubnetId=second, ClientToken="once")
    assert ("IdempotentParameterMismatch", 400) == refused[:2]
