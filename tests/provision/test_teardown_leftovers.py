"""After a teardown each service's own lists are searched: leftovers are reported, kept resources are not."""

import pytest

from provision.engine.inventory import list_inventory
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env
from tests.provision.finished_stack import created_resources


def remove_records(env: Env, *lines: str) -> None:
    """Remove these resources' entries from stack.yaml, as with an editor."""
    file = StackFile(env.path)
    for key in list(file.records):
        if key.partition("/")[0] in lines:
            file.forget(key)


@pytest.mark.parametrize("everything", [True, False])
def test_teardown_leaves_nothing(env: Env, everything: bool) -> None:
    """Kept resources carry our tags too, and are not reported as left."""
    env.setup()
    result = env.teardown(everything=everything)
    assert ([], {}, []) == (result.left, result.unlisted, result.errors)


def test_teardown_deletes_resources_known_only_by_tags(env: Env) -> None:
    """They are neither recorded nor in the stack: a former host's certificate, a schedule's role."""
    env.setup()
    env.set(host="bot.example.jp", schedule__start="", schedule__stop="")
    remove_records(env, "certificate", "scheduler_role", "schedule_group")
    result = env.teardown()
    assert ([], []) == (result.left, result.errors)
    assert {} == env.inventory()


def test_second_teardown_deletes_nothing(env: Env) -> None:
    """LINE's endpoint and the news are kept for their own reasons; a second teardown does not touch them."""
    env.setup()
    env.teardown(everything=False)
    kept = {key.partition("/")[0] for key in StackFile(env.path).records}
    assert ({"news_bucket"}, set()) == (
        kept & {"news_bucket"},
        kept & {"initial_collection", "webhook"},
    )
    result = env.teardown(everything=False)
    assert ([], []) == (result.deleted, result.left)


@pytest.mark.parametrize("known", [True, False])
def test_teardown_deletes_inactive_revision(env: Env, known: bool) -> None:
    """A deregistered revision stays in ECS's lists as INACTIVE: teardown deletes it, recorded or not."""
    env.setup()
    ecs = env.aws_session.client("ecs")
    arn = StackFile(env.path).records["task_definition/news-bot"].outputs["arn"]
    ecs.deregister_task_definition(taskDefinition=arn)
    if not known:
        remove_records(env, "task_definition")
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert [] == ecs.list_task_definitions(status="INACTIVE")["taskDefinitionArns"]


# Resources without a list call of their own: deleted with the listed resource that contains them.
INSIDE = {
    "validation_record": "zone",
    "alias": "zone",
    "execution_permissions": "execution_role",
    "task_permissions": "task_role",
    "scheduler_permissions": "scheduler_role",
    "collector_permissions": "collector_role",
    "collector_execution_permissions": "collector_execution_role",
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


def test_inventory_covers_every_resource(env: Env) -> None:
    """Each resource of stack.py is found by a service's own list call, or inside a resource that is."""
    env.set(network__vpc="new")
    env.setup()
    found = list_inventory(env.clients(), env.clock, "news-bot")
    seen = {tagged.logical_id for tagged in found.tagged}
    lines = {one.logical_id for one in created_resources("new")}
    assert ({}, set()) == (found.unlisted, lines - seen - set(INSIDE) - set(ELSEWHERE))
    assert set(INSIDE.values()) <= seen


def test_leftover_is_reported_with_its_arn(env: Env) -> None:
    """A second load balancer with our tags, under the key of the first, is reported."""
    env.setup()
    ec2, elbv2 = env.aws_session.client("ec2"), env.aws_session.client("elbv2")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    tags = {"provision:stack": "news-bot", "provision:resource": "load_balancer/news-bot"}
    duplicate = elbv2.create_load_balancer(
        Name="news-bot-twin",
        Subnets=subnets,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    assert [f"load_balancer/news-bot ({duplicate})"] == env.teardown().left


def test_teardown_ignores_same_name_in_another_region(env: Env) -> None:
    """The zone of a stack of the same name in another region is neither deleted nor reported."""
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


def test_teardown_deletes_a_second_zone_with_our_tags(env: Env) -> None:
    """As after a setup with an old copy of stack.yaml: both go, or both are kept."""
    env.setup()
    route53 = env.aws_session.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    tags = route53.list_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zone["Id"].rpartition("/")[2]
    )["ResourceTagSet"]["Tags"]
    second = route53.create_hosted_zone(Name="example.jp", CallerReference="second")["HostedZone"]
    route53.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=second["Id"].rpartition("/")[2], AddTags=tags
    )
    kept = env.teardown(everything=False)
    assert ([], []) == (kept.errors, kept.left)
    assert {"zone/example.jp", "zone.2/example.jp"} <= set(kept.kept)
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert {"zone/example.jp", "zone.2/example.jp"} <= set(result.deleted)
    assert {} == env.inventory()
