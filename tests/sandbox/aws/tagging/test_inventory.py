"""The Resource Groups Tagging API is incomplete and outdated."""

import pytest

from tests.sandbox.aws.ecs.bot_service import TRUST, Bot
from tests.sandbox.conftest import Account

FILTER = [{"Key": "stack", "Values": ["news"]}]


def inventory(account: Account) -> list[str]:
    """Return the ARNs of everything with the stack's tag."""
    client = account.client("resourcegroupstaggingapi")
    found = client.get_resources(TagFilters=FILTER)["ResourceTagMappingList"]
    return [entry["ResourceARN"] for entry in found]


@pytest.mark.behaviour("tagging.omits")
def test_roles_zones_and_groups_are_not_listed(account: Account) -> None:
    """Roles, hosted zones and schedule groups are missing; a log group is listed."""
    tag = {"Key": "stack", "Value": "news"}
    iam, route53 = account.client("iam"), account.client("route53")
    iam.create_role(RoleName="bot", AssumeRolePolicyDocument=TRUST, Tags=[tag])
    zone = account.hosted_zone()["HostedZone"]["Id"].rpartition("/")[2]
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, AddTags=[tag])
    account.client("scheduler").create_schedule_group(Name="bot", Tags=[tag])
    account.client("logs").create_log_group(logGroupName="/bot", tags={"stack": "news"})
    assert ["logs"] == [arn.split(":")[2] for arn in inventory(account)]


@pytest.mark.behaviour("tagging.lists-what-is-gone")
def test_deleted_service_is_still_listed(account: Account) -> None:
    """A deleted service, long INACTIVE, is still listed."""
    bot = Bot(account)
    account.clock.step = 20.0
    bot.settle()
    bot.create(tags=[{"key": "stack", "value": "news"}])
    bot.ecs.delete_service(cluster="news", service="bot", force=True)
    account.clock.advance(account.cloud.delays.service_drain + 200)
    assert "INACTIVE" == bot.service()["status"]
    assert 1 == sum(":service/news/bot" in arn for arn in inventory(account))
