"""Route 53: zones, name servers, change batches and the time they take."""

import re
from typing import Any

from .conftest import Account


def record_sets(account: Account, zone: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = account.client("route53").list_resource_record_sets(HostedZoneId=zone)
    return {(r["Name"], r["Type"]): r for r in found["ResourceRecordSets"]}


def test_every_zone_has_its_own_name_servers(account: Account) -> None:
    """Four servers under four top-level domains, in the NS and SOA records too, never the same."""
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


def test_caller_reference_serves_once(account: Account) -> None:
    """The same reference is refused, even after its zone is deleted; a new one makes a zone."""
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


def test_zone_with_records_stays(account: Account) -> None:
    """HostedZoneNotEmpty while there is more than NS and SOA."""
    zone = account.hosted_zone()["HostedZone"]["Id"]
    account.change(zone, "CREATE", "www.example.jp", "A", "192.0.2.1")
    client = account.client("route53")
    assert account.refusal(client.delete_hosted_zone, Id=zone)[:2] == ("HostedZoneNotEmpty", 400)
    account.change(zone, "DELETE", "www.example.jp", "A", "192.0.2.1")
    client.delete_hosted_zone(Id=zone)
    assert account.refusal(client.get_hosted_zone, Id=zone)[:2] == ("NoSuchHostedZone", 404)


def test_create_of_an_existing_record(account: Account) -> None:
    """CREATE is refused where UPSERT replaces."""
    zone = account.hosted_zone()["HostedZone"]["Id"]
    account.change(zone, "CREATE", "WWW.example.jp", "A", "192.0.2.1")
    refused = account.refusal(
        lambda: account.change(zone, "CREATE", "www.example.jp.", "A", "192.0.2.2")
    )
    assert refused == (
        "InvalidChangeBatch",
        400,
        "[Tried to create resource record set [name='www.example.jp.', type='A'] "
        "but it already exists]",
    )
    account.change(zone, "UPSERT", "www.example.jp", "A", "192.0.2.2")
    changed = record_sets(account, zone)["www.example.jp.", "A"]
    assert changed["ResourceRecords"] == [{"Value": "192.0.2.2"}]


def test_delete_names_the_whole_record(account: Account) -> None:
    """DELETE of what is absent or differs is refused."""
    zone = account.hosted_zone()["HostedZone"]["Id"]
    absent = account.refusal(lambda: account.change(zone, "DELETE", "a.example.jp", "A", "1.1.1.1"))
    assert absent == (
        "InvalidChangeBatch",
        400,
        "[Tried to delete resource record set [name='a.example.jp.', type='A'] "
        "but it was not found]",
    )
    account.change(zone, "CREATE", "a.example.jp", "A", "1.1.1.1")
    other = account.refusal(lambda: account.change(zone, "DELETE", "a.example.jp", "A", "1.1.1.2"))
    assert other[0] == "InvalidChangeBatch"
    assert "but the values provided do not match the current values" in other[2]
    account.change(zone, "DELETE", "a.example.jp", "A", "1.1.1.1")
    refused = account.refusal(
        lambda: account.change(zone, "DELETE", "a.example.jp", "A", "1.1.1.1")
    )
    assert "but it was not found" in refused[2]


def test_batch_is_all_or_nothing(account: Account) -> None:
    """One wrong change of a batch, and none is carried out."""
    zone = account.hosted_zone()["HostedZone"]["Id"]
    changes = [
        {
            "Action": action,
            "ResourceRecordSet": {
                "Name": f"{name}.example.jp",
                "Type": "A",
                "TTL": 60,
                "ResourceRecords": [{"Value": "192.0.2.1"}],
            },
        }
        for action, name in (("CREATE", "new"), ("DELETE", "absent"))
    ]
    refused = account.refusal(
        account.client("route53").change_resource_record_sets,
        HostedZoneId=zone,
        ChangeBatch={"Changes": changes},
    )
    assert refused[0] == "InvalidChangeBatch"
    assert ("new.example.jp.", "A") not in record_sets(account, zone)


def test_records_that_may_not_be(account: Account) -> None:
    """Another domain's name, a CNAME at the apex or beside another record, a zone without NS."""
    zone = account.hosted_zone()
    zone_id, servers = zone["HostedZone"]["Id"], zone["DelegationSet"]["NameServers"]
    account.change(zone_id, "CREATE", "www.example.jp", "A", "192.0.2.1")
    for name, type, value, words in (
        ("www.other.jp", "A", "192.0.2.1", "is not permitted in zone example.jp."),
        ("badexample.jp", "A", "192.0.2.1", "is not permitted in zone example.jp."),
        ("example.jp", "CNAME", "other.jp", "is not permitted at apex"),
        ("www.example.jp", "CNAME", "other.jp", "conflicts with other records"),
    ):
        code, status, message = account.refusal(
            lambda n=name, t=type, v=value: account.change(zone_id, "CREATE", n, t, v)
        )
        assert (code, status) == ("InvalidChangeBatch", 400)
        assert words in message
    client = account.client("route53")
    own = record_sets(account, zone_id)["example.jp.", "NS"]
    code, _, message = account.refusal(
        client.change_resource_record_sets,
        HostedZoneId=zone_id,
        ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": own}]},
    )
    assert "must contain at least one NS record" in message
    assert len(servers) == len(own["ResourceRecords"])


def test_alias_record_goes_in_and_out(account: Account) -> None:
    """An alias is listed as it was given, and is deleted by the same values."""
    zone = account.hosted_zone()["HostedZone"]["Id"]
    load_balancer = account.load_balancer()
    alias = {
        "Name": "bot.example.jp.",
        "Type": "A",
        "AliasTarget": {
            "HostedZoneId": load_balancer["CanonicalHostedZoneId"],
            "DNSName": load_balancer["DNSName"] + ".",
            "EvaluateTargetHealth": False,
        },
    }
    for action in ("UPSERT", "DELETE"):
        account.client("route53").change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": alias}]},
        )
        found = record_sets(account, zone).get(("bot.example.jp.", "A"))
        assert (alias if action == "UPSERT" else None) == found


def test_change_is_pending_before_it_is_in_sync(account: Account) -> None:
    """GetChange: PENDING for `delays.route53_sync`, then INSYNC; so with a new zone."""
    client = account.client("route53")
    zone = account.hosted_zone()
    change = account.change(zone["HostedZone"]["Id"], "CREATE", "a.example.jp", "A", "1.1.1.1")
    for change_id in (zone["ChangeInfo"]["Id"], change):
        assert client.get_change(Id=change_id)["ChangeInfo"]["Status"] == "PENDING"
    account.clock.advance(account.cloud.delays.route53_sync)
    for change_id in (zone["ChangeInfo"]["Id"], change):
        assert client.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC"
    assert account.refusal(client.get_change, Id="C0000000000000")[:2] == ("NoSuchChange", 404)


def test_zones_by_name_are_a_range(account: Account) -> None:
    """ListHostedZonesByName begins at the name, in order of reversed labels, and pages."""
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
