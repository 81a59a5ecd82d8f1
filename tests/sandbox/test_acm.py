"""ACM: validation in the delegated DNS, idempotency, and certificates in use."""

from typing import Any

import pytest

from .conftest import Account


def request(account: Account, name: str = "example.jp", **more: Any) -> str:
    """The ARN of a newly requested certificate."""
    answer = account.client("acm").request_certificate(
        DomainName=name, ValidationMethod="DNS", **more
    )
    return str(answer["CertificateArn"])


def describe(account: Account, arn: str) -> dict[str, Any]:
    return dict(account.client("acm").describe_certificate(CertificateArn=arn)["Certificate"])


def validation_record(account: Account, arn: str) -> tuple[str, str]:
    """Name and value of the CNAME that DescribeCertificate asks for."""
    record = describe(account, arn)["DomainValidationOptions"][0]["ResourceRecord"]
    return record["Name"], record["Value"]


def test_resource_record_is_missing_for_seconds(account: Account) -> None:
    """The validation record is shown only `delays.resource_record` after the request."""
    arn = request(account)
    assert "ResourceRecord" not in describe(account, arn)["DomainValidationOptions"][0]
    account.clock.advance(account.cloud.delays.resource_record)
    name, value = validation_record(account, arn)
    assert name.endswith(".example.jp.")
    assert value.endswith(".acm-validations.aws.")


def test_certificate_is_issued_after_record_and_delegation(account: Account) -> None:
    """ISSUED comes `delays.certificate` after the record resolves, with the authority's leaf."""
    zone = account.delegated_zone()
    arn = request(account)
    account.clock.advance(10)
    account.change(zone, "CREATE", *_cname(validation_record(account, arn)))
    account.clock.advance(account.cloud.delays.route53_sync + account.cloud.delays.certificate - 1)
    pending = describe(account, arn)
    assert pending["Status"] == "PENDING_VALIDATION"
    assert not {"IssuedAt", "NotAfter", "Serial"} & set(pending)
    account.clock.advance(2)
    issued = describe(account, arn)
    assert issued["Status"] == "ISSUED"
    assert issued["DomainValidationOptions"][0]["ValidationStatus"] == "SUCCESS"
    assert {"IssuedAt", "NotAfter"} <= set(issued)
    assert account.cloud.acm.leaf(arn) is not None


def test_certificate_is_not_issued_without_delegation(account: Account) -> None:
    """A right record in a zone that the registrar does not name proves nothing; then it does."""
    zone = account.hosted_zone()
    arn = request(account)
    account.clock.advance(10)
    account.change(zone["HostedZone"]["Id"], "CREATE", *_cname(validation_record(account, arn)))
    account.clock.advance(1000)
    assert describe(account, arn)["Status"] == "PENDING_VALIDATION"
    account.cloud.registrar.enter("example.jp", zone["DelegationSet"]["NameServers"])
    account.clock.advance(account.cloud.delays.certificate + 1)
    assert describe(account, arn)["Status"] == "ISSUED"


def test_wrong_record_proves_nothing(account: Account) -> None:
    """A CNAME with another value leaves the certificate pending."""
    zone = account.delegated_zone()
    arn = request(account)
    account.clock.advance(10)
    name, _ = validation_record(account, arn)
    account.change(zone, "CREATE", name, "CNAME", "_other.acm-validations.aws.")
    account.clock.advance(1000)
    assert describe(account, arn)["Status"] == "PENDING_VALIDATION"


def test_all_names_are_validated(account: Account) -> None:
    """One record of two is not enough; a wildcard needs its parent's record only."""
    zone = account.delegated_zone()
    both = ["*.example.jp", "www.example.jp"]
    arn = request(account, SubjectAlternativeNames=both)
    account.clock.advance(10)
    options = describe(account, arn)["DomainValidationOptions"]
    assert ["example.jp", *both] == [option["DomainName"] for option in options]
    records = [(o["ResourceRecord"]["Name"], o["ResourceRecord"]["Value"]) for o in options]
    assert records[0] == records[1]
    account.change(zone, "CREATE", *_cname(records[0]))
    account.clock.advance(1000)
    assert describe(account, arn)["Status"] == "PENDING_VALIDATION"
    account.change(zone, "CREATE", *_cname(records[2]))
    account.clock.advance(1000)
    assert describe(account, arn)["Status"] == "ISSUED"


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ('0 issue "letsencrypt.org"', "FAILED"),
        ('0 issue ";"', "FAILED"),
        ('0 issue "amazon.com"', "ISSUED"),
        ('0 iodef "mailto:a@example.jp"', "ISSUED"),
    ],
)
def test_caa_decides(account: Account, record: str, status: str) -> None:
    """A CAA record of the domain that names no Amazon issuer fails the certificate."""
    zone = account.delegated_zone()
    account.change(zone, "CREATE", "example.jp", "CAA", record)
    account.clock.advance(account.cloud.delays.route53_sync)
    arn = request(account, name="bot.example.jp")
    account.clock.advance(10)
    account.change(zone, "CREATE", *_cname(validation_record(account, arn)))
    account.clock.advance(200)
    found = describe(account, arn)
    assert status == found["Status"]
    assert ("CAA_ERROR" if status == "FAILED" else None) == found.get("FailureReason")


def test_validation_gives_up_after_72_hours(account: Account) -> None:
    """A certificate that nobody validates ends as VALIDATION_TIMED_OUT."""
    arn = request(account)
    account.clock.step = 3600
    account.clock.advance(72 * 3600)
    assert describe(account, arn)["Status"] == "VALIDATION_TIMED_OUT"


def test_idempotency_token_lives_an_hour(account: Account) -> None:
    """Same token and names: the same certificate within the hour, another one later."""
    first = request(account, IdempotencyToken="t1")
    assert first == request(account, IdempotencyToken="t1")
    assert first != request(account, name="other.jp", IdempotencyToken="t1")
    assert first != request(account, IdempotencyToken="t2")
    account.clock.step = 600
    account.clock.advance(3600)
    assert first != request(account, IdempotencyToken="t1")


def test_certificate_in_use_stays(account: Account) -> None:
    """DeleteCertificate is refused while a listener has it; InUseBy names the load balancer."""
    arn = account.certificate()
    load_balancer = account.load_balancer()["LoadBalancerArn"]
    listener = account.client("elbv2").create_listener(
        LoadBalancerArn=load_balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": account.target_group()}],
    )["Listeners"][0]["ListenerArn"]
    assert [load_balancer] == describe(account, arn)["InUseBy"]
    acm = account.client("acm")
    code, status, message = account.refusal(acm.delete_certificate, CertificateArn=arn)
    assert (code, status) == ("ResourceInUseException", 400)
    assert arn in message
    account.client("elbv2").delete_listener(ListenerArn=listener)
    assert describe(account, arn)["InUseBy"] == []
    acm.delete_certificate(CertificateArn=arn)
    assert account.refusal(
        acm.describe_certificate, CertificateArn=arn
    )[0] == "ResourceNotFoundException"  # fmt: skip


def _cname(record: tuple[str, str]) -> tuple[str, str, str]:
    return record[0], "CNAME", record[1]
