"""A lost stack.yaml: settings and records are read from what stands in the account."""

from typing import Any

import pytest

from provision import recover
from provision.account import holdings
from provision.errors import Refusal
from provision.stackfile import StackFile
from provision.traces import Traces
from tests.provision.conftest import ANSWERS, WHOLE, Desk

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


def answer(desk: Desk, settings: dict[str, str]) -> None:
    """Settings into the desk's file."""
    desk.set(**{key.replace(".", "__"): value for key, value in settings.items()})


def remembered(desk: Desk) -> tuple[dict[str, Any], dict[str, Any], dict[str, str], bool]:
    """Settings, records, account and mark of pause, without what AWS cannot tell."""
    file = StackFile(desk.path)
    records = {
        key: (r.kind, r.state, {n: v for n, v in r.outputs.items() if n not in FORGOTTEN})
        for key, r in file.records.items()
    }
    return dict(file.settings), records, file.made_in, file.paused


def lose(desk: Desk) -> list[str]:
    """The file is gone and written anew; returns what AWS does not tell."""
    desk.path.unlink(missing_ok=True)
    return recovered(desk)


def recovered(desk: Desk, name: str = "news-bot") -> list[str]:
    """What `provision recover` does once the stack is chosen."""
    file, doors = StackFile(desk.path), desk.doors()
    traces = Traces(holdings(doors, desk.clock, name).held, doors, name)
    return recover.write(file, doors, desk.clock, traces)


@pytest.mark.parametrize("changed", [{}, OTHERS], ids=["defaults", "others"])
def test_everything_comes_back(desk: Desk, changed: dict[str, str]) -> None:
    """Settings and records are as they were; setup has nothing to do; teardown leaves nothing."""
    answer(desk, changed)
    desk.setup()
    before = remembered(desk)
    desk.changes()
    assert [] == lose(desk)
    assert before == remembered(desk)
    outcome = desk.setup()
    assert ([], [], []) == (outcome.refusals, outcome.outside, desk.changes())
    assert [] == desk.teardown(everything=True).left
    assert {} == desk.inventory()


def test_always_on(desk: Desk) -> None:
    """No schedule: both times are recorded as empty, so that nobody is asked again."""
    answer(desk, {"schedule.start": "", "schedule.stop": "", "service.count": "2"})
    desk.setup()
    before = remembered(desk)
    assert [] == lose(desk)
    assert before == remembered(desk)
    assert StackFile(desk.path).stands("schedule.start")


def test_chosen_subnets(desk: Desk) -> None:
    """Others than the first three are a setting."""
    subnets = [s["SubnetId"] for s in desk.cable.client("ec2").describe_subnets()["Subnets"]][:2]
    answer(desk, {"network.subnets": ",".join(subnets)})
    desk.setup()
    lose(desk)
    assert sorted(subnets) == sorted(StackFile(desk.path).settings["network.subnets"])


def test_what_was_adopted_is_adopted_again(desk: Desk) -> None:
    """Zone, parameter and bucket that were there first: found by host and by what the task is told."""
    client = desk.cable.client
    for number, name in enumerate(("example.jp", "bot.example.jp", "other.example.jp")):
        client("route53").create_hosted_zone(Name=name, CallerReference=str(number))
    where = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket="their-news", CreateBucketConfiguration=where)
    client("ssm").put_parameter(
        Name="/their/secret", Value=desk.secrets.channel_secret, Type="SecureString"
    )
    answer(
        desk,
        {
            "domain": "bot.example.jp",
            "host": "line.bot.example.jp",
            "news.bucket": "their-news",
            "line.channel_secret_parameter": "/their/secret",
        },
    )
    desk.setup()
    before = remembered(desk)
    assert [] == lose(desk)
    after = remembered(desk)
    validation = "validation_record/line.bot.example.jp"  # may be another certificate's as well
    assert ("ValidationRecord", "adopted") == after[1].pop(validation)[:2]
    before[1].pop(validation)
    assert before == after
    assert "created" == StackFile(desk.path).records["alias/line.bot.example.jp"].state


def test_paused(desk: Desk) -> None:
    """A pause is recognised; what went with the service is named; resume and teardown work."""
    desk.setup()
    desk.engine().pause()
    before = remembered(desk)
    assert ["schedule.start", "service.capacity", "network.subnets"] == lose(desk)
    settings, records, made_in, paused = remembered(desk)
    assert (True, before[1], before[2]) == (paused, records, made_in)
    for key in ("schedule.start", "schedule.stop"):
        answer(desk, {key: before[0][key]})
    assert before[0] == dict(StackFile(desk.path).settings)
    assert settings["domain"] == "example.jp"
    StackFile(desk.path).mark_paused(False)
    assert [] == desk.setup().refusals
    assert WHOLE == desk.inventory()


@pytest.mark.parametrize("until", ["certificate", "access_token", "task_role", "load_balancer"])
def test_half_made(desk: Desk, until: str) -> None:
    """Setup that stopped early: what is open stays open, and the rest goes on from here."""
    desk.cut_power("creating", until, "after", rest=True)  # a bucket's tags come a call later
    with pytest.raises(BaseException, match="after"):
        desk.setup()
    still = lose(desk)
    for key in still:
        answer(desk, {key: ANSWERS[key]})
    assert "example.jp" == StackFile(desk.path).settings["domain"]
    assert [] == desk.setup().refusals
    assert [] == desk.teardown().left
    assert {} == desk.inventory()


def test_several_stacks(desk: Desk) -> None:
    """Both are listed, and the named one is recovered."""
    desk.setup()
    desk.path.unlink()
    second = {
        "name": "other-bot",
        "domain": "example.jp",
        "host": "other.example.jp",
        "network.vpc": "default",
        "image.uri": "a/b:1",
        "line.access_token_parameter": "OTHER_TOKEN",
        "line.channel_secret_parameter": "OTHER_SECRET",
    }
    answer(desk, second)
    desk.setup(wait=0)
    desk.path.unlink()
    file, doors = StackFile(desk.path), desk.doors()
    assert ["news-bot", "other-bot"] == recover.stacks(doors, desk.clock)
    with pytest.raises(Refusal, match="news-bot, other-bot"):
        recover.which(file, doors, desk.clock, named=False)
    recovered(desk, "other-bot")
    settings = StackFile(desk.path).settings
    assert second == {key: settings[key] for key in second}


def test_host_of_several_certificates_is_the_one_that_line_calls(desk: Desk) -> None:
    """A change of hosts that stopped half-way: the host is the endpoint's; the other one's things go."""
    desk.setup()
    desk.set(host="bot.example.jp")
    desk.cut_power("creating", "webhook", "before", rest=True)
    with pytest.raises(BaseException, match="before"):
        desk.setup()
    lose(desk)
    assert "example.jp" == StackFile(desk.path).settings["host"]
    assert [] == desk.setup().refusals
    assert WHOLE == desk.inventory()


def test_by_itself(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The file of a fresh checkout: recovered when a verb begins, over its defaults, and said in one line."""
    answer(desk, {"service.memory": "1024"})
    desk.setup()
    before = remembered(desk)
    desk.path.write_text("name: news-bot\nservice:\n  memory: 2048  # MiB\n")
    file = StackFile(desk.path)
    recover.by_itself(file, desk.doors(), desk.clock, ())
    assert before == remembered(desk)
    assert "memory: 1024  # MiB" in desk.path.read_text()
    assert 1 == len(capsys.readouterr().err.splitlines())


def test_by_itself_costs_one_call_where_there_is_no_stack(desk: Desk) -> None:
    """A first setup is not slowed down."""
    desk.path.unlink()
    desk.cable.calls.clear()
    recover.by_itself(StackFile(desk.path), desk.doors(), desk.clock, ())
    assert ["DescribeSecurityGroups"] == desk.cable.calls


def test_a_look_writes_nothing(desk: Desk) -> None:
    """plan and status know what was lost, and leave the file as it is."""
    desk.setup()
    desk.path.unlink()
    file = StackFile(desk.path)
    file.on_trial = True
    recover.by_itself(file, desk.doors(), desk.clock, ())
    assert ("example.jp", True) == (file.settings["domain"], "zone/example.jp" in file.records)
    assert not desk.path.exists()


def test_second_file_of_the_same_name(desk: Desk) -> None:
    """Another folder, another domain, the same default name: refused, or it would take the first bot over."""
    desk.setup()
    desk.path.write_text("domain: other.example\nnetwork:\n  vpc: default\n")
    file = StackFile(desk.path)
    with pytest.raises(Refusal, match=r"a stack news-bot already, for example\.jp"):
        recover.by_itself(file, desk.doors(), desk.clock, ())
