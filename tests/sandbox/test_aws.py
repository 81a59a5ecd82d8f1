"""The AWS application: reading calls, faults, the log and the control surface."""

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from werkzeug.test import Client

from provision.sandbox.faults import Faults

from .conftest import Account


def control(account: Account, method: str, path: str, body: Any = None) -> Any:
    """One request to the control surface; its JSON."""
    response = Client(account.application).open(f"/_sandbox/{path}", method=method, json=body)
    return json.loads(response.get_data()) if response.status_code == 200 else response.status_code


def test_every_protocol_is_read(account: Account) -> None:
    """Query, EC2, JSON, REST-XML and REST-JSON calls are logged under botocore's names."""
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


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("ec2", "RequestLimitExceeded", 503),
        ("elbv2", "Throttling", 400),
        ("route53", "Throttling", 400),
        ("ecs", "ThrottlingException", 400),
    ],
)
def test_throttling_is_said_as_each_service_says_it(
    account: Account, service: str, code: str, status: int
) -> None:
    """A throttle fault hits as many calls as asked, with the service's own code."""
    fault = {"service": service, "operation": "*", "kind": "throttle", "times": 2}
    control(account, "POST", "faults", fault)
    call = {
        "ec2": lambda: account.client("ec2").describe_vpcs(),
        "elbv2": lambda: account.client("elbv2").describe_load_balancers(),
        "route53": lambda: account.client("route53").list_hosted_zones(),
        "ecs": lambda: account.client("ecs").list_clusters(),
    }[service]
    assert (code, status, "Rate exceeded") == account.refusal(call)
    assert (code, status, "Rate exceeded") == account.refusal(call)
    assert call()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_internal_errors(account: Account) -> None:
    """An error fault is a 500 InternalFailure, and the call is not carried out."""
    control(account, "POST", "faults", {"service": "ssm", "kind": "error"})
    code, status, _ = account.refusal(
        account.client("ssm").put_parameter, Name="A", Value="b", Type="String"
    )
    assert (code, status) == ("InternalFailure", 500)
    assert account.client("ssm").describe_parameters()["Parameters"] == []


def test_a_reset_connection_did_nothing(account: Account) -> None:
    """A reset fault ends the connection before the call is carried out."""
    control(account, "POST", "faults", {"operation": "PutParameter", "kind": "reset"})
    with pytest.raises(ConnectionClosedError):
        account.client("ssm").put_parameter(Name="A", Value="b", Type="String")
    assert control(account, "GET", "calls")[-1]["outcome"] == "dropped"
    assert account.client("ssm").describe_parameters()["Parameters"] == []


def test_a_lost_answer_was_carried_out(account: Account) -> None:
    """A lost fault carries the call out and ends the connection instead of answering."""
    control(account, "POST", "faults", {"operation": "PutParameter", "kind": "lost"})
    with pytest.raises(ConnectionClosedError):
        account.client("ssm").put_parameter(Name="A", Value="b", Type="String")
    names = [p["Name"] for p in account.client("ssm").describe_parameters()["Parameters"]]
    assert names == ["A"]


def test_latency_delays_the_answer(account: Account) -> None:
    """A latency fault waits as long as asked before the call, as often as asked."""
    waited: list[float] = []
    account.application.faults = Faults(sleep=waited.append)
    control(account, "POST", "faults", {"kind": "latency", "seconds": 1.5, "times": 2})
    for _ in range(3):
        assert account.client("ssm").describe_parameters()["Parameters"] == []
    assert waited == [1.5, 1.5]


def test_bad_faults_are_refused(account: Account) -> None:
    """A kind or member that does not exist is a 400, not a fault that never happens."""
    assert control(account, "POST", "faults", {"kind": "earthquake"}) == 400
    assert control(account, "POST", "faults", {"kind": "error", "colour": "red"}) == 400
    assert control(account, "GET", "weather") == 404


def test_reset_empties_the_account(account: Account) -> None:
    """After a reset there is nothing in the account and nothing in the log."""
    account.client("ssm").put_parameter(Name="A", Value="b", Type="String")
    account.hosted_zone()
    control(account, "POST", "reset")
    assert control(account, "GET", "calls") == []
    assert account.client("ssm").describe_parameters()["Parameters"] == []
    assert account.client("route53").list_hosted_zones()["HostedZones"] == []


def test_clock_is_shown(account: Account) -> None:
    """The tool takes its polling from the sandbox's clock."""
    assert {"now": account.clock.now(), "speed": 1.0} == control(account, "GET", "clock")
