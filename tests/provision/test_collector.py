"""The news: collected at setup and on a schedule, by a task with its own role."""

import json
from typing import Any

import pytest

from bot.news.store import Bucket, NotFound
from provision.engine.executor import Outcome
from provision.pricing import prices
from provision.sandbox.delays import Delays
from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env

USER = "U" + "1" * 32


def statements(env: Env, role: str) -> dict[str, dict[str, Any]]:
    """Return the statements of a role's inline policies, by Sid."""
    iam, name = env.aws_session.client("iam"), f"news-bot-{role}-ap-northeast-1"
    found = {}
    for one in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]
        found |= {statement["Sid"]: statement for statement in document["Statement"]}
    return found


def definition(env: Env, family: str = "news-bot-collector") -> dict[str, Any]:
    """Return the newest revision."""
    answer = env.aws_session.client("ecs").describe_task_definition(taskDefinition=family)
    return dict(answer["taskDefinition"])


def collected_objects(env: Env) -> list[str]:
    """Return the keys of the objects in the bucket."""
    s3 = env.aws_session.client("s3")
    (bucket,) = s3.list_buckets()["Buckets"]
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])]


def task_starters(env: Env) -> list[str]:
    """Return who started each of the collector's tasks that ECS still knows."""
    ours = [t for t in env.sandbox.cloud.ecs.tasks if t.group == "family:news-bot-collector"]
    return [task.started_by for task in ours]


def test_setup_collects_news(env: Env) -> None:
    """Setup ends with news in the bucket, and the bot answers with it."""
    outcome = env.setup()
    assert ([], [], []) == (outcome.errors, outcome.outside, outcome.notes)
    assert "news/index.json" in collected_objects(env)
    env.clock.advance(5)  # the bot itself may have read a moment too early
    reply = json.dumps(env.sandbox.line.send("latest", USER)["reply"])
    assert "A bridge opens" in reply
    assert ["initial_collection"] == task_starters(env)


def test_news_from_the_bucket(env: Env) -> None:
    """The bot answers with samples until there is news in its bucket, then with that."""
    env.set(news__feeds="")
    env.setup()
    s3, ecs = env.aws_session.client("s3"), env.aws_session.client("ecs")
    (bucket,) = s3.list_buckets()["Buckets"]
    (container,) = definition(env, "news-bot")["containerDefinitions"]
    environment = {entry["name"]: entry["value"] for entry in container["environment"]}
    assert f"s3://{bucket['Name']}/news" == environment["NEWS_URL"]
    assert env.sandbox.line.send("latest", USER)["reply"]
    article = {"title": "隕石が落ちた", "published": "2026-05-28T08:00:00+09:00"}
    body = json.dumps({"articles": [article]}).encode()
    s3.put_object(Bucket=bucket["Name"], Key="news/articles.json", Body=body)
    for count in (0, 1):  # a new task reads the bucket again
        ecs.update_service(cluster="news-bot", service="news-bot", desiredCount=count)
        env.clock.advance(120)
    reply = json.dumps(env.sandbox.line.send("latest", USER)["reply"], ensure_ascii=False)
    assert "隕石が落ちた" in reply


def test_second_setup_collects_nothing(env: Env) -> None:
    """Not even when ECS has forgotten the first task: the news is there."""
    env.setup()
    for seconds in (0, 7200):
        env.clock.advance(seconds)
        env.changes()
        env.setup()
        assert [] == env.changes()


def test_collector_runs_every_hour(env: Env) -> None:
    """At seventeen past, with the schedule's role."""
    env.setup()
    began = len(env.feeds.requested)
    env.clock.step = 60
    env.clock.advance(5 * 3600)
    feeds = len(StackFile(env.path).settings["news.feeds"])
    assert 5 * feeds == len(env.feeds.requested) - began
    calls = [call for call in env.sandbox.cloud.log if call["operation"] == "RunTask"]
    role = "arn:aws:sts::123456789012:assumed-role/news-bot-scheduler-ap-northeast-1/collect"
    assert [200] * 6 == [call["outcome"] for call in calls]
    assert [role] * 5 == [call["caller"] for call in calls[1:]]


def test_collector_task_definition(shared_env: Env) -> None:
    """The bot's image with the collector's command, without secrets, root or a writable file system."""
    bot, found = definition(shared_env, "news-bot"), definition(shared_env)
    (container,), (its,) = found["containerDefinitions"], bot["containerDefinitions"]
    assert its["image"] == container["image"]
    assert ["python", "-m", "bot.news.collector"] == container["command"]
    assert [] == container.get("secrets", [])
    environment = {entry["name"]: entry["value"] for entry in container["environment"]}
    assert {"NEWS_URL", "NEWS_FEEDS"} == set(environment)
    assert StackFile(shared_env.path).settings["news.feeds"] == environment["NEWS_FEEDS"].split()
    for one in (container, its):
        assert (True, "10001:10001", 120) == (
            one["readonlyRootFilesystem"],
            one["user"],
            one["stopTimeout"],
        )
    role = "arn:aws:iam::123456789012:role/provision/news-bot"
    assert (f"{role}-execution-ap-northeast-1", f"{role}-collector-execution-ap-northeast-1") == (
        bot["executionRoleArn"],
        found["executionRoleArn"],
    )
    assert (f"{role}-task-ap-northeast-1", f"{role}-collector-ap-northeast-1") == (
        bot["taskRoleArn"],
        found["taskRoleArn"],
    )


def test_collector_permissions(shared_env: Env) -> None:
    """It may write news/ in the bucket; the bot may write nothing; Scheduler may run only this task."""
    (bucket,) = shared_env.aws_session.client("s3").list_buckets()["Buckets"]
    arn = f"arn:aws:s3:::{bucket['Name']}"
    own = statements(shared_env, "collector")
    assert {"WriteTheNews", "ListTheNews"} == set(own)
    assert ["s3:GetObject", "s3:PutObject"] == own["WriteTheNews"]["Action"]
    assert f"{arn}/news/*" == own["WriteTheNews"]["Resource"]
    assert {"StringLike": {"s3:prefix": "news/*"}} == own["ListTheNews"]["Condition"]
    schedulers = statements(shared_env, "scheduler")
    cluster = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/news-bot"
    run = schedulers["RunTheCollector"]
    assert run["Resource"].endswith(":task-definition/news-bot-collector:*")
    assert {"ArnEquals": {"ecs:cluster": cluster}} == run["Condition"]
    found = definition(shared_env)
    passed = schedulers["PassItsRoles"]
    assert {found["executionRoleArn"], found["taskRoleArn"]} == set(passed["Resource"])
    assert {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}} == passed[
        "Condition"
    ]


def test_collector_role_is_sufficient(shared_env: Env) -> None:
    """The collector's role may read, write and list; the bot's may not."""
    (bucket,) = shared_env.aws_session.client("s3").list_buckets()["Buckets"]
    allows = shared_env.sandbox.cloud.permissions.allows
    arn, prefix = f"arn:aws:s3:::{bucket['Name']}", {"s3:prefix": "news/articles/"}
    needed = [(action, f"{arn}/news/x", {}) for action in ("s3:GetObject", "s3:PutObject")]
    collector = definition(shared_env)["taskRoleArn"]
    bot = definition(shared_env, "news-bot")["taskRoleArn"]
    assert all(allows(collector, *one) for one in [*needed, ("s3:ListBucket", arn, prefix)])
    assert not allows(collector, "s3:PutObject", f"{arn}/other")
    assert not allows(collector, "ssm:GetParameter", "*")
    assert [True, False] == [allows(bot, *one) for one in needed]


def test_collector_schedule(shared_env: Env) -> None:
    """RunTask on Spot in the bot's subnets and a group of its own, with a public address."""
    found = shared_env.aws_session.client("scheduler").get_schedule(
        GroupName="news-bot", Name="collect"
    )
    assert "cron(17 * * * ? *)" == found["ScheduleExpression"]
    ecs = shared_env.aws_session.client("ecs")
    (service,) = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"]
    given = service["networkConfiguration"]["awsvpcConfiguration"]
    target = found["Target"]["EcsParameters"]
    assert definition(shared_env)["taskDefinitionArn"] == target["TaskDefinitionArn"]
    assert "FARGATE_SPOT" == target["CapacityProviderStrategy"][0]["capacityProvider"]
    network = target["NetworkConfiguration"]["awsvpcConfiguration"]
    assert (given["subnets"], "ENABLED") == (network["Subnets"], network["AssignPublicIp"])
    ec2 = shared_env.aws_session.client("ec2")
    (group,) = ec2.describe_security_groups(GroupIds=network["SecurityGroups"])["SecurityGroups"]
    assert ("The news collector, to feeds", []) == (group["Description"], group["IpPermissions"])


def test_setup_with_unreachable_feeds(env: Env) -> None:
    """Setup succeeds with a note; the next one tries again, once."""
    env.feeds.document = None
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    (note,) = outcome.notes
    assert "none of the feeds could be read" == note.why
    assert "provision logs" in note.then
    assert [] == collected_objects(env)
    assert env.sandbox.line.send("latest", USER)["reply"], "the samples"
    assert 1 == len(env.setup().notes)
    assert 2 == len(task_starters(env))
    env.feeds.document = "<rss version='2.0'><channel><title>Quiet</title></channel></rss>"
    assert [] == env.setup().notes
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_no_spot_capacity(env: Env) -> None:
    """RunTask starts no task: it is reported, and setup goes on."""
    env.setup()
    delete_news(env)
    env.sandbox.cloud.ecs.spot_available = False
    outcome = env.setup()
    assert [] == outcome.errors
    assert "Capacity is unavailable" in outcome.notes[0].why


def delete_news(env: Env) -> None:
    """Delete all objects in the bucket."""
    s3 = env.aws_session.client("s3")
    (bucket,) = s3.list_buckets()["Buckets"]
    for key in collected_objects(env):
        s3.delete_object(Bucket=bucket["Name"], Key=key)


def test_run_task_that_always_fails_is_given_up(env: Env) -> None:
    """If every RunTask ends in a server error, setup gives up within a minute."""
    fault = {"kind": "error", "service": "ecs", "operation": "RunTask", "times": 1000}
    env.sandbox.cloud.faults.add(fault)
    began = env.clock.now()
    outcome = env.setup()
    assert ([], 1) == (outcome.errors, len(outcome.notes))
    assert 30 < env.clock.now() - began < 60


def test_news_deleted_by_hand(env: Env) -> None:
    """Setup collects again, even when ECS has forgotten the first task."""
    env.setup()
    env.clock.advance(60)
    delete_news(env)
    env.changes()
    env.setup()
    assert ["RunTask"] == env.changes()
    assert "news/index.json" in collected_objects(env)


def test_feeds_changed(env: Env) -> None:
    """A new revision is registered, which the schedule then runs; nothing else is changed."""
    env.setup()
    env.changes()
    env.set(news__feeds="https://a.example/rss")
    outcome: Outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert ["RegisterTaskDefinition", "UpdateSchedule"] == env.changes()
    (container,) = definition(env)["containerDefinitions"]
    environment = {entry["name"]: entry["value"] for entry in container["environment"]}
    assert "https://a.example/rss" == environment["NEWS_FEEDS"]


def test_removed_feeds(env: Env) -> None:
    """Removing the feeds deletes collector, schedule and role; the news is kept."""
    env.setup()
    env.set(news__feeds="")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    less = {"policy": 3, "role": 3, "schedule": 2, "security group": 2, "task definition": 1}
    assert WHOLE | less == env.inventory()
    assert "news/index.json" in collected_objects(env)
    assert not [key for key in StackFile(env.path).records if "collect" in key or "news/" in key]


def test_always_on_with_news(env: Env) -> None:
    """Without hours, schedule group and role exist for the collector alone."""
    env.set(schedule__start="", schedule__stop="")
    env.setup()
    assert WHOLE | {"policy": 5, "schedule": 1} == env.inventory()
    assert {"RunTheCollector", "PassItsRoles"} == set(statements(env, "scheduler"))


def test_teardown_stops_running_collector(env: Env, delays: Delays) -> None:
    """The running tasks of all pages are stopped, and not taken for foreign use of the cluster."""
    env.setup()
    delays.task_start = 30
    ecs = env.aws_session.client("ecs")
    target = env.aws_session.client("scheduler").get_schedule(GroupName="news-bot", Name="collect")
    network = target["Target"]["EcsParameters"]["NetworkConfiguration"]["awsvpcConfiguration"]
    ecs.run_task(
        cluster="news-bot",
        count=2,
        taskDefinition="news-bot-collector",
        capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}],
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": network["Subnets"],
                "securityGroups": network["SecurityGroups"],
                "assignPublicIp": "ENABLED",
            }
        },
    )

    def one_per_page(operation: str, params: dict[str, Any]) -> None:
        if operation == "ListTasks":
            params["maxResults"] = 1

    env.aws_session.request = one_per_page
    env.changes()
    assert {} == env.engine().check_teardown(everything=True)
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert 2 == env.changes().count("StopTask")
    assert {} == env.inventory()


def test_teardown_keeps_news(env: Env) -> None:
    """The bucket keeps what was collected, and the next setup does not collect again."""
    env.setup()
    env.teardown(everything=False)
    before = collected_objects(env)
    assert "news/index.json" in before
    env.changes()
    env.setup()
    assert "RunTask" not in env.changes()
    assert before == collected_objects(env)


@pytest.mark.parametrize("expression", ["cron(17 * * * ? *)", "rate(1 hour)"])
def test_collector_cost(env: Env, expression: str) -> None:
    """730 runs of a minute: a quarter vCPU and 1 GB on Spot, and an address."""
    env.set(news__schedule=expression)
    compute = 0.25 * 0.05056 + 1 * 0.00553
    month = 730 / 60 * (compute * 0.3 + 0.005)
    schedule = env.stack().collector_schedule
    assert month == pytest.approx(schedule.costs(prices("ap-northeast-1")), rel=0.01)


def test_store_works_with_the_collector_role(env: Env) -> None:
    """The store reads and writes with the credentials of the task's role."""
    env.setup()
    (bucket,) = env.aws_session.client("s3").list_buckets()["Buckets"]
    credentials = env.sandbox.cloud.permissions.credentials(definition(env)["taskRoleArn"], "task")
    store = Bucket(bucket["Name"], "news", client=env.aws_session.caller(credentials))
    store.write("index.json", b"{}")
    assert b"{}" == store.read("index.json")
    with pytest.raises(NotFound):
        store.read("nothing.json")


def test_no_capacity(env: Env) -> None:
    """Setup reports why RunTask started no task, succeeds all the same, and the next setup collects."""

    def fail_run_task(operation: str, parsed: dict[str, Any]) -> None:
        if operation == "RunTask":
            parsed["tasks"] = []
            parsed["failures"] = [{"reason": "Capacity is unavailable at this time."}]

    env.aws_session.answer = fail_run_task
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert ["Capacity is unavailable at this time."] == [note.why for note in outcome.notes]
    env.aws_session.free()
    outcome = env.setup()
    assert ([], [], []) == (outcome.errors, outcome.outside, outcome.notes)
    assert "news/index.json" in collected_objects(env)
