"""Wait for the delegation of the domain to the hosted zone."""

from typing import ClassVar

from provision.clients.dns import DnsError
from provision.errors import Pending
from provision.i18n import _
from provision.resources.base import (
    Clients,
    Live,
    Milestone,
    Polling,
    resource,
)
from provision.resources.certificate import Certificate
from provision.resources.hosted_zone import HostedZone


@resource
class Delegation(Milestone):
    """The parent zone lists the zone's name servers. A person must enter them at the registrar."""

    zone: HostedZone
    certificate: Certificate
    outside: ClassVar[bool] = True
    unpredictable: ClassVar[bool] = True
    polling = Polling(expected=60)

    def find(self, clients: Clients) -> Live | None:
        """Query the parent zone's servers. If none answers, an issued certificate proves the delegation."""
        expected = set(self.zone.name_servers)
        try:
            ec2_filter = clients.dns.delegated_to(self.zone.domain)
        except DnsError as error:
            certificate = self.certificate.find(clients) or {}
            return {
                "expected": expected,
                "unanswered": str(error),
                "issued": certificate.get("Status") == "ISSUED",
            }
        above = "" if ec2_filter == expected else clients.dns.zone_above(self.zone.domain)
        return {
            "expected": expected,
            "named": ec2_filter,
            "above": above or _("your registrar"),
            "silent": clients.dns.unresponsive(self.zone.domain, expected)
            if ec2_filter == expected
            else set(),
        }

    def pending(self, live: Live) -> Pending | None:
        """Return which name servers are missing, which are extra, and which do not answer."""
        reason = _reason(live)
        return Pending(reason) if reason else None


def _reason(live: Live) -> str:
    """Return what is missing; "" once the domain is delegated."""
    if "unanswered" in live:
        if live["issued"]:
            return ""
        return _("the delegation could not be looked up: {why}", why=live["unanswered"])
    missing = sorted(live["expected"] - live["named"])
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
