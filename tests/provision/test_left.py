"""After a teardown every service's own lists are searched: what is left is named, what is kept is not."""

import pytest

from provision.stackfile import StackFile
from tests.provision.conftest import Desk


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
