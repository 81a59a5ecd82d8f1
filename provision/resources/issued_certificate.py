"""Wait until ACM has issued the certificate."""

from typing import ClassVar

from provision.clients.dns import DnsError
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import Clients, Live, Milestone, Polling, resource
from provision.resources.certificate import FINAL, Certificate, caa_error
from provision.resources.delegation import Delegation
from provision.resources.record_set import ValidationRecord


@resource
class IssuedCertificate(Milestone):
    """ACM has found the validation record and issued the certificate."""

    certificate: Certificate
    validation_record: ValidationRecord
    delegation: Delegation  # required by ACM
    outside: ClassVar[bool] = True
    polling = Polling(
        propagation_delay=2.0,  # from ISSUED until a load balancer accepts it
        expected=60,
        interval_near=0.75,  # setup waits for nothing else at that time
    )

    def find(self, clients: Clients) -> Live | None:
        """Find the certificate; until it is issued, also the CAA records that prevent that."""
        live = self.certificate.find(clients)
        if live is None or live.get("Status") != "PENDING_VALIDATION":
            return live
        try:
            return {**live, "Caa": clients.dns.caa(self.certificate.host)}
        except DnsError:
            return live

    def poll(self, clients: Clients) -> Live | None:
        """Find the certificate."""
        return self.certificate.find(clients)

    def pending(self, live: Live) -> Pending | None:
        """Wait for ISSUED. Raise ProvisionError with ACM's reason for a final status."""
        status = live.get("Status", "")
        if status in FINAL:
            raise ProvisionError(
                _("ACM did not issue the certificate for {host}.", host=self.certificate.host),
                _(
                    "ACM says {status}: {reason}",
                    status=status,
                    reason=live.get("FailureReason") or _("not validated in time"),
                ),
                _(
                    "Fix the problem ACM reported (for CAA_ERROR add the record "
                    '`0 issue "amazon.com"`), then run the same command again: it requests the '
                    "certificate anew."
                ),
            )
        if "Caa" in live and (error := caa_error(self.certificate.host, *live["Caa"])):
            raise error
        if status == "ISSUED":
            return None
        return Pending(_("waiting for ACM to find the validation record"))
