"""A lost stack.yaml: settings and records are recovered from the account."""

from typing import Any

import pytest

from provision.engine.inventory import TaggedResource, list_inventory
from provision.errors import ProvisionError, UnknownState, UsageError
from provision.resources.base import Resource
from provision.resources.load_balancer import LoadBalancer
from provision.resources.service import Service
from provision.resources.target_group import TargetGroup
from provision.resources.task_definition import TaskDefinition
from provision.state.stack_file import StackFile
from provision.wizard import recovery
from provision.wizard.discovery import DiscoveredSettings
from tests.provision.conftest import ANSWERS, WHOLE, Env
from tests.provision.test_unanswered_requests import deny

FORGOTTEN = ("caller_reference", "idempotency_token", "previous")  # sent once, not returned by AWS
NOT_DEFAULT: dict[str, Any] = {  # every setting that differs from its default
    "host": "bot.example.jp",
    "network.vpc": "new",
    "load_balancer.deletion_protection": "on",
    "load_balancer.access_logs": "on",
    "load_balancer.rate_limit": "5000",
    "service.cpu": "512",
    "service.memory": "1024",
    "service.count": "2",
    "service.capacity": "on-demand",
    "image.platform": "linux/arm64",
    "schedule.start": "cron(0 18 ? * MON-FRI *)",
    "schedule.stop": "cron(0 22 ? * MON-FRI *)",
    "schedule.timezone": "Asia/Seoul",
    "line.access_token_parameter": "/bot/token",
    "line.channel_secret_parameter": "/bot/secret",
    "news.bucket": "our-own-news",
    "aws.permissions_boundary": "arn:aws:iam::aws:policy/AdministratorAccess",
    "aws.tags": ["CostCenter=12", "Team=a b"],
}


def write_settings(env: Env, settings: dict[str, Any]) -> None:
    """Write settings into stack.yaml."""
    env.set(**{key.replace(".", "__"): value for key, value in settings.items()})


def file_content(env: Env) -> tuple[dict[str, Any], dict[str, Any], dict[str, str], bool]:
    """Return settings, records, account and the paused flag, without what AWS does not return."""
    file = StackFile(env.path)
    records = {
        key: (r.kind, r.state, {n: v for n, v in r.outputs.items() if n not in FORGOTTEN})
        for key, r in file.records.items()
    }
    return dict(file.settings), records, file.made_in, file.paused


def lose_and_recover(env: Env) -> list[str]:
    """Delete the file and recover it; return the settings that AWS does not know."""
    env.path.unlink(missing_ok=True)
    return recover(env)


def recover(env: Env, name: str = "news-bot") -> list[str]:
    """Recover a stack by name, as `provision recover` does."""
    file, clients = StackFile(env.path), env.clients()
    discovered = DiscoveredSettings(list_inventory(clients, env.clock, name).tagged, clients, name)
    return recovery.write_file(file, clients, env.clock, discovered)


@pytest.mark.parametrize("changed", [{}, NOT_DEFAULT], ids=["defaults", "others"])
def test_settings_and_records_are_recovered(env: Env, changed: dict[str, Any]) -> None:
    """Setup then has nothing to do, and teardown leaves nothing."""
    write_settings(env, changed)
    env.setup()
    before = file_content(env)
    env.changes()
    assert [] == lose_and_recover(env)
    if "load_balancer.deletion_protection" in changed:  # AWS does not say who switched it on
        key = next(key for key in before[1] if key.startswith("load_balancer/"))
        before[1][key][2]["protected_by"] = "others"
    assert before == file_content(env)
    outcome = env.setup()
    assert ([], [], []) == (outcome.errors, outcome.outside, env.changes())
    assert [] == env.engine().teardown(True, set(before[1])).left
    assert {} == env.inventory()


def test_recover_without_schedule(env: Env) -> None:
    """Both times are recorded as empty, so that they are not asked for again."""
    write_settings(env, {"schedule.start": "", "schedule.stop": "", "service.count": "2"})
    env.setup()
    before = file_content(env)
    assert [] == lose_and_recover(env)
    assert before == file_content(env)
    assert StackFile(env.path).has_value("schedule.start")


def test_recover_chosen_subnets(env: Env) -> None:
    """Other subnets than the first three are a setting."""
    subnets = [s["SubnetId"] for s in env.aws_session.client("ec2").describe_subnets()["Subnets"]][
        :2
    ]
    write_settings(env, {"network.subnets": ",".join(subnets)})
    env.setup()
    lose_and_recover(env)
    assert sorted(subnets) == sorted(StackFile(env.path).settings["network.subnets"])


def test_recover_adopted_resources(env: Env) -> None:
    """Zone, parameter and bucket are found by the host and by the task's environment."""
    client = env.aws_session.client
    for number, name in enumerate(("example.jp", "bot.example.jp", "other.example.jp")):
        client("route53").create_hosted_zone(Name=name, CallerReference=str(number))
    where = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket="their-news", CreateBucketConfiguration=where)
    client("ssm").put_parameter(
        Name="/their/secret", Value=env.secrets.channel_secret, Type="SecureString"
    )
    write_settings(
        env,
        {
            "domain": "bot.example.jp",
            "host": "line.bot.example.jp",
            "news.bucket": "their-news",
            "line.channel_secret_parameter": "/their/secret",
        },
    )
    env.setup()
    before = file_content(env)
    assert [] == lose_and_recover(env)
    after = file_content(env)
    validation = "validation_record/line.bot.example.jp"  # may belong to another certificate too
    assert ("ValidationRecord", "adopted") == after[1].pop(validation)[:2]
    before[1].pop(validation)
    assert before == after
    assert "created" == StackFile(env.path).records["alias/line.bot.example.jp"].state


def test_recover_a_paused_stack(env: Env) -> None:
    """The pause is recognised, and unknown settings are returned; resume and teardown work."""
    env.setup()
    env.engine().pause()
    before = file_content(env)
    assert ["schedule.start", "service.capacity", "network.subnets"] == lose_and_recover(env)
    settings, records, made_in, paused = file_content(env)
    assert (True, before[1], before[2]) == (paused, records, made_in)
    for key in ("schedule.start", "schedule.stop"):
        write_settings(env, {key: before[0][key]})
    assert before[0] == dict(StackFile(env.path).settings)
    assert settings["domain"] == "example.jp"
    StackFile(env.path).mark_paused(False)
    assert [] == env.setup().errors
    assert WHOLE == env.inventory()


def test_recover_what_a_teardown_kept(env: Env) -> None:
    """The zone and the bucket have the stack's tags; what setup asks for stays open."""
    env.setup()
    env.teardown(everything=False)
    kept = ["zone/example.jp", "news_bucket"]
    before = file_content(env)
    assert kept == [key for key, (_kind, state, _o) in before[1].items() if state == "created"]
    unknown = ["network.vpc", "image.uri", "schedule.start", "schedule.stop", "news.feeds"]
    assert unknown == lose_and_recover(env)
    settings, records, made_in, _paused = file_content(env)
    assert ("example.jp", before[2]) == (settings["domain"], made_in)
    assert not StackFile(env.path).has_value("news.feeds")
    assert {key: before[1][key] for key in kept} == records
    write_settings(env, {key: before[0][key] for key in unknown})
    assert [] == env.setup().errors
    assert WHOLE == env.inventory()


@pytest.mark.parametrize("until", ["certificate", "access_token", "task_role", "load_balancer"])
def test_recover_a_partial_setup(env: Env, until: str) -> None:
    """What is unknown stays open, and setup continues from here."""
    env.cut_power("creating", until, "after", rest=True)  # a bucket is tagged by a later call
    with pytest.raises(BaseException, match="after"):
        env.setup()
    unknown = lose_and_recover(env)
    write_settings(env, {key: ANSWERS[key] for key in unknown if key in ANSWERS})
    assert "example.jp" == StackFile(env.path).settings["domain"]
    tagged = ["DeleteRole"]  # of the removed collector, while it still has its policy
    assert [] == env.setup(refused=tagged).errors
    assert [] == env.teardown().left
    assert {} == env.inventory()


def test_recover_one_of_several_stacks(env: Env) -> None:
    """Both are listed, and the named one is recovered."""
    env.setup()
    env.path.unlink()
    second = {
        "name": "other-bot",
        "domain": "example.jp",
        "host": "other.example.jp",
        "network.vpc": "default",
        "image.uri": "a/b:1",
        "line.access_token_parameter": "OTHER_TOKEN",
        "line.channel_secret_parameter": "OTHER_SECRET",
    }
    write_settings(env, second)
    env.setup(wait=0)
    env.path.unlink()
    file, clients = StackFile(env.path), env.clients()
    assert ["news-bot", "other-bot"] == recovery.list_stacks(clients, env.clock)
    with pytest.raises(ProvisionError, match="news-bot, other-bot"):
        recovery.choose_stack(file, clients, env.clock, named=False)
    recover(env, "other-bot")
    settings = StackFile(env.path).settings
    assert second == {key: settings[key] for key in second}


def test_recovered_host_is_the_one_that_line_calls(env: Env) -> None:
    """After an interrupted change of host the endpoint decides; the other host's resources are deleted."""
    env.setup()
    env.set(host="bot.example.jp")
    env.cut_power("creating", "webhook", "before", rest=True)
    with pytest.raises(BaseException, match="before"):
        env.setup()
    lose_and_recover(env)
    assert "example.jp" == StackFile(env.path).settings["host"]
    assert [] == env.setup().errors
    assert WHOLE == env.inventory()


def test_automatic_recovery(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that names the domain gets its records back when a command begins, with a message."""
    env.setup()
    before = file_content(env)
    upper, _heading, _records = env.path.read_text().partition("\n# What exists")
    env.path.write_text(upper)
    file = StackFile(env.path)
    recovery.recover_if_empty(file, env.clients(), env.clock, ())
    assert before == file_content(env)
    assert 1 == len(capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "{path} does not exist"),
        (
            "name: news-bot\nservice:\n  memory: 2048  # MiB\n",
            "{path} has neither records nor a domain",
        ),
    ],
)
def test_a_stack_that_the_file_does_not_name(env: Env, text: str | None, why: str) -> None:
    """A command that changes something refuses without a terminal; one that reads shows what is there."""
    write_settings(env, {"service.memory": "1024"})
    env.setup()
    before = file_content(env)
    env.path.unlink()
    env.path.with_name(".stack.yaml.last").unlink(missing_ok=True)
    if text:
        env.path.write_text(text)
    with pytest.raises(UsageError) as refused:
        recovery.recover_if_empty(StackFile(env.path), env.clients(), env.clock, ())
    assert (
        f"{why.format(path=env.path)}; this account has the stack news-bot for example.jp "
        "(resources: 25)"
    ) == refused.value.why
    assert (
        "If you mean that stack, run `provision recover` first: it writes the file. If not, name the right "
        "file with --stack FILE."
    ) == refused.value.then
    assert text == (env.path.read_text() if env.path.exists() else None)
    file = StackFile(env.path)
    file.read_only = True
    recovery.recover_if_empty(file, env.clients(), env.clock, ())
    assert before[0] == dict(file.settings)
    assert text == (env.path.read_text() if env.path.exists() else None)


def test_a_stack_that_set_names(env: Env) -> None:
    """`--set domain=...` says which stack is meant, also where the file is lost."""
    env.setup()
    before = file_content(env)
    env.path.unlink()
    file = StackFile(env.path)
    file.set("domain", "example.jp", save=False)
    recovery.recover_if_empty(file, env.clients(), env.clock, ["domain"])
    assert before == file_content(env)


def test_automatic_recovery_costs_one_call_without_a_stack(env: Env) -> None:
    """A first setup is not slowed down."""
    env.path.unlink()
    env.aws_session.calls.clear()
    recovery.recover_if_empty(StackFile(env.path), env.clients(), env.clock, ())
    assert ["DescribeSecurityGroups"] == env.aws_session.calls


def test_automatic_recovery_of_read_only_commands_writes_nothing(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """plan and status know what was lost, say so, and leave the file unchanged."""
    env.setup()
    env.path.unlink()
    file = StackFile(env.path)
    file.read_only = True
    recovery.recover_if_empty(file, env.clients(), env.clock, ())
    assert ("example.jp", True) == (file.settings["domain"], "zone/example.jp" in file.records)
    assert not env.path.exists()
    said = (
        f"{env.path} has no records of the stack news-bot, which exists in this account: it is shown as it "
        "is there. `provision recover` writes the file.\n"
    )
    assert said == capsys.readouterr().err


def test_automatic_recovery_rejects_another_domain(env: Env) -> None:
    """Another file with the same default name would otherwise take over the first bot."""
    env.setup()
    env.path.write_text("domain: other.example\nnetwork:\n  vpc: default\n")
    file = StackFile(env.path)
    with pytest.raises(ProvisionError, match=r"a stack news-bot already, for example\.jp"):
        recovery.recover_if_empty(file, env.clients(), env.clock, ())


@pytest.mark.parametrize(
    ("kinds", "paused"),
    [
        ([TargetGroup, TaskDefinition], True),
        ([TargetGroup, TaskDefinition, LoadBalancer], False),
        ([TargetGroup, TaskDefinition, Service], False),
        ([TargetGroup], False),
        ([TaskDefinition], False),
        ([], False),
    ],
)
def test_paused_stack_is_recognised(env: Env, kinds: list[type[Resource]], paused: bool) -> None:
    """A stack is paused if only its load balancer and service are missing, unlike after a partial setup."""
    found = [TaggedResource(kind, f"{kind.__name__}/x", "news-bot", {}) for kind in kinds]
    assert paused == DiscoveredSettings(found, env.clients(), "news-bot").paused()


@pytest.mark.parametrize(
    "operation",
    [
        "ListScheduleGroups",
        "ListTaskDefinitions",
        "ListServices",
        "DescribeLoadBalancers",
        "ListRoles",
    ],
)
def test_a_setting_that_may_not_be_read_is_not_its_default(env: Env, operation: str) -> None:
    """Hours, size and capacity stand in the account: without the permission for a list nothing is written."""
    env.setup()
    env.path.unlink()
    env.aws_session.before = deny(operation)
    with pytest.raises(UnknownState) as refused:
        recovery.recover_if_empty(StackFile(env.path), env.clients(), env.clock, ())
    assert f"AccessDenied: not authorized: {operation}" == refused.value.why
    assert not env.path.exists()


def test_tag_that_others_set_is_not_required(env: Env) -> None:
    """A tag that only some resources have is not one of the setting aws.tags."""
    env.set(aws__tags=["CostCenter=12"])
    env.setup()
    ecs = env.aws_session.client("ecs")
    (cluster,) = ecs.list_clusters()["clusterArns"]
    ecs.tag_resource(resourceArn=cluster, tags=[{"key": "Owner", "value": "maria"}])
    lose_and_recover(env)
    assert ["CostCenter=12"] == StackFile(env.path).settings["aws.tags"]


def test_what_no_setting_is_read_from_is_told(env: Env) -> None:
    """Internet gateways may not be listed, or a cloud has no Scheduler: noted; the rest comes back."""
    env.setup()
    env.aws_session.before = deny("DescribeInternetGateways")
    why = {"InternetGateway": "AccessDenied: not authorized: DescribeInternetGateways"}
    assert why == recovery.discover(env.clients(), env.clock, "news-bot").unknown
    env.aws_session.before = deny("ListScheduleGroups", code="UnknownOperationException")
    why = {"ScheduleGroup": "UnknownOperationException: not authorized: ListScheduleGroups"}
    assert why == recovery.discover(env.clients(), env.clock, "news-bot").unknown


@pytest.mark.parametrize(
    ("sets", "why"),
    [
        ({"host": "other.example"}, "host takes the domain example.jp or a subdomain of it"),
        ({"domain": "other.example"}, "host takes the domain other.example or a subdomain of it"),
    ],
)
def test_settings_that_conflict_with_the_account_are_not_written(
    env: Env, sets: dict[str, str], why: str
) -> None:
    """A host outside the domain that stands there: refused, or every verb would refuse the file."""
    env.set(host="bot.example.jp")
    env.setup()
    env.path.unlink()
    file, clients = StackFile(env.path), env.clients()
    discovered = recovery.discover(clients, env.clock, "news-bot")
    with pytest.raises(UsageError) as refused:
        recovery.write_file(file, clients, env.clock, discovered, sets=sets)
    assert why == refused.value.why
    assert not env.path.exists()
