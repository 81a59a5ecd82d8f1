"""The only door to DNS: what does the parent zone say about a domain, and what do its servers say?
What is there under a name, and which CAA records decide for it?

With PROVISION_DNS (host:port) every question goes to that one resolver, in place of the internet's servers.
"""

import ipaddress
import os
import re
from collections.abc import Callable
from typing import Any

from provision.i18n import _

TIMEOUT = 3.0  # seconds for one question to one server
LONGEST_CHAIN = 8  # CNAMEs followed before giving up
SECOND_LEVEL = {
    *("co", "or", "ne", "ac", "ad", "ed", "go", "gr", "lg"),
    *("com", "net", "org", "edu"),
}
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

    def records(self, name: str, kind: str) -> list[str]:
        """What a resolver finds, in zone file notation, CNAMEs followed; [] for none. Raises Unanswered."""
        import dns.rdatatype

        for _step in range(LONGEST_CHAIN):
            answer = self._resolved(name, kind)
            found = {rrset.rdtype: rrset for rrset in answer}
            if wanted := found.get(dns.rdatatype.from_text(kind)):
                return [record.to_text() for record in wanted]
            if dns.rdatatype.CNAME not in found:
                return []
            name = found[dns.rdatatype.CNAME][0].target.to_text()
        return []

    def caa(self, host: str) -> tuple[str, list[str]]:
        """The CAA records that decide for a host: those of the closest name that has any (RFC 8659).

        The name and the values; "" and [] where none has. Raises Unanswered.
        """
        labels = host.split(".")
        for start in range(len(labels)):
            name = ".".join(labels[start:])
            if values := self.records(name, "CAA"):
                return name, values
        return "", []

    def zone_above(self, domain: str) -> str:
        """The zone that a sub-domain is to be delegated from: the closest name above it with name servers.

        "" for a domain that is bought (above it is a registry's zone), and where nobody answers.
        """
        labels = domain.split(".")
        for name in (".".join(labels[start:]) for start in range(1, len(labels) - 1)):
            try:
                if is_registry(name):
                    return ""
                if self.records(name, "NS"):
                    return name
            except Unanswered:
                return ""
        return ""

    def _resolved(self, name: str, kind: str) -> list[Any]:
        """The answer section: of the given resolver, else of this machine's own."""
        import dns.exception
        import dns.rcode
        import dns.resolver

        if self._resolver:
            answer = self._ask(_query(name, kind), *self._resolver)
        else:
            try:
                answer = dns.resolver.resolve(
                    name, kind, lifetime=2 * TIMEOUT, raise_on_no_answer=False
                ).response
            except dns.resolver.NXDOMAIN:
                return []
            except (OSError, dns.exception.DNSException) as error:
                raise Unanswered(
                    _("this machine cannot look up names ({error})", error=error)
                ) from None
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            said = dns.rcode.to_text(answer.rcode())
            raise Unanswered(_("{address} does not answer ({error})", address=name, error=said))
        return list(answer.answer)

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


def is_registry(name: str) -> bool:
    """Whether people buy domains right below this name: jp, co.jp. By habit, not by the whole list."""
    second, _dot, top = name.rpartition(".")
    return not second or (len(top) == 2 and second in SECOND_LEVEL)


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
