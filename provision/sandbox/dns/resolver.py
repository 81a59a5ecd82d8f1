"""The sandbox's DNS: the registrar's delegations, hosted zones, and AWS's own names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dnslib import QTYPE, RCODE, RR, DNSRecord
from dnslib.dns import DNSError

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.elbv2.state import Elbv2
from provision.sandbox.aws.route53.state import Route53
from provision.sandbox.dns.registrar import registrable

LOOPBACK = "127.0.0.1"  # the address of load balancers
_NAME_SERVER = re.compile(r"ns-(\d+)\.awsdns-\d+\.(?:com|net|org|co\.uk)\.")
_LOAD_BALANCER = re.compile(r"(?:dualstack\.)?([a-z0-9-]+\.[a-z0-9-]+\.elb\.amazonaws\.com)\.")
_MAX_CNAMES = 8  # length of CNAME chains, which resolvers limit


@dataclass(frozen=True)
class DnsRecord:
    """A resource record; `value` is in zone file notation, names have their final dot.

    `alias` is the name of the target if the record is from an alias record.
    """

    name: str
    type: str
    ttl: int
    value: str
    alias: str = field(default="", compare=False)


class BogusError(Exception):
    """The answers of a zone are not signed with the key of its DS record (RFC 4035, bogus)."""


@behaves("dns.ds-without-key", "dns.white-label")
class DnsResolver:
    """A recursive resolver that validates DNSSEC: a zone with a foreign DS record is SERVFAIL.

    A domain's NS records are those set at the registrar. Everything else comes from the public hosted zone
    whose four name servers have exactly these addresses, and from no other zone. A name server that is not
    AWS's has the addresses of its A records at the registrar (glue records).
    """

    def __init__(self, account: Account, route53: Route53, elbv2: Elbv2) -> None:
        self._account = account
        self._route53 = route53
        self._elbv2 = elbv2

    def resolve(self, name: str, record_type: str) -> list[str]:
        """Return the values of the records of this type, following CNAMEs; [] for a bogus zone."""
        try:
            records = self.lookup(name, record_type) or []
        except BogusError:
            return []
        return [record.value for record in records if record.type == record_type]

    def respond(self, query: bytes) -> bytes:
        """Return the response to a query in wire format; b"" if it is no DNS query."""
        try:
            request = DNSRecord.parse(query)
        except DNSError:
            return b""
        reply = request.reply(ra=1, aa=1)
        try:
            records = self.lookup(str(request.q.qname), QTYPE[request.q.qtype])
            for record in records or []:
                text = f"{record.name} {record.ttl} IN {record.type} {record.value}"
                for parsed in RR.fromZone(text):
                    reply.add_answer(parsed)
            if records is None:
                reply.header.rcode = RCODE.NXDOMAIN
        except (DNSError, ValueError, BogusError):
            reply.header.rcode = RCODE.SERVFAIL
        packed: bytes = reply.pack()
        return packed

    def load_balancer(self, name: str) -> Any | None:
        """Return moto's load balancer to which this name resolves, or None."""
        with self._account.lock:
            for record in self.lookup(name, "A") or []:
                found = self._elbv2.by_dns_name(record.alias or record.name)
                if found is not None:
                    return found
        return None

    def lookup(self, name: str, record_type: str) -> list[DnsRecord] | None:
        """Return the records of this type after the CNAMEs that lead to them; None for NXDOMAIN."""
        found: list[DnsRecord] = []
        target = name.lower().rstrip(".") + "."
        with self._account.lock:
            for _ in range(_MAX_CNAMES):
                records = self._records_at(target, record_type)
                if records is None:
                    return found or None
                found += records
                if record_type == "CNAME" or not records or records[0].type != "CNAME":
                    break
                target = records[0].value.lower().rstrip(".") + "."
        return found

    def lookup_in_zone(self, zone: Any, name: str, record_type: str) -> list[DnsRecord] | None:
        """Return the records with which this zone's own servers answer; None for NXDOMAIN."""
        with self._account.lock:
            return self._in_zone(name, record_type, self._route53.published_records(zone))

    def _records_at(self, name: str, record_type: str) -> list[DnsRecord] | None:
        """Return the records of this type, or the CNAME, at one name; None for NXDOMAIN."""
        address = LOOPBACK if self._is_load_balancer(name) else _name_server_address(name)
        if address:
            return [DnsRecord(name, "A", 60, address)] if record_type == "A" else []
        domain, servers = self._account.registrar.delegation(name)
        if record_type == "NS" and name == f"{domain}.":
            return [DnsRecord(name, "NS", 172800, f"{server}.") for server in servers]
        signers = self._account.registrar.signers(domain)
        if record_type == "DS" and name == f"{domain}.":
            return [DnsRecord(name, "DS", 3600, signer) for signer in signers]
        zone = self._zone(f"{domain}.", servers)
        if zone is not None and signers and not self._is_signed(zone, signers):
            raise BogusError(domain)
        if zone is None:
            return self._external_records(domain, name, record_type)
        while zone is not None:
            published = self._route53.published_records(zone)
            delegation = _closest_delegation(name, zone.name, published)
            if delegation is None:
                return self._in_zone(name, record_type, published)
            if record_type == "NS" and name == delegation.name:
                return _records(name, delegation)
            zone = self._zone(
                delegation.name, tuple(value.rstrip(".") for value in delegation.records)
            )
        return None

    def _external_records(self, domain: str, name: str, record_type: str) -> list[DnsRecord] | None:
        """Return the records on name servers outside the account; None for NXDOMAIN."""
        entries = self._account.registrar.records(domain)
        records_here = [
            DnsRecord(name, kind, 300, value)
            for owner, kind, value in entries
            if f"{owner}." == name
        ]
        has_descendants = any(f"{owner}.".endswith(f".{name}") for owner, _, _ in entries)
        found = [record for record in records_here if record.type == record_type]
        return (
            found or [r for r in records_here if r.type == "CNAME"]
            if records_here or has_descendants
            else None
        )

    def _zone(self, name: str, servers: tuple[str, ...]) -> Any | None:
        """Return the public hosted zone of this name whose name servers have exactly these addresses."""
        addresses = self._addresses(servers)
        for zone in self._route53.zones():
            own = zone.delegation_set.name_servers if zone.delegation_set else ()
            if zone.name == name and not zone.private_zone and self._addresses(own) == addresses:
                return zone
        return None

    def _addresses(self, servers: Iterable[str]) -> set[str]:
        """Return the addresses of name servers; the name of one without an address stands for it."""
        registrar, addresses = self._account.registrar, set()
        for server in servers:
            glue = {
                value
                for name, kind, value in registrar.records(registrable(server))
                if (name, kind) == (server, "A")
            }
            addresses |= glue or {_name_server_address(f"{server}.") or server}
        return addresses

    def _is_signed(self, zone: Any, signers: tuple[str, ...]) -> bool:
        """Return whether one of the DS records is of a key with which the zone is signed."""
        keys = self._route53.signing_keys.get(zone.id.rpartition("/")[2], {}).values()
        own = {"".join(str(key.get("DSRecord", "")).lower().split()) for key in keys}
        return any("".join(signer.lower().split()) in own for signer in signers)

    def _in_zone(self, name: str, record_type: str, published: list[Any]) -> list[DnsRecord] | None:
        records_here = [record_set for record_set in published if record_set.name == name]
        if not records_here:
            if any(record_set.name.endswith(f".{name}") for record_set in published):
                return []  # an empty non-terminal
            records_here = _wildcard(name, published)
        if not records_here:
            return None
        for record_set in records_here:
            if record_set.type in (record_type, "CNAME"):
                if record_set.alias_target:
                    return self._alias(name, record_type, record_set.alias_target["DNSName"])
                return _records(name, record_set)
        return []

    def _alias(self, name: str, record_type: str, target: str) -> list[DnsRecord]:
        """Return the records of an alias's target under the alias's own name."""
        found = self.lookup(target, record_type) or []
        return [
            DnsRecord(name, record_type, 60, record.value, record.alias or record.name)
            for record in found
            if record.type == record_type
        ]

    def _is_load_balancer(self, name: str) -> bool:
        matched = _LOAD_BALANCER.fullmatch(name)
        return matched is not None and self._elbv2.by_dns_name(matched.group(1)) is not None


def _name_server_address(name: str) -> str:
    """Return the address of one of AWS's name servers, as numbered on the internet; "" for other names."""
    found = _NAME_SERVER.fullmatch(name)
    number = int(found.group(1)) if found else 0
    return f"205.251.{192 + number // 256}.{number % 256}" if found else ""


def _records(name: str, record_set: Any) -> list[DnsRecord]:
    ttl = int(record_set.ttl or 60)
    return [DnsRecord(name, record_set.type, ttl, value) for value in record_set.records]


def _closest_delegation(name: str, zone: str, published: list[Any]) -> Any | None:
    """Return the NS record set below the zone's apex that delegates this name, or None."""
    for record_set in published:
        delegates = record_set.type == "NS" and record_set.name != zone
        if delegates and (name == record_set.name or name.endswith(f".{record_set.name}")):
            return record_set
    return None


def _wildcard(name: str, published: list[Any]) -> list[Any]:
    """Return the record sets of the closest wildcard that matches this name (RFC 4592)."""
    labels = name.split(".")
    for start in range(1, len(labels) - 1):
        parent = ".".join(labels[start:])
        matching = [r for r in published if r.name in (f"*.{parent}", f"\\052.{parent}")]
        if matching or any(r.name == parent for r in published):
            return matching
    return []
