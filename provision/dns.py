"""The only door to DNS: what does the parent zone say about a domain, and what do its servers say?

With PROVISION_DNS (host:port) every question goes to that one resolver, in place of the internet's servers.
"""

import ipaddress
import os
import re
from collections.abc import Callable
from typing import Any

from provision.words import _

TIMEOUT = 3.0  # seconds for one question to one server
Ask = Callable[[Any, str, int], Any]  # query message, address, port -> answer message


class Unanswered(Exception):
    """No server could be asked. The message says which and why."""


def over_network(query: Any, address: str, port: int) -> Any:
    """One question over UDP, over TCP where the answer is cut."""
    import dns.exception
    import dns.query

    try:
        answer, _tcp = dns.query.udp_with_fallback(query, address, timeout=TIMEOUT, port=port)
    except (OSError, dns.exception.DNSException) as error:
        said = str(error) or type(error).__name__
        raise Unanswered(
            _("{address} does not answer ({error})", address=address, error=said)
        ) from None
    return answer


class Dns:
    """Questions about delegation. Names go in and come out without the last dot, in lower case."""

    def __init__(self, resolver: tuple[str, int] | None = None, ask: Ask = over_network) -> None:
        self._resolver, self._ask = resolver, ask

    @classmethod
    def from_environment(cls, ask: Ask = over_network) -> "Dns":
        """The internet's, or the resolver of PROVISION_DNS. Raises ValueError where that is no host:port."""
        given = os.environ.get("PROVISION_DNS", "")
        if not given:
            return cls(ask=ask)
        host, _colon, port = given.rpartition(":")
        if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise ValueError(given)
        try:
            return cls((_address(host.strip("[]")), int(port)), ask)
        except Unanswered:
            raise ValueError(given) from None

    def delegated_to(self, domain: str) -> set[str]:
        """The name servers that the parent zone names for the domain; empty: none.

        The parent's own servers are asked, not a cache that may remember yesterday. Raises Unanswered.
        """
        if self._resolver:
            return self._name_servers(domain, *self._resolver)
        said: list[str] = []
        for server in self._parent_servers(domain):
            try:
                return self._name_servers(domain, _address(server), 53)
            except Unanswered as error:
                said.append(str(error))
        raise Unanswered(
            "; ".join(said[:3]) or _("the servers above {domain} have no address", domain=domain)
        )

    def silent(self, domain: str, servers: set[str]) -> set[str]:
        """Those of the servers that do not answer for the domain themselves (asked directly, for its SOA).

        A resolver that stands in for the internet cannot be asked as each of them.
        """
        if self._resolver:
            return set()
        return {server for server in servers if not self._answers(domain, server)}

    def _answers(self, domain: str, server: str) -> bool:
        import dns.flags
        import dns.rdatatype

        try:
            answer = self._ask(_query(domain, dns.rdatatype.SOA), _address(server), 53)
        except Unanswered:
            return False
        return bool(answer.answer and answer.flags & dns.flags.AA)

    def _name_servers(self, domain: str, address: str, port: int) -> set[str]:
        """From the answer, or (a referral) from the authority section."""
        import dns.name
        import dns.rcode
        import dns.rdatatype

        answer = self._ask(_query(domain, dns.rdatatype.NS), address, port)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            said = dns.rcode.to_text(answer.rcode())  # it could not say, which is not "no"
            raise Unanswered(_("{address} does not answer ({error})", address=address, error=said))
        wanted = dns.name.from_text(domain)
        return {
            record.target.to_text(omit_final_dot=True).lower()
            for section in (answer.answer, answer.authority)
            for rrset in section
            if rrset.rdtype == dns.rdatatype.NS and rrset.name == wanted
            for record in rrset
        }

    def _parent_servers(self, domain: str) -> list[str]:
        """The servers of the zone above, found with this machine's own resolver."""
        import dns.exception
        import dns.resolver

        labels = domain.split(".")
        for start in range(1, len(labels) + 1):
            above = ".".join(labels[start:]) or "."
            try:
                answer = dns.resolver.resolve(above, "NS", lifetime=2 * TIMEOUT)
            except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
                continue
            except (OSError, dns.exception.DNSException) as error:
                raise Unanswered(
                    _("this machine cannot look up names ({error})", error=error)
                ) from None
            return [record.target.to_text() for record in answer][:4]
        return []


def _query(name: str, kind: Any) -> Any:
    import dns.message

    return dns.message.make_query(name, kind)


def _address(host: str) -> str:
    """A host's address; an address is left as it is."""
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
        raise Unanswered(
            _("{address} does not answer ({error})", address=host, error=error)
        ) from None
