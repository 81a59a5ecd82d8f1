"""Elastic Load Balancing: listeners, their ports and certificates."""

from typing import Any

import pytest

from tests.sandbox.conftest import REGION, Account

REDIRECT = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
}


def https(account: Account, load_balancer: str, *certificates: str, **more: Any) -> Any:
    """Create an HTTPS listener that redirects."""
    return account.client("elbv2").create_listener(
        LoadBalancerArn=load_balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn} for arn in certificates],
        DefaultActions=[REDIRECT],
        **more,
    )


@pytest.mark.behaviour("elbv2.https-without-certificate")
def test_https_needs_one_certificate(account: Account) -> None:
    """None and two are rejected."""
    balancer, certificate = account.load_balancer()["LoadBalancerArn"], account.certificate()
    refused = account.refusal(lambda: https(account, balancer))
    expected = "A certificate must be specified for HTTPS listeners"
    assert ("ValidationError", 400, expected) == refused
    refused = account.refusal(lambda: https(account, balancer, certificate, certificate))
    assert refused[2].startswith("Up to one certificate can be specified")


@pytest.mark.behaviour("elbv2.certificate-not-issued")
def test_https_needs_an_issued_certificate(account: Account) -> None:
    """A pending one is rejected; an issued one is not."""
    balancer = account.load_balancer()["LoadBalancerArn"]
    pending = account.client("acm").request_certificate(DomainName="example.jp")["CertificateArn"]
    code, status, message = account.refusal(lambda: https(account, balancer, pending))
    assert (code, status) == ("UnsupportedCertificate", 400)
    assert pending in message
    https(account, balancer, account.certificate("other.jp"))


@pytest.mark.behaviour("elbv2.certificate-unknown")
def test_https_needs_a_certificate_that_exists(account: Account) -> None:
    """Deleted or unknown: CertificateNotFound."""
    balancer = account.load_balancer()["LoadBalancerArn"]
    unknown = f"arn:aws:acm:{REGION}:123456789012:certificate/00000000"
    refused = account.refusal(lambda: https(account, balancer, unknown))
    assert ("CertificateNotFound", 400, f"Certificate '{unknown}' not found") == refused


@pytest.mark.behaviour("elbv2.certificate-of-another-region")
def test_certificate_of_another_region(account: Account) -> None:
    """A certificate in us-east-1 cannot be used in another region."""
    balancer = account.load_balancer()["LoadBalancerArn"]
    foreign = account.certificate().replace(REGION, "us-east-1")
    refused = account.refusal(lambda: https(account, balancer, foreign))
    assert ("ValidationError", 400, f"Certificate ARN '{foreign}' is not valid") == refused


@pytest.mark.behaviour("elbv2.certificate-issued-a-moment-ago")
def test_certificate_is_unusable_for_a_moment(account: Account) -> None:
    """Just issued: CertificateNotFound until `delays.certificate_usable` has passed."""
    account.cloud.delays.certificate_usable = 100
    certificate = account.certificate()
    load_balancer = account.load_balancer()["LoadBalancerArn"]
    refused = account.refusal(lambda: https(account, load_balancer, certificate))
    assert refused[:2] == ("CertificateNotFound", 400)
    account.clock.advance(100)
    https(account, load_balancer, certificate, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")


@pytest.mark.behaviour("elbv2.unknown-tls-policy")
def test_unknown_tls_policy(account: Account) -> None:
    """A policy that does not exist is SSLPolicyNotFound."""
    certificate = account.certificate()
    load_balancer = account.load_balancer()["LoadBalancerArn"]
    refused = account.refusal(
        lambda: https(account, load_balancer, certificate, SslPolicy="ELBSecurityPolicy-1999")
    )
    assert refused[:2] == ("SSLPolicyNotFound", 400)


@pytest.mark.behaviour("elbv2.listener-port-used")
def test_one_listener_a_port(account: Account) -> None:
    """A second, different listener is rejected; on another port it is not."""
    load_balancer = account.load_balancer()["LoadBalancerArn"]
    account.listener(load_balancer, account.target_group(), 80)
    other = account.target_group("other")
    refused = account.refusal(lambda: account.listener(load_balancer, other, 80))
    assert (
        "DuplicateListener",
        400,
        f"A listener already exists on this port for this load balancer '{load_balancer}'",
    ) == refused
    account.listener(load_balancer, other, 81)


@pytest.mark.behaviour("elbv2.listener-same-settings")
def test_the_same_listener_again(account: Account) -> None:
    """CreateListener again returns the first one, HTTP or HTTPS."""
    balancer, group = account.load_balancer()["LoadBalancerArn"], account.target_group()
    assert account.listener(balancer, group) == account.listener(balancer, group)
    certificate = account.certificate()
    first, again = (https(account, balancer, certificate)["Listeners"] for _ in range(2))
    assert first[0]["ListenerArn"] == again[0]["ListenerArn"]
    assert [{"CertificateArn": certificate}] == again[0]["Certificates"]
    shown = account.client("elbv2").describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    assert 2 == len(shown)


@pytest.mark.behaviour("elbv2.modified-port-used")
def test_listener_moves_to_a_free_port(account: Account) -> None:
    """Another listener's port is in use, its own is not."""
    balancer, group = account.load_balancer()["LoadBalancerArn"], account.target_group()
    account.listener(balancer, group, 80)
    other = account.listener(balancer, group, 81)
    modify = account.client("elbv2").modify_listener
    refused = account.refusal(modify, ListenerArn=other, Port=80)
    assert ("ValidationError", 400, "Listener port '80' is already in use") == refused
    for port in (81, 82):
        modify(ListenerArn=other, Port=port)


@pytest.mark.behaviour("elbv2.http-with-certificate")
def test_http_has_no_certificate(account: Account) -> None:
    """Certificates belong to HTTPS listeners."""
    certificate = account.certificate()
    refused = account.refusal(
        account.client("elbv2").create_listener,
        LoadBalancerArn=account.load_balancer()["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[REDIRECT],
    )
    expected = "Certificates cannot be specified for HTTP listeners"
    assert ("ValidationError", 400, expected) == refused
