"""The validation record is kept while a certificate of another key type or region may need it."""

from typing import Any

import boto3
import pytest

from provision.clients.aws import Aws
from provision.sandbox.aws.in_process import attach
from provision.state.stack_file import StackFile
from tests.provision.conftest import AwsSession, Env

KEY = "validation_record/bot.example.jp"
KEPT = {"certificate/bot.example.jp", KEY, "zone/example.jp"}
NOT_OURS = {"network/default", "service_linked_role"}


def acm_in_region(aws_session: AwsSession, region: str) -> Any:
    """Return an ACM client for another region of the same account."""
    session = boto3.Session("access", "secret", region_name=region)
    attach(session, lambda environ, start: aws_session.application(environ, start))
    return session.client("acm")


def cname_names(env: Env) -> list[str]:
    """Return the names of the CNAMEs in all zones."""
    route53 = env.aws_session.client("route53")
    return [
        record["Name"]
        for zone in route53.list_hosted_zones()["HostedZones"]
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])[
            "ResourceRecordSets"
        ]
        if record["Type"] == "CNAME"
    ]


def validation_name(acm: Any, arn: str) -> str:
    """Return the name of the record that validates a certificate."""
    option = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    return str(option[0]["ResourceRecord"]["Name"])


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("region", "wanted"),
    [
        ("ap-northeast-1", {"KeyAlgorithm": "EC_prime256v1"}),
        ("us-east-1", {}),
        (
            "us-east-1",
            {"DomainName": "example.jp", "SubjectAlternativeNames": ["bot.example.jp"]},
        ),
        ("ap-northeast-1", {"KeyAlgorithm": "EC_secp384r1", "DomainName": "*.bot.example.jp"}),
        ("eu-west-1", {"KeyAlgorithm": "EC_prime256v1"}),
    ],
)
def test_another_certificate_keeps_the_record(
    env: Env, region: str, wanted: dict[str, Any]
) -> None:
    """It is kept with its zone, the other certificate is named, and nothing counts as left."""
    env.set(host="bot.example.jp")
    assert [] == env.setup().errors
    acm = acm_in_region(env.aws_session, region)
    given = {"DomainName": "bot.example.jp", "ValidationMethod": "DNS", **wanted}
    arn = acm.request_certificate(**given)["CertificateArn"]
    env.clock.advance(600)
    name = validation_name(acm, arn) if "SubjectAlternativeNames" not in wanted else ""
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert KEPT == set(result.kept) - NOT_OURS
    expected = f"others use it: {arn}; when they no longer do, run the same command again"
    assert expected == result.kept[KEY]
    assert name in ("", *cname_names(env))
    acm.delete_certificate(CertificateArn=arn)
    again = env.teardown(everything=True)
    assert ([], KEPT) == (again.left, set(again.deleted))
    assert {} == env.inventory()


def test_certificate_whose_names_are_not_all_listed(env: Env) -> None:
    """ListCertificates shows 100 names of a certificate: ours may be among the others."""
    env.set(host="bot.example.jp")
    assert [] == env.setup().errors
    acm = acm_in_region(env.aws_session, "ap-northeast-1")
    arn = acm.request_certificate(
        DomainName="example.jp",
        SubjectAlternativeNames=["bot.example.jp"],
        ValidationMethod="DNS",
    )["CertificateArn"]

    def answer(operation: str, parsed: dict[str, Any]) -> None:
        for summary in parsed.get("CertificateSummaryList", []):
            if summary["CertificateArn"] == arn:
                summary["SubjectAlternativeNameSummaries"] = ["example.jp"]
                summary["HasAdditionalSubjectAlternativeNames"] = True

    env.aws_session.answer = answer
    result = env.teardown(everything=True)
    assert (
        f"others use it: {arn}; when they no longer do, run the same command again"
        == (result.kept[KEY])
    )


def test_empty_list_of_regions_is_not_believed(env: Env) -> None:
    """An endpoint that names no region at all has at least one: all that boto3 knows are asked."""
    env.set(host="bot.example.jp")
    assert [] == env.setup().errors
    acm = acm_in_region(env.aws_session, "us-east-1")
    acm.request_certificate(DomainName="bot.example.jp", ValidationMethod="DNS")

    def answer(operation: str, parsed: dict[str, Any]) -> None:
        if operation == "DescribeRegions":
            parsed["Regions"] = []

    env.aws_session.answer = answer
    assert KEY in env.teardown(everything=True).kept


def test_certificate_of_another_host_does_not_keep_the_record(env: Env) -> None:
    """It has its own record, so ours is deleted."""
    env.set(host="bot.example.jp")
    env.setup()
    acm = acm_in_region(env.aws_session, "us-east-1")
    acm.request_certificate(DomainName="example.jp", ValidationMethod="DNS")
    assert KEY in env.teardown(everything=True).deleted


@pytest.mark.parametrize("kind", ["throttle", "error", "reset"])
def test_unreachable_region_keeps_the_record(env: Env, kind: str) -> None:
    """After retries the record is kept and the region named; the next teardown deletes it."""
    env.set(host="bot.example.jp")
    env.setup()
    fault = {"kind": kind, "service": "acm", "region": "us-east-1", "times": 1000}
    number = env.sandbox.cloud.faults.add(fault).number
    began = env.clock.now()
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert KEPT == set(result.kept) - NOT_OURS
    assert result.kept[KEY].startswith("could not check whether others use it: ACM in us-east-1: ")
    assert env.clock.now() - began < 300
    env.sandbox.cloud.faults.clear(number)
    assert KEPT == set(env.teardown(everything=True).deleted)
    assert {} == env.inventory()


@pytest.mark.parametrize("operation", ["ListCertificates", "DescribeRegions"])
def test_throttled_request_is_retried(env: Env, operation: str) -> None:
    """A single throttled request does not keep the record."""
    env.set(host="bot.example.jp")
    env.setup()
    service = "acm" if operation == "ListCertificates" else "ec2"
    region = "us-east-1" if service == "acm" else "ap-northeast-1"
    fault = {"kind": "throttle", "service": service, "operation": operation, "region": region}
    env.sandbox.cloud.faults.add(fault)
    assert KEY in env.teardown(everything=True).deleted
    assert [] == env.sandbox.cloud.faults.describe()


@pytest.mark.parametrize("opted_in", [False, True])
def test_opt_in_region(env: Env, opted_in: bool) -> None:
    """Only enabled regions are asked."""
    env.set(host="bot.example.jp")
    env.setup()
    if opted_in:
        env.sandbox.cloud.opted_in.add("ap-southeast-3")
    fault = {"kind": "error", "service": "acm", "region": "ap-southeast-3", "times": 1000}
    env.sandbox.cloud.faults.add(fault)
    assert opted_in == (KEY in env.teardown(everything=True).kept)


def test_unlistable_regions_keep_the_record(env: Env) -> None:
    """Every region known to boto3 is asked, and one that is not enabled leaves a doubt."""
    env.set(host="bot.example.jp")
    env.setup()

    def refuse(parsed: dict[str, Any], http_response: Any, **_: Any) -> None:
        parsed.clear()
        parsed["Error"] = {"Code": "UnauthorizedOperation", "Message": "no"}
        http_response.status_code = 403

    events = env.aws_session.session.events
    events.register("after-call.ec2.DescribeRegions", refuse)
    original, env.aws = env.aws, Aws("ap-northeast-1", env.aws_session.session)
    try:
        kept = env.teardown(everything=True).kept
    finally:
        events.unregister("after-call.ec2.DescribeRegions", refuse)
    env.aws = original
    reason = (
        "could not check whether others use it: ACM in af-south-1: UnrecognizedClientException: "
    )
    assert kept[KEY].startswith(reason)
    assert KEY in env.teardown(everything=True).deleted


def test_setup_keeps_a_replaced_record_in_use(env: Env) -> None:
    """The former host's record is needed in us-east-1; a later setup deletes it."""
    env.set(host="bot.example.jp")
    env.setup()
    acm = acm_in_region(env.aws_session, "us-east-1")
    given = {"DomainName": "bot.example.jp", "ValidationMethod": "DNS"}
    arn = acm.request_certificate(**given)["CertificateArn"]
    env.clock.advance(600)
    name = validation_name(acm, arn)
    env.set(host="new.example.jp")
    assert [] == env.setup().errors
    assert name in cname_names(env)
    assert KEY in StackFile(env.path).records
    acm.delete_certificate(CertificateArn=arn)
    assert [] == env.setup().errors
    assert name not in cname_names(env)
    assert KEY not in StackFile(env.path).records


@pytest.mark.parametrize("region", ["ap-northeast-1", "us-east-1"])
def test_second_certificate_with_our_tags(env: Env, region: str) -> None:
    """It is the stack's, and goes too. In another region it is that of another stack of the same name."""
    env.set(host="bot.example.jp")
    env.setup()
    acm = acm_in_region(env.aws_session, region)
    tags = {"provision:stack": "news-bot", "provision:resource": "certificate/bot.example.jp"}
    arn = acm.request_certificate(
        DomainName="bot.example.jp",
        ValidationMethod="DNS",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )["CertificateArn"]
    env.clock.advance(600)
    result = env.teardown(everything=True)
    assert ([], [], {}) == (result.errors, result.left, result.unknown)
    if region == "us-east-1":
        assert KEPT == set(result.kept) - NOT_OURS
        acm.delete_certificate(CertificateArn=arn)
        return
    assert set() == set(result.kept) - NOT_OURS
    assert {"certificate/bot.example.jp", "certificate.2/bot.example.jp"} <= set(result.deleted)
    assert {} == env.inventory()
