"""ACM: idempotency tokens, and certificates in use."""

import pytest

from tests.sandbox.aws.acm.test_requests import describe, request
from tests.sandbox.conftest import Account


@pytest.mark.behaviour("acm.idempotency-token")
def test_idempotency_token(account: Account) -> None:
    """The same token and names return the same certificate; other names or another token create one."""
    first = request(account, IdempotencyToken="t1")
    assert first == request(account, IdempotencyToken="t1")
    assert first != request(account, name="other.jp", IdempotencyToken="t1")
    assert first != request(account, IdempotencyToken="t2")


@pytest.mark.behaviour("acm.idempotency-token-expires")
def test_idempotency_token_lives_an_hour(account: Account) -> None:
    """Afterwards the same request creates a second certificate."""
    first = request(account, IdempotencyToken="t1")
    account.clock.step = 600
    account.clock.advance(3600)
    assert first != request(account, IdempotencyToken="t1")


def serve(account: Account, certificate: str) -> tuple[str, str]:
    """Create a load balancer and a listener with this certificate; return their ARNs."""
    balancer = account.load_balancer()["LoadBalancerArn"]
    listener = account.client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": account.target_group()}],
    )["Listeners"][0]["ListenerArn"]
    return balancer, listener


@pytest.mark.behaviour("acm.certificate-in-use")
def test_certificate_in_use_stays(account: Account) -> None:
    """DeleteCertificate fails while a listener uses it; InUseBy contains the load balancer."""
    arn = account.certificate()
    balancer, _ = serve(account, arn)
    assert [balancer] == describe(account, arn)["InUseBy"]
    refused = account.refusal(account.client("acm").delete_certificate, CertificateArn=arn)
    expected = f"Certificate {arn} in account 123456789012 is in use."
    assert ("ResourceInUseException", 400, expected) == refused


@pytest.mark.behaviour("acm.certificate-in-use-lingers")
@pytest.mark.parametrize("gone", ["listener", "load balancer", "certificate"])
def test_certificate_is_in_use_for_a_while_longer(account: Account, gone: str) -> None:
    """After its listener or load balancer is deleted, or the listener uses another one."""
    arn, acm, elbv2 = account.certificate(), account.client("acm"), account.client("elbv2")
    balancer, listener = serve(account, arn)
    match gone:
        case "listener":
            elbv2.delete_listener(ListenerArn=listener)
        case "load balancer":
            elbv2.delete_load_balancer(LoadBalancerArn=balancer)
        case "certificate":
            other = [{"CertificateArn": account.certificate("other.jp")}]
            elbv2.modify_listener(ListenerArn=listener, Certificates=other)
    account.clock.advance(account.cloud.delays.certificate_in_use - 1)
    refused = account.refusal(acm.delete_certificate, CertificateArn=arn)
    assert "ResourceInUseException" == refused[0]
    account.clock.advance(1)
    assert [] == describe(account, arn)["InUseBy"]
    acm.delete_certificate(CertificateArn=arn)
    refused = account.refusal(acm.describe_certificate, CertificateArn=arn)
    assert "ResourceNotFoundException" == refused[0]
