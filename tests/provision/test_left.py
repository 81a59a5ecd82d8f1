"""After a teardown every service's own lists are searched: what is left is named, what is kept is not."""

import pytest

from provision.account import holdings
from provision.stackfile import StackFile
from tests.provision.conftest import Desk
from tests.provision.standing import made


def forget(desk: Desk, *lines: str) -> None:
    """stack.yaml without the entries of these lines, as somebody with an editor leaves it."""
    file = StackFile(desk.path)
    for key in list(file.records):
        if key.partition("/")[0] in lines:
            file.forget(key)


@pytest.mark.parametrize("everything", [True, False])
def test_nothing_is_left(desk: Desk, everything: bool) -> None:
    """Kept things carry our tags too, and are not counted."""
    desk.setup()
    gone = desk.teardown(everything=everything)
    assert ([], {}, []) == (gone.left, gone.unasked, gone.refusals)


def test_what_only_tags_know_goes_too(desk: Desk) -> None:
    """Neither recorded nor in the stack any more: a former host's certificate, a schedule's role."""
    desk.setup()
    desk.set(host="bot.example.jp", schedule__start="", schedule__stop="")
    forget(desk, "certificate", "scheduler_role", "schedule_group")
    gone = desk.teardown()
    assert ([], []) == (gone.left, gone.refusals)
    assert {} == desk.inventory()


def test_nothing_to_take_away_a_second_time(desk: Desk) -> None:
    """LINE's endpoint and the news stay, each for its reason; that is no work for another teardown."""
    desk.setup()
    desk.teardown(everything=False)
    kept = {key.partition("/")[0] for key in StackFile(desk.path).records}
    assert ({"news_bucket"}, set()) == (kept & {"news_bucket"}, kept & {"first_news", "webhook"})
    gone = desk.teardown(everything=False)
    assert ([], []) == (gone.deleted, gone.left)


@pytest.mark.parametrize("known", [True, False])
def test_revision_that_somebody_deregistered(desk: Desk, known: bool) -> None:
    """It stays in ECS's lists, INACTIVE, and no service can run it: teardown deletes it, recorded or not."""
    desk.setup()
    ecs = desk.cable.client("ecs")
    arn = StackFile(desk.path).records["task_definition/news-bot"].outputs["arn"]
    ecs.deregister_task_definition(taskDefinition=arn)
    if not known:
        forget(desk, "task_definition")
    gone = desk.teardown()
    assert ([], []) == (gone.refusals, gone.left)
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
    "warm_door": "load_balancer",
    "warm_door_rule": "load_balancer",
    "https": "load_balancer",
    "start_schedule": "schedule_group",
    "stop_schedule": "schedule_group",
}
ELSEWHERE = {
    "service_linked_role": "the account's",
    "webhook": "LINE's, which has no list",
    "first_news": "a task, which ends by itself",
}


def test_every_resource_is_searched_for(desk: Desk) -> None:
    """Whatever is left of a stack is seen: each line of stack.py by a service's own list, or inside one."""
    desk.set(network__vpc="new")
    desk.setup()
    found = holdings(desk.doors(), desk.clock, "news-bot")
    seen = {held.line for held in found.held}
    lines = {one.line for one in made("new")}
    assert ({}, set()) == (found.unasked, lines - seen - set(INSIDE) - set(ELSEWHERE))
    assert set(INSIDE.values()) <= seen


def test_left_is_named(desk: Desk) -> None:
    """A second load balancer that carries our tags, under the key of the first: named with its ARN."""
    desk.setup()
    ec2, elbv2 = desk.cable.client("ec2"), desk.cable.client("elbv2")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    tags = {"provision:stack": "news-bot", "provision:resource": "load_balancer/news-bot"}
    twin = elbv2.create_load_balancer(
        Name="news-bot-twin",
        Subnets=subnets,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    assert [f"load_balancer/news-bot ({twin})"] == desk.teardown().left


def test_another_region_is_another_stack(desk: Desk) -> None:
    """The zone of a stack of the same name that stands in another region is neither taken nor left."""
    route53 = desk.cable.client("route53")
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
    desk.setup()
    assert [] == desk.teardown(everything=True).left
    assert {"zone": 1} == desk.inventory()
