"""ACM: requests, and validation in the delegated DNS."""

from typing import Any

import pytest

from tests.sandbox.conftest import REGION, Account


def request(account: Account, name: str = "example.jp", **more: Any) -> str:
    """Request a certificate; return its ARN."""
    answer = account.client("acm").request_certificate(
        DomainName=name, ValidationMethod="DNS", **more
    )
    return str(answer["CertificateArn"])


def describe(account: Account, arn: str) -> dict[str, Any]:
    return dict(account.client("acm").describe_certificate(CertificateArn=arn)["Certificate"])


def validation_record(account: Account, arn: str) -> tuple[str, str]:
    """Return name and value of the CNAME that DescribeCertificate requires."""
    record = describe(account, arn)["DomainValidationOptions"][0]["ResourceRecord"]
    return record["Name"], record["Value"]


@pytest.mark.behaviour("acm.resource-record-missing")
def test_resource_record_is_missing_for_seconds(account: Account) -> None:
    """The validation record appears `delays.resource_record` after the request."""
    arn = request(account)
    assert "ResourceRecord" not in describe(account, arn)["DomainValidationOptions"][0]
    account.clock.advance(account.cloud.delays.resource_record)
    name, value = validation_record(account, arn)
    assert name.endswith(".example.jp.")
    assert value.endswith(".acm-validations.aws.")


@pytest.mark.behaviour("acm.issued-by-its-records")
def test_certificate_is_issued_after_record_and_delegation(account: Account) -> None:
    """It is ISSUED `delays.certificate` after the record resolves, with a leaf of the authority."""
    zone = account.delegated_zone()
    arn = request(account)
    account.clock.advance(10)
    account.change(zone, "CREATE", *_cname(validation_record(account, arn)))
    account.clock.advance(account.cloud.delays.route53_sync + account.cloud.delays.certificate - 1)
    assert describe(account, arn)["Status"] == "PENDING_VALIDATION"
    account.clock.advance(2)
    issued = describe(account, arn)
    assert issued["Status"] == "ISSUED"
    (summary,) = account.client("acm").list_certificates()["CertificateSummaryList"]
    assert (issued["NotBefore"], issued["NotAfter"]) == (summary["NotBefore"], summary["NotAfter"])
    assert issued["DomainValidationOptions"][0]["ValidationStatus"] == "SUCCESS"
    assert {"IssuedAt", "NotAfter"} <= set(issued)
    assert account.cloud.acm.leaf(arn) is not None


@pytest.mark.behaviour("acm.no-validity-before-issued")
def test_pending_certificate_has_no_dates(account: Account) -> None:
    """It is not signed yet."""
    pending = describe(account, request(account))
    dates = {"IssuedAt", "NotBefore", "NotAfter", "Serial"}
    assert not dates & set(pending)
    (summary,) = account.client("acm").list_certificates()["CertificateSummaryList"]
    assert not dates & set(summary)


@pytest.mark.behaviour("acm.too-many-names")
def test_ten_names_at_most(account: Account) -> None:
    """The first name counts too, once."""
    others = [f"bot{number}.example.jp" for number in range(10)]
    refused = account.refusal(request, account=account, SubjectAlternativeNames=others)
    expected = ("LimitExceededException", 400, "Certificate has too many domains.")
    assert expected == refused
    request(account, SubjectAlternativeNames=["example.jp", *others[:9]])


@pytest.mark.behaviour("acm.not-a-public-domain")
def test_name_that_is_not_public(account: Account) -> None:
    """A name of the local network is rejected."""
    arn = request(account, name="bot.local")
    account.clock.advance(1)
    found = describe(account, arn)
    assert ("FAILED", "INVALID_PUBLIC_DOMAIN") == (found["Status"], found.get("FailureReason"))


@pytest.mark.behaviour("acm.same-record-for-a-name")
def test_name_keeps_its_record(account: Account) -> None:
    """A second request or a wildcard needs the same record; another name needs its own."""
    arns = [request(account), request(account), request(account, name="*.example.jp")]
    arns.append(request(account, name="other.jp"))
    account.clock.advance(account.cloud.delays.resource_record)
    records = [validation_record(account, arn) for arn in arns]
    assert records[0] == records[1] == records[2]
    assert records[0][0].partition(".")[0] != records[3][0].partition(".")[0]


@pytest.mark.behaviour("acm.not-issued-without-delegation")
def test_certificate_is_not_issued_without_delegation(account: Account) -> None:
    """A valid record in a zone without delegation is not enough; with delegation it is."""
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
        ('128 tbs "unknown"', "FAILED"),
        ('0 tbs "unknown"', "ISSUED"),
        ('128 iodef "mailto:a@example.jp"', "ISSUED"),
    ],
)
@pytest.mark.behaviour("acm.caa-excludes-amazon", "acm.caa-critical")
def test_caa_decides(account: Account, record: str, status: str) -> None:
    """A CAA record of the domain without an Amazon issuer fails the certificate."""
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


@pytest.mark.behaviour("acm.validation-gives-up")
def test_validation_gives_up_after_72_hours(account: Account) -> None:
    """A certificate that is never validated ends as VALIDATION_TIMED_OUT."""
    arn = request(account)
    account.clock.step = 3600
    account.clock.advance(72 * 3600)
    assert describe(account, arn)["Status"] == "VALIDATION_TIMED_OUT"


@pytest.mark.behaviour("acm.caa-behind-a-cname")
def test_caa_of_what_a_cname_points_at(account: Account) -> None:
    """The name itself has no CAA records; the CNAME's target has."""
    zone = account.delegated_zone()
    account.change(zone, "CREATE", "bot.example.jp", "CNAME", "host.other.jp")
    host = account.delegated_zone("other.jp")
    account.change(host, "CREATE", "host.other.jp", "CAA", '0 issue "letsencrypt.org"')
    arn = request(account, name="bot.example.jp")
    account.clock.advance(account.cloud.delays.route53_sync)
    account.change(zone, "CREATE", *_cname(validation_record(account, arn)))
    account.clock.advance(200)
    found = describe(account, arn)
    assert ("FAILED", "CAA_ERROR") == (found["Status"], found.get("FailureReason"))


def _cname(record: tuple[str, str]) -> tuple[str, str, str]:
    return record[0], "CNAME", record[1]


def listed(account: Account, region: str = REGION, **filters: Any) -> list[str]:
    """Return the ARNs of ListCertificates."""
    acm = account.aws_session.session.client("acm", region_name=region)
    return [s["CertificateArn"] for s in acm.list_certificates(**filters)["CertificateSummaryList"]]


@pytest.mark.behaviour("acm.lists-two-key-types")
def test_elliptic_keys_are_listed_when_asked_for(account: Account) -> None:
    """A certificate with an EC key is listed only if its key type is requested."""
    rsa, elliptic = request(account), request(account, KeyAlgorithm="EC_prime256v1")
    assert [rsa] == listed(account)
    assert [elliptic] == listed(account, Includes={"keyTypes": ["EC_prime256v1"]})
    both = listed(account, Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]})
    assert [rsa, elliptic] == both
    assert "EC_prime256v1" == describe(account, elliptic)["KeyAlgorithm"]


@pytest.mark.behaviour("acm.lists-other-roots-when-asked")
def test_list_of_other_roots(account: Account) -> None:
    """There are none here; each region has its own list."""
    arn = request(account)
    assert [] == listed(account, RootHierarchyTypes=["N2_AMAZON_MANAGED"])
    assert [] == listed(account, "us-east-1")
    assert [arn] == listed(account, CertificateStatuses=["PENDING_VALIDATION"])


@pytest.mark.behaviour("acm.update-options")
def test_options_change(account: Account) -> None:
    """DescribeCertificate shows them."""
    acm = account.client("acm")
    arn = acm.request_certificate(DomainName="example.jp")["CertificateArn"]
    options = {"CertificateTransparencyLoggingPreference": "DISABLED"}
    acm.update_certificate_options(CertificateArn=arn, Options=options)
    found = acm.describe_certificate(CertificateArn=arn)["Certificate"]["Options"]
    assert "DISABLED" == found["CertificateTransparencyLoggingPreference"]
    code, status, _ = account.refusal(
        acm.update_certificate_options, CertificateArn=arn[:-1] + "x", Options=options
    )
    assert ("ResourceNotFoundException", 400) == (code, status)
