"""Elastic Load Balancing: listeners, rules and target groups."""

from typing import Any

import pytest

from .conftest import Account

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


@pytest.mark.behaviour("elbv2.certificate-not-issued")
def test_https_needs_an_issued_certificate(account: Account) -> None:
    """None: refused; pending: UnsupportedCertificate; unknown: CertificateNotFound."""
    load_balancer = account.load_balancer()["LoadBalancerArn"]
    refused = account.refusal(https, account=account, load_balancer=load_balancer)
    assert refused[:2] == ("ValidationError", 400)
    pending = account.client("acm").request_certificate(DomainName="example.jp")["CertificateArn"]
    code, status, message = account.refusal(lambda: https(account, load_balancer, pending))
    assert (code, status) == ("UnsupportedCertificate", 400)
    assert pending in message
    unknown = pending[:-12] + "000000000000"
    refused = account.refusal(lambda: https(account, load_balancer, unknown))
    assert ("CertificateNotFound", 400, f"Certificate '{unknown}' not found") == refused
    https(account, load_balancer, account.certificate("other.jp"))


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
    """A second listener on a port is refused, on another port it is not."""
    load_balancer = account.load_balancer()["LoadBalancerArn"]
    group = account.target_group()
    account.listener(load_balancer, group, 80)
    refused = account.refusal(lambda: account.listener(load_balancer, group, 80))
    assert (
        "DuplicateListener",
        400,
        f"A listener already exists on this port for this load balancer '{load_balancer}'",
    ) == refused
    other = account.listener(load_balancer, group, 81)
    modify = account.client("elbv2").modify_listener
    refused = account.refusal(modify, ListenerArn=other, Port=80)
    assert refused[0] == "DuplicateListener"


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


def test_target_group_in_use_stays(account: Account) -> None:
    """A rule that forwards, or a default action, keeps the target group."""
    elbv2 = account.client("elbv2")
    group = account.target_group()
    forward = {"TargetGroups": [{"TargetGroupArn": group}]}
    listener = elbv2.create_listener(
        LoadBalancerArn=account.load_balancer()["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[REDIRECT],
    )["Listeners"][0]["ListenerArn"]
    rule = elbv2.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/warm"]}],
        Actions=[{"Type": "forward", "ForwardConfig": forward}],
    )["Rules"][0]["RuleArn"]
    code, status, message = account.refusal(elbv2.delete_target_group, TargetGroupArn=group)
    assert (code, status) == ("ResourceInUse", 400)
    assert message.endswith(f"'{group}' is currently in use by a listener or a rule")
    elbv2.delete_rule(RuleArn=rule)
    elbv2.delete_target_group(TargetGroupArn=group)


def test_target_group_belongs_to_one_load_balancer(account: Account) -> None:
    """A second load balancer may not forward to it."""
    group = account.target_group()
    account.listener(account.load_balancer("one")["LoadBalancerArn"], group)
    other = account.load_balancer("two")["LoadBalancerArn"]
    refused = account.refusal(lambda: account.listener(other, group))
    assert refused[:2] == ("TargetGroupAssociationLimit", 400)
