"""A setting of a complete stack changes: setup follows while the bot goes on answering, or rejects it.

Each is changed back too, which also covers removing a setting.
"""

from collections.abc import Callable, Collection

import pytest

from provision.cli.planning import raise_first_error
from provision.clients.aws import Aws
from provision.clock import Clock
from provision.errors import ProvisionError
from provision.settings import BY_KEY
from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env
from tests.provision.finished_stack import (
    NETWORK,
    FinishedStack,
    plan_and_status,
    record_outages,
    setup_errors,
)

NO_SCHEDULE = {"schedule": 1, "policy": 5}  # those of the collector
NO_NEWS = {"schedule": 2, "role": 3, "policy": 3, "task definition": 1, "security group": 2}
TWICE = {"interface": 5}  # of a second task

# Changed settings; a resource that the plan then changes; how the inventory then differs.
CHANGES: list[tuple[dict[str, str], str, dict[str, int]]] = [
    ({"name": "shop-bot"}, "load_balancer", {}),
    ({"domain": "example.org"}, "zone", {}),
    ({"host": "bot.example.jp"}, "certificate", {}),
    ({"network.vpc": "new"}, "vpc", NETWORK),
    ({"load_balancer.deletion_protection": "on"}, "load_balancer", {}),
    ({"load_balancer.access_logs": "on"}, "access_log_bucket", {"bucket": 2}),
    ({"load_balancer.rate_limit": "5000"}, "web_acl", {"web ACL": 1}),
    ({"image.uri": "example.jp/bot:2"}, "task_definition", {}),
    ({"image.platform": "linux/arm64"}, "task_definition", {}),
    ({"service.cpu": "512"}, "task_definition", {}),
    ({"service.memory": "1024"}, "task_definition", {}),
    ({"service.count": "2"}, "service", TWICE),
    ({"service.capacity": "on-demand"}, "service", {}),
    ({"schedule.timezone": "Asia/Seoul"}, "start_schedule", {}),
    ({"schedule.start": "cron(0 7 ? * SAT,SUN *)"}, "start_schedule", {}),
    ({"schedule.stop": "cron(0 10 ? * SAT,SUN *)"}, "stop_schedule", {}),
    ({"schedule.start": "", "schedule.stop": ""}, "start_schedule", NO_SCHEDULE),
    ({"line.access_token_parameter": "/bot/token"}, "access_token", {}),
    ({"line.channel_secret_parameter": "/bot/secret"}, "channel_secret", {}),
    ({"news.feeds": "https://news.example/feed"}, "collector_definition", {}),
    ({"news.feeds": "", "news.schedule": "cron(5 * * * ? *)"}, "collector_definition", NO_NEWS),
    ({"news.schedule": "cron(5 * * * ? *)"}, "collector_schedule", {}),
]
# Without effect on AWS unless the image is built here (test_image_resource.py).
NO_EFFECT = {
    "image.files": "own",
    "image.base": "docker.io/library/python:3.13-slim",
}
SUBNETS = "network.subnets"
TESTED_SEPARATELY = {
    *("line.token", "line.channel_id"),  # test_stateless.py
    *("region", "network.vpc", SUBNETS, "news.bucket"),
    *("aws.permissions_boundary", "aws.tags"),  # test_account_rules.py
}


def write_settings(env: Env, changed: dict[str, str]) -> dict[str, str]:
    """Write settings into stack.yaml; return the previous values."""
    file = StackFile(env.path)
    before = {key: _written(file.settings[key]) for key in changed}
    if "host" in before and file.settings["host"] == file.settings["domain"]:
        before["host"] = ""
    for key, value in changed.items():
        listed = key in (SUBNETS, "news.feeds")
        file.set(key, value.split(",") if listed and value else [] if listed else value)
    return before


def _written(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value or "")


def apply_change(env: Env, line: str, refused: Collection[str] = ()) -> None:
    """Assert that the plan shows the change, and setup applies it without an outage.

    refused: the calls that AWS may reject meanwhile.
    """
    assert line in plan_and_status(env).actions
    with record_outages(env) as silent:
        assert [] == setup_errors(env, refused)
    assert [] == silent
    seen = plan_and_status(env)
    assert ({}, []) == (seen.actions, seen.plan.errors)


def test_every_setting_is_covered() -> None:
    """A new setting needs a case here: applied, rejected, without effect, or tested separately."""
    followed = {key for changed, *_ in CHANGES for key in changed}
    assert set(BY_KEY) == followed | TESTED_SEPARATELY | set(NO_EFFECT)


def cases() -> list[object]:
    """Return the cases, one of each sort for `make test`; test_replacement.py has some others."""
    fast = ("service.count", "schedule.start", "line.access_token_parameter", "news.feeds")
    found = []
    for changed, line, more in CHANGES:
        key = next(iter(changed))
        removed = len(changed) > 1
        marks = () if key in fast else pytest.mark.full
        name = key + ("-removed" if removed else "")
        found.append(pytest.param(changed, line, more, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("changed", "line", "more"), cases())
def test_change_is_applied_and_reverted(
    finished_stack: FinishedStack, changed: dict[str, str], line: str, more: dict[str, int]
) -> None:
    """One of everything before, between and after; what a removed setting had created is deleted."""
    with finished_stack.on("default") as env:
        before = write_settings(env, changed)
        # Records of removed resources do not contain the order of deletion: role after policy.
        apply_change(env, line, ["DeleteRole"] if "news.feeds" in changed else [])
        whole = {**WHOLE, **more}
        families = env.aws_session.client("ecs").list_task_definition_families(status="ACTIVE")
        tagged = {**env.inventory(), "task definition": len(families["families"])}
        assert {kind: number for kind, number in whole.items() if number} == tagged
        write_settings(env, before)
        apply_change(env, line)
        env.clock.advance(60)  # the surplus task stops
        finished_stack.whole(env)


def test_subnets(finished_stack: FinishedStack) -> None:
    """Load balancer and service move to two of three subnets, and back."""
    with finished_stack.on("default") as env:
        ec2 = env.aws_session.client("ec2")
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:3]
        write_settings(env, {SUBNETS: ",".join(subnets[:2])})
        apply_change(env, "load_balancer")
        write_settings(env, {SUBNETS: ",".join(subnets)})
        apply_change(env, "load_balancer")
        write_settings(env, {SUBNETS: ""})
        finished_stack.whole(env)


def test_news_bucket(finished_stack: FinishedStack) -> None:
    """Another bucket is used; the former one is kept with its news until teardown."""
    with finished_stack.on("default") as env:
        write_settings(env, {"news.bucket": "our-own-news"})
        apply_change(env, "news_bucket")
        assert 2 == env.inventory()["bucket"]
        write_settings(env, {"news.bucket": ""})
        assert ([], {}) == (env.teardown(everything=True).left, env.inventory())
        assert [] == setup_errors(env)
        finished_stack.whole(env)


def other_region(env: Env) -> None:
    """Use `region: us-east-1` with the same account."""
    env.aws = Aws("us-east-1", env.aws_session.session)


class OtherAccount(Aws):
    """An AWS client with another account's credentials."""

    def account(self, clock: Clock | None = None) -> str:
        """Return another account id."""
        return "999999999999"


def other_account(env: Env) -> None:
    """Use another account's credentials."""
    env.aws = OtherAccount("ap-northeast-1", env.aws_session.session)


def unknown_vpc(env: Env) -> None:
    """Set a VPC that does not exist in this region."""
    write_settings(env, {"network.vpc": "vpc-0123456789abcdef0"})


def unknown_subnets(env: Env) -> None:
    """Set subnets that do not exist in this VPC."""
    write_settings(env, {SUBNETS: "subnet-0123456789abcdef0,subnet-0123456789abcdef1"})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_region, "made in 123456789012 ap-northeast-1"),
        (other_account, "made in 123456789012 ap-northeast-1"),
        (unknown_vpc, "vpc-0123456789abcdef0"),
        (unknown_subnets, "subnet-0123456789abcdef0"),
    ],
)
def test_invalid_change_is_rejected(
    finished_stack: FinishedStack, change: Callable[[Env], None], reason: str
) -> None:
    """It is rejected with advice before anything is changed."""
    with finished_stack.on("default") as env:
        client = env.aws
        change(env)
        file = env.path.read_text()
        env.changes()
        with pytest.raises(ProvisionError) as refused:
            raise_first_error(plan_and_status(env).plan)
        assert reason in refused.value.why
        assert refused.value.then
        assert ([], file) == (env.changes(), env.path.read_text())
        write_settings(env, {"network.vpc": "default", SUBNETS: ""})
        env.aws = client
        finished_stack.whole(env)


@pytest.mark.parametrize("key", NO_EFFECT)
def test_setting_without_effect(finished_stack: FinishedStack, key: str) -> None:
    """It is accepted, and nothing changes."""
    with finished_stack.on("default") as env:
        write_settings(env, {key: NO_EFFECT[key]})
        assert {} == plan_and_status(env).actions
        write_settings(env, {key: ""})
