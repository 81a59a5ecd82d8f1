"""Parameters outside the limits of AWS's models."""

import pytest

from tests.sandbox.conftest import Account


@pytest.mark.behaviour("elbv2.parameter-outside-its-limits")
@pytest.mark.parametrize(
    ("name", "value", "most"),
    [
        ("HealthCheckIntervalSeconds", 301, 300),
        ("HealthCheckTimeoutSeconds", 121, 120),
        ("HealthyThresholdCount", 11, 10),
        ("UnhealthyThresholdCount", 11, 10),
        ("Port", 65536, 65535),
    ],
)
def test_numbers_have_limits(account: Account, name: str, value: int, most: int) -> None:
    """One above the limit is rejected with AWS's message, the limit itself is not."""
    refused = account.refusal(account.target_group, **{name: value})
    expected = (
        f"1 validation error detected: Value '{value}' at '{name[0].lower()}{name[1:]}' failed to "
        f"satisfy constraint: Member must have value less than or equal to {most}"
    )
    assert ("ValidationError", 400, expected) == refused
    timing = {"HealthCheckIntervalSeconds": 300, name: most}
    assert account.target_group(**timing)


@pytest.mark.behaviour("acm.parameter-outside-its-alphabet")
@pytest.mark.parametrize(
    "wrong",
    [
        {"DomainName": "example"},
        {"DomainName": "-bot.example.jp"},
        {"DomainName": "my_bot.example.jp"},
        {"DomainName": "www.*.example.jp"},
        {"DomainName": "ニュース.jp"},
        {"DomainName": "example.jp", "IdempotencyToken": "with-hyphen"},
        {"DomainName": "example.jp", "IdempotencyToken": "a" * 33},
        {"DomainName": "example.jp", "Tags": [{"Key": "a#b", "Value": ""}]},
    ],
)
def test_names_and_tokens_have_an_alphabet(account: Account, wrong: dict[str, str]) -> None:
    """An invalid domain name or token is rejected."""
    refused = account.refusal(account.client("acm").request_certificate, **wrong)
    assert ("ValidationException", 400) == refused[:2]
    assert refused[2].startswith("1 validation error detected: Value '")


def test_all_errors_are_told_at_once(account: Account) -> None:
    """Two invalid parameters are two errors in one response."""
    refused = account.refusal(account.target_group, Port=70000, TargetType="cloud")
    assert refused[2].startswith("2 validation errors detected: Value '70000' at 'port'")
    assert "Member must satisfy enum value set: [instance, ip, lambda, alb]" in refused[2]


@pytest.mark.behaviour("route53.parameter-outside-its-limits")
def test_route53_has_limits(account: Account) -> None:
    """A caller reference and a TTL that are too long."""
    refused = account.refusal(account.hosted_zone, reference="r" * 129)
    assert ("InvalidInput", 400) == refused[:2]
    assert refused[2].endswith("Member must have length less than or equal to 128")
    zone = account.hosted_zone()["HostedZone"]["Id"]
    record_set = {
        "Name": "a.example.jp",
        "Type": "A",
        "TTL": 2**31,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    refused = account.refusal(
        account.client("route53").change_resource_record_sets,
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record_set}]},
    )
    assert refused[2].endswith("Member must have value less than or equal to 2147483647")
