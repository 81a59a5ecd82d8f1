"""The AWS application: parsing calls."""

from tests.sandbox.conftest import Account
from tests.sandbox.control_client import control


def test_every_protocol_is_read(account: Account) -> None:
    """Query, EC2, JSON, REST-XML and REST-JSON calls are logged with botocore's names."""
    account.client("elbv2").describe_load_balancers()
    account.client("ec2").describe_vpcs()
    account.client("ssm").put_parameter(Name="A", Value="b", Type="String")
    account.client("route53").list_hosted_zones()
    account.client("scheduler").list_schedules()
    calls = control(account, "GET", "calls")
    assert [(call["service"], call["operation"], call["mutating"]) for call in calls] == [
        ("elbv2", "DescribeLoadBalancers", False),
        ("ec2", "DescribeVpcs", False),
        ("ssm", "PutParameter", True),
        ("route53", "ListHostedZones", False),
        ("scheduler", "ListSchedules", False),
    ]
    assert {account.clock.now()} == {call["time"] for call in calls}
