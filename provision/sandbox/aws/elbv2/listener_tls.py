"""Elastic Load Balancing: checks of a listener's certificates and TLS policy.

No rule compares a certificate's names with host names: AWS does not either. Clients refuse the connection to
a listener whose certificate is for another name.
"""

import ssl

from moto.elbv2.ssl_policies import SSL_POLICIES

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.errors import validation_error


@behaves(
    "elbv2.https-without-certificate", "elbv2.unknown-tls-policy", "elbv2.http-with-certificate"
)
def check_tls(cloud: Cloud, call: Call, protocol: str) -> None:
    """Refuse certificates and TLS policies that a listener of this protocol cannot have."""
    certificates = [c["CertificateArn"] for c in call.params.get("Certificates", [])]
    if protocol == "HTTPS":
        if not certificates:
            raise validation_error("A certificate must be specified for HTTPS listeners")
        if len(certificates) > 1:
            raise validation_error(
                "Up to one certificate can be specified, but multiple certificates were specified"
            )
        check_certificate(cloud, call.region, certificates[0])
        policy = call.params.get("SslPolicy")
        if policy is not None and policy not in SSL_POLICIES:
            raise AwsError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    elif certificates or call.params.get("SslPolicy"):
        what = "Certificates" if certificates else "An SSL policy"
        raise validation_error(f"{what} cannot be specified for {protocol} listeners")


@behaves(
    "elbv2.certificate-of-another-region",
    "elbv2.certificate-not-issued",
    "elbv2.certificate-issued-a-moment-ago",
    "elbv2.certificate-unknown",
)
def check_certificate(cloud: Cloud, region: str, arn: str) -> None:
    """Refuse a certificate that does not exist, or was issued a moment ago (API CreateListener)."""
    if ":acm:" not in arn:
        return  # IAM's server certificates, which moto checks
    if arn.split(":")[3] != region:
        raise validation_error(f"Certificate ARN '{arn}' is not valid")
    bundle = cloud.backend("acm", region)._certificates.get(arn)
    certificate = cloud.acm.certificates.get(arn)
    now = cloud.clock.now()
    if bundle is None or (
        certificate is not None
        and certificate.issued_at is not None
        and now < certificate.issued_at + cloud.delays.certificate_usable
    ):
        raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")
    if bundle.status != "ISSUED":
        raise AwsError(
            "UnsupportedCertificate",
            f"The certificate '{arn}' must have a fully-qualified domain name, a supported "
            "signature, and a supported key size.",
        )


_VERSIONS = {
    "TLSv1": ssl.TLSVersion.MINIMUM_SUPPORTED,  # ssl.TLSVersion.TLSv1 raises a DeprecationWarning
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


def limit_to_policy(context: ssl.SSLContext, policy: str) -> None:
    """Set the TLS versions and ciphers of a server's context to those of a policy."""
    offered = SSL_POLICIES[policy]
    versions = sorted(_VERSIONS[name] for name in offered["ssl_protocols"])
    # OpenSSL's own security level would refuse TLS 1.0 and 1.1, which AWS's old policies allow.
    level = "" if versions[0] >= ssl.TLSVersion.TLSv1_2 else ":@SECLEVEL=0"
    older = [name for name in offered["ciphers"] if not name.startswith("TLS_")]
    if older:
        context.set_ciphers(":".join(older) + level)
    context.minimum_version, context.maximum_version = versions[0], versions[-1]
