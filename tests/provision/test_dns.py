"""What name servers say, and what follows."""

from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from provision.clients.dns import Dns, DnsError

RESOLVER = ("192.0.2.53", 5353)
SERVERS = ("NS-1.awsdns.COM.", "ns-2.awsdns.org.")
FOUND = {"ns-1.awsdns.com", "ns-2.awsdns.org"}


def records(name: str, kind: str, *values: str) -> Any:
    """One record set."""
    return dns.rrset.from_text(name, 60, "IN", kind, *values)


class Server:
    """Answers every question alike, and remembers the questions."""

    def __init__(
        self, answer: Any = None, authority: Any = None, rcode: int = dns.rcode.NOERROR
    ) -> None:
        self.answer, self.authority, self.rcode = answer, authority, rcode
        self.flags = dns.flags.AA
        self.asked: list[tuple[str, str, str, int]] = []

    def __call__(self, query: Any, address: str, port: int) -> Any:
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((question.name.to_text(), kind, address, port))
        message = dns.message.make_response(query)
        message.set_rcode(self.rcode)
        message.flags |= self.flags
        message.answer += [self.answer] if self.answer else []
        message.authority += [self.authority] if self.authority else []
        return dns.message.from_wire(message.to_wire())


def test_name_servers_in_the_answer() -> None:
    """The one resolver is asked for NS; names come without case and last dot."""
    server = Server(records("example.jp.", "NS", *SERVERS))
    assert FOUND == Dns(RESOLVER, server).delegated_to("example.jp")
    assert [("example.jp.", "NS", *RESOLVER)] == server.asked


def test_name_servers_in_a_referral() -> None:
    """The parent's own servers answer with nothing but an authority section."""
    server = Server(authority=records("EXAMPLE.jp.", "NS", *SERVERS))
    assert FOUND == Dns(RESOLVER, server).delegated_to("Example.JP.")


@pytest.mark.parametrize("name", ["jp.", "sub.example.jp."])
def test_name_servers_of_another_name_are_not_ours(name: str) -> None:
    """A referral to the zone above or below is no delegation of this one."""
    server = Server(authority=records(name, "NS", *SERVERS))
    assert set() == Dns(RESOLVER, server).delegated_to("example.jp")


def test_no_such_name_is_no_delegation() -> None:
    """NXDOMAIN with the parent's SOA, as for a domain that is not registered or not delegated."""
    soa = records("jp.", "SOA", "a.dns.jp. root.dns.jp. 1 2 3 4 5")
    server = Server(authority=soa, rcode=dns.rcode.NXDOMAIN)
    assert set() == Dns(RESOLVER, server).delegated_to("example.jp")


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_a_server_that_could_not_say_is_no_no(rcode: Any) -> None:
    """SERVFAIL and REFUSED are told as such, with the server's address."""
    with pytest.raises(DnsError, match=rf"192\.0\.2\.53.*{dns.rcode.to_text(rcode)}"):
        Dns(RESOLVER, Server(rcode=rcode)).delegated_to("example.jp")


def test_silence() -> None:
    """An error of the network comes out as it was told."""

    def nobody(query: Any, address: str, port: int) -> Any:
        raise DnsError(f"{address} is silent")

    with pytest.raises(DnsError, match="is silent"):
        Dns(RESOLVER, nobody).delegated_to("example.jp")
    assert {"192.0.2.1"} == Dns(send=nobody).unresponsive("example.jp", {"192.0.2.1"})


def test_silent_servers() -> None:
    """Each server is asked directly for the SOA; only an answer of its own counts."""
    soa = records("example.jp.", "SOA", "a.jp. b.jp. 1 2 3 4 5")
    server = Server(soa)
    assert set() == Dns(send=server).unresponsive("example.jp", {"192.0.2.1", "2001:db8::1"})
    assert {
        ("example.jp.", "SOA", "192.0.2.1", 53),
        ("example.jp.", "SOA", "2001:db8::1", 53),
    } == set(server.asked)
    server.flags = dns.flags.RA
    assert {"192.0.2.1"} == Dns(send=server).unresponsive("example.jp", {"192.0.2.1"})
    assert {"192.0.2.1"} == Dns(send=Server(authority=soa)).unresponsive(
        "example.jp", {"192.0.2.1"}
    )


def test_one_resolver_for_all_is_not_asked_as_each_of_them() -> None:
    """With PROVISION_DNS nobody is silent."""
    server = Server()
    assert set() == Dns(RESOLVER, server).unresponsive("example.jp", {"192.0.2.1"})
    assert [] == server.asked


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("[::1]:53", ("::1", 53)),
        ("::1:53", ("::1", 53)),
        ("localhost:53", ("127.0.0.1", 53)),
    ],
)
def test_resolver_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: tuple[str, int]
) -> None:
    """PROVISION_DNS, host:port."""
    monkeypatch.setenv("PROVISION_DNS", given)
    server = Server()
    Dns.from_environment(server).delegated_to("example.jp")
    assert expected == server.asked[0][2:]


@pytest.mark.parametrize(
    "given", ["127.0.0.1", ":53", "127.0.0.1:", "127.0.0.1:dns", "127.0.0.1:0", "127.0.0.1:65536"]
)
def test_resolver_that_is_none(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """ValueError with what was given."""
    monkeypatch.setenv("PROVISION_DNS", given)
    with pytest.raises(ValueError, match=given):
        Dns.from_environment()


def test_without_the_variable_it_is_the_internets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each server is asked itself, at its own address."""
    monkeypatch.delenv("PROVISION_DNS", raising=False)
    server = Server()
    Dns.from_environment(server).unresponsive("example.jp", {"192.0.2.1"})
    assert [("example.jp.", "SOA", "192.0.2.1", 53)] == server.asked
