"""EventBridge Scheduler: what it rejects, and how schedules run on the clock."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from provision.sandbox.aws.scheduler.targets import target_call
from tests.sandbox.aws.ecs.bot_service import TRUST, Bot
from tests.sandbox.conftest import Account

TARGET = "arn:aws:scheduler:::aws-sdk:ecs:updateService"


def a_role(account: Account, name: str = "scheduler", resource: str = "*") -> str:
    """Create a role that Scheduler may assume and that may update ECS services; return its ARN."""
    iam = account.client("iam")
    trust = TRUST.replace("ecs-tasks", "scheduler")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "ecs:Update*", "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    return str(arn)


def a_schedule(
    role: str, expression: str = "cron(0 8 ? * SAT,SUN *)", **more: Any
) -> dict[str, Any]:
    """Return the parameters of a schedule that sets a service to 3 tasks."""
    given = {"Cluster": "news", "Service": "bot", "DesiredCount": 3}
    return {
        "Name": "start",
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": "Asia/Tokyo",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": TARGET, "RoleArn": role, "Input": json.dumps(given)},
    } | more


def with_target(target: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that changes the target."""
    return lambda given: {"Target": given["Target"] | target}


def assert_rejected(account: Account, change: Any, part: str) -> None:
    """Assert a ValidationException, and that nothing is created."""
    role = a_role(account)
    account.clock.advance(account.cloud.delays.role)
    scheduler = account.client("scheduler")
    given = a_schedule(role)
    given |= change(given) if callable(change) else change
    code, status, message = account.refusal(scheduler.create_schedule, **given)
    assert ("ValidationException", 400) == (code, status)
    assert part in message
    assert [] == scheduler.list_schedules()["Schedules"]


@pytest.mark.behaviour("scheduler.cron")
@pytest.mark.parametrize(
    "text",
    [
        "cron(0 8 * * SAT *)",
        "cron(0 8 ? * ? *)",
        "cron(0 24 ? * SAT *)",
        "cron(0 8 32 * ? *)",
        "cron(0 8 ? 13 SAT *)",
        "cron(0 8 ? * SAT)",
        "cron(0 8 ? * SAT#6 *)",
        "cron(0 8 ? * SAT 2200)",
        "0 8 * * 6",
    ],
)
def test_bad_cron(account: Account, text: str) -> None:
    """Fields, ranges, and ? in one of the two day fields."""
    assert_rejected(account, {"ScheduleExpression": text}, f"Invalid Schedule Expression {text}.")


@pytest.mark.behaviour("scheduler.rate")
@pytest.mark.parametrize("text", ["rate(5 seconds)", "rate(0 minutes)", "rate(hour)"])
def test_bad_rate(account: Account, text: str) -> None:
    """Minutes, hours, days."""
    assert_rejected(account, {"ScheduleExpression": text}, f"Invalid Schedule Expression {text}.")


@pytest.mark.behaviour("scheduler.at-past")
def test_past_moment(account: Account) -> None:
    """It is over; a day that does not exist is invalid too."""
    assert_rejected(account, {"ScheduleExpression": "at(2026-01-01T00:00:00)"}, "in the past")


@pytest.mark.behaviour("scheduler.zone")
def test_bad_zone(account: Account) -> None:
    """Asia/Edo does not exist."""
    assert_rejected(account, {"ScheduleExpressionTimezone": "Asia/Edo"}, "Asia/Edo")


@pytest.mark.behaviour("scheduler.window")
def test_window_without_length(account: Account) -> None:
    """FLEXIBLE requires the minutes."""
    assert_rejected(account, {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes")


@pytest.mark.behaviour("scheduler.constraints")
@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"Name": "start the bot"}, "'name' failed to satisfy constraint"),
        ({"Name": "s" * 65}, "less than or equal to 64"),
        (
            {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1441}},
            "'flexibleTimeWindow.maximumWindowInMinutes' failed",
        ),
        (
            with_target({"RetryPolicy": {"MaximumRetryAttempts": 186}}),
            "'target.retryPolicy.maximumRetry",
        ),
    ],
)
def test_names_and_sizes(account: Account, change: Any, part: str) -> None:
    """As in the API's model."""
    assert_rejected(account, change, part)


@pytest.mark.behaviour("scheduler.dates")
def test_dates(account: Account) -> None:
    """A start in the past, an end before the start."""
    now = account.clock.now()
    assert_rejected(
        account, {"StartDate": now - 3600, "ScheduleExpression": "rate(1 day)"}, "5 minutes"
    )
    given = {"StartDate": now + 7200, "EndDate": now + 3600}
    role = a_schedule("arn:aws:iam::123456789012:role/scheduler") | given
    code, _, message = account.refusal(account.client("scheduler").create_schedule, **role)
    assert ("ValidationException", True) == (code, "EndDate" in message)


@pytest.mark.behaviour("scheduler.target-arn")
def test_bad_target(account: Account) -> None:
    """Neither a resource nor a universal target."""
    arn = "arn:aws:scheduler:::aws-sdk:ecs"
    assert_rejected(account, with_target({"Arn": arn}), "Provided Arn is not in correct format.")


@pytest.mark.behaviour("scheduler.target-reads")
def test_read_only_target(account: Account) -> None:
    """A read-only action is rejected."""
    arn = "arn:aws:scheduler:::aws-sdk:ecs:describeServices"
    assert_rejected(account, with_target({"Arn": arn}), "is not a supported target")


@pytest.mark.behaviour("scheduler.target-action")
@pytest.mark.parametrize("action", ["ecs:startService", "elasticcontainerservice:updateService"])
def test_unknown_target(account: Account, action: str) -> None:
    """An action or a service that does not exist."""
    arn = f"arn:aws:scheduler:::aws-sdk:{action}"
    assert_rejected(account, with_target({"Arn": arn}), "is not a supported target")


@pytest.mark.behaviour("scheduler.input-json")
@pytest.mark.parametrize("text", ["no JSON", "[]", '"news"'])
def test_input_is_json(account: Account, text: str) -> None:
    """A JSON object."""
    assert_rejected(account, with_target({"Input": text}), "Invalid RequestJson")


@pytest.mark.behaviour("scheduler.input-members")
@pytest.mark.parametrize(
    "text",
    [
        '{"desiredCount": 1}',
        '{"Services": "bot"}',
        '{"NetworkConfiguration": {"awsvpcConfiguration": {}}}',
    ],
)
def test_input_is_in_pascal_case(account: Account, text: str) -> None:
    """The members of the action's input, at every level."""
    assert_rejected(account, with_target({"Input": text}), "no such field")


@pytest.mark.behaviour("scheduler.ecs-parameters")
def test_cluster_target_needs_a_task_definition(account: Account) -> None:
    """What to run is missing."""
    arn = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/news"
    assert_rejected(account, with_target({"Arn": arn}), "EcsParameters")


@pytest.mark.behaviour("scheduler.role-trust")
def test_fresh_role(account: Account) -> None:
    """A role created just now cannot be assumed yet; one for another service, or a missing one, never."""
    role = a_role(account)
    scheduler = account.client("scheduler")
    code, _, message = account.refusal(scheduler.create_schedule, **a_schedule(role))
    assert ("ValidationException", True) == (code, "to assume the role" in message)
    account.clock.advance(account.cloud.delays.role)
    scheduler.create_schedule(**a_schedule(role))
    other = account.client("iam").create_role(RoleName="t", AssumeRolePolicyDocument=TRUST)["Role"]
    account.clock.advance(account.cloud.delays.role)
    for arn in (other["Arn"], other["Arn"] + "2"):
        given = a_schedule(arn, Name="other")
        assert "ValidationException" == account.refusal(scheduler.create_schedule, **given)[0]


def ready(account: Account) -> tuple[Any, dict[str, Any]]:
    """Return the client, and the parameters of a valid schedule."""
    role = a_role(account)
    account.clock.advance(account.cloud.delays.role)
    return account.client("scheduler"), a_schedule(role)


@pytest.mark.behaviour("scheduler.group-missing")
def test_group_is_missing(account: Account) -> None:
    """ResourceNotFoundException, for UpdateSchedule too."""
    scheduler, given = ready(account)
    refusal = account.refusal(scheduler.create_schedule, **given, GroupName="bot")
    assert ("ResourceNotFoundException", 404, "Schedule group bot does not exist.") == refusal
    refusal = account.refusal(scheduler.update_schedule, **given, GroupName="bot")
    assert ("ResourceNotFoundException", 404) == refusal[:2]


@pytest.mark.behaviour("scheduler.schedule-missing")
def test_schedule_is_missing(account: Account) -> None:
    """For Get and Delete."""
    scheduler = account.client("scheduler")
    for call in (scheduler.get_schedule, scheduler.delete_schedule):
        refusal = account.refusal(call, Name="start")
        assert ("ResourceNotFoundException", 404, "Schedule start does not exist.") == refusal


@pytest.mark.behaviour("scheduler.group-exists")
def test_group_exists(account: Account) -> None:
    """Names are unique."""
    scheduler = account.client("scheduler")
    scheduler.create_schedule_group(Name="bot")
    refusal = account.refusal(scheduler.create_schedule_group, Name="bot")
    assert ("ConflictException", 409, "Schedule group bot already exists.") == refusal


@pytest.mark.behaviour("scheduler.group-goes", "scheduler.group-leaving")
def test_group_deletion_takes_a_while(account: Account) -> None:
    """DELETING for a while, without accepting new schedules; then it is gone with its schedules."""
    scheduler, given = ready(account)
    scheduler.create_schedule_group(Name="bot")
    scheduler.create_schedule(**given, GroupName="bot")
    refusal = account.refusal(scheduler.create_schedule, **given, GroupName="bot")
    assert ("ConflictException", "Schedule start already exists.") == (refusal[0], refusal[2])
    scheduler.delete_schedule_group(Name="bot")
    assert "DELETING" == scheduler.get_schedule_group(Name="bot")["State"]
    refusal = account.refusal(
        scheduler.create_schedule, **(given | {"Name": "stop"}), GroupName="bot"
    )
    assert ("ConflictException", 409) == refusal[:2]
    account.clock.advance(account.cloud.delays.schedule_group)
    refusal = account.refusal(scheduler.get_schedule_group, Name="bot")
    assert ("ResourceNotFoundException", 404) == refusal[:2]
    assert [] == scheduler.list_schedules()["Schedules"]


@pytest.mark.behaviour("scheduler.group-default")
def test_default_group_stays(account: Account) -> None:
    """It cannot be deleted."""
    delete = account.client("scheduler").delete_schedule_group
    assert ("ValidationException", 400) == account.refusal(delete, Name="default")[:2]


@pytest.mark.behaviour("scheduler.client-token")
def test_client_token(account: Account) -> None:
    """The same call twice is one; a different call with the same token is an error."""
    scheduler, given = ready(account)
    first = scheduler.create_schedule(**given, ClientToken="t")["ScheduleArn"]
    assert first == scheduler.create_schedule(**given, ClientToken="t")["ScheduleArn"]
    refusal = account.refusal(
        scheduler.create_schedule, **(given | {"Name": "stop"}), ClientToken="t"
    )
    assert ("ConflictException", 409) == refusal[:2]
    assert 1 == len(scheduler.list_schedules()["Schedules"])


@pytest.mark.behaviour("scheduler.update-resets")
def test_update_resets_what_it_is_not_given(account: Account) -> None:
    """Description, state, time zone, and action after completion."""
    scheduler, given = ready(account)
    scheduler.create_schedule(
        **given, Description="d", State="DISABLED", ActionAfterCompletion="DELETE"
    )
    zone = given.pop("ScheduleExpressionTimezone")
    scheduler.update_schedule(**given)
    found = scheduler.get_schedule(Name="start")
    assert "Asia/Tokyo" == zone
    assert "UTC" == found["ScheduleExpressionTimezone"]
    assert ("ENABLED", "NONE") == (found.get("State"), found.get("ActionAfterCompletion"))
    assert "Description" not in found


@pytest.fixture
def bot(account: Account) -> Bot:
    """Return a service with desired count 1."""
    made = Bot(account)
    account.clock.step = 200.0
    made.settle()
    made.create()
    return made


def fired(account: Account) -> list[Any]:
    """Return the results of the scheduler's calls."""
    return [call["outcome"] for call in account.cloud.log if ":assumed-role/" in call["caller"]]


@pytest.mark.behaviour("scheduler.fires")
@pytest.mark.parametrize(
    ("expression", "seconds", "expected"),
    [("rate(10 minutes)", 1250, 3), ("cron(0/10 * * * ? *)", 1200, 2)],
)
def test_schedule_fires(
    account: Account, bot: Bot, expression: str, seconds: int, expected: int
) -> None:
    """Repeatedly (rate: starting at once), with the desired count."""
    scheduler = account.client("scheduler")
    role = a_role(account)
    account.clock.advance(account.cloud.delays.role)
    given = a_schedule(role, expression)
    scheduler.create_schedule(**given)
    account.clock.advance(seconds)
    assert [200] * expected == fired(account)
    assert 3 == bot.service()["desiredCount"]


@pytest.mark.behaviour("scheduler.disabled")
def test_disabled_schedule(account: Account) -> None:
    """It exists, and nothing happens."""
    scheduler, given = ready(account)
    scheduler.create_schedule(**(given | {"ScheduleExpression": "rate(1 hour)"}), State="DISABLED")
    account.clock.step = 600.0
    account.clock.advance(86400)
    assert [] == fired(account)
    assert "DISABLED" == scheduler.get_schedule(Name="start")["State"]


@pytest.mark.behaviour("scheduler.window-of-dates")
def test_start_and_end(account: Account) -> None:
    """Between the two, and neither before nor after."""
    scheduler, given = ready(account)
    now, account.clock.step = account.clock.now(), 600.0
    given |= {"ScheduleExpression": "rate(1 hour)"}
    scheduler.create_schedule(**given, StartDate=now + 86400, EndDate=now + 86400 + 7200)
    account.clock.advance(86000)
    assert [] == fired(account)
    account.clock.advance(86400)
    assert 3 == len(fired(account))


@pytest.mark.behaviour("scheduler.deleted-after-completion")
def test_schedule_is_deleted_after_completion(account: Account) -> None:
    """An at() with ActionAfterCompletion DELETE; without it the schedule is kept."""
    scheduler, given = ready(account)
    once = given | {"ScheduleExpression": "at(2026-06-01T00:00:00)"}
    scheduler.create_schedule(**once, ActionAfterCompletion="DELETE")
    scheduler.create_schedule(**(once | {"Name": "stays"}))
    account.clock.step = 86400.0
    account.clock.advance(200 * 86400)
    assert 2 == len(fired(account))
    assert ["stays"] == [one["Name"] for one in scheduler.list_schedules()["Schedules"]]


RUN = {"Cluster": "news", "TaskDefinition": "bot", "Count": 2}


@pytest.mark.behaviour("scheduler.run-task")
@pytest.mark.parametrize(
    "target",
    [
        {"Arn": "arn:aws:scheduler:::aws-sdk:ecs:runTask", "Input": json.dumps(RUN)},
        {
            "Arn": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/news",
            "EcsParameters": {
                "TaskDefinitionArn": "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/bot"
            },
            "Input": "{}",
        },
    ],
    ids=["universal", "templated"],
)
def test_run_task_passes_the_tasks_roles(
    account: Account, bot: Bot, target: dict[str, Any]
) -> None:
    """The schedule's role needs iam:PassRole for the task definition's roles besides ecs:RunTask."""
    iam, role = account.client("iam"), a_role(account)
    account.clock.advance(account.cloud.delays.role)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"}]}
    for number, actions in enumerate((["ecs:RunTask"], ["ecs:RunTask", "iam:PassRole"])):
        document["Statement"][0]["Action"] = actions  # type: ignore[index]
        iam.put_role_policy(
            RoleName="scheduler", PolicyName="p", PolicyDocument=json.dumps(document)
        )
        given = a_schedule(role, "rate(7 days)", Name=f"run{number}")
        given["Target"] |= target
        account.client("scheduler").create_schedule(**given)
        account.clock.advance(1)
    calls = fired(account)
    assert 2 == len(calls)
    denied, done = calls
    assert denied.startswith("AccessDeniedException: User:")
    assert f"iam:PassRole on resource: {bot.role}" in denied
    assert not str(done).startswith("AccessDenied")


def test_parameters_of_run_task() -> None:
    """A templated target results in the same call as a universal one."""
    cluster = "arn:aws:ecs:r:123456789012:cluster/news"
    network = {"Subnets": ["s"], "SecurityGroups": ["g"], "AssignPublicIp": "ENABLED"}
    templated = {
        "Arn": cluster,
        "EcsParameters": {
            "TaskDefinitionArn": "d",
            "TaskCount": 2,
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {"awsvpcConfiguration": network},
        },
    }
    given = {
        "Cluster": cluster,
        "TaskDefinition": "d",
        "Count": 2,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": {"AwsvpcConfiguration": network},
    }
    universal = {"Arn": "arn:aws:scheduler:::aws-sdk:ecs:runTask", "Input": json.dumps(given)}
    one, other = target_call(templated, "r", 0), target_call(universal, "r", 0)
    assert one is not None
    assert other is not None
    assert one.params == other.params
    assert {"subnets": ["s"], "securityGroups": ["g"], "assignPublicIp": "ENABLED"} == (
        one.params["networkConfiguration"]["awsvpcConfiguration"]
    )
    assert target_call({"Arn": "arn:aws:sqs:r:123456789012:queue"}, "r", 0) is None


@pytest.mark.behaviour("scheduler.role-may")
def test_role_may_not(account: Account, bot: Bot) -> None:
    """The role's policy is for another service: the call is denied, and the log shows it."""
    role = a_role(account, resource="arn:aws:ecs:ap-northeast-1:123456789012:service/news/other")
    account.clock.advance(account.cloud.delays.role)
    account.client("scheduler").create_schedule(**a_schedule(role, "rate(1 hour)"))
    account.clock.advance(60)
    assert 1 == len(fired(account))
    assert fired(account)[0].startswith("AccessDeniedException: User:")
    assert 1 == bot.service()["desiredCount"]
