"""network.vpc = new: a VPC of the stack's own, whose parts are resources of stack.py."""

from dataclasses import replace
from typing import Any

import pytest

from provision.engine.executor import Outcome
from provision.engine.plan import plan
from provision.pricing import prices
from provision.resources.base import Milestone, Resource
from provision.resources.network import NewNetwork
from provision.settings import Settings
from provision.stack import Secrets, Stack
from provision.state.stack_file import StackFile
from tests.provision.conftest import ANSWERS, WHOLE, Env, PowerCut
from tests.provision.finished_stack import NETWORK


def network_resources(stack: Stack) -> list[Resource]:
    """Return the network's resources, with the milestone that depends on them."""
    everything = stack.resources
    return everything[everything.index(stack.vpc) : everything.index(stack.network) + 1]


RESOURCES = [
    resource.logical_id
    for resource in network_resources(
        Stack(Settings({**ANSWERS, "network.vpc": "new"}), Secrets(), {})
    )
    if not isinstance(resource, Milestone)
]


@pytest.fixture(autouse=True)
def _new_network(env: Env) -> None:
    env.set(network__vpc="new")


def setup_network(env: Env) -> Outcome:
    """Run `provision setup` for the network alone."""
    engine = env.engine()
    engine.resources = network_resources(env.stack())
    engine.inspect()
    return engine.setup(600)


def teardown_network(env: Env) -> Any:
    """Run `provision teardown` for the network alone."""
    engine = env.engine()
    engine.resources = network_resources(env.stack())
    return engine.teardown(everything=True)


def test_complete_stack_in_a_new_network(env: Env) -> None:
    """The bot answers; a second setup changes nothing; teardown leaves nothing."""
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert {**WHOLE, **NETWORK} == env.inventory()
    message = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (message["status"], len(message["reply"]))
    env.changes()
    env.setup()
    assert [] == env.changes()
    engine = env.engine()
    found = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    assert {"keep"} == {step.action for step in found.steps}
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def test_network_is_public_and_has_host_names(env: Env) -> None:
    """Three zones, routes to the gateway, DNS host names enabled, everything tagged."""
    setup_network(env)
    ec2 = env.aws_session.client("ec2")
    vpc = next(v for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"])
    attribute = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
    assert ("10.64.0.0/16", True) == (vpc["CidrBlock"], attribute["EnableDnsHostnames"]["Value"])
    in_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=in_vpc)["Subnets"]
    zones = sorted(subnet["AvailabilityZone"] for subnet in subnets)
    assert ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"] == zones
    for subnet in subnets:
        assert env.sandbox.cloud.ec2.is_public(
            "ap-northeast-1",
            env.sandbox.cloud.backend("ec2", "ap-northeast-1").get_subnet(subnet["SubnetId"]),
        )
    tags = {tag["Key"]: tag["Value"] for tag in vpc["Tags"]}
    expected = {"provision:stack": "news-bot", "provision:resource": "vpc/news-bot-new"}
    assert {**expected, "Name": "news-bot-new"} == tags


@pytest.mark.full
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", RESOURCES)
def test_power_cut_at_each_create(env: Env, line: str, moment: str) -> None:
    """The next setup completes the network; a third changes nothing."""
    env.cut_power("creating", line, moment)
    with pytest.raises(PowerCut):
        setup_network(env)
    outcome = setup_network(env)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert NETWORK == env.inventory()
    env.changes()
    setup_network(env)
    assert [] == env.changes()


@pytest.mark.full
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", RESOURCES)
def test_power_cut_at_each_delete(env: Env, line: str, moment: str) -> None:
    """The next teardown leaves nothing, in the account and in the file."""
    setup_network(env)
    env.cut_power("deleting", line, moment)
    with pytest.raises(PowerCut):
        teardown_network(env)
    result = teardown_network(env)
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()
    assert "resources" not in env.path.read_text()


def create_duplicate(env: Env, line: str) -> None:
    """Create what a lost response leaves: a second resource with the same tags."""
    ec2 = env.aws_session.client("ec2")
    resource = getattr(env.stack(), line)
    specification = [
        {
            "ResourceType": resource.resource_type,
            "Tags": [{"Key": key, "Value": value} for key, value in resource.tags.items()],
        }
    ]
    if line == "vpc":
        ec2.create_vpc(CidrBlock=resource.cidr, TagSpecifications=specification)
    elif line == "internet_gateway":
        ec2.create_internet_gateway(TagSpecifications=specification)
    else:
        vpc = next(v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"])
        ec2.create_route_table(VpcId=vpc, TagSpecifications=specification)


@pytest.mark.parametrize("line", ["vpc", "internet_gateway", "route_table"])
def test_setup_deletes_duplicate(env: Env, line: str) -> None:
    """It is a difference in the plan, deleted by setup; the one in use is kept."""
    setup_network(env)
    before = env.path.read_text()
    create_duplicate(env, line)
    engine = env.engine()
    found = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    paths = {step.key: [d.path for d in step.differences] for step in found.steps}
    assert ["Surplus"] == paths[f"{line}/news-bot-new"]
    setup_network(env)
    assert NETWORK == env.inventory()
    assert before == env.path.read_text()


@pytest.mark.parametrize("line", ["vpc", "internet_gateway", "route_table"])
def test_teardown_deletes_duplicate(env: Env, line: str) -> None:
    """Teardown leaves neither."""
    setup_network(env)
    create_duplicate(env, line)
    result = teardown_network(env)
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def test_lost_records_are_found_again(env: Env) -> None:
    """The network is found by tags and by how its parts are connected."""
    setup_network(env)
    records = StackFile(env.path).records
    env.path.unlink()
    env.set(**{key.replace(".", "__"): value for key, value in ANSWERS.items()})
    env.set(network__vpc="new")
    env.changes()
    setup_network(env)
    assert [] == env.changes()
    # AWS does not know the times.
    known = {k: replace(record, since=0.0) for k, record in records.items()}
    assert known == StackFile(env.path).records


def test_deleted_route_and_association_are_recreated(env: Env) -> None:
    """They were deleted by hand."""
    setup_network(env)
    ec2 = env.aws_session.client("ec2")
    table = next(
        t for t in ec2.describe_route_tables()["RouteTables"] if t.get("Tags") and t["Associations"]
    )
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    first = table["Associations"][0]["RouteTableAssociationId"]
    ec2.disassociate_route_table(AssociationId=first)
    env.changes()
    setup_network(env)
    assert ["CreateRoute", "AssociateRouteTable"] == env.changes()
    assert NETWORK == env.inventory()


@pytest.mark.parametrize(("one", "other"), [("default", "new"), ("new", "default")])
def test_moving_to_another_network(env: Env, one: str, other: str) -> None:
    """The new resources exist before the old ones are deleted, and nothing is left of those."""
    env.set(network__vpc=one)
    env.setup()
    env.set(network__vpc=other)
    # Records of removed resources do not contain the order of deletion.
    outcome = env.setup(refused=["DeleteInternetGateway", "DeleteSecurityGroup", "DeleteVpc"])
    assert ([], []) == (outcome.errors, outcome.outside)
    expected = {**WHOLE, **(NETWORK if other == "new" else {})}
    assert expected == env.inventory()
    assert isinstance(env.stack().network, NewNetwork) == (other == "new")
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def change_zones(env: Env, changes: dict[str, dict[str, str] | None]) -> None:
    """Make DescribeAvailabilityZones return other zones. changes: members by zone; None: not there."""

    def change(operation: str, answer: dict[str, Any]) -> None:
        if operation == "DescribeAvailabilityZones":
            answer["AvailabilityZones"] = [
                {**zone, **(changes.get(zone["ZoneName"]) or {})}
                for zone in answer["AvailabilityZones"]
                if changes.get(zone["ZoneName"], {}) is not None
            ]

    env.aws_session.answer = change


UNSUITABLE: list[dict[str, str] | None] = [
    None,
    {"ZoneId": "apne1-az3"},  # no Fargate
    {"ZoneType": "local-zone"},
    {"ZoneType": "wavelength-zone"},
    {"State": "impaired"},
]


def zones_of_subnets(env: Env) -> list[str]:
    """Return the zones of the new network's subnets, sorted."""
    found = env.aws_session.client("ec2").describe_subnets()["Subnets"]
    return sorted(s["AvailabilityZone"] for s in found if s["CidrBlock"].startswith("10.64."))


@pytest.mark.parametrize("first", UNSUITABLE)
def test_unsuitable_zone_is_left_out(env: Env, first: dict[str, str] | None) -> None:
    """The third subnet is in the first of the other two zones again."""
    change_zones(env, {"ap-northeast-1a": first})
    assert [] == setup_network(env).errors
    assert ["ap-northeast-1c", "ap-northeast-1c", "ap-northeast-1d"] == zones_of_subnets(env)


def test_two_suitable_zones_are_enough(env: Env) -> None:
    """The load balancer is in both; the third subnet is not used."""
    change_zones(env, {"ap-northeast-1a": None})
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    (balancer,) = env.aws_session.client("elbv2").describe_load_balancers()["LoadBalancers"]
    chosen = sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"])
    assert ["ap-northeast-1c", "ap-northeast-1d"] == chosen
    env.changes()
    env.setup()
    assert [] == env.changes()
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def test_one_suitable_zone_is_too_few(env: Env) -> None:
    """It is said before anything is made: a load balancer needs two."""
    change_zones(env, {"ap-northeast-1a": None, "ap-northeast-1c": {"ZoneId": "apne1-az3"}})
    errors = [seen.error for seen in env.engine().inspect().values() if seen.error]
    assert ["this region has 1 suitable zones; two are needed"] == [error.why for error in errors]
