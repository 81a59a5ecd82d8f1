"""A lost stack.yaml: settings and records are read from what stands in the account."""

from typing import Any

import pytest

from provision.engine.inventory import TaggedResource, list_inventory
from provision.errors import ProvisionError
from provision.resources.base import Resource
from provision.resources.load_balancer import LoadBalancer
from provision.resources.service import Service
from provision.resources.target_group import TargetGroup
from provision.resources.task_definition import TaskDefinition
from provision.state.stack_file import StackFile
from provision.wizard import recovery
from provision.wizard.discovery import DiscoveredSettings
from tests.provision.conftest import ANSWERS, WHOLE, Env

FORGOTTEN = ("caller_reference", "idempotency_token", "previous")  # said once, before the call
OTHERS = {  # everything that is no default
    "host": "bot.example.jp",
    "network.vpc": "new",
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
}


def answer(env: Env, settings: dict[str, str]) -> None:
    """Settings into stack.yaml."""
    env.set(**{key.replace(".", "__"): value for key, value in settings.items()})


def remembered(env: Env) -> tuple[dict[str, Any], dict[str, Any], dict[str, str], bool]:
    """Settings, records, account and mark of pause, without what AWS cannot tell."""
    file = StackFile(env.path)
    records = {
        key: (r.kind, r.state, {n: v for n, v in r.outputs.items() if n not in FORGOTTEN})
        for key, r in file.records.items()
    }
    return dict(file.settings), records, file.made_in, file.paused


def lose(env: Env) -> list[str]:
    """The file is gone and written anew; returns what AWS does not tell."""
    env.path.unlink(missing_ok=True)
    return recovered(env)


def recovered(env: Env, name: str = "news-bot") -> list[str]:
    """What `provision recover` does once the stack is chosen."""
    file, clients = StackFile(env.path), env.clients()
    discovered = DiscoveredSettings(list_inventory(clients, env.clock, name).tagged, clients, name)
    return recovery.write(file, clients, env.clock, discovered)


@pytest.mark.parametrize("changed", [{}, OTHERS], ids=["defaults", "others"])
def test_everything_comes_back(env: Env, changed: dict[str, str]) -> None:
    """Settings and records are as they were; setup has nothing to do; teardown leaves nothing."""
    answer(env, changed)
    env.setup()
    before = remembered(env)
    env.changes()
    assert [] == lose(env)
    assert before == remembered(env)
    outcome = env.setup()
    assert ([], [], []) == (outcome.errors, outcome.outside, env.changes())
    assert [] == env.teardown(everything=True).left
    assert {} == env.inventory()


def test_always_on(env: Env) -> None:
    """No schedule: both times are recorded as empty, so that nobody is asked again."""
    answer(env, {"schedule.start": "", "schedule.stop": "", "service.count": "2"})
    env.setup()
    before = remembered(env)
    assert [] == lose(env)
    assert before == remembered(env)
    assert StackFile(env.path).has_value("schedule.start")


def test_chosen_subnets(env: Env) -> None:
    """Others than the first three are a setting."""
    subnets = [s["SubnetId"] for s in env.aws_session.client("ec2").describe_subnets()["Subnets"]][
        :2
    ]
    answer(env, {"network.subnets": ",".join(subnets)})
    env.setup()
    lose(env)
    assert sorted(subnets) == sorted(StackFile(env.path).settings["network.subnets"])


def test_what_was_adopted_is_adopted_again(env: Env) -> None:
    """Zone, parameter and bucket that were there first: found by host and by what the task is told."""
    client = env.aws_session.client
    for number, name in enumerate(("example.jp", "bot.example.jp", "other.example.jp")):
        client("route53").create_hosted_zone(Name=name, CallerReference=str(number))
    where = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket="their-news", CreateBucketConfiguration=where)
    client("ssm").put_parameter(
        Name="/their/secret", Value=env.secrets.channel_secret, Type="SecureString"
    )
    answer(
        env,
        {
            "domain": "bot.example.jp",
            "host": "line.bot.example.jp",
            "news.bucket": "their-news",
            "line.channel_secret_parameter": "/their/secret",
        },
    )
    env.setup()
    before = remembered(env)
    assert [] == lose(env)
    after = remembered(env)
    validation = "validation_record/line.bot.example.jp"  # may be another certificate's as well
    assert ("ValidationRecord", "adopted") == after[1].pop(validation)[:2]
    before[1].pop(validation)
    assert before == after
    assert "created" == StackFile(env.path).records["alias/line.bot.example.jp"].state


def test_paused(env: Env) -> None:
    """A pause is recognised; what went with the service is named; resume and teardown work."""
    env.setup()
    env.engine().pause()
    before = remembered(env)
    assert ["schedule.start", "service.capacity", "network.subnets"] == lose(env)
    settings, records, made_in, paused = remembered(env)
    assert (True, before[1], before[2]) == (paused, records, made_in)
    for key in ("schedule.start", "schedule.stop"):
        answer(env, {key: before[0][key]})
    assert before[0] == dict(StackFile(env.path).settings)
    assert settings["domain"] == "example.jp"
    StackFile(env.path).mark_paused(False)
    assert [] == env.setup().errors
    assert WHOLE == env.inventory()


@pytest.mark.parametrize("until", ["certificate", "access_token", "task_role", "load_balancer"])
def test_half_made(env: Env, until: str) -> None:
    """Setup that stopped early: what is open stays open, and the rest goes on from here."""
    env.cut_power("creating", until, "after", rest=True)  # a bucket's tags come a call later
    with pytest.raises(BaseException, match="after"):
        env.setup()
    still = lose(env)
    for key in still:
        answer(env, {key: ANSWERS[key]})
    assert "example.jp" == StackFile(env.path).settings["domain"]
    tagged = ["DeleteRole"]  # of a collector that is no longer wanted: while its policy is known
    assert [] == env.setup(refused=tagged).errors
    assert [] == env.teardown().left
    assert {} == env.inventory()


def test_several_stacks(env: Env) -> None:
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
    answer(env, second)
    env.setup(wait=0)
    env.path.unlink()
    file, clients = StackFile(env.path), env.clients()
    assert ["news-bot", "other-bot"] == recovery.stacks(clients, env.clock)
    with pytest.raises(ProvisionError, match="news-bot, other-bot"):
        recovery.which(file, clients, env.clock, named=False)
    recovered(env, "other-bot")
    settings = StackFile(env.path).settings
    assert second == {key: settings[key] for key in second}


def test_host_of_several_certificates_is_the_one_that_line_calls(env: Env) -> None:
    """A change of hosts that stopped half-way: the host is the endpoint's; the other one's things go."""
    env.setup()
    env.set(host="bot.example.jp")
    env.cut_power("creating", "webhook", "before", rest=True)
    with pytest.raises(BaseException, match="before"):
        env.setup()
    lose(env)
    assert "example.jp" == StackFile(env.path).settings["host"]
    assert [] == env.setup().errors
    assert WHOLE == env.inventory()


def test_by_itself(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """The file of a fresh checkout: recovered when a verb begins, over its defaults, and said in one line."""
    answer(env, {"service.memory": "1024"})
    env.setup()
    before = remembered(env)
    env.path.write_text("name: news-bot\nservice:\n  memory: 2048  # MiB\n")
    file = StackFile(env.path)
    recovery.recover_if_empty(file, env.clients(), env.clock, ())
    assert before == remembered(env)
    assert "memory: 1024  # MiB" in env.path.read_text()
    assert 1 == len(capsys.readouterr().err.splitlines())


def test_by_itself_costs_one_call_where_there_is_no_stack(env: Env) -> None:
    """A first setup is not slowed down."""
    env.path.unlink()
    env.aws_session.calls.clear()
    recovery.recover_if_empty(StackFile(env.path), env.clients(), env.clock, ())
    assert ["DescribeSecurityGroups"] == env.aws_session.calls


def test_a_look_writes_nothing(env: Env) -> None:
    """plan and status know what was lost, and leave the file as it is."""
    env.setup()
    env.path.unlink()
    file = StackFile(env.path)
    file.on_trial = True
    recovery.recover_if_empty(file, env.clients(), env.clock, ())
    assert ("example.jp", True) == (file.settings["domain"], "zone/example.jp" in file.records)
    assert not env.path.exists()


def test_second_file_of_the_same_name(env: Env) -> None:
    """Another folder, another domain, the same default name: refused, or it would take the first bot over."""
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
def test_what_shows_a_pause(env: Env, kinds: list[type[Resource]], paused: bool) -> None:
    """A stack is paused if only its load balancer and service are missing, unlike after a partial setup."""
    found = [TaggedResource(kind, f"{kind.__name__}/x", "news-bot", {}) for kind in kinds]
    assert paused == DiscoveredSettings(found, env.clients(), "news-bot").paused()
