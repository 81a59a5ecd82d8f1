"""Route 53: zones, name servers, and the time that changes take."""

import re
from typing import Any

import pytest

from tests.sandbox.conftest import Account


def record_sets(account: Account, zone: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = account.client("route53").list_resource_record_sets(HostedZoneId=zone)
    return {(r["Name"], r["Type"]): r for r in found["ResourceRecordSets"]}


@pytest.mark.behaviour("route53.own-name-servers")
def test_every_zone_has_its_own_name_servers(account: Account) -> None:
    """Four servers under four top-level domains, in the NS and SOA records too, always different."""
    first, second = account.hosted_zone(reference="1"), account.hosted_zone(reference="2")
    servers = first["DelegationSet"]["NameServers"]
    assert [server.rpartition(".")[2] for server in servers] == ["com", "net", "org", "uk"]
    assert all(re.fullmatch(r"ns-\d+\.awsdns-\d\d\.[a-z.]+", server) for server in servers)
    assert set(servers).isdisjoint(second["DelegationSet"]["NameServers"])
    zone = first["HostedZone"]["Id"]
    found = account.client("route53").get_hosted_zone(Id=zone)
    assert servers == found["DelegationSet"]["NameServers"]
    records = record_sets(account, zone)
    values = [r["Value"] for r in records["example.jp.", "NS"]["ResourceRecords"]]
    assert [f"{server}." for server in servers] == values
    soa = records["example.jp.", "SOA"]["ResourceRecords"][0]["Value"]
    assert soa.startswith(f"{servers[0]}. ")


@pytest.mark.behaviour("route53.caller-reference-used")
def test_caller_reference_serves_once(account: Account) -> None:
    """The same reference is rejected, even after its zone is deleted; a new one creates a zone."""
    zone = account.hosted_zone(reference="once")["HostedZone"]["Id"]
    expected = (
        "HostedZoneAlreadyExists",
        409,
        "A hosted zone has already been created with the specified caller reference.",
    )
    assert expected == account.refusal(account.hosted_zone, reference="once")
    account.client("route53").delete_hosted_zone(Id=zone)
    assert expected == account.refusal(account.hosted_zone, reference="once")
    account.hosted_zone(reference="twice")


@pytest.mark.behaviour("route53.zone-not-empty")
def test_zone_with_records_stays(account: Account) -> None:
    """Anything but its own NS and SOA prevents its deletion, including a delegation."""
    zone = account.hosted_zone()["HostedZone"]["Id"]
    client = account.client("route53")
    expected = (
        "The specified hosted zone contains non-required resource record sets  "
        "and so cannot be deleted."
    )
    for name, type, value in (
        ("www.example.jp", "A", "192.0.2.1"),
        ("bot.example.jp", "NS", "ns1.other.jp."),
    ):
        account.change(zone, "CREATE", name, type, value)
        refused = account.refusal(client.delete_hosted_zone, Id=zone)
        assert ("HostedZoneNotEmpty", 400, expected) == refused
        account.change(zone, "DELETE", name, type, value)
    client.delete_hosted_zone(Id=zone)
    assert account.refusal(client.get_hosted_zone, Id=zone)[:2] == ("NoSuchHostedZone", 404)


@pytest.mark.behaviour("route53.zone-name")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("example..jp", "DomainLabelEmpty (Domain label is empty) encountered with 'example..jp'"),
        ("exa mple.jp", "UnsupportedCharacter (Value contains unsupported characters) encountered"),
        (f"{'a' * 64}.jp", "DomainLabelTooLong (Domain label is too long) encountered with 'aaaa"),
        (".".join(["a" * 60] * 5), "DomainNameTooLong (Domain name is too long) encountered with"),
        ("jp", ""),
    ],
)
def test_zone_names(account: Account, name: str, problem: str) -> None:
    """Empty, invalid and long labels are rejected, and top-level domains."""
    code, status, message = account.refusal(account.hosted_zone, name=name)
    assert ("InvalidDomainName", 400) == (code, status)
    assert message.startswith(f"FATAL problem: {problem}" if problem else "A hosted zone cannot")


@pytest.mark.behaviour("route53.unknown-delegation-set")
def test_unknown_delegation_set(account: Account) -> None:
    """An existing set is accepted."""
    client = account.client("route53")
    create = client.create_hosted_zone
    refused = account.refusal(
        create, Name="example.jp", CallerReference="1", DelegationSetId="N0000000000"
    )
    assert ("NoSuchDelegationSet", 400) == refused[:2]
    made = client.create_reusable_delegation_set(CallerReference="set")["DelegationSet"]
    zone = create(Name="example.jp", CallerReference="2", DelegationSetId=made["Id"])
    assert made["NameServers"] == zone["DelegationSet"]["NameServers"]


@pytest.mark.behaviour("route53.pending")
def test_change_is_pending_before_it_is_in_sync(account: Account) -> None:
    """GetChange: PENDING for `delays.route53_sync`, then INSYNC; the same for a new zone."""
    client = account.client("route53")
    zone = account.hosted_zone()
    change = account.change(zone["HostedZone"]["Id"], "CREATE", "a.example.jp", "A", "1.1.1.1")
    for change_id in (zone["ChangeInfo"]["Id"], change):
        assert client.get_change(Id=change_id)["ChangeInfo"]["Status"] == "PENDING"
    account.clock.advance(account.cloud.delays.route53_sync)
    for change_id in (zone["ChangeInfo"]["Id"], change):
        assert client.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC"


@pytest.mark.behaviour("route53.no-such-change")
def test_unknown_change(account: Account) -> None:
    """An id that was never returned."""
    refused = account.refusal(account.client("route53").get_change, Id="C0000000000000")
    assert ("NoSuchChange", 404) == refused[:2]


@pytest.mark.behaviour("route53.published-later")
def test_name_servers_answer_later(account: Account) -> None:
    """The zone has the record at once, its name servers once the change is in sync."""
    zone = account.delegated_zone()
    account.change(zone, "CREATE", "www.example.jp", "A", "192.0.2.1")
    assert ("www.example.jp.", "A") in record_sets(account, zone)
    resolver = account.cloud.dns
    account.clock.advance(account.cloud.delays.route53_sync - 1)
    assert [] == resolver.resolve("www.example.jp", "A")
    account.clock.advance(1)
    assert ["192.0.2.1"] == resolver.resolve("www.example.jp", "A")


@pytest.mark.behaviour("route53.five-requests-a-second")
def test_five_requests_a_second(account: Account) -> None:
    """The sixth is throttled, a second later it is not; only if this is switched on."""
    listed = account.client("route53").list_hosted_zones
    for _ in range(6):
        listed()
    account.cloud.route53.requests_a_second = 5
    for _ in range(5):
        listed()
    assert ("Throttling", 400, "Rate exceeded") == account.refusal(listed)
    account.clock.advance(1)
    listed()


@pytest.mark.behaviour("route53.zones-by-name-are-a-range")
def test_zones_by_name_are_a_range(account: Account) -> None:
    """ListHostedZonesByName starts at the name, in order of reversed labels, with pages."""
    for number, name in enumerate(("b.jp", "a.jp", "www.a.jp", "a.com")):
        account.hosted_zone(name, str(number))
    client = account.client("route53")
    found = client.list_hosted_zones_by_name(DNSName="a.jp")["HostedZones"]
    assert [zone["Name"] for zone in found] == ["a.jp.", "www.a.jp.", "b.jp."]
    page = client.list_hosted_zones_by_name(MaxItems="1")
    assert [zone["Name"] for zone in page["HostedZones"]] == ["a.com."]
    assert page["IsTruncated"]
    assert page["NextDNSName"] == "a.jp."
    assert not found[0]["Config"]["PrivateZone"]


@pytest.mark.behaviour("route53.zone-limit")
def test_limit_of_a_zone(account: Account, zone: str) -> None:
    """10,000 record sets, of which NS and SOA are there; VPCs only of a private zone."""
    limit = account.client("route53").get_hosted_zone_limit
    answer = limit(HostedZoneId=zone, Type="MAX_RRSETS_BY_ZONE")
    assert ({"Type": "MAX_RRSETS_BY_ZONE", "Value": 10_000}, 2) == (
        answer["Limit"],
        answer["Count"],
    )
    private = {"HostedZoneId": zone, "Type": "MAX_VPCS_ASSOCIATED_BY_ZONE"}
    assert ("HostedZoneNotPrivate", 400) == account.refusal(limit, **private)[:2]
    unknown = {"HostedZoneId": "Z1", "Type": "MAX_RRSETS_BY_ZONE"}
    assert ("NoSuchHostedZone", 404) == account.refusal(limit, **unknown)[:2]
