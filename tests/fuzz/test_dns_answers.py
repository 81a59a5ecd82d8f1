"""Answers of name servers: other records than asked for, wrong codes, broken messages."""

from functools import partial
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.clients.dns import Dns, DnsError
from provision.resources.certificate import caa_error
from tests.fuzz.inputs import call, fuzz

pytestmark = pytest.mark.full

RESOLVER = ("192.0.2.53", 53)
NAMES = [
    "example.jp.",
    "bot.example.jp.",
    "EXAMPLE.jp.",
    "jp.",
    ".",
    "*.jp.",
    "a\\.b.jp.",
    "\\000.",
]
VALUES = {
    "A": ["192.0.2.1", "0.0.0.0"],
    "NS": [*NAMES, "ns-1.awsdns.com."],
    "CNAME": NAMES,
    "MX": ["10 mail.example.jp.", "0 .", "65535 *."],
    "TXT": ['"v=spf1 mx -all"', '"' + "x" * 255 + '"', '""', '"\\000\\255\\"" "b"'],
    "CAA": ['0 issue ";"', '128 issuewild "amazon.com"', '255 x ""', '0 issue "\\000\\255; a=b"'],
    "DS": ["1 8 2 " + "ab" * 32],
    "SOA": ["a. b. 0 0 0 0 0", "a. b. 4294967295 1 1 1 1"],
    "SRV": ["0 0 0 ."],
    "TYPE65280": ["\\# 2 abcd"],
}


@st.composite
def record_set(draw: st.DrawFn) -> Any:
    """Generate a record set."""
    kind = draw(st.sampled_from(sorted(VALUES)))
    values = draw(st.lists(st.sampled_from(VALUES[kind]), min_size=1, max_size=4, unique=True))
    name, ttl = draw(st.sampled_from(NAMES)), draw(st.sampled_from([0, 60, 2**31 - 1]))
    return dns.rrset.from_text(name, ttl, "IN", kind, *values)


@st.composite
def messages(draw: st.DrawFn) -> tuple[Any, list[tuple[int, int]], int]:
    """Generate a message, changes of its bytes, and the length it is cut to."""
    message = dns.message.make_response(dns.message.make_query("bot.example.jp", "A", id=0))
    message.set_rcode(draw(st.sampled_from([0, 0, 0, 2, 3, 5, 11])))
    message.flags |= draw(st.sampled_from([0, dns.flags.AA, dns.flags.TC]))
    for section in (message.answer, message.authority, message.additional):
        section += draw(st.lists(record_set(), max_size=3))
    changes = draw(st.lists(st.tuples(st.integers(2, 300), st.integers(0, 255)), max_size=3))
    return message, changes, draw(st.sampled_from([65535, 65535, 3, 20]))


def to_wire(message: Any, changes: list[tuple[int, int]], length: int) -> bytes:
    """Return the message with other bytes in places, cut to a length. dnspython shuffles its records."""
    wire = bytearray(message.to_wire(max_size=65535))
    for at, byte in changes:
        wire[at % len(wire)] = byte
    return bytes(wire[:length])


class Server:
    """A name server that sends these messages in turn; a broken one is no answer."""

    def __init__(self, messages: list[bytes]) -> None:
        self.messages, self.queries = messages, 0

    def __call__(self, query: Any, address: str, port: int) -> Any:
        self.queries += 1
        assert self.queries < 100
        wire = self.messages[self.queries % len(self.messages)]
        try:
            return dns.message.from_wire(wire)
        except dns.exception.DNSException as error:
            raise DnsError(str(error)) from None


QUERIES = {
    "delegated_to": lambda client: client.delegated_to("example.jp"),
    "ttl": lambda client: client.ttl("example.jp"),
    "signers": lambda client: client.signers("example.jp"),
    "caa": lambda client: caa_error("bot.example.jp", *client.caa("bot.example.jp")),
    "zone_above": lambda client: client.zone_above("a.bot.example.jp"),
    "unresponsive": lambda client: client.unresponsive("example.jp", {"192.0.2.1", "192.0.2.2"}),
    **{
        kind: lambda client, kind=kind: client.records("bot.example.jp", kind)
        for kind in ("A", "CNAME", "MX", "TXT", "CAA", "NS")
    },
}


@fuzz(15)
@given(st.lists(messages(), min_size=1, max_size=4), st.sampled_from(sorted(QUERIES)))
def test_answer(sent: list[Any], which: str) -> None:
    """Return a result, or DnsError, for every query of the client."""
    client = Dns(
        None if which == "unresponsive" else RESOLVER, Server([to_wire(*one) for one in sent])
    )
    call(partial(QUERIES[which], client), DnsError)
