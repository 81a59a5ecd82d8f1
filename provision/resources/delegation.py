"""Wait for the delegation of the domain to the hosted zone."""

from typing import ClassVar

from provision.clients.aws_advice import ACCESS_DENIED
from provision.clients.aws_errors import call_or_none
from provision.clients.dns import DnsError
from provision.errors import Pending
from provision.i18n import _
from provision.resources.base import Clients, Live, Milestone, Polling, Resource, resource
from provision.resources.certificate import Certificate
from provision.resources.hosted_zone import NO_DNSSEC, HostedZone

DNS_TIMEOUT = 60  # seconds for which DNS is queried again while no server answers


@resource
class Delegation(Milestone):
    """The domain leads to the hosted zone. A person must enter its name servers at the registrar.

    The parent zone lists the zone's name servers, or others that answer for it (white-label name servers),
    and no DS record of a key with which the zone is not signed.
    """

    zone: HostedZone
    certificate: Certificate
    outside: ClassVar[bool] = True
    unpredictable: ClassVar[bool] = True
    polling = Polling(expected=60)

    def lookup_needs(self) -> list[Resource]:
        """Return the zone: without a certificate yet, DNS shows the delegation of an existing zone."""
        return [self.zone]

    def find(self, clients: Clients) -> Live | None:
        """Query the parent zone's servers. If none answers, an issued certificate proves the delegation."""
        dns, domain, expected = clients.dns, self.zone.domain, set(self.zone.name_servers)
        try:
            listed = dns.delegated_to(domain)
            signers = dns.signers(domain) if listed else []
            seconds = dns.ttl(domain) if listed and not expected <= listed else 0
        except DnsError as error:
            return {
                "expected": expected,
                "unanswered": str(error),
                "issued": self._is_issued(clients),
            }
        complete = listed == expected
        return {
            "expected": expected,
            "named": listed,
            "seconds": seconds,
            "above": ("" if complete else dns.zone_above(domain)) or _("your registrar"),
            "silent": dns.unresponsive(domain, expected) if complete else set(),
            "answered": self._is_answered(clients, listed),
            "signers": self._foreign_signers(clients, signers),
        }

    def _is_issued(self, clients: Clients) -> bool:
        return (self.certificate.find(clients) or {}).get("Status") == "ISSUED"

    def _is_answered(self, clients: Clients, listed: set[str]) -> bool:
        """Return whether servers of other names answer with the zone's records.

        Proofs: none of the names is the zone's own, and all have addresses of the zone's own or answer with
        the certificate's validation record; or they are the zone's own and more, and ACM has issued the
        certificate.
        """
        expected, certificate = set(self.zone.name_servers), self.certificate
        if expected < listed:
            return self._is_issued(clients)
        if not listed or listed & expected:
            return False
        try:
            if clients.dns.all_match(listed, expected):
                return True
            if not certificate.record_name:
                return False
            values = clients.dns.records(certificate.record_name.rstrip("."), "CNAME")
        except DnsError:
            return False
        wanted = certificate.record_value.rstrip(".").lower()
        return wanted in [value.rstrip(".").lower() for value in values]

    def _foreign_signers(self, clients: Clients, signers: list[str]) -> list[str]:
        """Return the DS records if none is of a key with which the zone is signed in Route 53."""
        if not signers:
            return []
        get_dnssec, codes = clients.aws.route53.get_dnssec, (*NO_DNSSEC, *ACCESS_DENIED)
        answer = call_or_none(codes, get_dnssec, HostedZoneId=self.zone.id)
        if answer is None:
            return [] if self._is_issued(clients) else signers
        own = {_spaceless(key.get("DSRecord", "")) for key in answer.get("KeySigningKeys", [])}
        return [] if own & {_spaceless(signer) for signer in signers} else signers

    def pending(self, live: Live) -> Pending | None:
        """Return which name servers are missing, which are extra, and which do not answer."""
        if "unanswered" in live:
            if live["issued"]:
                return None
            why = _(
                "the delegation could not be looked up: {why} (check this computer's network and "
                "PROVISION_DNS)",
                why=live["unanswered"],
            )
            return Pending(why, timeout=DNS_TIMEOUT)
        reason = _reason(live)
        return Pending(reason) if reason else None


def _reason(live: Live) -> str:
    """Return what is missing; "" once the domain is delegated."""
    if live["signers"]:
        return _(
            "remove the DS record (DNSSEC) of the former DNS provider at {above}, first of all: with it "
            "resolvers accept no answer of the new name servers, and ACM issues no certificate ({records})",
            above=live["above"],
            records=", ".join(live["signers"]),
        )
    if live["answered"]:
        return ""
    missing = sorted(live["expected"] - live["named"])
    if missing and live["named"]:
        return _(
            "{above} doesn't list these name servers yet: {servers}; it lists {named}, which resolvers may "
            "remember for {hours} hours",
            above=live["above"],
            servers=", ".join(missing),
            named=", ".join(sorted(live["named"])),
            hours=-(-live["seconds"] // 3600),
        )
    if missing:
        return _(
            "{above} doesn't list these name servers yet: {servers}",
            above=live["above"],
            servers=", ".join(missing),
        )
    if extra := sorted(live["named"] - live["expected"]):
        return _(
            "remove these extra name servers at {above}: {servers}",
            above=live["above"],
            servers=", ".join(extra),
        )
    if silent := sorted(live["silent"]):
        return _("these name servers do not answer yet: {servers}", servers=", ".join(silent))
    return ""


def _spaceless(record: str) -> str:
    return "".join(record.lower().split())
