"""Certificates of the emulated ACM: issued once their records resolve in the delegated DNS."""

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trustme
from moto import settings

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

settings.ACM_VALIDATION_WAIT = float("inf")  # moto would issue on a timer of its own

_GIVES_UP = 72 * 3600  # User Guide, DNS validation: VALIDATION_TIMED_OUT
_TOKEN_LIVES = 3600  # API RequestCertificate, IdempotencyToken
# User Guide, CAA: who may be named for ACM to issue.
_AMAZON = {"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"}


@dataclass
class Certificate:
    """What happens to one requested certificate; times on the sandbox's clock."""

    arn: str
    names: list[str]  # the domain name first, then the others
    requested_at: float
    status: str = "PENDING_VALIDATION"
    validated_at: float | None = None  # since when every record resolves
    issued_at: float | None = None
    failure: str = ""
    leaf: trustme.LeafCert | None = None


@dataclass
class Acm:
    """Certificates by ARN, and what they are to be validated with."""

    cloud: "Cloud"
    certificates: dict[str, Certificate] = field(default_factory=dict)
    _tokens: dict[tuple[Any, ...], tuple[str, float]] = field(default_factory=dict)
    _records: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud.on_tick(self._validate)

    def record(self, name: str) -> tuple[str, str]:
        """Name and value of the CNAME that validates this name: the same one in every request."""
        base = name.removeprefix("*.").lower()
        if base not in self._records:
            owner = f"_{secrets.token_hex(16)}.{base}."
            value = f"_{secrets.token_hex(16)}.{secrets.token_hex(5)}.acm-validations.aws."
            self._records[base] = owner, value
        return self._records[base]

    def records_shown(self, certificate: Certificate) -> bool:
        """Whether DescribeCertificate shows the records yet."""
        due = certificate.requested_at + self.cloud.delays.resource_record
        return self.cloud.clock.now() >= due

    def leaf(self, arn: str) -> trustme.LeafCert | None:
        """The issued certificate with its key, as the load balancer gets it."""
        certificate = self.certificates.get(arn)
        return certificate.leaf if certificate else None

    def in_use_by(self, arn: str) -> list[str]:
        """ARNs of the load balancers that have a listener with this certificate."""
        region = arn.split(":")[3]
        return [
            load_balancer.arn
            for load_balancer in self.cloud.backend("elbv2", region).load_balancers.values()
            if any(arn in listener.certificates for listener in load_balancer.listeners.values())
        ]

    def remembered(self, key: tuple[Any, ...]) -> str | None:
        """The ARN that the same request with the same token got within the hour."""
        arn, when = self._tokens.get(key, ("", 0.0))
        fresh = self.cloud.clock.now() < when + _TOKEN_LIVES
        return arn if fresh and arn in self.certificates else None

    def requested(self, arn: str, names: list[str], key: tuple[Any, ...] | None) -> None:
        """Note a new certificate."""
        now = self.cloud.clock.now()
        self.certificates[arn] = Certificate(arn, names, now)
        if key is not None:
            self._tokens[key] = arn, now

    def _validate(self) -> None:
        with self.cloud.lock:
            for certificate in self.certificates.values():
                if certificate.status == "PENDING_VALIDATION":
                    self._look_at(certificate)

    def _look_at(self, certificate: Certificate) -> None:
        now = self.cloud.clock.now()
        if now >= certificate.requested_at + _GIVES_UP:
            self._settle(certificate, "VALIDATION_TIMED_OUT")
            return
        proven = self.records_shown(certificate) and all(
            self.proven(name) for name in certificate.names
        )
        if not proven:
            certificate.validated_at = None
            return
        if certificate.validated_at is None:
            certificate.validated_at = now
        if any(not self._allowed(name) for name in certificate.names):
            certificate.failure = "CAA_ERROR"
            self._settle(certificate, "FAILED")
        elif now >= certificate.validated_at + self.cloud.delays.certificate:
            certificate.issued_at = now
            certificate.leaf = self.cloud.authority.issue(*certificate.names)
            self._settle(certificate, "ISSUED")

    def proven(self, name: str) -> bool:
        """Whether the validation CNAME of this name resolves, on the delegated servers."""
        owner, value = self.record(name)
        found = [answer.lower().rstrip(".") for answer in self.cloud.dns.resolve(owner, "CNAME")]
        return found == [value.rstrip(".")]

    def _allowed(self, name: str) -> bool:
        """RFC 8659: the closest CAA set at or above the name decides; none allows everybody."""
        tag = "issuewild" if name.startswith("*.") else "issue"
        labels = name.removeprefix("*.").split(".")
        for cut in range(len(labels) - 1):
            found = self.cloud.dns.resolve(".".join(labels[cut:]), "CAA")
            if found:
                parsed = [_caa(value) for value in found]
                issuers = [who for kind, who in parsed if kind == tag]
                if not issuers and tag == "issuewild":
                    issuers = [who for kind, who in parsed if kind == "issue"]
                return not issuers or any(who in _AMAZON for who in issuers)
        return True

    def _settle(self, certificate: Certificate, status: str) -> None:
        certificate.status = status
        region = certificate.arn.split(":")[3]
        bundle = self.cloud.backend("acm", region)._certificates.get(certificate.arn)
        if bundle is not None:
            bundle.status = status
            if certificate.leaf:
                bundle.cert = certificate.leaf.cert_chain_pems[0].bytes()
                bundle.chain = self.cloud.authority.root.read_bytes()


def _caa(value: str) -> tuple[str, str]:
    """Tag and issuer of a CAA record's text, `0 issue "amazon.com; ..."`."""
    _, tag, issuer = value.split(maxsplit=2)
    return tag.lower(), issuer.strip('"').partition(";")[0].strip().lower()
