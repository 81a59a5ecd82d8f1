"""Query DNS for delegations, records and CAA.

If PROVISION_DNS (host:port) is set, send every query to that resolver.
"""

import ipaddress
import os
import re
from collections.abc import Callable
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
    """Send a query over UDP; over TCP if the response is truncated."""
    import dns.exception
    import dns.query

    try:
        answer, _tcp = dns.query.udp_with_fallback(query, address, timeout=TIMEOUT, port=port)
    except (OSError, dns.exception.DNSException) as error:
        reason = str(error) or type(error).__name__
        raise DnsError(
            _("{address} does not answer ({error})", address=address, error=reason)
        ) from None
    return answer


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
        if self._resolver:
            return self._name_servers(domain, *self._resolver)
        reasons: list[str] = []
        for server in self._parent_servers(domain):
            try:
                return self._name_servers(domain, _address(server), 53)
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

    def _name_servers(self, domain: str, address: str, port: int) -> set[str]:
        """Return the NS records in the answer section, or in the authority section of a referral."""
        import dns.name
        import dns.rcode
        import dns.rdatatype

        answer = self._send(_query(domain, dns.rdatatype.NS), address, port)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            # An error such as SERVFAIL does not mean that there are no name servers.
            rcode = dns.rcode.to_text(answer.rcode())
            raise DnsError(_("{address} does not answer ({error})", address=address, error=rcode))
        zone = dns.name.from_text(domain)
        return {
            record.target.to_text(omit_final_dot=True).lower()
            for section in (answer.answer, answer.authority)
            for rrset in section
            if rrset.rdtype == dns.rdatatype.NS and rrset.name == zone
            for record in rrset
        }

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
