"""ACM: certificates, issued once their validation records resolve in the delegated zone."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import trustme
from moto import settings

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.acm.caa import amazon_may_issue
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.dns.resolver import DnsResolver

settings.ACM_VALIDATION_WAIT = float("inf")  # disable moto's own validation timer

_VALIDATION_TIMEOUT = 72 * 3600  # User Guide, DNS validation: VALIDATION_TIMED_OUT
_TOKEN_TTL = 3600  # API RequestCertificate, IdempotencyToken
# RFC 6761 and RFC 6762, and ICANN's resolution on .internal: no public certificate is for these.
_NOT_PUBLIC = {"internal", "invalid", "lan", "local", "localhost", "test"}


@dataclass
class RequestedCertificate:
    """A requested certificate; times are simulated epoch seconds."""

    arn: str
    names: list[str]  # the domain name first, then the others
    requested_at: float
    status: str = "PENDING_VALIDATION"
    validated_at: float | None = None  # when all validation records first resolved
    issued_at: float | None = None
    failure: str = ""
    key_algorithm: str = "RSA_2048"
    leaf: trustme.LeafCert | None = None


@dataclass
class Acm:
    """Certificates by ARN, their validation records, and idempotency tokens."""

    account: Account
    dns: DnsResolver
    certificates: dict[str, RequestedCertificate] = field(default_factory=dict)
    _tokens: dict[tuple[Any, ...], tuple[str, float]] = field(default_factory=dict)
    _records: dict[str, tuple[str, str]] = field(default_factory=dict)
    _released: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.account.on_tick(self._validate)

    @behaves("acm.same-record-for-a-name")
    def record(self, name: str) -> tuple[str, str]:
        """Return name and value of the CNAME that validates this domain name, the same for every request."""
        base = name.removeprefix("*.").lower()
        if base not in self._records:
            owner = f"_{secrets.token_hex(16)}.{base}."
            value = f"_{secrets.token_hex(16)}.{secrets.token_hex(5)}.acm-validations.aws."
            self._records[base] = owner, value
        return self._records[base]

    def has_records(self, certificate: RequestedCertificate) -> bool:
        """Return whether DescribeCertificate shows the validation records yet."""
        due = certificate.requested_at + self.account.delays.resource_record
        return self.account.clock.now() >= due

    def leaf(self, arn: str) -> trustme.LeafCert | None:
        """Return the issued certificate with its private key, or None."""
        certificate = self.certificates.get(arn)
        return certificate.leaf if certificate else None

    @behaves("acm.certificate-in-use-lingers")
    def in_use_by(self, arn: str) -> list[str]:
        """Return the ARNs of load balancers with a listener that uses, or recently used, the certificate."""
        region, now = arn.split(":")[3], self.account.clock.now()
        users = [
            load_balancer.arn
            for load_balancer in self.account.backend("elbv2", region).load_balancers.values()
            if any(arn in listener.certificates for listener in load_balancer.listeners.values())
        ]
        recent = [user for (used, user), due in self._released.items() if used == arn and now < due]
        return list(dict.fromkeys([*users, *recent]))

    def release(self, arns: list[str], load_balancer: str) -> None:
        """Record that a listener of this load balancer no longer uses the certificates."""
        due = self.account.clock.now() + self.account.delays.certificate_in_use
        for arn in arns:
            self._released[arn, load_balancer] = due

    def find_by_token(self, key: tuple[Any, ...]) -> str | None:
        """Return the ARN answered to the same request with the same token within the hour, or None."""
        arn, when = self._tokens.get(key, ("", 0.0))
        valid = self.account.clock.now() < when + _TOKEN_TTL
        return arn if valid and arn in self.certificates else None

    def add(self, arn: str, names: list[str], key: tuple[Any, ...] | None) -> None:
        """Add a requested certificate; `key` identifies the request and its token."""
        now = self.account.clock.now()
        self.certificates[arn] = RequestedCertificate(arn, names, now)
        if key is not None:
            self._tokens[key] = arn, now

    def _validate(self) -> None:
        with self.account.lock:
            for certificate in self.certificates.values():
                if certificate.status == "PENDING_VALIDATION":
                    self._update(certificate)

    @behaves(
        "acm.issued-by-its-records",
        "acm.not-issued-without-delegation",
        "acm.validation-gives-up",
        "acm.not-a-public-domain",
    )
    def _update(self, certificate: RequestedCertificate) -> None:
        now = self.account.clock.now()
        if any(name.rpartition(".")[2].lower() in _NOT_PUBLIC for name in certificate.names):
            certificate.failure = "INVALID_PUBLIC_DOMAIN"
            self._set_status(certificate, "FAILED")
            return
        if now >= certificate.requested_at + _VALIDATION_TIMEOUT:
            self._set_status(certificate, "VALIDATION_TIMED_OUT")
            return
        valid = self.has_records(certificate) and all(
            self.is_validated(name) for name in certificate.names
        )
        if not valid:
            certificate.validated_at = None
            return
        if certificate.validated_at is None:
            certificate.validated_at = now
        if any(not amazon_may_issue(self.dns, name) for name in certificate.names):
            certificate.failure = "CAA_ERROR"
            self._set_status(certificate, "FAILED")
        elif now >= certificate.validated_at + self.account.delays.certificate:
            certificate.issued_at = now
            certificate.leaf = self.account.authority.issue(*certificate.names)
            self._set_status(certificate, "ISSUED")

    def is_validated(self, name: str) -> bool:
        """Return whether the validation CNAME of this domain name resolves."""
        owner, value = self.record(name)
        found = [answer.lower().rstrip(".") for answer in self.dns.resolve(owner, "CNAME")]
        return found == [value.rstrip(".")]

    def _set_status(self, certificate: RequestedCertificate, status: str) -> None:
        certificate.status = status
        region = certificate.arn.split(":")[3]
        bundle = self.account.backend("acm", region)._certificates.get(certificate.arn)
        if bundle is not None:
            bundle.status = status
            if certificate.leaf:
                bundle.cert = certificate.leaf.cert_chain_pems[0].bytes()
                bundle.chain = self.account.authority.root.read_bytes()
