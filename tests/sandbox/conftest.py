"""Fixtures: a new emulated account per test, called through one boto3 session without sockets."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from provision.sandbox.aws import registry
from provision.sandbox.aws.application import MOTO, AwsApplication
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.in_process import attach
from provision.sandbox.clock import ManualClock

from .parity import rows

REGION = "ap-northeast-1"
assert registry  # importing it registers every rule


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--plain-moto`: run the tests of AWS behaviours against moto without our rules."""
    parser.addoption("--plain-moto", action="store_true", help="expect plain moto to differ")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With plain moto expect tests of behaviours to fail, unless the behaviour says why not."""
    if not config.getoption("--plain-moto", default=False):
        return
    marked = [(item, item.get_closest_marker("behaviour")) for item in items]
    items[:] = [item for item, mark in marked if mark is not None]
    # KeyError: where AWS refuses, moto sometimes just stumbles.
    differs = pytest.mark.xfail(
        strict=True, raises=(AssertionError, ClientError, pytest.fail.Exception, KeyError)
    )
    behaviours = rows()
    for item, mark in marked:
        if mark is not None and not all(behaviours[key].moto for key in mark.args):
            item.add_marker(differs)


def moto_as_a_server(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve plain moto; if it crashes, return 500 as its server does."""
    try:
        return MOTO(environ, start_response)
    except Exception:
        start_response("500 Internal Server Error", [("Content-Length", "0")])
        return [b""]


class AwsSession:
    """A boto3 session whose calls go to the current application, with cached clients."""

    def __init__(self) -> None:
        self.application: Any = None
        self.verified: Any = None  # the same for callers whose signatures have to be right
        self.clients: dict[str, Any] = {}
        self.session = boto3.Session(
            aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
            aws_secret_access_key="secret",
            region_name=REGION,
        )
        attach(self.session, self)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert self.application is not None
        return self.application(environ, start_response)

    def client(self, service: str) -> Any:
        """Return a client of the account's root."""
        if service not in self.clients:
            once = Config(retries={"total_max_attempts": 1})
            self.clients[service] = self.session.client(service, config=once)
        return self.clients[service]

    def from_outside(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle a call as it arrives over HTTP."""
        assert self.verified is not None
        return self.verified(environ, start_response)

    def caller(
        self,
        credentials: dict[str, Any],
        *,
        verified: bool = False,
        change: Callable[[Any], None] | None = None,
    ) -> Callable[..., Any]:
        """Return a function that creates clients with other AWS credentials.

        `verified`: their signatures have to be valid. `change`: applied to each request after signing.
        """
        session = boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials.get("SessionToken"),
            region_name=REGION,
        )
        # The service models are read once.
        loader = self.session._session.get_component("data_loader")
        session._session.register_component("data_loader", loader)
        if change is not None:
            session.events.register("before-send", lambda request, **_: change(request))
        attach(session, self.from_outside if verified else self)
        once = Config(retries={"total_max_attempts": 1})
        return lambda service, **more: session.client(service, config=once, **more)


@dataclass
class Account:
    """An emulated account with its clock and its clients."""

    cloud: Cloud
    clock: ManualClock
    application: AwsApplication
    aws_session: AwsSession

    def client(self, service: str) -> Any:
        return self.aws_session.client(service)

    def subnets(self, count: int = 3) -> list[str]:
        """Return public subnets of the default VPC, each in another zone."""
        filters = [{"Name": "vpc-id", "Values": [self.vpc()]}]
        found = self.client("ec2").describe_subnets(Filters=filters)["Subnets"]
        return [subnet["SubnetId"] for subnet in found][:count]

    def vpc(self) -> str:
        """Return the default VPC."""
        vpcs = self.client("ec2").describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])
        return str(vpcs["Vpcs"][0]["VpcId"])

    def load_balancer(self, name: str = "news-bot", **more: Any) -> dict[str, Any]:
        """Create a load balancer, still provisioning."""
        more.setdefault("Subnets", self.subnets())
        answer = self.client("elbv2").create_load_balancer(Name=name, **more)
        return dict(answer["LoadBalancers"][0])

    def target_group(self, name: str = "news-bot", **more: Any) -> str:
        """Create an HTTP target group for IP addresses; return its ARN."""
        given = {
            "Protocol": "HTTP",
            "Port": 8080,
            "VpcId": self.vpc(),
            "TargetType": "ip",
            "HealthCheckPath": "/healthz",
        }
        answer = self.client("elbv2").create_target_group(Name=name, **(given | more))
        return str(answer["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, load_balancer_arn: str, target_group_arn: str, port: int = 80) -> str:
        """Create an HTTP listener that forwards to the target group; return its ARN."""
        answer = self.client("elbv2").create_listener(
            LoadBalancerArn=load_balancer_arn,
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group_arn}],
        )
        return str(answer["Listeners"][0]["ListenerArn"])

    def hosted_zone(self, name: str = "example.jp", reference: str = "1") -> dict[str, Any]:
        """Create a public hosted zone; return CreateHostedZone's response."""
        client = self.client("route53")
        return dict(client.create_hosted_zone(Name=name, CallerReference=reference))

    def change(self, zone_id: str, action: str, name: str, type: str, *values: str) -> str:
        """Change one record set; return the change's id."""
        records = [{"Value": value} for value in values]
        record_set = {"Name": name, "Type": type, "TTL": 300, "ResourceRecords": records}
        answer = self.client("route53").change_resource_record_sets(
            HostedZoneId=zone_id,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record_set}]},
        )
        return str(answer["ChangeInfo"]["Id"])

    def delegated_zone(self, name: str = "example.jp") -> str:
        """Create a hosted zone, delegated and in sync; return its id."""
        zone = self.hosted_zone(name, reference=name)
        self.cloud.registrar.enter(name, zone["DelegationSet"]["NameServers"])
        self.clock.advance(self.cloud.delays.route53_sync)
        return str(zone["HostedZone"]["Id"])

    def certificate(self, name: str = "example.jp") -> str:
        """Create an issued certificate for a delegated domain; return its ARN."""
        zone, delays = self.delegated_zone(name), self.cloud.delays
        acm = self.client("acm")
        arn = str(acm.request_certificate(DomainName=name)["CertificateArn"])
        self.clock.advance(delays.resource_record)
        found = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        record = found["DomainValidationOptions"][0]["ResourceRecord"]
        self.change(zone, "CREATE", record["Name"], "CNAME", record["Value"])
        self.clock.advance(delays.route53_sync + delays.certificate + 10)
        if arn not in self.cloud.acm.certificates:  # plain moto waits for real time to pass
            self.cloud.backend("acm", REGION)._certificates[arn].status = "ISSUED"
        return arn

    def refusal(self, call: Any, **parameters: Any) -> tuple[str, int, str]:
        """Return code, HTTP status and message with which AWS rejects this call."""
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        response = caught.value.response
        status = response["ResponseMetadata"]["HTTPStatusCode"]
        return response["Error"]["Code"], status, response["Error"]["Message"]


@pytest.fixture(scope="session")
def aws_session() -> AwsSession:
    return AwsSession()


@pytest.fixture
def account(aws_session: AwsSession, request: pytest.FixtureRequest) -> Iterator[Account]:
    clock = ManualClock()
    cloud = Cloud(clock)
    application = AwsApplication(cloud)
    plain = request.config.getoption("--plain-moto", default=False)
    aws_session.application = moto_as_a_server if plain else application
    aws_session.verified = moto_as_a_server if plain else application.verified
    yield Account(cloud, clock, application, aws_session)
    cloud.close()


@pytest.fixture
def zone(account: Account) -> str:
    """Return the id of a hosted zone for example.jp."""
    return str(account.hosted_zone()["HostedZone"]["Id"])
