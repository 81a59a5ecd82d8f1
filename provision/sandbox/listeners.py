"""Elastic Load Balancing: what listeners and rules refuse."""

from typing import TYPE_CHECKING, Any

from moto.elbv2.ssl_policies import SSL_POLICIES

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import before, behaves

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


@behaves(
    "elbv2.listener-port-used",
    "a load balancer has one listener a port",
    "DuplicateListener 400",
    "Elastic Load Balancing API Reference, CreateListener, Errors",
)
@before("elbv2", "CreateListener")
def listener_can_be(cloud: "Cloud", call: Call) -> None:
    """API CreateListener: one listener a port; HTTPS, and only HTTPS, has a certificate."""
    arn = call.params["LoadBalancerArn"]
    load_balancer = cloud.backend("elbv2", call.region).load_balancers.get(arn)
    if load_balancer is None:
        return
    if any(int(other.port) == call.params["Port"] for other in load_balancer.listeners.values()):
        raise Refusal(
            "DuplicateListener",
            f"A listener already exists on this port for this load balancer '{arn}'",
        )
    _check_tls(cloud, call, call.params.get("Protocol", ""))
    _check_target_groups(cloud, call.params.get("DefaultActions", []), arn)


@before("elbv2", "ModifyListener")
def listener_can_change(cloud: "Cloud", call: Call) -> None:
    """API ModifyListener: the same conditions as for a new one."""
    arn = call.params["ListenerArn"]
    for load_balancer in cloud.backend("elbv2", call.region).load_balancers.values():
        if arn not in load_balancer.listeners:
            continue
        listener = load_balancer.listeners[arn]
        port = call.params.get("Port")
        if any(
            int(other.port) == port for other in load_balancer.listeners.values()
            if other is not listener
        ):  # fmt: skip
            raise Refusal(
                "DuplicateListener",
                "A listener already exists on this port for this load balancer "
                f"'{load_balancer.arn}'",
            )
        if "Certificates" in call.params or call.params.get("Protocol") == "HTTP":
            _check_tls(cloud, call, call.params.get("Protocol", listener.protocol))
        _check_target_groups(cloud, call.params.get("DefaultActions", []), load_balancer.arn)


@before("elbv2", "AddListenerCertificates")
def certificates_can_be_added(cloud: "Cloud", call: Call) -> None:
    """API AddListenerCertificates: issued ones."""
    for certificate in call.params["Certificates"]:
        _check_certificate(cloud, certificate["CertificateArn"])


@before("elbv2", "CreateRule")
def rule_can_be(cloud: "Cloud", call: Call) -> None:
    """API CreateRule: a target group belongs to one load balancer."""
    load_balancer = call.params["ListenerArn"].replace(":listener/", ":loadbalancer/")
    _check_target_groups(cloud, call.params["Actions"], load_balancer.rpartition("/")[0])


def _check_tls(cloud: "Cloud", call: Call, protocol: str) -> None:
    certificates = [c["CertificateArn"] for c in call.params.get("Certificates", [])]
    if protocol == "HTTPS":
        if not certificates:
            raise Refusal("ValidationError", "A certificate must be specified for HTTPS listeners")
        if len(certificates) > 1:
            raise Refusal(
                "ValidationError",
                "Up to one certificate can be specified, but multiple certificates were specified",
            )
        _check_certificate(cloud, certificates[0])
        policy = call.params.get("SslPolicy")
        if policy is not None and policy not in SSL_POLICIES:
            raise Refusal("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    elif certificates or call.params.get("SslPolicy"):
        what = "Certificates" if certificates else "An SSL policy"
        raise Refusal("ValidationError", f"{what} cannot be specified for {protocol} listeners")


@behaves(
    "elbv2.certificate-not-issued",
    "a listener takes no certificate that is not ISSUED",
    "UnsupportedCertificate 400",
    "Elastic Load Balancing API Reference, CreateListener, Errors",
)
@behaves(
    "elbv2.certificate-issued-a-moment-ago",
    "a certificate issued a moment ago is not known to the load balancer yet",
    "CertificateNotFound 400",
    "terraform-provider-aws, resource aws_lb_listener: retries CertificateNotFound",
)
def _check_certificate(cloud: "Cloud", arn: str) -> None:
    """API CreateListener: CertificateNotFound for a moment after ISSUED, too."""
    if ":acm:" not in arn:
        return  # IAM's server certificates: moto looks for them
    bundle = cloud.backend("acm", arn.split(":")[3])._certificates.get(arn)
    certificate = cloud.acm.certificates.get(arn)
    now = cloud.clock.now()
    if bundle is None or (
        certificate is not None
        and certificate.issued_at is not None
        and now < certificate.issued_at + cloud.delays.certificate_usable
    ):
        raise Refusal("CertificateNotFound", f"Certificate '{arn}' not found")
    if bundle.status != "ISSUED":
        raise Refusal(
            "UnsupportedCertificate",
            f"The certificate '{arn}' must have a fully-qualified domain name, a supported "
            "signature, and a supported key size.",
        )


def _check_target_groups(cloud: "Cloud", actions: list[dict[str, Any]], to: str) -> None:
    """API CreateListener, TargetGroupAssociationLimit: one load balancer a target group."""
    for action in actions:
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        for arn in {action.get("TargetGroupArn"), *(g["TargetGroupArn"] for g in groups)} - {None}:
            if any(lb.arn != to for lb in cloud.elbv2.load_balancers_of(arn)):
                raise Refusal(
                    "TargetGroupAssociationLimit",
                    "The following target groups cannot be associated with more than one load "
                    f"balancer: {arn}",
                )
