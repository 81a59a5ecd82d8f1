"""The control endpoint: the log of calls, the clock, reset, and additions by services."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provision.sandbox.aws import account as account_file
from tests.sandbox.conftest import Account
from tests.sandbox.control_client import control, control_error


def test_surface_lists_itself(account: Account) -> None:
    """GET /_sandbox/ lists all paths, each with a sentence."""
    listed = {(one["method"], one["path"]): one["says"] for one in control(account, "GET", "")}
    assert "List the control paths." == listed["GET", "/_sandbox/"]
    assert {
        ("GET", "/_sandbox/calls"),
        ("GET", "/_sandbox/clock"),
        ("POST", "/_sandbox/faults"),
        ("POST", "/_sandbox/reset"),
    } < set(listed)
    assert "" not in listed.values()


def test_unknown_paths_and_methods(account: Account) -> None:
    """Unknown paths are 404, wrong methods 405, bodies that are no objects 400."""
    assert 404 == control(account, "GET", "weather")
    assert 405 == control(account, "POST", "gallery", {})
    assert (400, "the body is one JSON object") == control_error(account, "POST", "faults", [1])


def test_log_can_be_filtered(account: Account) -> None:
    """By number, time, service, operation, caller, and whether the call mutates."""
    account.client("ssm").put_parameter(Name="A", Value="b", Type="String")
    account.clock.advance(10)
    account.client("ssm").describe_parameters()
    account.client("ec2").describe_vpcs()

    def seen(query: str) -> list[str]:
        return [call["operation"] for call in control(account, "GET", f"calls?{query}")]

    assert ["PutParameter", "DescribeParameters", "DescribeVpcs"] == seen("")
    assert ["PutParameter"] == seen("mutating=1")
    assert ["DescribeParameters", "DescribeVpcs"] == seen("mutating=0")
    assert ["DescribeVpcs"] == seen("service=ec2")
    assert ["DescribeParameters"] == seen("service=ssm&operation=DescribeParameters")
    assert ["DescribeParameters", "DescribeVpcs"] == seen(f"since={account.clock.now()}")
    first = control(account, "GET", "calls")[0]
    assert ["DescribeParameters", "DescribeVpcs"] == seen(f"after={first['number']}")
    assert 3 == len(seen(f"caller={first['caller']}"))
    assert "arn:aws:iam::123456789012:root" == first["caller"]
    assert [] == seen("caller=arn:aws:iam::123456789012:user/other")
    assert (400, "no such filter: colour") == control_error(account, "GET", "calls?colour=red")
    assert 400 == control(account, "GET", "calls?since=yesterday")


def test_log_is_bounded(account: Account) -> None:
    """The oldest calls are dropped; numbering continues, so that a reader notices."""
    account.client("ssm").describe_parameters()
    (only,) = account.cloud.log
    assert account_file.LOG_LENGTH == account.cloud.log.maxlen
    account.cloud.log.extend([only] * account_file.LOG_LENGTH)
    account.client("ssm").describe_parameters()
    assert account_file.LOG_LENGTH == len(account.cloud.log)
    assert only["number"] + 1 == account.cloud.log[-1]["number"]


def test_details_of_a_call(account: Account) -> None:
    """Request and response of each of the last calls, without what AWS marks as secret."""
    ssm = account.client("ssm")
    ssm.put_parameter(Name="A", Value="hidden", Type="SecureString")
    ssm.get_parameter(Name="A", WithDecryption=True)
    with pytest.raises(ClientError):
        ssm.get_parameter(Name="B")
    numbers = [call["number"] for call in control(account, "GET", "calls")]
    put, got, failed = (control(account, "GET", f"calls/{number}") for number in numbers)
    assert ("ssm", "PutParameter") == (put["service"], put["operation"])
    assert {"Name": "A", "Value": "***", "Type": "SecureString"} == put["request"]
    assert 1 == put["response"]["Version"]
    assert "***" == got["response"]["Parameter"]["Value"]
    assert "ParameterNotFound" == failed["response"]["Error"]["Code"]
    assert (404, f"request and response of call {numbers[-1] + 1} are not kept") == control_error(
        account, "GET", f"calls/{numbers[-1] + 1}"
    )
    control(account, "POST", "reset")
    assert 404 == control(account, "GET", f"calls/{numbers[0]}")


def test_details_are_bounded(account: Account) -> None:
    """Of many calls the last, and no large response."""
    assert 500 == account.cloud.details.maxlen
    s3 = account.client("s3")
    s3.create_bucket(
        Bucket="big", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    s3.put_object(Bucket="big", Key="a", Body=b"x" * 200_000)
    s3.get_object(Bucket="big", Key="a")["Body"].read()
    *_, put, got = (call["number"] for call in control(account, "GET", "calls"))
    assert "(bytes)" == control(account, "GET", f"calls/{put}")["request"]["Body"]
    assert 404 == control(account, "GET", f"calls/{got}")


def test_stack_of_the_page(account: Account) -> None:
    """The commands name their stack's file."""
    assert {"file": "/home/a/stack.sandbox.yaml"} == control(
        account, "POST", "stack", {"file": "/home/a/stack.sandbox.yaml"}
    )
    assert "/home/a/stack.sandbox.yaml" == account.cloud.stack_file
    for wrong in ({}, {"file": "stack.yaml"}, {"file": 5}):
        assert 400 == control(account, "POST", "stack", wrong)


def test_reset_empties_the_account(account: Account) -> None:
    """After a reset account and log are empty."""
    account.client("ssm").put_parameter(Name="A", Value="b", Type="String")
    account.hosted_zone()
    control(account, "POST", "reset")
    assert control(account, "GET", "calls") == []
    assert account.client("ssm").describe_parameters()["Parameters"] == []
    assert account.client("route53").list_hosted_zones()["HostedZones"] == []


def test_clock_is_shown(account: Account) -> None:
    """The tool uses the sandbox's clock for polling."""
    assert {"now": account.clock.now(), "speed": 1.0} == control(account, "GET", "clock")


@pytest.mark.parametrize(
    "speed", [0, 0.05, 1001, "fast", None, True, float("nan"), "nan", "inf", 10**400]
)
def test_wrong_speed(account: Account, speed: Any) -> None:
    """400, and time goes on as before."""
    assert 400 == control(account, "POST", "clock", {"speed": speed})


def test_manual_clock_has_no_speed(account: Account) -> None:
    """It advances only when a test says so."""
    expected = (400, "this clock advances only when it is told to")
    assert expected == control_error(account, "POST", "clock", {"speed": 5})


def test_delays_can_be_changed(account: Account) -> None:
    """By name, from then on; an unknown delay or an invalid number changes nothing."""
    before = control(account, "GET", "delays")
    assert {**before, "role": 3.0} == control(account, "POST", "delays", {"role": 3})
    assert (400, "no such delay: lag, naps") == control_error(
        account, "POST", "delays", {"lag": 1, "naps": 1}
    )
    assert 400 == control(account, "POST", "delays", {"role": 1, "certificate": "soon"})
    assert {**before, "role": 3.0} == control(account, "GET", "delays")
    assert 3.0 == account.cloud.delays.role
