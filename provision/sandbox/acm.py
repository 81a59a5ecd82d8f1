"""ACM: what it shows, and what it refuses, while a certificate is requested, issued and used."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.certificates import Certificate
from provision.sandbox.rules import Answer, after, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


def _key(call: Call) -> tuple[Any, ...] | None:
    token = call.params.get("IdempotencyToken")
    names = tuple(call.params.get("SubjectAlternativeNames", []))
    return (call.region, token, call.params["DomainName"], names) if token else None


@before("acm", "RequestCertificate")
def same_token_same_certificate(cloud: "Cloud", call: Call) -> Answer | None:
    """API RequestCertificate: within an hour the same token asks for the same certificate."""
    key = _key(call)
    arn = cloud.acm.remembered(key) if key else None
    # moto compares tokens on real time, and tokens only.
    cloud.backend("acm", call.region)._idempotency_tokens.clear()
    return {"CertificateArn": arn} if arn else None


@after("acm", "RequestCertificate")
def validation_begins(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """User Guide, DNS validation: one CNAME per name, pending until it resolves."""
    first = call.params["DomainName"]
    others = [n for n in call.params.get("SubjectAlternativeNames", []) if n != first]
    cloud.acm.requested(answer["CertificateArn"], [first, *others], _key(call))


@after("acm", "DescribeCertificate")
def certificate_as_it_is(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API DescribeCertificate: no ResourceRecord for seconds, no validity before it is issued."""
    detail = answer["Certificate"]
    detail["InUseBy"] = cloud.acm.in_use_by(detail["CertificateArn"])
    certificate = cloud.acm.certificates.get(detail["CertificateArn"])
    if certificate is None:
        return  # imported
    success = certificate.issued_at is not None
    detail["Status"] = certificate.status
    detail["SubjectAlternativeNames"] = certificate.names
    detail["DomainValidationOptions"] = [
        _validation(cloud, certificate, name, success) for name in certificate.names
    ]
    detail["CreatedAt"] = datetime.fromtimestamp(certificate.requested_at, UTC)
    detail.pop("IssuedAt", None)
    if certificate.issued_at is not None:
        detail["IssuedAt"] = datetime.fromtimestamp(certificate.issued_at, UTC)
    else:
        for unknown in ("NotBefore", "NotAfter", "Serial", "Issuer", "SignatureAlgorithm"):
            detail.pop(unknown, None)
    if certificate.failure:
        detail["FailureReason"] = certificate.failure


def _validation(
    cloud: "Cloud", certificate: Certificate, name: str, success: bool
) -> dict[str, Any]:
    pending = "PENDING_VALIDATION" if certificate.status == "PENDING_VALIDATION" else "FAILED"
    option: dict[str, Any] = {
        "DomainName": name,
        "ValidationDomain": name,
        "ValidationStatus": "SUCCESS" if success else pending,
        "ValidationMethod": "DNS",
    }
    if cloud.acm.records_shown(certificate):
        owner, value = cloud.acm.record(name)
        option["ResourceRecord"] = {"Name": owner, "Type": "CNAME", "Value": value}
    return option


@before("acm", "DeleteCertificate")
def certificate_is_free(cloud: "Cloud", call: Call) -> None:
    """API DeleteCertificate, ResourceInUseException."""
    arn = call.params["CertificateArn"]
    users = cloud.acm.in_use_by(arn)
    if users:
        raise Refusal("ResourceInUseException", f"Certificate {arn} in account is in use.")


@after("acm", "DeleteCertificate")
def certificate_is_gone(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """Its validation ends with it."""
    cloud.acm.certificates.pop(call.params["CertificateArn"], None)
