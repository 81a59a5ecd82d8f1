"""The sandbox's DNS: delegation by the registrar, records of zones, AWS's own names."""

import socket
from collections.abc import Iterator

import dns.message
import dns.query
import dns.rcode
import pytest
from dnslib import DNSRecord

from provision.sandbox.dns.server import DnsServer
from tests.sandbox.conftest import Account


def lookup(account: Account, name: str, type: str) -> list[str] | None:
    """Return the values found; None if the name does not exist."""
    records = account.cloud.dns.lookup(name, type)
    return None if records is None else [record.value for record in records]


@pytest.mark.behaviour("dns.ds-without-key")
def test_ds_record_of_a_foreign_key(account: Account) -> None:
    """The zone's names are SERVFAIL while the parent has a DS record of a key that does not sign it."""
    zone = account.delegated_zone()
    account.change(zone, "CREATE", "www.example.jp", "A", "192.0.2.1")
    account.clock.advance(60)
    account.cloud.registrar.sign("example.jp", ["1 13 2 " + "0" * 64])

    def status(name: str, kind: str) -> int:
        query = dns.message.make_query(name, kind).to_wire()
        return int(dns.message.from_wire(bytes(account.cloud.dns.respond(query))).rcode())

    assert dns.rcode.SERVFAIL == status("www.example.jp", "A")
    assert dns.rcode.NOERROR == status("example.jp", "NS")
    assert ["1 13 2 " + "0" * 64] == lookup(account, "example.jp", "DS")
    account.cloud.registrar.sign("example.jp", [])
    assert ["192.0.2.1"] == lookup(account, "www.example.jp", "A")


def test_parked_domain_answers_with_the_registrars_servers(account: Account) -> None:
    """Before name servers are entered the parent has the registrar's, and nothing resolves."""
    zone = account.hosted_zone()["HostedZone"]["Id"]
    account.change(zone, "CREATE", "www.example.jp", "A", "192.0.2.1")
    account.clock.advance(60)
    expected = ["ns1.registrar.example.", "ns2.registrar.example."]
    assert expected == lookup(account, "example.jp", "NS")
    assert lookup(account, "www.example.jp", "A") is None


def test_delegated_zone_answers(account: Account) -> None:
    """All record types of the article, once the change is in sync, in upper or lower case."""
    zone = account.delegated_zone()
    given = {
        ("example.jp", "TXT"): '"v=spf1 -all"',
        ("example.jp", "MX"): "10 mail.example.jp.",
        ("example.jp", "CAA"): '0 issue "amazon.com"',
        ("www.example.jp", "A"): "192.0.2.1",
        ("www.example.jp", "AAAA"): "2001:db8::1",
    }
    for (name, type), value in given.items():
        account.change(zone, "CREATE", name, type, value)
    assert lookup(account, "www.example.jp", "A") is None
    account.clock.advance(account.cloud.delays.route53_sync)
    for (name, type), value in given.items():
        assert [value] == lookup(account, name.upper(), type)
    assert lookup(account, "www.example.jp", "TXT") == []
    assert lookup(account, "nobody.example.jp", "A") is None
    assert "awsdns-hostmaster" in (lookup(account, "example.jp", "SOA") or [""])[0]


def test_only_the_zone_with_exactly_these_servers_answers(account: Account) -> None:
    """Another zone of the same name does not answer, nor does a delegation with one wrong server."""
    right, twin = account.hosted_zone(reference="1"), account.hosted_zone(reference="2")
    for zone, value in ((right, "192.0.2.1"), (twin, "192.0.2.2")):
        account.change(zone["HostedZone"]["Id"], "CREATE", "www.example.jp", "A", value)
    account.clock.advance(60)
    servers = right["DelegationSet"]["NameServers"]
    account.cloud.registrar.enter("example.jp", [f"{s.upper()}." for s in reversed(servers)])
    assert lookup(account, "www.example.jp", "A") == ["192.0.2.1"]
    mixed = [*servers[:3], twin["DelegationSet"]["NameServers"][3]]
    account.cloud.registrar.enter("example.jp", mixed)
    assert lookup(account, "www.example.jp", "A") is None
    assert [f"{server}." for server in mixed] == lookup(account, "example.jp", "NS")


@pytest.mark.behaviour("dns.white-label")
def test_white_label_name_servers_answer(account: Account) -> None:
    """Servers of other names with the addresses of the zone's four, as glue records at the registrar."""
    zone = account.hosted_zone()
    account.change(zone["HostedZone"]["Id"], "CREATE", "www.example.jp", "A", "192.0.2.1")
    account.clock.advance(60)
    assert ["205.251.192.1"] == lookup(account, "ns-1.awsdns-01.com", "A")
    assert ["205.251.199.255"] == lookup(account, "ns-2047.awsdns-63.co.uk", "A")
    own = [lookup(account, server, "A") or [""] for server in zone["DelegationSet"]["NameServers"]]
    glue = [(f"ns{n}.example.jp", "A", address) for n, (address,) in enumerate(own)]
    registrar = account.cloud.registrar
    registrar.enter("example.jp", [name for name, _type, _address in glue])
    assert lookup(account, "www.example.jp", "A") is None
    registrar.keep("example.jp", glue)
    assert ["192.0.2.1"] == lookup(account, "www.example.jp", "A")
    registrar.keep("example.jp", [*glue[:3], ("ns3.example.jp", "A", "192.0.2.53")])
    assert lookup(account, "www.example.jp", "A") is None


def test_cname_is_followed(account: Account) -> None:
    """A query for an address returns the CNAME and its target."""
    zone = account.delegated_zone()
    account.change(zone, "CREATE", "www.example.jp", "CNAME", "web.example.jp")
    account.change(zone, "CREATE", "web.example.jp", "A", "192.0.2.1")
    account.change(zone, "CREATE", "loop.example.jp", "CNAME", "loop.example.jp")
    account.clock.advance(60)
    assert lookup(account, "www.example.jp", "A") == ["web.example.jp", "192.0.2.1"]
    assert account.cloud.dns.resolve("www.example.jp", "A") == ["192.0.2.1"]
    assert account.cloud.dns.resolve("www.example.jp", "CNAME") == ["web.example.jp"]
    assert account.cloud.dns.resolve("loop.example.jp", "A") == []


def test_wildcard_answers_for_names_that_do_not_exist(account: Account) -> None:
    """*.example.jp matches any name below without its own records."""
    zone = account.delegated_zone()
    account.change(zone, "CREATE", "*.example.jp", "A", "192.0.2.1")
    account.change(zone, "CREATE", "www.example.jp", "TXT", '"here"')
    account.clock.advance(60)
    assert lookup(account, "any.example.jp", "A") == ["192.0.2.1"]
    assert lookup(account, "www.example.jp", "A") == []


def test_alias_answers_with_the_load_balancer(account: Account) -> None:
    """The alias resolves while the load balancer exists."""
    zone = account.delegated_zone()
    load_balancer = account.load_balancer()
    target = {
        "HostedZoneId": load_balancer["CanonicalHostedZoneId"],
        "DNSName": load_balancer["DNSName"],
        "EvaluateTargetHealth": False,
    }
    record_set = {"Name": "example.jp", "Type": "A", "AliasTarget": target}
    account.client("route53").change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record_set}]},
    )
    account.clock.advance(60)
    assert lookup(account, "example.jp", "A") == ["127.0.0.1"]
    assert lookup(account, "example.jp", "AAAA") == []
    arn = load_balancer["LoadBalancerArn"]
    account.client("elbv2").delete_load_balancer(LoadBalancerArn=arn)
    assert lookup(account, "example.jp", "A") == []
    assert lookup(account, load_balancer["DNSName"], "A") is None


def test_subdomain_handed_to_another_zone(account: Account) -> None:
    """NS records in a zone delegate a name to the zone with these servers."""
    parent = account.delegated_zone()
    child = account.hosted_zone("bot.example.jp", "child")
    servers = [f"{server}." for server in child["DelegationSet"]["NameServers"]]
    account.change(parent, "CREATE", "bot.example.jp", "NS", *servers)
    account.change(child["HostedZone"]["Id"], "CREATE", "bot.example.jp", "A", "192.0.2.7")
    account.clock.advance(60)
    assert lookup(account, "bot.example.jp", "A") == ["192.0.2.7"]
    assert servers == lookup(account, "bot.example.jp", "NS")
    account.change(parent, "DELETE", "bot.example.jp", "NS", *servers)
    account.clock.advance(60)
    assert lookup(account, "bot.example.jp", "A") is None


@pytest.fixture
def server(account: Account) -> Iterator[tuple[str, int]]:
    server = DnsServer(account.cloud.dns.respond)
    yield server.address
    server.close()


def test_served_over_udp_and_tcp(account: Account, server: tuple[str, int]) -> None:
    """dnspython gets the same answers over both."""
    zone = account.delegated_zone()
    account.change(zone, "CREATE", "www.example.jp", "A", "192.0.2.1")
    account.change(zone, "CREATE", "example.jp", "CAA", '0 issue "amazon.com"')
    account.clock.advance(60)
    host, port = server
    for ask in (dns.query.udp, dns.query.tcp):
        answer = ask(dns.message.make_query("www.example.jp", "A"), host, port=port, timeout=5)
        assert [str(item) for item in answer.answer[0]] == ["192.0.2.1"]
        answer = ask(dns.message.make_query("example.jp", "CAA"), host, port=port, timeout=5)
        assert [str(item) for item in answer.answer[0]] == ['0 issue "amazon.com"']
        answer = ask(dns.message.make_query("x.example.jp", "A"), host, port=port, timeout=5)
        assert answer.rcode() == dns.rcode.NXDOMAIN


def test_long_answer_goes_to_tcp(account: Account, server: tuple[str, int]) -> None:
    """An answer too long for a datagram is truncated, and complete over TCP."""
    zone = account.delegated_zone()
    values = [f'"{number:02}{"x" * 200}"' for number in range(10)]
    account.change(zone, "CREATE", "example.jp", "TXT", *values)
    account.clock.advance(60)
    host, port = server
    query = dns.message.make_query("example.jp", "TXT")
    answer, over_tcp = dns.query.udp_with_fallback(query, host, port=port, timeout=5)
    assert over_tcp
    assert len(answer.answer[0]) == 10


def test_invalid_dns_query_gets_no_answer(account: Account, server: tuple[str, int]) -> None:
    """Invalid queries are ignored, and the server keeps running."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as garbage:
        garbage.sendto(b"hello", server)
    query = DNSRecord.question("example.jp", "NS").pack()
    assert len(DNSRecord.parse(account.cloud.dns.respond(query)).rr) == 2
    assert account.cloud.dns.respond(b"hello") == b""


def test_domain_in_use_elsewhere(account: Account) -> None:
    """Its own servers' records count until the delegation leads to a hosted zone."""
    entries = [("example.jp", "MX", "10 mail.example.jp."), ("a.b.example.jp", "A", "192.0.2.1")]
    account.cloud.registrar.keep("example.jp", [*entries, ("www.example.jp", "CNAME", "x.test.")])
    resolver = account.cloud.dns
    assert resolver.resolve("example.jp", "MX") == ["10 mail.example.jp."]
    assert resolver.resolve("www.example.jp", "CNAME") == ["x.test."]
    assert [record.type for record in resolver.lookup("www.example.jp", "A") or []] == ["CNAME"]
    assert resolver.lookup("b.example.jp", "A") == []
    assert resolver.lookup("c.example.jp", "A") is None
    account.delegated_zone()
    assert resolver.resolve("example.jp", "MX") == []
