"""The news: collected at setup and on a schedule, by a task with a role of its own."""

import json
from typing import Any

import pytest

from bot.news.store import Bucket, NotFound
from provision.engine.executor import Outcome
from provision.pricing import prices
from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env

WRITER = "U" + "1" * 32


def statements(env: Env, role: str) -> dict[str, dict[str, Any]]:
    """What a role's inline policies allow, by Sid."""
    iam, name = env.aws_session.client("iam"), f"news-bot-{role}-ap-northeast-1"
    found = {}
    for one in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]
        found |= {statement["Sid"]: statement for statement in document["Statement"]}
    return found


def definition(env: Env, family: str = "news-bot-collector") -> dict[str, Any]:
    """The newest revision."""
    answer = env.aws_session.client("ecs").describe_task_definition(taskDefinition=family)
    return dict(answer["taskDefinition"])


def collected(env: Env) -> list[str]:
    """The names of what lies in the bucket."""
    s3 = env.aws_session.client("s3")
    (bucket,) = s3.list_buckets()["Buckets"]
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])]


def runs(env: Env) -> list[str]:
    """Who began each of the collector's tasks that ECS still knows."""
    ours = [t for t in env.sandbox.cloud.ecs.tasks if t.group == "family:news-bot-collector"]
    return [task.started_by for task in ours]


def test_news_from_the_first_minute(env: Env) -> None:
    """Setup ends with news in the bucket, and the bot answers with it."""
    outcome = env.setup()
    assert ([], [], []) == (outcome.errors, outcome.outside, outcome.notes)
    assert "news/index.json" in collected(env)
    env.clock.advance(5)  # the bot itself may have looked a moment too early
    told = json.dumps(env.sandbox.line.send("latest", WRITER)["reply"])
    assert "A bridge opens" in told
    assert ["initial_collection"] == runs(env)


def test_second_setup_collects_nothing(env: Env) -> None:
    """Not even when ECS has forgotten the first task: the news is there."""
    env.setup()
    for seconds in (0, 7200):
        env.clock.advance(seconds)
        env.changes()
        env.setup()
        assert [] == env.changes()


def test_every_hour(env: Env) -> None:
    """At seventeen past, on the clock, with the schedule's role."""
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


def test_the_definition(env: Env) -> None:
    """The bot's image with the collector's command; no secret; no root; nothing to write on."""
    env.setup()
    bot, found = definition(env, "news-bot"), definition(env)
    (container,), (its,) = found["containerDefinitions"], bot["containerDefinitions"]
    assert its["image"] == container["image"]
    assert ["python", "-m", "bot.news.collector"] == container["command"]
    assert [] == container.get("secrets", [])
    environment = {entry["name"]: entry["value"] for entry in container["environment"]}
    assert {"NEWS_URL", "NEWS_FEEDS"} == set(environment)
    assert StackFile(env.path).settings["news.feeds"] == environment["NEWS_FEEDS"].split()
    for one in (container, its):
        assert (True, "10001:10001", 120) == (
            one["readonlyRootFilesystem"],
            one["user"],
            one["stopTimeout"],
        )
    assert bot["executionRoleArn"] == found["executionRoleArn"]
    assert bot["taskRoleArn"] != found["taskRoleArn"]


def test_what_it_may_do(env: Env) -> None:
    """It writes below news/ in the one bucket; the bot writes nothing; Scheduler runs just this task."""
    env.setup()
    (bucket,) = env.aws_session.client("s3").list_buckets()["Buckets"]
    arn = f"arn:aws:s3:::{bucket['Name']}"
    own = statements(env, "collector")
    assert {"WriteTheNews", "ListTheNews"} == set(own)
    assert ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"] == own["WriteTheNews"]["Action"]
    assert f"{arn}/news/*" == own["WriteTheNews"]["Resource"]
    assert {"StringLike": {"s3:prefix": "news/*"}} == own["ListTheNews"]["Condition"]
    schedulers = statements(env, "scheduler")
    cluster = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/news-bot"
    run = schedulers["RunTheCollector"]
    assert run["Resource"].endswith(":task-definition/news-bot-collector:*")
    assert {"ArnEquals": {"ecs:cluster": cluster}} == run["Condition"]
    found = definition(env)
    passed = schedulers["PassItsRoles"]
    assert {found["executionRoleArn"], found["taskRoleArn"]} == set(passed["Resource"])
    assert {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}} == passed[
        "Condition"
    ]


def test_its_role_is_enough(env: Env) -> None:
    """With the collector's role the store reads, writes, lists and prunes; with the bot's it does not."""
    env.setup()
    (bucket,) = env.aws_session.client("s3").list_buckets()["Buckets"]
    allows = env.sandbox.cloud.permissions.allows
    arn, prefix = f"arn:aws:s3:::{bucket['Name']}", {"s3:prefix": "news/articles/"}
    needed = [
        (action, f"{arn}/news/x", {})
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    ]
    collector = definition(env)["taskRoleArn"]
    bot = definition(env, "news-bot")["taskRoleArn"]
    assert all(allows(collector, *one) for one in [*needed, ("s3:ListBucket", arn, prefix)])
    assert not allows(collector, "s3:PutObject", f"{arn}/other")
    assert not allows(collector, "ssm:GetParameter", "*")
    assert [True, False, False] == [allows(bot, *one) for one in needed]


def test_the_schedule(env: Env) -> None:
    """RunTask on Spot in the bot's subnets and group, with a public address."""
    env.setup()
    found = env.aws_session.client("scheduler").get_schedule(GroupName="news-bot", Name="collect")
    assert "cron(17 * * * ? *)" == found["ScheduleExpression"]
    ecs = env.aws_session.client("ecs")
    (service,) = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"]
    given = service["networkConfiguration"]["awsvpcConfiguration"]
    target = found["Target"]["EcsParameters"]
    assert definition(env)["taskDefinitionArn"] == target["TaskDefinitionArn"]
    assert "FARGATE_SPOT" == target["CapacityProviderStrategy"][0]["capacityProvider"]
    assert {
        "Subnets": given["subnets"],
        "SecurityGroups": given["securityGroups"],
        "AssignPublicIp": "ENABLED",
    } == target["NetworkConfiguration"]["awsvpcConfiguration"]


def test_feeds_are_down(env: Env) -> None:
    """Setup ends well and says so; the next one tries again, once."""
    env.feeds.document = None
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    (note,) = outcome.notes
    assert "none of the feeds could be read" == note.why
    assert "provision logs" in note.then
    assert [] == collected(env)
    assert env.sandbox.line.send("latest", WRITER)["reply"], "the samples"
    assert 1 == len(env.setup().notes)
    assert 2 == len(runs(env))
    env.feeds.document = "<rss version='2.0'><channel><title>Quiet</title></channel></rss>"
    assert [] == env.setup().notes
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_no_spot_capacity(env: Env) -> None:
    """RunTask gives no task: told, and setup goes on."""
    env.setup()
    delete_news(env)
    env.sandbox.cloud.ecs.spot_available = False
    outcome = env.setup()
    assert [] == outcome.errors
    assert "Capacity is unavailable" in outcome.notes[0].why


def delete_news(env: Env) -> None:
    """Somebody empties the bucket."""
    s3 = env.aws_session.client("s3")
    (bucket,) = s3.list_buckets()["Buckets"]
    for key in collected(env):
        s3.delete_object(Bucket=bucket["Name"], Key=key)


def test_cloud_that_cannot_run_it(env: Env) -> None:
    """Another cloud answers every RunTask with an error inside: that is told within a minute, not two."""
    fault = {"kind": "error", "service": "ecs", "operation": "RunTask", "times": 1000}
    env.sandbox.cloud.faults.add(fault)
    began = env.clock.now()
    outcome = env.setup()
    assert ([], 1) == (outcome.errors, len(outcome.notes))
    assert 30 < env.clock.now() - began < 60


def test_news_deleted_by_hand(env: Env) -> None:
    """Setup collects it again, also when ECS has forgotten the first task."""
    env.setup()
    env.clock.advance(60)
    delete_news(env)
    env.changes()
    env.setup()
    assert ["RunTask"] == env.changes()
    assert "news/index.json" in collected(env)


def test_feeds_changed(env: Env) -> None:
    """Another feed: a new revision, which the schedule runs from then on; nothing else is touched."""
    env.setup()
    env.changes()
    env.set(news__feeds="https://a.example/rss")
    outcome: Outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert ["RegisterTaskDefinition", "UpdateSchedule"] == env.changes()
    (container,) = definition(env)["containerDefinitions"]
    environment = {entry["name"]: entry["value"] for entry in container["environment"]}
    assert "https://a.example/rss" == environment["NEWS_FEEDS"]


def test_no_feeds(env: Env) -> None:
    """Taken out of stack.yaml they take collector, schedule and role along; the news stays."""
    env.setup()
    env.set(news__feeds="")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    less = {"policy": 3, "role": 3, "schedule": 2, "task definition": 1}
    assert WHOLE | less == env.inventory()
    assert "news/index.json" in collected(env)
    assert not [key for key in StackFile(env.path).records if "collect" in key or "news/" in key]


def test_always_on_with_news(env: Env) -> None:
    """Without hours the group and the role stand for the collector alone."""
    env.set(schedule__start="", schedule__stop="")
    env.setup()
    assert WHOLE | {"policy": 4, "schedule": 1} == env.inventory()
    assert {"RunTheCollector", "PassItsRoles"} == set(statements(env, "scheduler"))


def test_torn_down_while_it_collects(env: Env) -> None:
    """The running task is stopped; nobody else's use of the cluster is seen in it; nothing is left."""
    env.setup()
    ecs = env.aws_session.client("ecs")
    target = env.aws_session.client("scheduler").get_schedule(GroupName="news-bot", Name="collect")
    network = target["Target"]["EcsParameters"]["NetworkConfiguration"]["awsvpcConfiguration"]
    ecs.run_task(
        cluster="news-bot",
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
    assert {} == env.engine().check_teardown(everything=True)
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()


def test_news_stays_after_teardown(env: Env) -> None:
    """The bucket keeps what was collected, and the next setup does not collect it anew."""
    env.setup()
    env.teardown(everything=False)
    before = collected(env)
    assert "news/index.json" in before
    env.changes()
    env.setup()
    assert "RunTask" not in env.changes()
    assert before == collected(env)


@pytest.mark.parametrize("expression", ["cron(17 * * * ? *)", "rate(1 hour)"])
def test_what_it_costs(env: Env, expression: str) -> None:
    """730 runs of a minute: a quarter vCPU and 1 GB on Spot, and an address."""
    env.set(news__schedule=expression)
    compute = 0.25 * 0.05056 + 1 * 0.00553
    month = 730 / 60 * (compute * 0.3 + 0.005)
    schedule = env.stack().collector_schedule
    assert month == pytest.approx(schedule.costs(prices("ap-northeast-1")), rel=0.01)


def test_the_store_needs_no_more(env: Env) -> None:
    """As the task calls S3, with the credentials of its role: read, write, list, prune."""
    env.setup()
    (bucket,) = env.aws_session.client("s3").list_buckets()["Buckets"]
    credentials = env.sandbox.cloud.permissions.credentials(definition(env)["taskRoleArn"], "task")
    store = Bucket(bucket["Name"], "news", client=env.aws_session.caller(credentials))
    store.write("articles/a.json", b"{}")
    read = store.read("articles/a.json")
    assert read is not None
    assert b"{}" == read[0]
    assert store.read("articles/a.json", read[1]) is None
    with pytest.raises(NotFound):
        store.read("nothing.json")
    assert "articles/a.json" in store.old("articles", -3600)
    store.delete("articles/a.json")
    with pytest.raises(NotFound):
        store.read("articles/a.json")


def test_no_capacity(env: Env) -> None:
    """Setup reports why RunTask started no task, succeeds all the same, and the next setup collects."""

    def refuse(operation: str, parsed: dict[str, Any]) -> None:
        if operation == "RunTask":
            parsed["tasks"] = []
            parsed["failures"] = [{"reason": "Capacity is unavailable at this time."}]

    env.aws_session.answer = refuse
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert ["Capacity is unavailable at this time."] == [note.why for note in outcome.notes]
    env.aws_session.free()
    outcome = env.setup()
    assert ([], [], []) == (outcome.errors, outcome.outside, outcome.notes)
    assert "news/index.json" in collected(env)
