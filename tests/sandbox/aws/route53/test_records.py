"""Route 53: which values a record set may have, and what an alias may point at."""

from typing import Any

import pytest

from tests.sandbox.aws.route53.test_change_batches import batch, refused_change
from tests.sandbox.aws.route53.test_hosted_zones import record_sets
from tests.sandbox.conftest import Account


@pytest.mark.behaviour("route53.record-name")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a..example.jp", "DomainLabelEmpty (Domain label is empty)"),
        (f"{'a' * 64}.example.jp", "DomainLabelTooLong (Domain label is too long)"),
        ("ボット.example.jp", "UnsupportedCharacter (Value contains unsupported characters)"),
    ],
)
def test_names_of_records(account: Account, zone: str, name: str, problem: str) -> None:
    """Empty, long and invalid labels are rejected; _ and * are accepted."""
    message = refused_change(account, zone, "CREATE", name, "A", "192.0.2.1")
    assert message.startswith(f"[FATAL problem: {problem} encountered with '")
    account.change(zone, "CREATE", "*.example.jp", "A", "192.0.2.1")
    account.change(zone, "CREATE", "_a1.example.jp", "CNAME", "_b2.acm-validations.aws.")


def refused_value(account: Account, zone: str, type: str, value: str) -> str:
    """Return Route 53's error message for a value."""
    message = refused_change(account, zone, "CREATE", "a.example.jp", type, value)
    prefix, suffix = "[Invalid Resource Record: 'FATAL problem: ", f" encountered with '{value}'']"
    assert message.startswith(prefix)
    assert message.endswith(suffix)
    return message.removeprefix(prefix).removesuffix(suffix)


@pytest.mark.behaviour("route53.address")
def test_addresses(account: Account, zone: str) -> None:
    """Each type takes its own address family."""
    expected = "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
    for value in ("192.0.2.256", "2001:db8::1", "www.other.jp"):
        assert expected == refused_value(account, zone, "A", value)
    expected = "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
    assert expected == refused_value(account, zone, "AAAA", "192.0.2.1")
    account.change(zone, "CREATE", "a.example.jp", "AAAA", "2001:db8::1")


@pytest.mark.behaviour("route53.mail-exchanger")
def test_mail_exchangers(account: Account, zone: str) -> None:
    """A number and a name."""
    assert refused_value(account, zone, "MX", "mail.example.jp").startswith("MXRRDATANotTwoFields")
    account.change(zone, "CREATE", "example.jp", "MX", "10 mail.example.jp.")


@pytest.mark.behaviour("route53.caa-value")
def test_caa_values(account: Account, zone: str) -> None:
    """A number, a tag, and a value in quotation marks."""
    for value in ("issue amazon.com", "0 issue amazon.com"):
        assert refused_value(account, zone, "CAA", value).startswith("CAARRDATA")
    account.change(zone, "CREATE", "example.jp", "CAA", '0 issue "amazon.com"')


@pytest.mark.behaviour("route53.text-in-quotation-marks")
def test_text_stands_in_quotation_marks(account: Account, zone: str) -> None:
    """All of it; several strings and an escaped quotation mark are accepted."""
    expected = "InvalidCharacterString (Value should be enclosed in quotation marks)"
    for value in ("v=spf1 -all", 'v=spf1 "-all"', '"v=spf1'):
        assert expected == refused_value(account, zone, "TXT", value)
    account.change(zone, "CREATE", "a.example.jp", "TXT", '"one" "two"', r'"a \" b"')


@pytest.mark.behaviour("route53.text-length")
def test_text_is_cut_into_strings(account: Account, zone: str) -> None:
    """255 characters per string."""
    expected = "CharacterStringTooLong (Value is too long)"
    assert expected == refused_value(account, zone, "TXT", f'"{"a" * 256}"')
    account.change(zone, "CREATE", "a.example.jp", "TXT", f'"{"a" * 255}" "{"b" * 255}"')


@pytest.mark.behaviour("route53.duplicate-value")
def test_value_comes_once(account: Account, zone: str) -> None:
    """The same address twice is rejected."""
    message = refused_change(account, zone, "CREATE", "a.example.jp", "A", "192.0.2.1", "192.0.2.1")
    assert "[Duplicate Resource Record: '192.0.2.1']" == message


def alias(load_balancer: dict[str, Any], name: str = "bot.example.jp.", **more: Any) -> Any:
    """Return an alias record set for a load balancer."""
    target = {
        "HostedZoneId": load_balancer["CanonicalHostedZoneId"],
        "DNSName": load_balancer["DNSName"] + ".",
        "EvaluateTargetHealth": False,
    }
    return {"Name": name, "Type": "A", "AliasTarget": target | more}


def test_alias_record_goes_in_and_out(account: Account, zone: str) -> None:
    """An alias is listed as given, and deleted with the same values."""
    given = alias(account.load_balancer())
    for action in ("UPSERT", "DELETE"):
        batch(account, zone, (action, given))
        found = record_sets(account, zone).get(("bot.example.jp.", "A"))
        assert (given if action == "UPSERT" else None) == found


@pytest.mark.behaviour("route53.alias-or-values")
def test_alias_or_values(account: Account, zone: str) -> None:
    """Both, and neither, are rejected."""
    both = alias(account.load_balancer()) | {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    neither = {"Name": "bot.example.jp.", "Type": "A", "TTL": 60}
    for given, found in ((both, "more than one"), (neither, "none")):
        code, status, message = account.refusal(
            lambda given=given: batch(account, zone, ("CREATE", given))
        )
        assert ("InvalidInput", 400) == (code, status)
        assert f"but found {found} in Change with [Action=CREATE, Name=bot.example.jp.," in message


@pytest.mark.behaviour("route53.alias-in-another-zone")
def test_alias_names_the_load_balancers_zone(account: Account, zone: str) -> None:
    """The record's own zone or another region's zone is rejected."""
    balancer = account.load_balancer()
    for wrong in (zone.rpartition("/")[2], "Z35SXDOTRQ7X7K"):
        given = alias(balancer, HostedZoneId=wrong)
        code, _, message = account.refusal(lambda g=given: batch(account, zone, ("CREATE", g)))
        assert "InvalidChangeBatch" == code
        target = f"targets {balancer['DNSName']}., type A in zone {wrong}, but "
        assert f"{target}the alias target name does not lie within the target zone" in message
        assert f"{target}that target was not found" in message


@pytest.mark.behaviour("route53.alias-to-nothing")
def test_alias_needs_a_target(account: Account, zone: str) -> None:
    """A deleted load balancer or a name without a record is rejected; with the record it works."""
    balancer = account.load_balancer()
    account.client("elbv2").delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    own = alias(balancer, HostedZoneId=zone.rpartition("/")[2], DNSName="www.example.jp.")
    for given in (alias(balancer), own):
        refused = account.refusal(lambda g=given: batch(account, zone, ("CREATE", g)))
        assert "InvalidChangeBatch" == refused[0]
        assert refused[2].endswith("but that target was not found]")
    account.change(zone, "CREATE", "www.example.jp", "A", "192.0.2.1")
    batch(account, zone, ("CREATE", own))


@pytest.mark.behaviour("route53.test-dns-answer")
@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("www.example.jp", "A", ("NOERROR", ["192.0.2.1"])),
        ("WWW.example.jp.", "TXT", ("NOERROR", [])),
        ("mail.example.jp", "A", ("NXDOMAIN", [])),
    ],
)
def test_dns_answer(
    account: Account, zone: str, name: str, kind: str, expected: tuple[str, list[str]]
) -> None:
    """The zone's own servers answer, though nobody delegates to it."""
    account.change(zone, "CREATE", "www.example.jp", "A", "192.0.2.1")
    account.clock.advance(account.cloud.delays.route53_sync)
    found = account.client("route53").test_dns_answer(
        HostedZoneId=zone, RecordName=name, RecordType=kind
    )
    assert expected == (found["ResponseCode"], found["RecordData"])
