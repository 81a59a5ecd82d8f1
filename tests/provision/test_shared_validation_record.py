"""The validation record stays while a certificate of another key type or in another region may need it."""

from typing import Any

import boto3
import pytest

from provision.clients.aws import Aws
from provision.sandbox.aws.in_process import attach
from provision.state.stack_file import StackFile
from tests.provision.conftest import AwsSession, Env

KEY = "validation_record/bot.example.jp"
STAY = {"certificate/bot.example.jp", KEY, "zone/example.jp"}
NOT_OURS = {"network/default", "service_linked_role"}


def in_region(aws_session: AwsSession, region: str) -> Any:
    """A client of ACM's in another region of the same account."""
    session = boto3.Session("access", "secret", region_name=region)
    attach(session, lambda environ, start: aws_session.application(environ, start))
    return session.client("acm")


def records(env: Env) -> list[str]:
    """The names of the CNAMEs in all zones."""
    route53 = env.aws_session.client("route53")
    return [
        record["Name"]
        for zone in route53.list_hosted_zones()["HostedZones"]
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])[
            "ResourceRecordSets"
        ]
        if record["Type"] == "CNAME"
    ]


def name_of(acm: Any, arn: str) -> str:
    """The name of the record by which a certificate is validated."""
    option = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    return str(option[0]["ResourceRecord"]["Name"])


@pytest.mark.parametrize(
    ("region", "wanted"),
    [
        ("ap-northeast-1", {"KeyAlgorithm": "EC_prime256v1"}),
        ("ap-northeast-1", {"KeyAlgorithm": "EC_secp384r1", "DomainName": "*.bot.example.jp"}),
        ("us-east-1", {}),
        ("eu-west-1", {"KeyAlgorithm": "EC_prime256v1"}),
        (
            "us-east-1",
            {"DomainName": "example.jp", "SubjectAlternativeNames": ["bot.example.jp"]},
        ),
    ],
)
def test_another_certificate_keeps_the_record(
    env: Env, region: str, wanted: dict[str, Any]
) -> None:
    """It stays with the zone that it lies in, named with the other certificate; nothing counts as left."""
    env.set(host="bot.example.jp")
    assert [] == env.setup().errors
    acm = in_region(env.aws_session, region)
    given = {"DomainName": "bot.example.jp", "ValidationMethod": "DNS", **wanted}
    arn = acm.request_certificate(**given)["CertificateArn"]
    env.clock.advance(600)
    name = name_of(acm, arn) if "SubjectAlternativeNames" not in wanted else ""
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    assert STAY == set(gone.kept) - NOT_OURS
    expected = f"others use it: {arn}; when they no longer do, run the same command again"
    assert expected == gone.kept[KEY]
    assert name in ("", *records(env))
    acm.delete_certificate(CertificateArn=arn)
    again = env.teardown(everything=True)
    assert ([], STAY) == (again.left, set(again.deleted))
    assert {} == env.inventory()


def test_certificate_of_another_host(env: Env) -> None:
    """It has a record of its own: ours goes."""
    env.set(host="bot.example.jp")
    env.setup()
    acm = in_region(env.aws_session, "us-east-1")
    acm.request_certificate(DomainName="example.jp", ValidationMethod="DNS")
    assert KEY in env.teardown(everything=True).deleted


@pytest.mark.parametrize("kind", ["throttle", "error", "reset"])
def test_region_that_does_not_answer(env: Env, kind: str) -> None:
    """It is asked again, then the record is kept and the region named; the next teardown takes it."""
    env.set(host="bot.example.jp")
    env.setup()
    fault = {"kind": kind, "service": "acm", "region": "us-east-1", "times": 1000}
    number = env.sandbox.cloud.faults.add(fault).number
    began = env.clock.now()
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    assert STAY == set(gone.kept) - NOT_OURS
    assert gone.kept[KEY].startswith("whether others use it is not known: ACM in us-east-1: ")
    assert env.clock.now() - began < 300
    env.sandbox.cloud.faults.clear(number)
    assert STAY == set(env.teardown(everything=True).deleted)
    assert {} == env.inventory()


@pytest.mark.parametrize("operation", ["ListCertificates", "DescribeRegions"])
def test_asked_again(env: Env, operation: str) -> None:
    """One question that is throttled is no doubt."""
    env.set(host="bot.example.jp")
    env.setup()
    service = "acm" if operation == "ListCertificates" else "ec2"
    region = "us-east-1" if service == "acm" else "ap-northeast-1"
    fault = {"kind": "throttle", "service": service, "operation": operation, "region": region}
    env.sandbox.cloud.faults.add(fault)
    assert KEY in env.teardown(everything=True).deleted
    assert [] == env.sandbox.cloud.faults.shown()


@pytest.mark.parametrize("opted_in", [False, True])
def test_region_that_has_to_be_enabled(env: Env, opted_in: bool) -> None:
    """One that is not enabled is not asked; one that is, is."""
    env.set(host="bot.example.jp")
    env.setup()
    if opted_in:
        env.sandbox.cloud.opted_in.add("ap-southeast-3")
    fault = {"kind": "error", "service": "acm", "region": "ap-southeast-3", "times": 1000}
    env.sandbox.cloud.faults.add(fault)
    assert opted_in == (KEY in env.teardown(everything=True).kept)


def test_regions_that_may_not_be_listed(env: Env) -> None:
    """Then every region that boto3 knows is asked: one that is not enabled is a doubt."""
    env.set(host="bot.example.jp")
    env.setup()

    def refuse(parsed: dict[str, Any], http_response: Any, **_: Any) -> None:
        parsed.clear()
        parsed["Error"] = {"Code": "UnauthorizedOperation", "Message": "no"}
        http_response.status_code = 403

    events = env.aws_session.session.events
    events.register("after-call.ec2.DescribeRegions", refuse)
    usual, env.aws = env.aws, Aws("ap-northeast-1", env.aws_session.session)
    try:
        kept = env.teardown(everything=True).kept
    finally:
        events.unregister("after-call.ec2.DescribeRegions", refuse)
    env.aws = usual
    said = "whether others use it is not known: ACM in af-south-1: UnrecognizedClientException: "
    assert kept[KEY].startswith(said)
    assert KEY in env.teardown(everything=True).deleted


def test_setup_leaves_a_replaced_record(env: Env) -> None:
    """Another host: the former one's record is needed in us-east-1; later setup takes it."""
    env.set(host="bot.example.jp")
    env.setup()
    acm = in_region(env.aws_session, "us-east-1")
    given = {"DomainName": "bot.example.jp", "ValidationMethod": "DNS"}
    arn = acm.request_certificate(**given)["CertificateArn"]
    env.clock.advance(600)
    name = name_of(acm, arn)
    env.set(host="new.example.jp")
    assert [] == env.setup().errors
    assert name in records(env)
    assert KEY in StackFile(env.path).records
    acm.delete_certificate(CertificateArn=arn)
    assert [] == env.setup().errors
    assert name not in records(env)
    assert KEY not in StackFile(env.path).records
