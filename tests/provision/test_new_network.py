"""network.vpc = new: a VPC of the stack's own, each part of it a line of stack.py."""

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


def rooms(stack: Stack) -> list[Resource]:
    """The network's lines, and the milestone made of them."""
    everything = stack.resources
    return everything[everything.index(stack.vpc) : everything.index(stack.network) + 1]


LINES = [
    resource.logical_id
    for resource in rooms(Stack(Settings({**ANSWERS, "network.vpc": "new"}), Secrets(), {}))
    if not isinstance(resource, Milestone)
]


@pytest.fixture(autouse=True)
def _new_network(env: Env) -> None:
    env.set(network__vpc="new")


def build(env: Env) -> Outcome:
    """`provision setup`, of the network alone."""
    engine = env.engine()
    engine.resources = rooms(env.stack())
    engine.inspect()
    return engine.setup(600)


def teardown(env: Env) -> Any:
    """`provision teardown`, of the network alone."""
    engine = env.engine()
    engine.resources = rooms(env.stack())
    return engine.teardown(everything=True)


def test_whole_stack_in_a_network_of_its_own(env: Env) -> None:
    """One of everything and a network; the bot answers; a second setup changes nothing; all of it goes."""
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert {**WHOLE, **NETWORK} == env.inventory()
    told = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    env.changes()
    env.setup()
    assert [] == env.changes()
    engine = env.engine()
    found = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    assert {"keep"} == {step.action for step in found.steps}
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()


def test_network_is_public_and_has_host_names(env: Env) -> None:
    """Three zones, routes to the gateway, DNS host names on, all of it tagged."""
    build(env)
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
@pytest.mark.parametrize("line", LINES)
def test_power_pulled_at_a_create(env: Env, line: str, moment: str) -> None:
    """Setup again makes one of everything; a third setup changes nothing."""
    env.cut_power("creating", line, moment)
    with pytest.raises(PowerCut):
        build(env)
    outcome = build(env)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert NETWORK == env.inventory()
    env.changes()
    build(env)
    assert [] == env.changes()


@pytest.mark.full
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", LINES)
def test_power_pulled_at_a_delete(env: Env, line: str, moment: str) -> None:
    """Teardown again leaves nothing, in the account and in the file."""
    build(env)
    env.cut_power("deleting", line, moment)
    with pytest.raises(PowerCut):
        teardown(env)
    gone = teardown(env)
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()
    assert "resources" not in env.path.read_text()


def twin(env: Env, line: str) -> None:
    """What a lost answer leaves: a second one with the same tags."""
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
def test_twin_is_taken_away_by_setup(env: Env, line: str) -> None:
    """A second one of the same tags: a difference in the plan, gone after setup; the one in use stays."""
    build(env)
    before = env.path.read_text()
    twin(env, line)
    engine = env.engine()
    found = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    paths = {step.key: [d.path for d in step.differences] for step in found.steps}
    assert ["Surplus"] == paths[f"{line}/news-bot-new"]
    build(env)
    assert NETWORK == env.inventory()
    assert before == env.path.read_text()


@pytest.mark.parametrize("line", ["vpc", "internet_gateway", "route_table"])
def test_twin_is_taken_away_by_teardown(env: Env, line: str) -> None:
    """Teardown leaves neither."""
    build(env)
    twin(env, line)
    gone = teardown(env)
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()


def test_lost_file_heals(env: Env) -> None:
    """Without its records, the network is found again by tags and by what hangs on what."""
    build(env)
    records = StackFile(env.path).records
    env.path.unlink()
    env.set(**{key.replace(".", "__"): value for key, value in ANSWERS.items()})
    env.set(network__vpc="new")
    env.changes()
    build(env)
    assert [] == env.changes()
    known = {k: replace(record, since=0.0) for k, record in records.items()}  # AWS tells no times
    assert known == StackFile(env.path).records


def test_deleted_by_hand(env: Env) -> None:
    """A route and an association that somebody took away are made again."""
    build(env)
    ec2 = env.aws_session.client("ec2")
    table = next(
        t for t in ec2.describe_route_tables()["RouteTables"] if t.get("Tags") and t["Associations"]
    )
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    first = table["Associations"][0]["RouteTableAssociationId"]
    ec2.disassociate_route_table(AssociationId=first)
    env.changes()
    build(env)
    assert ["CreateRoute", "AssociateRouteTable"] == env.changes()
    assert NETWORK == env.inventory()


@pytest.mark.parametrize(("one", "other"), [("default", "new"), ("new", "default")])
def test_moving_to_another_network(env: Env, one: str, other: str) -> None:
    """The new things are there before the old ones go, and nothing is left of those."""
    env.set(network__vpc=one)
    env.setup()
    env.set(network__vpc=other)
    # The records of what is not wanted any more do not say what goes before what.
    outcome = env.setup(refused=["DeleteInternetGateway", "DeleteSecurityGroup", "DeleteVpc"])
    assert ([], []) == (outcome.errors, outcome.outside)
    expected = {**WHOLE, **(NETWORK if other == "new" else {})}
    assert expected == env.inventory()
    assert isinstance(env.stack().network, NewNetwork) == (other == "new")
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()
