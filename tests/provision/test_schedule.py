"""The bot's hours: the schedules in AWS, and the service that follows them."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from provision.settings import Settings
from provision.state.stack_file import StackFile
from tests.provision.conftest import ANSWERS, Env

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.slow
def test_service_follows_the_schedule_for_a_week(env: Env) -> None:
    """Saturday and Sunday, 1 at 08:00 and 0 at 09:00 in Tokyo; the bot's task starts and stops."""
    env.setup()
    ecs = env.aws_session.client("ecs")
    seen: list[tuple[str, int, int]] = []

    def record_state() -> None:
        service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
        now = datetime.fromtimestamp(env.clock.now(), TOKYO).strftime("%a %H:%M")
        state = (service["desiredCount"], service["runningCount"])
        if not seen or seen[-1][1:] != state:
            seen.append((now, *state))

    begin = datetime(2026, 6, 1, tzinfo=TOKYO).timestamp()
    env.clock.step = 3600
    env.clock.advance(begin - env.clock.now())
    record_state()
    env.clock.step = 300
    for _quarter in range(7 * 24 * 4):
        env.clock.advance(900)
        record_state()
    assert [
        ("Mon 00:00", 0, 0),
        ("Sat 08:00", 1, 0),
        ("Sat 08:15", 1, 1),
        ("Sat 09:00", 0, 0),
        ("Sun 08:00", 1, 0),
        ("Sun 08:15", 1, 1),
        ("Sun 09:00", 0, 0),
    ] == seen


def test_changed_hours_and_count_are_updates(env: Env) -> None:
    """Schedules, including the collector's, are updated; a second setup changes nothing."""
    env.setup()
    env.changes()
    env.set(
        schedule__start="cron(30 7 ? * MON-FRI *)",
        schedule__timezone="Europe/Berlin",
        service__count="2",
    )
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert ["UpdateSchedule"] * 3 + ["UpdateService"] == sorted(env.changes())
    live = env.aws_session.client("scheduler").get_schedule(GroupName="news-bot", Name="start")
    assert "cron(30 7 ? * MON-FRI *)" == live["ScheduleExpression"]
    assert "Europe/Berlin" == live["ScheduleExpressionTimezone"]
    assert 2 == json.loads(live["Target"]["Input"])["DesiredCount"]
    env.setup()
    assert [] == env.changes()


def test_removed_hours_delete_the_schedules(env: Env) -> None:
    """Without hours and feeds there is no schedule, group or role."""
    env.set(news__feeds="")
    env.setup()
    env.set(schedule__start="", schedule__stop="")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    found = env.inventory()
    assert (0, 0, 2) == (found.get("schedule", 0), found.get("schedule group", 0), found["role"])
    assert not [key for key in StackFile(env.path).records if "schedule" in key]


@pytest.mark.parametrize(("one", "other"), [("start", "stop"), ("stop", "start")])
def test_start_without_stop_is_a_conflict(one: str, other: str) -> None:
    """Or the other way round: the conflict names the missing one."""
    conflict = Settings({**ANSWERS, f"schedule.{other}": ""}).conflict()
    assert conflict
    assert f"schedule.{other}" == conflict[0]
    assert f"schedule.{one}" in conflict[1]
