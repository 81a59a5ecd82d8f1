"""After a teardown every service's own lists are searched: what is left is named, what is kept is not."""

import pytest

from provision.engine.inventory import list_inventory
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env
from tests.provision.finished_stack import created_resources


def forget(env: Env, *lines: str) -> None:
    """stack.yaml without the entries of these lines, as somebody with an editor leaves it."""
    file = StackFile(env.path)
    for key in list(file.records):
        if key.partition("/")[0] in lines:
            file.forget(key)


@pytest.mark.parametrize("everything", [True, False])
def test_nothing_is_left(env: Env, everything: bool) -> None:
    """Kept things carry our tags too, and are not counted."""
    env.setup()
    gone = env.teardown(everything=everything)
    assert ([], {}, []) == (gone.left, gone.unasked, gone.errors)


def test_what_only_tags_know_goes_too(env: Env) -> None:
    """Neither recorded nor in the stack any more: a former host's certificate, a schedule's role."""
    env.setup()
    env.set(host="bot.example.jp", schedule__start="", schedule__stop="")
    forget(env, "certificate", "scheduler_role", "schedule_group")
    gone = env.teardown()
    assert ([], []) == (gone.left, gone.errors)
    assert {} == env.inventory()


def test_nothing_to_take_away_a_second_time(env: Env) -> None:
    """LINE's endpoint and the news stay, each for its reason; that is no work for another teardown."""
    env.setup()
    env.teardown(everything=False)
    kept = {key.partition("/")[0] for key in StackFile(env.path).records}
    assert ({"news_bucket"}, set()) == (
        kept & {"news_bucket"},
        kept & {"initial_collection", "webhook"},
    )
    gone = env.teardown(everything=False)
    assert ([], []) == (gone.deleted, gone.left)


@pytest.mark.parametrize("known", [True, False])
def test_revision_that_somebody_deregistered(env: Env, known: bool) -> None:
    """It stays in ECS's lists, INACTIVE, and no service can run it: teardown deletes it, recorded or not."""
    env.setup()
    ecs = env.aws_session.client("ecs")
    arn = StackFile(env.path).records["task_definition/news-bot"].outputs["arn"]
    ecs.deregister_task_definition(taskDefinition=arn)
    if not known:
        forget(env, "task_definition")
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert [] == ecs.list_task_definitions(status="INACTIVE")["taskDefinitionArns"]


# What no list of a service's own shows: it goes with what it is in, and that is listed.
INSIDE = {
    "validation_record": "zone",
    "alias": "zone",
    "execution_permissions": "execution_role",
    "task_permissions": "task_role",
    "scheduler_permissions": "scheduler_role",
    "collector_permissions": "collector_role",
    "collecting_permissions": "scheduler_role",
    "collector_schedule": "schedule_group",
    "gateway_attachment": "internet_gateway",
    "route": "route_table",
    "association_1": "subnet_1",
    "association_2": "subnet_2",
    "association_3": "subnet_3",
    "https_from_anywhere": "load_balancer_group",
    "bot_from_load_balancer": "bot_group",
    "bootstrap_listener": "load_balancer",
    "bootstrap_rule": "load_balancer",
    "https": "load_balancer",
    "start_schedule": "schedule_group",
    "stop_schedule": "schedule_group",
}
ELSEWHERE = {
    "service_linked_role": "the account's",
    "webhook": "LINE's, which has no list",
    "initial_collection": "a task, which ends by itself",
}


def test_every_resource_is_searched_for(env: Env) -> None:
    """Whatever is left of a stack is seen: each line of stack.py by a service's own list, or inside one."""
    env.set(network__vpc="new")
    env.setup()
    found = list_inventory(env.clients(), env.clock, "news-bot")
    seen = {tagged.logical_id for tagged in found.tagged}
    lines = {one.logical_id for one in created_resources("new")}
    assert ({}, set()) == (found.unasked, lines - seen - set(INSIDE) - set(ELSEWHERE))
    assert set(INSIDE.values()) <= seen


def test_left_is_named(env: Env) -> None:
    """A second load balancer that carries our tags, under the key of the first: named with its ARN."""
    env.setup()
    ec2, elbv2 = env.aws_session.client("ec2"), env.aws_session.client("elbv2")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    tags = {"provision:stack": "news-bot", "provision:resource": "load_balancer/news-bot"}
    twin = elbv2.create_load_balancer(
        Name="news-bot-twin",
        Subnets=subnets,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    assert [f"load_balancer/news-bot ({twin})"] == env.teardown().left


def test_another_region_is_another_stack(env: Env) -> None:
    """The zone of a stack of the same name that stands in another region is neither taken nor left."""
    route53 = env.aws_session.client("route53")
    zone = route53.create_hosted_zone(Name="example.org", CallerReference="osaka")["HostedZone"]
    tags = {
        "provision:stack": "news-bot",
        "provision:resource": "zone/example.org",
        "provision:region": "ap-northeast-3",
    }
    route53.change_tags_for_resource(
        ResourceType="hostedzone",
        ResourceId=zone["Id"].rpartition("/")[2],
        AddTags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    env.setup()
    assert [] == env.teardown(everything=True).left
    assert {"zone": 1} == env.inventory()
