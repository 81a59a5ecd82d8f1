"""Injected faults."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from tests.sandbox.conftest import Account
from tests.sandbox.control_client import control, control_error

READS: dict[str, Callable[[Account], Any]] = {
    "acm": lambda account: account.client("acm").list_certificates(),
    "ec2": lambda account: account.client("ec2").describe_vpcs(),
    "ecs": lambda account: account.client("ecs").list_clusters(),
    "elbv2": lambda account: account.client("elbv2").describe_load_balancers(),
    "iam": lambda account: account.client("iam").list_roles(),
    "route53": lambda account: account.client("route53").list_hosted_zones(),
    "s3": lambda account: account.client("s3").list_buckets(),
    "scheduler": lambda account: account.client("scheduler").list_schedules(),
    "ssm": lambda account: account.client("ssm").describe_parameters(),
}


def put(account: Account, name: str = "A") -> None:
    account.client("ssm").put_parameter(Name=name, Value="b", Type="String")


def names(account: Account) -> list[str]:
    return [p["Name"] for p in account.client("ssm").describe_parameters()["Parameters"]]


@pytest.mark.behaviour(
    "ec2.throttled", "s3.throttled", "scheduler.throttled", "iam.throttled", "ecs.throttled"
)
@pytest.mark.parametrize(
    ("service", "code", "status", "words"),
    [
        ("acm", "ThrottlingException", 400, "Rate exceeded"),
        ("ec2", "RequestLimitExceeded", 503, "Request limit exceeded."),
        ("ecs", "ThrottlingException", 400, "Rate exceeded"),
        ("elbv2", "Throttling", 400, "Rate exceeded"),
        ("iam", "Throttling", 400, "Rate exceeded"),
        ("route53", "Throttling", 400, "Rate exceeded"),
        ("s3", "SlowDown", 503, "Please reduce your request rate."),
        ("scheduler", "ThrottlingException", 429, "Rate exceeded"),
    ],
)
def test_throttling_is_said_as_each_service_says_it(
    account: Account, service: str, code: str, status: int, words: str
) -> None:
    """A throttle fault affects as many calls as requested, with the service's own code."""
    control(account, "POST", "faults", {"service": service, "kind": "throttle", "times": 2})
    call = READS[service]
    assert (code, status, words) == account.refusal(call, account=account)
    assert (code, status, words) == account.refusal(call, account=account)
    assert 200 == call(account)["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.behaviour(
    "ec2.internal-error", "iam.internal-error", "ecs.internal-error", "elbv2.internal-error"
)
@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("ec2", "InternalError"),
        ("ecs", "ServerException"),
        ("elbv2", "InternalFailure"),
        ("iam", "ServiceFailure"),
        ("s3", "InternalError"),
    ],
)
def test_internal_errors_are_said_as_each_service_says_them(
    account: Account, service: str, code: str
) -> None:
    """An error fault is a 500 with the service's own code, once."""
    control(account, "POST", "faults", {"service": service, "kind": "error"})
    assert (code, 500) == account.refusal(READS[service], account=account)[:2]
    READS[service](account)


def test_an_internal_error_did_nothing(account: Account) -> None:
    """The call is not carried out."""
    control(account, "POST", "faults", {"service": "ssm", "kind": "error"})
    assert ("InternalServerError", 500) == account.refusal(put, account=account)[:2]
    assert [] == names(account)


def test_a_reset_connection_did_nothing(account: Account) -> None:
    """A reset fault ends the connection before the call is carried out."""
    control(account, "POST", "faults", {"operation": "PutParameter", "kind": "reset"})
    with pytest.raises(ConnectionClosedError):
        put(account)
    assert "dropped" == control(account, "GET", "calls")[-1]["outcome"]
    assert [] == names(account)


def test_a_lost_answer_was_carried_out(account: Account) -> None:
    """A lost fault carries the call out and ends the connection without a response."""
    control(account, "POST", "faults", {"operation": "PutParameter", "kind": "lost"})
    with pytest.raises(ConnectionClosedError):
        put(account)
    assert ["A"] == names(account)


@pytest.mark.parametrize(("when", "made"), [("before", []), ("after", ["A"])])
def test_no_answer(account: Account, when: str, made: list[str]) -> None:
    """A timeout fault gives no response; the call is carried out or not, as requested."""
    fault = {"operation": "PutParameter", "kind": "timeout", "when": when}
    control(account, "POST", "faults", fault)
    with pytest.raises(ReadTimeoutError):
        put(account)
    assert made == names(account)


def test_latency_delays_the_answer(account: Account) -> None:
    """A latency fault delays calls, as long and as often as requested."""
    waited: list[float] = []
    account.cloud.faults.sleep = waited.append
    control(account, "POST", "faults", {"kind": "latency", "seconds": 1.5, "times": 2})
    for _ in range(3):
        assert [] == names(account)
    assert [1.5, 1.5] == waited


def test_the_first_calls_may_pass(account: Account) -> None:
    """`after` counts matching calls only: the third change fails, whatever is read in between."""
    fault = {"kind": "reset", "mutating": True, "after": 2}
    control(account, "POST", "faults", fault)
    put(account, "A")
    assert ["A"] == names(account)
    put(account, "B")
    with pytest.raises(ConnectionClosedError):
        put(account, "C")
    put(account, "D")
    assert ["A", "B", "D"] == names(account)


def test_wildcards(account: Account) -> None:
    """* and ? in service and operation match as in file names, case-sensitively."""
    control(account, "POST", "faults", {"service": "s*m", "operation": "Put*", "kind": "reset"})
    READS["scheduler"](account)
    assert [] == names(account)
    with pytest.raises(ConnectionClosedError):
        put(account)
    assert [] == control(account, "GET", "faults")


def hit(account: Account, seed: int) -> list[bool]:
    """Return which of 40 reads a fault with probability 0.3 affects."""
    control(account, "DELETE", "faults")
    fault = {"kind": "throttle", "service": "ssm", "probability": 0.3, "seed": seed}
    control(account, "POST", "faults", fault)
    outcomes = []
    for _ in range(40):
        account.cloud.log.clear()
        try:
            names(account)
        except account.client("ssm").exceptions.ClientError:
            pass
        outcomes.append(account.cloud.log[0]["outcome"] != 200)
    return outcomes


def test_probability_can_be_repeated(account: Account) -> None:
    """About as many calls as requested fail, without limit; the same ones with the same seed."""
    once = hit(account, seed=1)
    assert 4 <= sum(once) <= 20
    assert once == hit(account, seed=1)
    assert once != hit(account, seed=2)


def test_faults_are_listed_and_taken_back(account: Account) -> None:
    """Those still pending, oldest first, each with its number."""
    first = control(account, "POST", "faults", {"kind": "error", "service": "ssm"})
    second = control(account, "POST", "faults", {"kind": "reset", "service": "ssm", "times": 3})
    assert [first, second] == control(account, "GET", "faults")
    assert {} == control(account, "DELETE", f"faults/{first['number']}")
    with pytest.raises(ConnectionClosedError):
        names(account)
    assert [second | {"times": 2}] == control(account, "GET", "faults")
    assert 404 == control(account, "DELETE", f"faults/{first['number']}")
    assert {} == control(account, "DELETE", "faults")
    assert [] == names(account)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({}, "kind is one of throttle"),
        ({"kind": "earthquake"}, "kind is one of throttle"),
        ({"kind": "error", "colour": "red"}, "a fault has no 'colour'; it has kind"),
        ({"kind": "error", "times": 0}, "times is a whole number from 1 up, not 0"),
        ({"kind": "error", "times": True}, "times is a whole number"),
        ({"kind": "error", "probability": 2}, "probability is above 0, up to 1, not 2"),
        ({"kind": "error", "service": 3}, "service is a service as botocore names it"),
        ({"kind": "error", "mutating": 1}, "mutating is true or false"),
        ({"kind": "latency"}, "a latency has seconds"),
        ({"kind": "hold", "times": 2}, "a hold holds one call"),
        (
            {"kind": "error", "service": "ec2", "operation": "PutParameter"},
            "ec2 has no operation PutParameter",
        ),
    ],
)
def test_bad_faults_are_refused(account: Account, fault: dict[str, Any], words: str) -> None:
    """A 400 that says what was expected."""
    status, message = control_error(account, "POST", "faults", fault)
    assert 400 == status
    assert message.startswith(words)
    assert [] == control(account, "GET", "faults")
