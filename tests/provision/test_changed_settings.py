"""Somebody changes a setting of a finished stack: setup follows while the bot goes on answering, or refuses.

Each is changed back too, which is also how a setting is removed.
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

NO_SCHEDULE = {"schedule": 1, "policy": 4}  # the collector's stay
NO_NEWS = {"schedule": 2, "role": 3, "policy": 3, "task definition": 1}
TWICE = {"interface": 5}  # a second task's

# By setting: other values; a line of stack.py that the plan names; what the account then has otherwise.
CHANGES: list[tuple[dict[str, str], str, dict[str, int]]] = [
    ({"name": "shop-bot"}, "load_balancer", {}),
    ({"domain": "example.org"}, "zone", {}),
    ({"host": "bot.example.jp"}, "certificate", {}),
    ({"network.vpc": "new"}, "vpc", NETWORK),
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
# Nothing in AWS follows from these, but where the image is built here (test_image_resource.py).
NOTHING = {
    "image.files": "own",
    "image.base": "docker.io/library/python:3.13-slim",
}
SUBNETS = "network.subnets"
APART = {"region", "network.vpc", SUBNETS, "news.bucket"}  # tests of their own


def settings(env: Env, changed: dict[str, str]) -> dict[str, str]:
    """Into stack.yaml; as they were, to be put back."""
    file = StackFile(env.path)
    before = {key: _written(file.settings[key]) for key in changed}
    if "host" in before and file.settings["host"] == file.settings["domain"]:
        before["host"] = ""
    for key, value in changed.items():
        listed = key in (SUBNETS, "news.feeds")
        file.answer(key, value.split(",") if listed and value else [] if listed else value)
    return before


def _written(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value or "")


def follow(env: Env, line: str, refused: Collection[str] = ()) -> None:
    """The plan names it; setup follows without a silence; a second plan says nothing.

    refused: the calls that AWS may refuse meanwhile.
    """
    assert line in plan_and_status(env).actions
    with record_outages(env) as silent:
        assert [] == setup_errors(env, refused)
    assert [] == silent
    seen = plan_and_status(env)
    assert ({}, []) == (seen.actions, seen.plan.errors)


def test_every_setting_is_thought_of() -> None:
    """A new setting: followed, refused, without an effect, or with a test of its own."""
    followed = {key for changed, *_ in CHANGES for key in changed}
    assert set(BY_KEY) == followed | APART | set(NOTHING)


def cases() -> list[object]:
    """One of each sort in `make test`; test_replacement.py has a few of the others there."""
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
def test_followed_and_taken_back(
    finished_stack: FinishedStack, changed: dict[str, str], line: str, more: dict[str, int]
) -> None:
    """One of everything before, between and after; what a removed setting had made is gone."""
    with finished_stack.on("default") as env:
        before = settings(env, changed)
        # The records of what is not wanted any more do not say that a role goes after its policy.
        follow(env, line, ["DeleteRole"] if "news.feeds" in changed else [])
        whole = {**WHOLE, **more}
        families = env.aws_session.client("ecs").list_task_definition_families(status="ACTIVE")
        tagged = {**env.inventory(), "task definition": len(families["families"])}
        assert {kind: number for kind, number in whole.items() if number} == tagged
        settings(env, before)
        follow(env, line)
        env.clock.advance(60)  # a task that is too much stops
        finished_stack.whole(env)


def test_subnets(finished_stack: FinishedStack) -> None:
    """Two of three: load balancer and service move. Taken back, those stay that it stands in."""
    with finished_stack.on("default") as env:
        ec2 = env.aws_session.client("ec2")
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:3]
        settings(env, {SUBNETS: ",".join(subnets[:2])})
        follow(env, "load_balancer")
        settings(env, {SUBNETS: ",".join(subnets)})
        follow(env, "load_balancer")
        settings(env, {SUBNETS: ""})
        finished_stack.whole(env)


def test_news_bucket(finished_stack: FinishedStack) -> None:
    """Another one is read and written; the former one stays with what was collected, until teardown."""
    with finished_stack.on("default") as env:
        settings(env, {"news.bucket": "our-own-news"})
        follow(env, "news_bucket")
        assert 2 == env.inventory()["bucket"]
        settings(env, {"news.bucket": ""})
        assert ([], {}) == (env.teardown(everything=True).left, env.inventory())
        assert [] == setup_errors(env)
        finished_stack.whole(env)


def other_region(env: Env) -> None:
    """As `region: us-east-1` and the credentials of the same account."""
    env.aws = Aws("us-east-1", env.aws_session.session)


class OtherAccount(Aws):
    """Somebody else's credentials."""

    def account(self, clock: Clock | None = None) -> str:
        """Another number."""
        return "999999999999"


def other_account(env: Env) -> None:
    """Somebody else's credentials."""
    env.aws = OtherAccount("ap-northeast-1", env.aws_session.session)


def unknown_vpc(env: Env) -> None:
    """A VPC that this region does not have."""
    settings(env, {"network.vpc": "vpc-0123456789abcdef0"})


def unknown_subnets(env: Env) -> None:
    """Subnets that this VPC does not have."""
    settings(env, {SUBNETS: "subnet-0123456789abcdef0,subnet-0123456789abcdef1"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_region, "made in 123456789012 ap-northeast-1"),
        (other_account, "made in 123456789012 ap-northeast-1"),
        (unknown_vpc, "vpc-0123456789abcdef0"),
        (unknown_subnets, "subnet-0123456789abcdef0"),
    ],
)
def test_refused(finished_stack: FinishedStack, change: Callable[[Env], None], said: str) -> None:
    """Before anything is changed, with the way to do it; the stack stands as it stood."""
    with finished_stack.on("default") as env:
        door = env.aws
        change(env)
        file = env.path.read_text()
        env.changes()
        with pytest.raises(ProvisionError) as refused:
            raise_first_error(plan_and_status(env).plan)
        assert said in refused.value.why
        assert refused.value.then
        assert ([], file) == (env.changes(), env.path.read_text())
        settings(env, {"network.vpc": "default", SUBNETS: ""})
        env.aws = door
        finished_stack.whole(env)


@pytest.mark.parametrize("key", NOTHING)
def test_without_an_effect(finished_stack: FinishedStack, key: str) -> None:
    """Accepted, and nothing follows."""
    with finished_stack.on("default") as env:
        settings(env, {key: NOTHING[key]})
        assert {} == plan_and_status(env).actions
        settings(env, {key: ""})
