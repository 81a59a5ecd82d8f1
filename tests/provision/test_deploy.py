"""deploy: a good version takes over, a bad one is rolled back early, and the old one answers throughout."""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from provision.cli import deploy
from provision.cli.scaling import confirm_more_tasks
from provision.engine.engine import Engine
from provision.errors import NoResponse, ProvisionError, UsageError
from provision.resources.steady_service import NoCapacity
from provision.run import Options, Run
from provision.sandbox.delays import Delays
from provision.sandbox.tasks.runners import Application, InlineTask, InlineTasks
from provision.stack import Stack
from provision.state.stack_file import StackFile
from provision.ui.progress import Progress
from tests.provision.conftest import Env
from tests.provision.test_unanswered_requests import throttle

Start = Callable[[dict[str, str]], Application]
USER = "U" + "1" * 32


class TasksByImage(InlineTasks):
    """Tasks that behave as defined for their image, or as before."""

    def __init__(self, default: InlineTasks) -> None:
        super().__init__()
        self.default, self.images = default.application, dict[str, Start]()

    def start(
        self, environment: dict[str, str], image: str, port: int, *command: Any
    ) -> InlineTask:
        self.application = self.images.get(image, self.default)
        return super().start(environment, image, port, *command)


@pytest.fixture
def delays() -> Delays:
    """Return AWS's delays: these tests depend on the order of events."""
    return Delays()


@pytest.fixture
def images(env: Env) -> TasksByImage:
    """Set up a complete stack; return what its next images will run."""
    env.setup()
    assert isinstance(env.sandbox.tasks, InlineTasks)
    images = TasksByImage(env.sandbox.tasks)
    env.sandbox.cloud.tasks = images
    return images


class Deployment:
    """One `provision deploy`: its duration and output, and what LINE saw meanwhile."""

    def __init__(
        self, env: Env, *, back: bool = False, sets: tuple[str, ...] = (), yes: bool = True
    ) -> None:
        self.env, self.answered, self.lost, self.steps = env, 0, 0, 0
        file = StackFile(env.path)
        for pair in sets:
            file.set(*pair.split("=", 1), save=False)
        stack = Stack(file.settings, env.secrets, {"LINE_API_URL": env.line_url})
        clients = env.engine().clients
        self.run = Run(Options(sets=sets, yes=yes), file, stack, clients, env.clock)
        self.output = io.StringIO()
        self.back, self.over = back, False

    def __call__(self) -> int:
        progress = Progress(deploy.service_and_dependencies(self.run), self.env.clock, self.output)
        tell: Any = progress.report
        engine = Engine(
            self.run.stack.resources, self.run.file, self.run.clients, self.env.clock, tell
        )
        engine.begin()
        began = self.env.clock.now()
        self.env.clock.on_advance(self._send)
        try:
            return deploy.deploy_revision(self.run, engine, progress, rollback=self.back)
        finally:
            self.seconds, self.over = self.env.clock.now() - began, True

    def _send(self) -> None:
        """Send a message every four simulated seconds: any gap as long as a task's start is detected."""
        self.steps += 1
        if self.over or self.steps % 4:
            return
        message = self.env.sandbox.line.send("help", USER)
        self.answered += message["status"] == 200 and bool(message["reply"])
        self.lost += not (message["status"] == 200 and message["reply"])


def run_deploy(env: Env, **given: Any) -> tuple[int, Deployment]:
    """Run one deploy with messages sent all the time; assert that none is lost."""
    deployment = Deployment(env, **given)
    status = deployment()
    assert deployment.answered > 0
    assert 0 == deployment.lost
    return status, deployment


def serving_revision(env: Env) -> str:
    """Return the revision that the service runs."""
    ecs = env.aws_session.client("ecs")
    service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
    return str(service["taskDefinition"].rpartition("/")[2])


def test_good_deploy(env: Env, images: TasksByImage, capsys: pytest.CaptureFixture[str]) -> None:
    """A new revision is watched until it alone serves; the settings from --set are saved."""
    status, deployment = run_deploy(env, sets=("image.uri=example.jp/bot:2",))
    assert (0, "news-bot:2") == (status, serving_revision(env))
    assert "news-bot:2" == capsys.readouterr().out.strip()
    assert "example.jp/bot:2" == StackFile(env.path).settings["image.uri"]
    assert "example.jp/bot:2" == images.started[-1].image
    lines = deployment.output.getvalue()
    assert "new: 1 starting" in lines
    assert "old: 1 running" in lines
    assert "1 healthy" in lines
    env.changes()
    assert ([], []) == ((outcome := env.setup()).errors, outcome.outside)
    assert [] == env.changes()


def crash(environment: dict[str, str]) -> Application:
    """End as soon as the bot starts."""
    raise RuntimeError("No module named 'flask'")


def other_processor(environment: dict[str, str]) -> Application:
    """Fail as with a program for another CPU architecture."""
    raise RuntimeError("exec /usr/local/bin/python: exec format error")


def wrong_port(environment: dict[str, str]) -> Application:
    """Listen on another port than the health check."""

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        raise ConnectionRefusedError("nobody listens at 8080")

    return application


def failing_health_check(environment: dict[str, str]) -> Application:
    """Run, and answer the health check with 500."""

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("500 Internal Server Error", [])
        return [b""]

    return application


def missing_image(environment: dict[str, str]) -> Application:
    """Stand for an image that was never pushed, and is never started."""
    raise AssertionError("it was started")


def no_such_platform(environment: dict[str, str]) -> Application:
    """Stand for an image pushed for another CPU architecture, and never started."""
    raise AssertionError("it was started")


PLATFORMS: dict[Start, tuple[str, ...]] = {missing_image: (), no_such_platform: ("linux/arm64",)}
BAD_DEPLOYS = [
    (missing_image, "bot:2: not found", "image.uri="),
    (no_such_platform, "matching platform 'linux/amd64'", "another CPU architecture"),
    (crash, "exit code 1", "flask"),
    (other_processor, "exit code 1", "another CPU architecture"),
    (wrong_port, "Health checks failed", "port 8080"),
    (failing_health_check, "[500]", "/healthz"),
]


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("start", "why", "then"), BAD_DEPLOYS, ids=lambda value: getattr(value, "__name__", "")
)
def test_bad_deploy_is_rolled_back(
    env: Env,
    images: TasksByImage,
    start: Start,
    why: str,
    then: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the reason, in at most half the circuit breaker's time; no message is lost."""
    images.images["example.jp/bot:2"] = start
    if start in PLATFORMS:
        env.sandbox.cloud.ecr.images.public["example.jp/bot:2"] = PLATFORMS[start]
    status, deployment = run_deploy(env, sets=("image.uri=example.jp/bot:2",))
    assert (1, "news-bot:1") == (status, serving_revision(env))
    output = capsys.readouterr().err
    assert why in output
    assert then in output
    assert "news-bot:1 keeps answering" in output
    assert "example.jp/bot:1" == StackFile(env.path).settings["image.uri"]
    assert deployment.seconds <= circuit_breaker_seconds(env) / 2


TRACEBACK = """Traceback (most recent call last):
  File "/app/bot/phrases.py", line 72, in <module>
    HELP = nothing
NameError: name 'nothing' is not defined"""


class CrashingTasks(InlineTasks):
    """Tasks that exit with code 3 after writing a log: a traceback, and much after it."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.log = log

    def start(
        self, environment: dict[str, str], image: str, port: int, *command: Any
    ) -> InlineTask:
        task = super().start(environment, image, port, *command)
        for said in self.log:
            task.end(3, said)
        return task


LOGS = {
    "json": [json.dumps({"message": "Exception in worker process", "traceback": TRACEBACK})],
    "plain": TRACEBACK.splitlines(),
}
AFTER = [json.dumps({"message": f"Shutting down: {number}"}) for number in range(50)]
REASON = [
    "Essential container in task exited (exit code 3)",
    "/app/bot/phrases.py:72: NameError: name 'nothing' is not defined",
]


@pytest.mark.parametrize("log", LOGS)
def test_deploy_reports_exception_of_failed_task(
    env: Env, images: TasksByImage, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With file and line, exit code and ECS's reason, without the log lines after it."""
    env.sandbox.cloud.tasks = CrashingTasks(LOGS[log] + AFTER)
    assert 1 == Deployment(env, sets=("image.uri=example.jp/bot:2",))()
    output = capsys.readouterr().err
    assert "\n        ".join(REASON) in output
    assert "Shutting down" not in output
    assert "Fix the cause (see `provision logs`)" in output


@pytest.mark.parametrize("log", LOGS)
def test_setup_reports_exception_of_failed_task(env: Env, log: str) -> None:
    """While waiting, and in the final error."""
    env.sandbox.cloud.tasks = CrashingTasks(LOGS[log] + AFTER)
    (refusal,) = env.setup(wait=0).errors
    assert all(part in refusal.why for part in REASON)
    assert "Shutting down" not in refusal.why
    waiting = [detail for event, key, detail in env.events if key == "steady_service"]
    assert any(": ".join(REASON) in detail for detail in waiting)


def test_deploy_reports_failed_task_without_log(
    env: Env, images: TasksByImage, capsys: pytest.CaptureFixture[str]
) -> None:
    """ECS's reason and the exit code are shown."""
    env.sandbox.cloud.tasks = CrashingTasks([""])
    assert 1 == Deployment(env, sets=("image.uri=example.jp/bot:2",))()
    assert f"{REASON[0]}\n  next: " in capsys.readouterr().err


def circuit_breaker_seconds(env: Env) -> float:
    """Return the seconds until ECS's own circuit breaker fails the same deployment."""
    ecs = env.aws_session.client("ecs")
    wait_until_steady(env)
    revision = ecs.describe_task_definition(taskDefinition="news-bot:1")["taskDefinition"]
    (container,) = revision["containerDefinitions"]
    keys = ("family", "cpu", "memory", "networkMode", "executionRoleArn", "taskRoleArn")
    new = ecs.register_task_definition(
        **{key: revision[key] for key in keys},
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[{**container, "image": "example.jp/bot:2"}],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster="news-bot", service="news-bot", taskDefinition=new)
    began = env.clock.now()
    while serving_revision(env) != "news-bot:1":
        env.clock.advance(1)
    return env.clock.now() - began


def wait_until_steady(env: Env) -> None:
    """Wait until the service is steady again."""
    ecs = env.aws_session.client("ecs")
    while True:
        service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
        states = [deployment["rolloutState"] for deployment in service["deployments"]]
        if states == ["COMPLETED"]:
            return
        env.clock.advance(5)


def test_secret_deleted_during_deploy(
    env: Env, images: TasksByImage, capsys: pytest.CaptureFixture[str]
) -> None:
    """The missing parameter is reported, in at most half the circuit breaker's time."""
    ssm = env.aws_session.client("ssm")
    value = ssm.get_parameter(Name="CHANNEL_SECRET", WithDecryption=True)["Parameter"]["Value"]
    env.aws_session.after = lambda operation: delete_secret(env, operation)
    status, deployment = run_deploy(env, sets=("image.uri=example.jp/bot:2",))
    assert (1, "news-bot:1") == (status, serving_revision(env))
    output = capsys.readouterr().err
    assert "invalid parameters" in output
    assert "provision setup" in output
    assert "news-bot:1 keeps answering" in output
    ssm.put_parameter(Name="CHANNEL_SECRET", Value=value, Type="SecureString")
    env.aws_session.after = lambda operation: delete_secret(env, operation)
    assert deployment.seconds <= circuit_breaker_seconds(env) / 2


def delete_secret(env: Env, operation: str) -> None:
    """Delete the parameter right after UpdateService."""
    if operation == "UpdateService":
        env.aws_session.free()
        env.aws_session.client("ssm").delete_parameter(Name="CHANNEL_SECRET")


def test_secret_missing_before_deploy(
    env: Env, images: TasksByImage, capsys: pytest.CaptureFixture[str]
) -> None:
    """No new revision is registered, and the error says what to provide."""
    env.aws_session.client("ssm").delete_parameter(Name="CHANNEL_SECRET")
    env.secrets = replace(env.secrets, channel_secret="")
    env.changes()
    assert 1 == Deployment(env, sets=("image.uri=example.jp/bot:2",))()
    assert "LINE_CHANNEL_SECRET" in capsys.readouterr().err
    assert [] == env.changes()


def test_rollback(env: Env, images: TasksByImage, capsys: pytest.CaptureFixture[str]) -> None:
    """Back to the previous version, which stack.yaml then differs from; forward again with deploy."""
    assert 0 == run_deploy(env, sets=("image.uri=example.jp/bot:2",))[0]
    assert (0, "news-bot:1") == (run_deploy(env, back=True)[0], serving_revision(env))
    assert "stack.yaml still asks for the newer version" in capsys.readouterr().err
    assert "example.jp/bot:1" == images.started[-1].image
    with pytest.raises(ProvisionError, match="there is none"):
        Deployment(env, back=True)()
    assert 0 == run_deploy(env)[0]
    assert "example.jp/bot:2" == images.started[-1].image


@pytest.mark.slow
def test_old_revisions_are_deregistered(env: Env, images: TasksByImage) -> None:
    """The ten newest are kept for rollbacks."""
    ecs = env.aws_session.client("ecs")
    for number in range(2, 14):
        assert 0 == Deployment(env, sets=(f"image.uri=example.jp/bot:{number}",))()
    found = ecs.list_task_definitions(familyPrefix="news-bot", status="ACTIVE")[
        "taskDefinitionArns"
    ]
    assert 10 == len(found)
    assert "news-bot:4" == found[0].rpartition("/")[2]


def collector_images(env: Env) -> tuple[str, str]:
    """Return the image of the collector's newest revision, and of the one that its schedule runs."""
    ecs, scheduler = env.aws_session.client("ecs"), env.aws_session.client("scheduler")
    target = scheduler.get_schedule(GroupName="news-bot", Name="collect")["Target"]
    scheduled = target["EcsParameters"]["TaskDefinitionArn"]
    newest, runs = (
        ecs.describe_task_definition(taskDefinition=which)["taskDefinition"]
        for which in ("news-bot-collector", scheduled)
    )
    return newest["containerDefinitions"][0]["image"], runs["containerDefinitions"][0]["image"]


def test_collector_runs_the_deployed_image(env: Env, images: TasksByImage) -> None:
    """The collector gets a version once it works, and never one that is rolled back."""
    assert 0 == run_deploy(env, sets=("image.uri=example.jp/bot:2",))[0]
    assert ("example.jp/bot:2", "example.jp/bot:2") == collector_images(env)
    images.images["example.jp/bot:3"] = crash
    assert 1 == run_deploy(env, sets=("image.uri=example.jp/bot:3",))[0]
    assert ("example.jp/bot:2", "example.jp/bot:2") == collector_images(env)
    env.changes()
    assert [] == env.setup().errors
    assert [] == env.changes()


def test_several_tasks(env: Env, images: TasksByImage) -> None:
    """Both tasks are replaced, and a bad version is rolled back."""
    assert 0 == run_deploy(env, sets=("service.count=2",))[0]
    assert 0 == run_deploy(env, sets=("image.uri=example.jp/bot:2",))[0]
    images.images["example.jp/bot:3"] = crash
    assert 1 == run_deploy(env, sets=("image.uri=example.jp/bot:3",))[0]
    ecs = env.aws_session.client("ecs")
    service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
    assert ("news-bot:2", 2) == (serving_revision(env), service["desiredCount"])


def test_deploy_to_a_stopped_service(
    env: Env, images: TasksByImage, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is deployed, with a note that nothing was started."""
    env.aws_session.client("ecs").update_service(
        cluster="news-bot", service="news-bot", desiredCount=0
    )
    assert 0 == Deployment(env, sets=("image.uri=example.jp/bot:2",))()
    assert "provision start" in capsys.readouterr().err
    assert "news-bot:2" == serving_revision(env)


def test_deploy_without_a_running_stack(env: Env) -> None:
    """Without a stack, or with a paused one, the error says what to run instead."""
    with pytest.raises(ProvisionError, match="provision setup"):
        Deployment(env)()
    env.setup()
    env.engine().pause()
    with pytest.raises(ProvisionError, match="provision resume"):
        Deployment(env)()


DEARER = [  # than 8.84 USD a month with its address
    (("service.capacity=on-demand",), "12.11 USD, 1,880 yen,"),
    (("service.count=3",), "17.68 USD, 2,740 yen,"),
    (("service.cpu=1024", "service.memory=8192"), "15.57 USD, 2,410 yen,"),
]


@pytest.mark.parametrize(("sets", "more"), DEARER)
def test_what_costs_more_is_asked(
    env: Env, delays: Delays, sets: tuple[str, ...], more: str
) -> None:
    """Without a terminal and --yes nothing is changed; what costs less or the same is not asked."""
    env.set(schedule__start="", schedule__stop="")
    env.setup()
    env.changes()
    with pytest.raises(UsageError) as refused:
        Deployment(env, sets=sets, yes=False)()
    assert (
        f"Could not ask: Change the resources listed above (about {more} a month more)?"
        == refused.value.what
    )
    assert [] == env.changes()
    assert 0 == Deployment(env, sets=("service.memory=1024",), yes=False)()


def test_dearer_rollback_is_asked(env: Env, images: TasksByImage) -> None:
    """Back to a larger version only after asking; back to a smaller one without."""
    env.set(schedule__start="", schedule__stop="")
    env.setup()
    assert 0 == run_deploy(env, sets=("service.memory=1024",))[0]
    env.changes()
    with pytest.raises(UsageError, match=r"about 1\.21 USD \(190 yen\) a month more\.") as refused:
        Deployment(env, back=True, yes=False)()
    assert "Add --yes." == refused.value.then
    assert [] == env.changes()
    assert 0 == run_deploy(env, back=True)[0]
    assert 0 == run_deploy(env, sets=("service.memory=512",))[0]
    assert 0 == run_deploy(env, sets=("service.memory=2048",))[0]
    assert 0 == run_deploy(env, back=True, yes=False)[0]


def test_starting_more_tasks_is_asked(env: Env, images: TasksByImage) -> None:
    """More than the service was set up with; as many as that are started without asking."""
    env.set(schedule__start="", schedule__stop="")
    env.setup()
    run, engine = Deployment(env, yes=False).run, env.engine()
    confirm_more_tasks(run, engine, 1)
    with pytest.raises(UsageError, match=r"about 17\.68 USD \(2,740 yen\) a month more\."):
        confirm_more_tasks(run, engine, 3)
    run.options.yes = True
    confirm_more_tasks(run, engine, 3)


@pytest.mark.parametrize("operation", ["DescribeServices", "DescribeTaskDefinition"])
def test_what_cannot_be_compared_is_not_started(
    env: Env, images: TasksByImage, operation: str
) -> None:
    """Start no tasks, and return to none, while it is unknown whether they cost more."""
    env.setup()
    assert 0 == run_deploy(env, sets=("service.memory=1024",))[0]
    run, engine = Deployment(env, yes=False).run, env.engine()
    throttle(env, "ecs", operation)
    with pytest.raises(NoResponse, match="AWS is throttling requests"):
        confirm_more_tasks(run, engine, 3)
    env.changes()
    with pytest.raises(NoResponse, match="AWS is throttling requests"):
        Deployment(env, back=True)()
    assert [] == env.changes()


def test_nothing_to_deploy(
    env: Env, images: TasksByImage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without changes nothing is done, and no way back is offered that there is not."""
    env.changes()
    assert 0 == Deployment(env)()
    shown = capsys.readouterr()
    assert "Nothing to deploy: the bot already runs like this.\n" == shown.out
    assert "--rollback" not in shown.err
    assert [] == env.changes()


def test_no_spot_capacity(env: Env, images: TasksByImage) -> None:
    """ECS's own message after a while, and the advice of on-demand capacity; the old version goes on.

    Nothing is rolled back: the new version starts as soon as there is capacity.
    """
    env.sandbox.cloud.ecs.spot_available = False
    deployment = Deployment(env, sets=("image.uri=example.jp/bot:2",))
    with pytest.raises(NoCapacity) as refusal:
        deployment()
    assert "Capacity is unavailable" in refusal.value.why
    assert "service.capacity=on-demand" in refusal.value.then
    assert "service.capacity=spot" in refusal.value.then
    assert 0 == deployment.lost
    assert deployment.seconds < 240
    assert "news-bot:2" == serving_revision(env)
    ondemand = ("image.uri=example.jp/bot:2", "service.capacity=on-demand")
    assert 0 == run_deploy(env, sets=ondemand)[0]
    env.sandbox.cloud.ecs.spot_available = True
    assert 0 == run_deploy(env, sets=("service.capacity=spot",))[0]
