"""AWS-compatible endpoints that answer otherwise than AWS: what they ignore, leave out or do not have."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from provision.clients.aws import Aws
from provision.clients.aws_errors import AlreadyExists, translate_errors
from provision.clients.registry import Registries
from provision.console.server import HttpServer
from provision.errors import ProvisionError
from provision.resources.hosted_zone import SeveralZones
from provision.sandbox.delays import Delays
from tests.provision.conftest import WHOLE, AwsSession, Env, open_env

SELECTORS = ("Filters", "ParameterFilters", "startedBy", "family", "Names", "repositoryNames")


def ignore_selectors(operation: str, params: dict[str, Any]) -> None:
    """Remove what selects in a request for a list, as emulators ignore filters that they do not know."""
    if operation.startswith(("Describe", "List")):
        for name in SELECTORS:
            params.pop(name, None)


def strangers(env: Env) -> dict[str, list[str]]:
    """Create a network, a load balancer and a parameter of somebody else's; return their ids."""
    ec2, elbv2 = env.aws_session.client("ec2"), env.aws_session.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"ap-northeast-1{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in ((1, "a"), (2, "c"))
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group = ec2.create_security_group(GroupName="theirs", Description="theirs", VpcId=vpc)
    balancer = elbv2.create_load_balancer(
        Name="a-balancer", Subnets=subnets, SecurityGroups=[group["GroupId"]]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    target_group = elbv2.create_target_group(
        Name="a-group", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    env.aws_session.client("ssm").put_parameter(Name="A_PARAMETER", Value="x", Type="String")
    return {
        "vpc": [vpc],
        "subnets": subnets,
        "gateway": [gateway],
        "table": [table],
        "group": [group["GroupId"]],
        "balancer": [balancer],
        "target group": [target_group],
    }


@pytest.mark.parametrize("vpc", ["default", "new"])
def test_ignored_filters_do_not_touch_what_is_others(env: Env, vpc: str) -> None:
    """The stack is built once, with its own network; the teardown leaves what somebody else has."""
    env.set(network__vpc=vpc)
    theirs = strangers(env)
    before = env.inventory()
    env.aws_session.request = ignore_selectors
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    built = env.inventory()
    again = env.setup()
    assert ([], built) == (again.errors, env.inventory())
    result = env.teardown()
    assert ([], [], {}) == (result.errors, result.left, result.unknown)
    assert before == env.inventory()
    ec2 = env.aws_session.client("ec2")
    assert theirs["table"] == [
        table["RouteTableId"]
        for table in ec2.describe_route_tables(RouteTableIds=theirs["table"])["RouteTables"]
    ]
    assert {"vpc": 2, "subnet": 5}.items() <= built.items() if vpc == "new" else True
    if vpc == "default":
        assert all(built[kind] >= count for kind, count in WHOLE.items())


class OnePerPage:
    """Divides lists of some services into pages of one item, also if none of a size are asked for."""

    def __init__(self, *services: str) -> None:
        loader = botocore.session.get_session().get_component("data_loader")
        self.lists: dict[str, dict[str, Any]] = {}
        for service in services:
            pages = loader.load_service_model(service, "paginators-1")["pagination"]
            self.lists |= {  # those with one token
                name: each for name, each in pages.items() if isinstance(each["output_token"], str)
            }
        self.place = threading.local()
        self.unread: Counter[str] = Counter()  # pages that were announced and not read

    def request(self, operation: str, params: dict[str, Any]) -> None:
        """Take our token out of the request; a list of ids is answered on one page, as AWS does."""
        self.place.number = 0
        self.place.of_ids = any(name.endswith(("Ids", "Arns")) for name in params)
        if pages := self.lists.get(operation):
            token = params.get(pages["input_token"], "")
            if token.startswith("page "):
                del params[pages["input_token"]]
                self.place.number = int(token.removeprefix("page "))
                self.unread[operation] -= 1

    def answer(self, operation: str, parsed: dict[str, Any]) -> None:
        """Leave one item in the answer."""
        pages = self.lists.get(operation, {"result_key": ""})
        items, number = parsed.get(str(pages["result_key"]), []), self.place.number
        if not items or self.place.of_ids:
            return
        parsed[pages["result_key"]] = items[number : number + 1]
        if number + 1 < len(items):
            parsed[pages["output_token"]] = f"page {number + 1}"
            self.unread[operation] += 1
        if "more_results" in pages:
            parsed[pages["more_results"]] = number + 1 < len(items)


def set_up_twice(env: Env) -> None:
    """Set up without errors; the second setup changes nothing."""
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    env.changes()
    again = env.setup()
    assert ([], []) == (again.errors, env.changes())


@pytest.mark.parametrize("vpc", ["default", "new"])
def test_pages_of_one_item(env: Env, vpc: str) -> None:
    """All pages of a list are read, in setup and in teardown."""
    env.set(network__vpc=vpc)
    pages = OnePerPage(
        *("ec2", "elbv2", "iam", "ssm", "scheduler", "ecs", "acm", "ecr", "logs", "route53", "s3")
    )
    env.aws_session.request, env.aws_session.answer = pages.request, pages.answer
    set_up_twice(env)
    result = env.teardown()
    assert ([], [], {}) == (result.errors, result.left, result.unknown)
    assert {} == {operation: number for operation, number in pages.unread.items() if number}
    env.aws_session.free()
    assert {} == env.inventory()


def test_policies_of_a_role_on_several_pages(env: Env) -> None:
    """Others' policies of all pages are taken off a role before it is deleted."""
    env.setup()
    iam = env.aws_session.client("iam")
    role = "news-bot-task-ap-northeast-1"
    statement = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    for name in ("one", "two"):
        arn = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    pages = OnePerPage("iam")
    env.aws_session.request, env.aws_session.answer = pages.request, pages.answer
    result = env.teardown()
    assert ([], [], {}) == (result.errors, result.left, result.unknown)
    assert {} == {operation: number for operation, number in pages.unread.items() if number}


def test_zones_of_one_name_on_several_pages(env: Env) -> None:
    """The second zone of the name is not overlooked."""
    route53 = env.aws_session.client("route53")
    for reference in ("one", "two"):
        route53.create_hosted_zone(Name="example.jp", CallerReference=reference)

    def request(operation: str, params: dict[str, Any]) -> None:
        if operation == "ListHostedZonesByName":
            params["MaxItems"] = "1"

    env.aws_session.request = request
    observation = env.engine().inspect()["zone/example.jp"]
    assert isinstance(observation.error, SeveralZones)
    assert 2 == len(observation.error.zones)


def test_certificate_that_a_deleted_listener_still_uses(env: Env) -> None:
    """moto lists listeners as its users, also after they are deleted: the certificate goes all the same."""
    env.setup()
    elbv2 = env.aws_session.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    used_by = [listener["ListenerArn"] for listener in listeners]
    assert [] == env.engine().pause().errors

    def answer(operation: str, parsed: dict[str, Any]) -> None:
        if operation == "DescribeCertificate":
            parsed["Certificate"]["InUseBy"] = used_by

    env.aws_session.answer = answer
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert "certificate/example.jp" in result.deleted
    assert {} == env.inventory()


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    """Return an error response."""
    metadata: Any = {"HTTPStatusCode": status}
    error = {"Error": {"Code": code, "Message": "words"}, "ResponseMetadata": metadata}
    return ClientError(error, operation)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InvalidInput", 400),  # MiniStack: Unknown Route53 endpoint
        ("UnknownOperationException", 400),
        ("InvalidAction", 400),
        ("NotImplemented", 501),
        ("404", 404),
    ],
)
def test_zone_goes_where_dnssec_is_unknown(env: Env, code: str, status: int) -> None:
    """An endpoint without GetDNSSEC has no keys, so the zone is deleted like the rest."""
    env.setup()

    def request(operation: str, params: dict[str, Any]) -> None:
        if operation == "GetDNSSEC":
            raise refusal(code, operation, status)

    env.aws_session.request = request
    result = env.teardown()
    assert ([], [], {}) == (result.errors, result.left, result.unknown)
    assert {} == env.inventory()


@pytest.mark.parametrize("code", ["AccessDenied", "InternalFailure"])
def test_zone_stays_where_dnssec_could_not_be_asked(env: Env, code: str) -> None:
    """A missing permission or an outage is not an answer: the zone stays, the rest goes."""
    env.setup()

    def request(operation: str, params: dict[str, Any]) -> None:
        if operation == "GetDNSSEC":
            raise refusal(code, operation, 403 if code == "AccessDenied" else 500)

    env.aws_session.request = request
    result = env.teardown()
    assert ["zone/example.jp"] == list(result.unknown)
    assert {"zone": 1} == env.inventory()


def test_service_linked_role_of_another_name(env: Env) -> None:
    """Emulators call it otherwise and say EntityAlreadyExists: it is found by its path."""
    iam = env.aws_session.client("iam")

    def request(operation: str, params: dict[str, Any]) -> None:
        if operation == "GetRole" and params["RoleName"] == "AWSServiceRoleForECS":
            raise refusal("NoSuchEntity", operation, 404)
        if operation == "CreateServiceLinkedRole":
            path = "/aws-service-role/ecs.amazonaws.com/"
            if iam.list_roles(PathPrefix=path)["Roles"]:
                raise refusal("EntityAlreadyExists", operation, 409)

    env.aws_session.request = request
    set_up_twice(env)
    assert [] == env.teardown().left


def test_empty_list_of_buckets_is_not_believed(env: Env) -> None:
    """The bucket that ListBuckets does not show is found by name: it is neither made twice nor left."""

    def answer(operation: str, parsed: dict[str, Any]) -> None:
        if operation == "ListBuckets":
            parsed["Buckets"] = []

    env.set(news__bucket="our-news")
    env.aws_session.answer = answer
    set_up_twice(env)
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    env.aws_session.free()
    assert {} == env.inventory()


def test_foreign_bucket_stays_foreign_behind_an_empty_list(env: Env) -> None:
    """A bucket that another account owns is not adopted because the list is empty."""

    def request(operation: str, params: dict[str, Any]) -> None:
        if operation == "HeadBucket":
            raise refusal("403", operation, 403)

    env.set(news__bucket="our-news")
    env.aws_session.request = request
    outcome = env.setup()
    assert ["another account has a bucket of that name; bucket names are globally unique"] == [
        error.why for error in outcome.errors
    ]


def test_bucket_over_plain_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the endpoint is http://, a policy that requires TLS would lock the tool out: it is left out."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1")
    session = AwsSession()
    with open_env(session, Aws("ap-northeast-1", session.session), Delays.none(), tmp_path) as env:
        outcome = env.setup()
        assert ([], []) == (outcome.errors, outcome.outside)
        assert "PutBucketPolicy" not in env.changes()
        assert [] == env.setup().errors
        result = env.teardown()
        assert ([], []) == (result.errors, result.left)


@pytest.mark.parametrize(
    "code",
    [
        "EntityAlreadyExists",
        "ClusterAlreadyExistsException",
        "DuplicateListenerException",
        "AlreadyExists",
    ],
)
def test_taken_names_have_many_codes(code: str) -> None:
    """A create call recognizes a taken name by codes that AWS's service does not have."""
    with pytest.raises(AlreadyExists), translate_errors("Creating.", exists=()):
        raise refusal(code, "Create", 409)
    with pytest.raises(ProvisionError), translate_errors("Updating."):
        raise refusal(code, "Update", 409)


def test_duplicate_tags_are_no_taken_name() -> None:
    """ELB's code for tags that are given twice."""
    with pytest.raises(ProvisionError), translate_errors("Creating.", exists=()):
        raise refusal("DuplicateTagKeys", "Create", 400)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        ("200 OK", [], True),
        ("401 Unauthorized", [("WWW-Authenticate", "Basic")], True),
        ("401 Unauthorized", [], False),
        ("404 Not Found", [], False),
        ("403 Forbidden", [], False),
    ],
)
def test_registry_at_the_endpoint(
    status: str, headers: list[tuple[str, str]], expected: bool
) -> None:
    """An emulator that names Amazon's registry is asked whether it is one itself."""

    def registry(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert "/v2/" == environ["PATH_INFO"]
        start_response(status, headers)
        return [b"{}"]

    server = HttpServer(registry)
    assert expected is Registries().answers_at(server.url)
    server.close()
    assert False is Registries().answers_at(server.url)


def test_member_that_is_never_shown(env: Env) -> None:
    """A change that the endpoint accepts and does not show is sent once, and waited for by name."""

    def answer(operation: str, parsed: dict[str, Any]) -> None:
        if operation == "DescribeTaskDefinition":
            for container in parsed["taskDefinition"]["containerDefinitions"]:
                container.pop("logConfiguration", None)

    assert [] == env.setup().errors
    env.changes()
    env.aws_session.answer = answer
    outcome = env.setup()
    assert "waiting until AWS shows the change of Container.log" in outcome.errors[0].why
    assert ["RegisterTaskDefinition"] == env.changes()
    env.aws_session.free()
    assert [] == env.setup().errors
    assert ([], {}) == (env.teardown().left, env.inventory())


@pytest.mark.parametrize(
    ("operation", "member", "value", "last", "error"),
    [
        (
            "GetLifecyclePolicy",
            "lifecyclePolicyText",
            "odd",
            "ecr:GetLifecyclePolicy",
            "Expecting value: line 1 column 1 (char 0)",
        ),
        (
            "GetHostedZone",
            "DelegationSet",
            {"NameServers": [None]},
            "route53:ListTagsForResource",
            "'NoneType' object has no attribute 'rstrip'",
        ),
    ],
)
def test_value_in_another_form(
    env: Env, operation: str, member: str, value: object, last: str, error: str
) -> None:
    """A policy that is no JSON, a null in a list: shown as unknown, with the last operation."""
    env.setup()

    def answer(name: str, parsed: dict[str, Any]) -> None:
        if name == operation:
            parsed[member] = value

    env.aws_session.answer = answer
    errors = [each.error for each in env.engine().inspect().values() if each.error]
    why = f"the answer to {last} is not as AWS documents it ({error})"
    assert [why] == [each.why for each in errors]
