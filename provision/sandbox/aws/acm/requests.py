"""ACM: requests, lists, descriptions and deletion of certificates."""

from datetime import UTC, datetime
from typing import Any

from provision.sandbox.aws.acm.state import RequestedCertificate
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.rules import Answer, after, before

_MAX_NAMES = 10  # ACM User Guide, Quotas: domain names per certificate, the first one included

behaves("acm.parameter-outside-its-alphabet")(constraint_rule)
before("acm", "*")(constraint_rule("ValidationException"))


def _key(call: Call) -> tuple[Any, ...] | None:
    token = call.params.get("IdempotencyToken")
    names = tuple(call.params.get("SubjectAlternativeNames", []))
    return (call.region, token, call.params["DomainName"], names) if token else None


@behaves("acm.too-many-names")
@before("acm", "RequestCertificate")
def check_number_of_names(cloud: Cloud, call: Call) -> None:
    """Refuse more names than the quota (User Guide, Quotas)."""
    names = {call.params["DomainName"], *call.params.get("SubjectAlternativeNames", [])}
    if len(names) > _MAX_NAMES:
        raise AwsError("LimitExceededException", "Certificate has too many domains.")


@behaves("acm.idempotency-token", "acm.idempotency-token-expires")
@before("acm", "RequestCertificate")
def answer_repeated_token(cloud: Cloud, call: Call) -> Answer | None:
    """Return the certificate requested with the same token within the hour (API RequestCertificate)."""
    key = _key(call)
    arn = cloud.acm.find_by_token(key) if key else None
    # moto compares only tokens, and by real time.
    cloud.backend("acm", call.region)._idempotency_tokens.clear()
    return {"CertificateArn": arn} if arn else None


@after("acm", "RequestCertificate")
def start_validation(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Start validation with one CNAME per name, pending until it resolves (User Guide, DNS validation)."""
    first = call.params["DomainName"]
    others = [n for n in call.params.get("SubjectAlternativeNames", []) if n != first]
    cloud.acm.add(answer["CertificateArn"], [first, *others], _key(call))
    if algorithm := call.params.get("KeyAlgorithm"):
        cloud.acm.certificates[answer["CertificateArn"]].key_algorithm = algorithm


@behaves("acm.lists-two-key-types", "acm.lists-other-roots-when-asked")
@before("acm", "ListCertificates")
def list_by_key_type(cloud: Cloud, call: Call) -> Answer | None:
    """List certificates by key type (API ListCertificates); in moto every key is RSA 2048."""
    if call.region not in cloud.regions("acm") or "RootHierarchyTypes" in call.params:
        return {"CertificateSummaryList": []}
    wanted = call.params.get("Includes", {}).get("keyTypes", ["RSA_1024", "RSA_2048"])
    listed = cloud.backend("acm", call.region).list_certificates(
        call.params.get("CertificateStatuses"), {}
    )
    summaries = [_summary(cloud, bundle.describe()["Certificate"]) for bundle in listed]
    return {"CertificateSummaryList": [s for s in summaries if s["KeyAlgorithm"] in wanted]}


def _summary(cloud: Cloud, detail: dict[str, Any]) -> dict[str, Any]:
    """Return a certificate as ListCertificates shows it."""
    arn = detail["CertificateArn"]
    certificate = cloud.acm.certificates.get(arn)
    is_valid = certificate is None or certificate.issued_at is not None
    return {
        **{date: detail[date] for date in ("NotBefore", "NotAfter") if is_valid and date in detail},
        "CertificateArn": arn,
        "DomainName": detail["DomainName"],
        "SubjectAlternativeNameSummaries": detail["SubjectAlternativeNames"],
        "HasAdditionalSubjectAlternativeNames": False,
        "Status": detail["Status"],
        "Type": detail["Type"],
        "KeyAlgorithm": certificate.key_algorithm if certificate else detail["KeyAlgorithm"],
        "InUse": bool(cloud.acm.in_use_by(arn)),
    }


@behaves("acm.resource-record-missing", "acm.no-validity-before-issued")
@after("acm", "DescribeCertificate")
def describe_certificate(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Omit ResourceRecord for the first seconds, and validity before issue (API DescribeCertificate)."""
    detail = answer["Certificate"]
    detail["InUseBy"] = cloud.acm.in_use_by(detail["CertificateArn"])
    certificate = cloud.acm.certificates.get(detail["CertificateArn"])
    if certificate is None:
        return  # imported
    success = certificate.issued_at is not None
    detail["KeyAlgorithm"] = certificate.key_algorithm
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
    cloud: Cloud, certificate: RequestedCertificate, name: str, success: bool
) -> dict[str, Any]:
    pending = "PENDING_VALIDATION" if certificate.status == "PENDING_VALIDATION" else "FAILED"
    option: dict[str, Any] = {
        "DomainName": name,
        "ValidationDomain": name,
        "ValidationStatus": "SUCCESS" if success else pending,
        "ValidationMethod": "DNS",
    }
    if cloud.acm.has_records(certificate):
        owner, value = cloud.acm.record(name)
        option["ResourceRecord"] = {"Name": owner, "Type": "CNAME", "Value": value}
    return option


@behaves("acm.update-options")
@before("acm", "UpdateCertificateOptions")
def update_options(cloud: Cloud, call: Call) -> Answer:
    """Change the options of a certificate (API UpdateCertificateOptions)."""
    arn = call.params["CertificateArn"]
    certificate = cloud.backend("acm", call.region)._certificates.get(arn)
    if certificate is None:
        raise AwsError("ResourceNotFoundException", f"Could not find certificate {arn}.")
    certificate.cert_options |= call.params["Options"]
    return {}


@behaves("acm.certificate-in-use")
@before("acm", "DeleteCertificate")
def check_unused(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a certificate in use (API DeleteCertificate, ResourceInUseException)."""
    arn = call.params["CertificateArn"]
    users = cloud.acm.in_use_by(arn)
    if users:
        raise AwsError(
            "ResourceInUseException", f"Certificate {arn} in account {cloud.account_id} is in use."
        )


@after("acm", "DeleteCertificate")
def end_validation(cloud: Cloud, call: Call, answer: Answer) -> None:
    """End the validation of a deleted certificate."""
    cloud.acm.certificates.pop(call.params["CertificateArn"], None)
