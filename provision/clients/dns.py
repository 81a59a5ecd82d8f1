"""Query DNS for delegations, records and CAA.

If PROVISION_DNS (host:port) is set, send every query to that resolver.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Collection
from typing import Any

from provision.i18n import _

TIMEOUT = 3.0  # seconds per query and server
MAX_CNAMES = 8
# Second-level labels under which country registries register domains.
SECOND_LEVEL = {
    *("co", "or", "ne", "ac", "ad", "ed", "go", "gr", "lg"),
    *("com", "net", "org", "edu"),
}
Send = Callable[[Any, str, int], Any]  # query message, address, port -> answer message


class DnsError(Exception):
    """No server answered the query. The message has the server and the reason."""


def over_network(query: Any, address: str, port: int) -> Any:
    """Send a query over UDP; over TCP if the response is truncated or does not come."""
    import dns.exception
    import dns.query

    try:
        return dns.query.udp_with_fallback(query, address, timeout=TIMEOUT, port=port)[0]
    except (OSError, dns.exception.DNSException) as error:
        server = address if port == 53 else f"{address}:{port}"
        reason = str(error) or type(error).__name__
        try:
            return dns.query.tcp(query, address, timeout=TIMEOUT, port=port)
        except (OSError, EOFError, dns.exception.DNSException):
            why = _("{address} does not answer ({error})", address=server, error=reason)
            raise DnsError(why) from None


class Dns:
    """A DNS client. Names are in lower case and without the final dot."""

    def __init__(self, resolver: tuple[str, int] | None = None, send: Send = over_network) -> None:
        self._resolver, self._send = resolver, send

    @classmethod
    def from_environment(cls, send: Send = over_network) -> "Dns":
        """Return a client that uses PROVISION_DNS if set. Raise ValueError if it is not host:port."""
        setting = os.environ.get("PROVISION_DNS", "")
        if not setting:
            return cls(send=send)
        host, _colon, port = setting.rpartition(":")
        if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise ValueError(setting)
        try:
            return cls((_address(host.strip("[]")), int(port)), send)
        except DnsError:
            raise ValueError(setting) from None

    def delegated_to(self, domain: str) -> set[str]:
        """Return the name servers that the parent zone lists for the domain; empty without a delegation.

        Query the parent zone's servers directly, because a resolver may have cached an old answer.
        Raise DnsError.
        """
        answer = self._ask_parent(domain, "NS")
        return {
            record.target.to_text(omit_final_dot=True).lower()
            for rrset in _sets(answer, domain, "NS")
            for record in rrset
        }

    def matching(self, listed: set[str], servers: Collection[str]) -> set[str]:
        """Return the listed name servers that are among these, by name or by address. Raise DnsError.

        White-label name servers have names of the domain's owner and addresses of the hosted zone's
        (Route 53 Developer Guide, Configuring white-label name servers).
        """
        found = listed & set(servers)
        if found == listed:
            return found
        own = {address for server in servers for address in self.records(server, "A")}
        return found | {
            server for server in listed - found if own.intersection(self.records(server, "A"))
        }

    def all_match(self, listed: set[str], servers: Collection[str]) -> bool:
        """Return whether name servers are listed, and all of them are among these. Raise DnsError."""
        return bool(listed) and self.matching(listed, servers) == listed

    def ttl(self, domain: str) -> int:
        """Return the seconds for which resolvers may remember the domain's name servers. Raise DnsError."""
        answer = self._ask_parent(domain, "NS")
        return max((rrset.ttl for rrset in _sets(answer, domain, "NS")), default=0)

    def signers(self, domain: str) -> list[str]:
        """Return the parent's DS records for the domain (`tag algorithm type digest`). Raise DnsError.

        With a DS record, validating resolvers accept only answers that are signed with its key (RFC 4035).
        """
        answer = self._ask_parent(domain, "DS")
        return [record.to_text().lower() for r in _sets(answer, domain, "DS") for record in r]

    def _ask_parent(self, domain: str, kind: str) -> Any:
        """Return the answer of one of the parent zone's servers, or of PROVISION_DNS. Raise DnsError."""
        if self._resolver:
            return self._answer(domain, kind, *self._resolver)
        reasons: list[str] = []
        for server in self._parent_servers(domain):
            try:
                return self._answer(domain, kind, _address(server), 53)
            except DnsError as error:
                reasons.append(str(error))
        raise DnsError(
            "; ".join(reasons[:3])
            or _("the name servers of the parent zone of {domain} have no address", domain=domain)
        )

    def records(self, name: str, kind: str) -> list[str]:
        """Return the records in zone file notation, following CNAMEs; [] without any. Raise DnsError."""
        import dns.rdatatype

        for _step in range(MAX_CNAMES):
            rrsets = {rrset.rdtype: rrset for rrset in self._resolve(name, kind)}
            if rrset := rrsets.get(dns.rdatatype.from_text(kind)):
                return [record.to_text() for record in rrset]
            if dns.rdatatype.CNAME not in rrsets:
                return []
            name = rrsets[dns.rdatatype.CNAME][0].target.to_text()
        return []

    def caa(self, host: str) -> tuple[str, list[str]]:
        """Return name and values of the CAA records that apply to a host; "" and [] without any.

        They are those of the closest ancestor that has any (RFC 8659). Raise DnsError.
        """
        labels = host.split(".")
        for start in range(len(labels)):
            name = ".".join(labels[start:])
            if values := self.records(name, "CAA"):
                return name, values
        return "", []

    def zone_above(self, domain: str) -> str:
        """Return the parent zone of a subdomain: its closest ancestor with name servers.

        Return "" for a domain directly under a registry's zone, or if no server answers.
        """
        labels = domain.split(".")
        for name in (".".join(labels[start:]) for start in range(1, len(labels) - 1)):
            try:
                if is_registry(name):
                    return ""
                if self.records(name, "NS"):
                    return name
            except DnsError:
                return ""
        return ""

    def _resolve(self, name: str, kind: str) -> list[Any]:
        """Return the answer section from PROVISION_DNS, else from the system's resolver."""
        import dns.exception
        import dns.rcode
        import dns.resolver

        if self._resolver:
            answer = self._send(_query(name, kind), *self._resolver)
        else:
            try:
                answer = dns.resolver.resolve(
                    name, kind, lifetime=2 * TIMEOUT, raise_on_no_answer=False
                ).response
            except dns.resolver.NXDOMAIN:
                return []
            except (OSError, dns.exception.DNSException) as error:
                raise DnsError(
                    _("this computer cannot resolve domain names ({error})", error=error)
                ) from None
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            rcode = dns.rcode.to_text(answer.rcode())
            raise DnsError(_("{address} does not answer ({error})", address=name, error=rcode))
        return list(answer.answer)

    def unresponsive(self, domain: str, servers: set[str]) -> set[str]:
        """Return the servers that do not answer authoritatively for the domain (queried for its SOA).

        Return none if PROVISION_DNS is set.
        """
        if self._resolver:
            return set()
        return {server for server in servers if not self._answers(domain, server)}

    def _answers(self, domain: str, server: str) -> bool:
        import dns.flags
        import dns.rdatatype

        try:
            answer = self._send(_query(domain, dns.rdatatype.SOA), _address(server), 53)
        except DnsError:
            return False
        return bool(answer.answer and answer.flags & dns.flags.AA)

    def _answer(self, domain: str, kind: str, address: str, port: int) -> Any:
        """Return a server's answer. Raise DnsError if there is none.

        An error such as SERVFAIL does not mean that there are no records.
        """
        import dns.rcode

        answer = self._send(_query(domain, kind), address, port)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            rcode = dns.rcode.to_text(answer.rcode())
            raise DnsError(_("{address} does not answer ({error})", address=address, error=rcode))
        return answer

    def _parent_servers(self, domain: str) -> list[str]:
        """Return the servers of the parent zone, found with the system's resolver."""
        import dns.exception
        import dns.resolver

        labels = domain.split(".")
        for start in range(1, len(labels) + 1):
            parent = ".".join(labels[start:]) or "."
            try:
                answer = dns.resolver.resolve(parent, "NS", lifetime=2 * TIMEOUT)
            except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
                continue
            except (OSError, dns.exception.DNSException) as error:
                raise DnsError(
                    _("this computer cannot resolve domain names ({error})", error=error)
                ) from None
            return [record.target.to_text() for record in answer][:4]
        return []


def _sets(answer: Any, domain: str, kind: str) -> list[Any]:
    """Return the domain's record sets in the answer section, or in the authority section of a referral."""
    import dns.name
    import dns.rdatatype

    zone, wanted = dns.name.from_text(domain), dns.rdatatype.from_text(kind)
    found = (*answer.answer, *answer.authority)
    return [rrset for rrset in found if rrset.rdtype == wanted and rrset.name == zone]


def is_registry(name: str) -> bool:
    """Return whether domains are registered directly under this name (jp, co.jp).

    An approximation without the Public Suffix List.
    """
    second, _dot, top = name.rpartition(".")
    return not second or (len(top) == 2 and second in SECOND_LEVEL)


def _query(name: str, kind: Any) -> Any:
    import dns.message

    return dns.message.make_query(name, kind)


def _address(host: str) -> str:
    """Return the host's IPv4 address; an address is returned unchanged. Raise DnsError."""
    import dns.exception
    import dns.resolver

    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(dns.resolver.resolve(host, "A", lifetime=2 * TIMEOUT)[0])
    except (OSError, dns.exception.DNSException) as error:
        raise DnsError(
            _("{address} does not answer ({error})", address=host, error=error)
        ) from None
