"""The DNS client: what name servers answer, and what follows from it."""

import socket
import threading
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from provision.clients.dns import Dns, DnsError, over_network

RESOLVER = ("192.0.2.53", 5353)
SERVERS = ("NS-1.awsdns.COM.", "ns-2.awsdns.org.")
FOUND = {"ns-1.awsdns.com", "ns-2.awsdns.org"}


def record_set(name: str, kind: str, *values: str) -> Any:
    """Return a record set."""
    return dns.rrset.from_text(name, 60, "IN", kind, *values)


class FakeServer:
    """A name server that answers every query alike, and records the queries."""

    def __init__(
        self, answer: Any = None, authority: Any = None, rcode: int = dns.rcode.NOERROR
    ) -> None:
        self.answer, self.authority, self.rcode = answer, authority, rcode
        self.flags = dns.flags.AA
        self.queries: list[tuple[str, str, str, int]] = []

    def __call__(self, query: Any, address: str, port: int) -> Any:
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.queries.append((question.name.to_text(), kind, address, port))
        message = dns.message.make_response(query)
        message.set_rcode(self.rcode)
        message.flags |= self.flags
        message.answer += [self.answer] if self.answer else []
        message.authority += [self.authority] if self.authority else []
        return dns.message.from_wire(message.to_wire())


def test_name_servers_in_the_answer() -> None:
    """The resolver is queried for NS; names are returned in lower case without a final dot."""
    server = FakeServer(record_set("example.jp.", "NS", *SERVERS))
    assert FOUND == Dns(RESOLVER, server).delegated_to("example.jp")
    assert [("example.jp.", "NS", *RESOLVER)] == server.queries


def test_name_servers_in_a_referral() -> None:
    """The parent's own servers return only an authority section."""
    server = FakeServer(authority=record_set("EXAMPLE.jp.", "NS", *SERVERS))
    assert FOUND == Dns(RESOLVER, server).delegated_to("Example.JP.")


@pytest.mark.parametrize("name", ["jp.", "sub.example.jp."])
def test_name_servers_of_another_zone_are_ignored(name: str) -> None:
    """A referral to the zone above or below is no delegation of this one."""
    server = FakeServer(authority=record_set(name, "NS", *SERVERS))
    assert set() == Dns(RESOLVER, server).delegated_to("example.jp")


def test_nxdomain_is_no_delegation() -> None:
    """NXDOMAIN with the parent's SOA, as for an unregistered or undelegated domain."""
    soa = record_set("jp.", "SOA", "a.dns.jp. root.dns.jp. 1 2 3 4 5")
    server = FakeServer(authority=soa, rcode=dns.rcode.NXDOMAIN)
    assert set() == Dns(RESOLVER, server).delegated_to("example.jp")


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_servfail_and_refused_are_unanswered(rcode: Any) -> None:
    """They raise Unanswered with the server's address."""
    with pytest.raises(DnsError, match=rf"192\.0\.2\.53.*{dns.rcode.to_text(rcode)}"):
        Dns(RESOLVER, FakeServer(rcode=rcode)).delegated_to("example.jp")


def test_longest_time_to_live() -> None:
    """The longest TTL of the record sets in an answer counts."""
    server = FakeServer(record_set("example.jp.", "NS", *SERVERS))
    server.authority = record_set("example.jp.", "NS", *SERVERS)
    server.authority.ttl = 172800
    assert 172800 == Dns(RESOLVER, server).ttl("example.jp")
    assert 0 == Dns(RESOLVER, FakeServer()).ttl("example.jp")


def test_answer_over_tcp() -> None:
    """A server whose answer over UDP cannot be read is asked over TCP, at the same port."""
    query = dns.message.make_query("example.jp", "NS")
    reply = dns.message.make_response(query)
    reply.answer += [record_set("example.jp.", "NS", *SERVERS)]
    wire = reply.to_wire()
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        port = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))

        def serve() -> None:
            _content, sender = udp.recvfrom(512)
            udp.sendto(b"junk", sender)
            connection, _address = tcp.accept()
            with connection:
                connection.recv(512)
                connection.sendall(len(wire).to_bytes(2, "big") + wire)

        thread = threading.Thread(target=serve)
        thread.start()
        assert reply.answer == over_network(query, "127.0.0.1", port).answer
        thread.join()


def test_network_error_is_unanswered() -> None:
    """The error is raised unchanged."""

    def nobody(query: Any, address: str, port: int) -> Any:
        raise DnsError(f"{address} is silent")

    with pytest.raises(DnsError, match="is silent"):
        Dns(RESOLVER, nobody).delegated_to("example.jp")
    assert {"192.0.2.1"} == Dns(send=nobody).unresponsive("example.jp", {"192.0.2.1"})


def test_silent_servers() -> None:
    """Each server is queried directly for the SOA; only an authoritative answer counts."""
    soa = record_set("example.jp.", "SOA", "a.jp. b.jp. 1 2 3 4 5")
    server = FakeServer(soa)
    assert set() == Dns(send=server).unresponsive("example.jp", {"192.0.2.1", "2001:db8::1"})
    assert {
        ("example.jp.", "SOA", "192.0.2.1", 53),
        ("example.jp.", "SOA", "2001:db8::1", 53),
    } == set(server.queries)
    server.flags = dns.flags.RA
    assert {"192.0.2.1"} == Dns(send=server).unresponsive("example.jp", {"192.0.2.1"})
    assert {"192.0.2.1"} == Dns(send=FakeServer(authority=soa)).unresponsive(
        "example.jp", {"192.0.2.1"}
    )


def test_servers_are_not_checked_with_a_given_resolver() -> None:
    """With PROVISION_DNS no server is silent."""
    server = FakeServer()
    assert set() == Dns(RESOLVER, server).unresponsive("example.jp", {"192.0.2.1"})
    assert [] == server.queries


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("[::1]:53", ("::1", 53)),
        ("::1:53", ("::1", 53)),
        ("localhost:53", ("127.0.0.1", 53)),
    ],
)
def test_resolver_from_environment(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: tuple[str, int]
) -> None:
    """PROVISION_DNS is host:port."""
    monkeypatch.setenv("PROVISION_DNS", given)
    server = FakeServer()
    Dns.from_environment(server).delegated_to("example.jp")
    assert expected == server.queries[0][2:]


@pytest.mark.parametrize(
    "given", ["127.0.0.1", ":53", "127.0.0.1:", "127.0.0.1:dns", "127.0.0.1:0", "127.0.0.1:65536"]
)
def test_invalid_resolver_in_environment(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """ValueError with the given value."""
    monkeypatch.setenv("PROVISION_DNS", given)
    with pytest.raises(ValueError, match=given):
        Dns.from_environment()


def test_servers_are_queried_without_provision_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each server is queried at its own address."""
    monkeypatch.delenv("PROVISION_DNS", raising=False)
    server = FakeServer()
    Dns.from_environment(server).unresponsive("example.jp", {"192.0.2.1"})
    assert [("example.jp.", "SOA", "192.0.2.1", 53)] == server.queries
