"""deploy: a good version takes over, a bad one is taken back early, and the old one answers throughout."""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from provision.cli import deploy
from provision.engine.engine import Engine
from provision.errors import ProvisionError, UsageError
from provision.resources.steady_service import NoCapacity
from provision.run import Options, Run
from provision.sandbox.delays import Delays
from provision.sandbox.tasks.runners import Application, InlineTask, InlineTasks
from provision.stack import Stack
from provision.state.stack_file import StackFile
from provision.ui.progress import Progress
from tests.provision.conftest import Env

Start = Callable[[dict[str, str]], Application]
USER = "U" + "1" * 32


class ByImage(InlineTasks):
    """Containers that are as their image is; those of an image that nobody described are as before."""

    def __init__(self, usual: InlineTasks) -> None:
        super().__init__()
        self.usual, self.images = usual.application, dict[str, Start]()

    def start(
        self, environment: dict[str, str], image: str, port: int, *command: Any
    ) -> InlineTask:
        self.application = self.images.get(image, self.usual)
        return super().start(environment, image, port, *command)


@pytest.fixture
def delays() -> Delays:
    """AWS as slow as it is: here it is about who is first."""
    return Delays()


@pytest.fixture
def images(env: Env) -> ByImage:
    """A stack that is live, and what its next images will be like."""
    env.setup()
    assert isinstance(env.sandbox.tasks, InlineTasks)
    images = ByImage(env.sandbox.tasks)
    env.sandbox.cloud.tasks = images
    return images


class Deploying:
    """One `provision deploy`: how long it took, what it said, and what LINE saw meanwhile."""

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
        self.told = io.StringIO()
        self.back, self.over = back, False

    def __call__(self) -> int:
        progress = Progress(deploy.service_and_dependencies(self.run), self.env.clock, self.told)
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
        """Every four seconds of simulated time: a gap as long as a task's start is seen."""
        self.steps += 1
        if self.over or self.steps % 4:
            return
        told = self.env.sandbox.line.send("help", USER)
        self.answered += told["status"] == 200 and bool(told["reply"])
        self.lost += not (told["status"] == 200 and told["reply"])


def deployed(env: Env, **given: Any) -> tuple[int, Deploying]:
    """One deploy, with messages under way all the time: none is lost."""
    deploying = Deploying(env, **given)
    status = deploying()
    assert deploying.answered > 0
    assert 0 == deploying.lost
    return status, deploying


def serving(env: Env) -> str:
    """The revision that the service wants, and that its healthy tasks are of."""
    ecs = env.aws_session.client("ecs")
    service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
    return str(service["taskDefinition"].rpartition("/")[2])


def test_good_deploy(env: Env, images: ByImage, capsys: pytest.CaptureFixture[str]) -> None:
    """A new revision, watched until it alone serves; what --set said is in stack.yaml afterwards."""
    status, told = deployed(env, sets=("image.uri=example.jp/bot:2",))
    assert (0, "news-bot:2") == (status, serving(env))
    assert "news-bot:2" == capsys.readouterr().out.strip()
    assert "example.jp/bot:2" == StackFile(env.path).settings["image.uri"]
    assert "example.jp/bot:2" == images.started[-1].image
    lines = told.told.getvalue()
    assert "new: 1 PROVISIONING" in lines
    assert "old: 1 RUNNING" in lines
    assert "1 healthy" in lines
    env.changes()
    assert ([], []) == ((outcome := env.setup()).errors, outcome.outside)
    assert [] == env.changes()


def crash(environment: dict[str, str]) -> Application:
    """Ends as soon as it starts."""
    raise RuntimeError("No module named 'flask'")


def other_processor(environment: dict[str, str]) -> Application:
    """What the kernel says of another processor's program."""
    raise RuntimeError("exec /usr/local/bin/python: exec format error")


def wrong_port(environment: dict[str, str]) -> Application:
    """Nobody listens where the health check looks."""

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        raise ConnectionRefusedError("nobody listens at 8080")

    return application


def sick(environment: dict[str, str]) -> Application:
    """Runs, and answers the health check with 500."""

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("500 Internal Server Error", [])
        return [b""]

    return application


def missing_image(environment: dict[str, str]) -> Application:
    """Nobody has pushed it, so it is never started."""
    raise AssertionError("it was started")


def no_such_platform(environment: dict[str, str]) -> Application:
    """It was pushed from a laptop with another processor; never started either."""
    raise AssertionError("it was started")


PLATFORMS: dict[Start, tuple[str, ...]] = {missing_image: (), no_such_platform: ("linux/arm64",)}
BAD = [
    (missing_image, "bot:2: not found", "image.uri="),
    (no_such_platform, "matching platform 'linux/amd64'", "another CPU architecture"),
    (crash, "exit code 1", "flask"),
    (other_processor, "exit code 1", "another CPU architecture"),
    (wrong_port, "Health checks failed", "port 8080"),
    (sick, "[500]", "/healthz"),
]


@pytest.mark.parametrize(
    ("how", "why", "then"), BAD, ids=lambda value: getattr(value, "__name__", "")
)
def test_bad_deploy(
    env: Env,
    images: ByImage,
    how: Start,
    why: str,
    then: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Taken back with the reason named, in at most half the circuit breaker's time; nothing is lost."""
    images.images["example.jp/bot:2"] = how
    if how in PLATFORMS:
        env.sandbox.cloud.ecr.images.public["example.jp/bot:2"] = PLATFORMS[how]
    status, told = deployed(env, sets=("image.uri=example.jp/bot:2",))
    assert (1, "news-bot:1") == (status, serving(env))
    said = capsys.readouterr().err
    assert why in said
    assert then in said
    assert "news-bot:1 keeps answering" in said
    assert "example.jp/bot:1" == StackFile(env.path).settings["image.uri"]
    assert told.seconds <= breaker(env) / 2


PHRASES = """Traceback (most recent call last):
  File "/app/bot/phrases.py", line 72, in <module>
    HELP = nothing
NameError: name 'nothing' is not defined"""


class Crashing(InlineTasks):
    """Containers that end with code 3 behind a log: a traceback, and much after it."""

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
    "json": [json.dumps({"message": "Exception in worker process", "traceback": PHRASES})],
    "plain": PHRASES.splitlines(),
}
AFTER = [json.dumps({"message": f"Shutting down: {number}"}) for number in range(50)]
REASON = [
    "Essential container in task exited (exit code 3)",
    "/app/bot/phrases.py:72: NameError: name 'nothing' is not defined",
]


@pytest.mark.parametrize("log", LOGS)
def test_exception_of_a_failed_start(
    env: Env, images: ByImage, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """deploy says the exception with file and line, the exit code and ECS's reason; not what came after."""
    env.sandbox.cloud.tasks = Crashing(LOGS[log] + AFTER)
    assert 1 == Deploying(env, sets=("image.uri=example.jp/bot:2",))()
    said = capsys.readouterr().err
    assert "\n        ".join(REASON) in said
    assert "Shutting down" not in said
    assert "Fix the cause (see `provision logs`)" in said


@pytest.mark.parametrize("log", LOGS)
def test_exception_of_a_first_start(env: Env, log: str) -> None:
    """setup says the same while it waits and when it gives up."""
    env.sandbox.cloud.tasks = Crashing(LOGS[log] + AFTER)
    (refusal,) = env.setup(wait=0).errors
    assert all(part in refusal.why for part in REASON)
    assert "Shutting down" not in refusal.why
    waiting = [detail for event, key, detail in env.events if key == "steady_service"]
    assert any(": ".join(REASON) in detail for detail in waiting)


def test_failed_start_without_a_word(
    env: Env, images: ByImage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then ECS's reason and the exit code are what there is."""
    env.sandbox.cloud.tasks = Crashing([""])
    assert 1 == Deploying(env, sets=("image.uri=example.jp/bot:2",))()
    assert f"{REASON[0]}\n  next: " in capsys.readouterr().err


def breaker(env: Env) -> float:
    """Seconds until ECS's own circuit breaker gives the same deployment up."""
    ecs = env.aws_session.client("ecs")
    settle(env)
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
    while serving(env) != "news-bot:1":
        env.clock.advance(1)
    return env.clock.now() - began


def settle(env: Env) -> None:
    """Until the service is steady again."""
    ecs = env.aws_session.client("ecs")
    while True:
        service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
        states = [deployment["rolloutState"] for deployment in service["deployments"]]
        if states == ["COMPLETED"]:
            return
        env.clock.advance(5)


def test_missing_secret(env: Env, images: ByImage, capsys: pytest.CaptureFixture[str]) -> None:
    """A parameter that is gone when the new task wants it: named, in at most half the breaker's time."""
    ssm = env.aws_session.client("ssm")
    value = ssm.get_parameter(Name="CHANNEL_SECRET", WithDecryption=True)["Parameter"]["Value"]
    env.aws_session.after = lambda operation: delete_secret(env, operation)
    status, told = deployed(env, sets=("image.uri=example.jp/bot:2",))
    assert (1, "news-bot:1") == (status, serving(env))
    said = capsys.readouterr().err
    assert "invalid parameters" in said
    assert "provision setup" in said
    assert "news-bot:1 keeps answering" in said
    ssm.put_parameter(Name="CHANNEL_SECRET", Value=value, Type="SecureString")
    env.aws_session.after = lambda operation: delete_secret(env, operation)
    assert told.seconds <= breaker(env) / 2


def delete_secret(env: Env, operation: str) -> None:
    """What somebody else does just after UpdateService."""
    if operation == "UpdateService":
        env.aws_session.free()
        env.aws_session.client("ssm").delete_parameter(Name="CHANNEL_SECRET")


def test_secret_missing_before_anything_is_made(
    env: Env, images: ByImage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen by the walk: no new revision, and what to give."""
    env.aws_session.client("ssm").delete_parameter(Name="CHANNEL_SECRET")
    env.secrets = replace(env.secrets, channel_secret="")
    env.changes()
    assert 1 == Deploying(env, sets=("image.uri=example.jp/bot:2",))()
    assert "LINE_CHANNEL_SECRET" in capsys.readouterr().err
    assert [] == env.changes()


def test_rollback(env: Env, images: ByImage, capsys: pytest.CaptureFixture[str]) -> None:
    """Back to the version before, which stack.yaml then no longer asks for; forward again with deploy."""
    assert 0 == deployed(env, sets=("image.uri=example.jp/bot:2",))[0]
    assert (0, "news-bot:1") == (deployed(env, back=True)[0], serving(env))
    assert "stack.yaml still asks for the newer version" in capsys.readouterr().err
    assert "example.jp/bot:1" == images.started[-1].image
    with pytest.raises(ProvisionError, match="there is none"):
        Deploying(env, back=True)()
    assert 0 == deployed(env)[0]
    assert "example.jp/bot:2" == images.started[-1].image


@pytest.mark.slow
def test_old_revisions_go(env: Env, images: ByImage) -> None:
    """The ten newest stay, to go back to."""
    ecs = env.aws_session.client("ecs")
    for number in range(2, 14):
        assert 0 == Deploying(env, sets=(f"image.uri=example.jp/bot:{number}",))()
    found = ecs.list_task_definitions(familyPrefix="news-bot", status="ACTIVE")[
        "taskDefinitionArns"
    ]
    assert 10 == len(found)
    assert "news-bot:4" == found[0].rpartition("/")[2]


def collects_with(env: Env) -> tuple[str, str]:
    """The image of the newest revision of the collector's, and of the one that its schedule runs."""
    ecs, scheduler = env.aws_session.client("ecs"), env.aws_session.client("scheduler")
    target = scheduler.get_schedule(GroupName="news-bot", Name="collect")["Target"]
    scheduled = target["EcsParameters"]["TaskDefinitionArn"]
    newest, runs = (
        ecs.describe_task_definition(taskDefinition=which)["taskDefinition"]
        for which in ("news-bot-collector", scheduled)
    )
    return newest["containerDefinitions"][0]["image"], runs["containerDefinitions"][0]["image"]


def test_the_collector_follows(env: Env, images: ByImage) -> None:
    """Once a version is known to work the collector runs it too; one that is taken back it never sees."""
    assert 0 == deployed(env, sets=("image.uri=example.jp/bot:2",))[0]
    assert ("example.jp/bot:2", "example.jp/bot:2") == collects_with(env)
    images.images["example.jp/bot:3"] = crash
    assert 1 == deployed(env, sets=("image.uri=example.jp/bot:3",))[0]
    assert ("example.jp/bot:2", "example.jp/bot:2") == collects_with(env)
    env.changes()
    assert [] == env.setup().errors
    assert [] == env.changes()


def test_several_tasks(env: Env, images: ByImage) -> None:
    """A count above one: both are replaced, and a bad version of two is taken back like one."""
    assert 0 == deployed(env, sets=("service.count=2",))[0]
    assert 0 == deployed(env, sets=("image.uri=example.jp/bot:2",))[0]
    images.images["example.jp/bot:3"] = crash
    assert 1 == deployed(env, sets=("image.uri=example.jp/bot:3",))[0]
    ecs = env.aws_session.client("ecs")
    service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
    assert ("news-bot:2", 2) == (serving(env), service["desiredCount"])


def test_asleep(env: Env, images: ByImage, capsys: pytest.CaptureFixture[str]) -> None:
    """Outside its hours: deployed, and said that nothing was tried."""
    env.aws_session.client("ecs").update_service(
        cluster="news-bot", service="news-bot", desiredCount=0
    )
    assert 0 == Deploying(env, sets=("image.uri=example.jp/bot:2",))()
    assert "provision start" in capsys.readouterr().err
    assert "news-bot:2" == serving(env)


def test_nothing_to_deploy_to(env: Env) -> None:
    """No stack, and a paused one: what to run instead."""
    with pytest.raises(ProvisionError, match="provision setup"):
        Deploying(env)()
    env.setup()
    env.engine().pause()
    with pytest.raises(ProvisionError, match="provision resume"):
        Deploying(env)()


DEARER = [  # than 8.84 USD a month with its address
    (("service.capacity=on-demand",), "12.11"),
    (("service.count=3",), "17.68"),
    (("service.cpu=1024", "service.memory=8192"), "15.57"),
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
        Deploying(env, sets=sets, yes=False)()
    assert f"Change the resources listed above (about {more} USD a month more)?" == refused.value.what
    assert [] == env.changes()
    assert 0 == Deploying(env, sets=("service.memory=1024",), yes=False)()


def test_no_spot_capacity(env: Env, images: ByImage) -> None:
    """ECS's own words after a while, the dearer way, and the way back; the old version goes on."""
    env.sandbox.cloud.ecs.spot_available = False
    deploying = Deploying(env, sets=("image.uri=example.jp/bot:2",))
    with pytest.raises(NoCapacity) as refusal:
        deploying()
    assert "Capacity is unavailable" in refusal.value.why
    assert "service.capacity=on-demand" in refusal.value.then
    assert "service.capacity=spot" in refusal.value.then
    assert 0 == deploying.lost
    assert deploying.seconds < 240
    ondemand = ("image.uri=example.jp/bot:2", "service.capacity=on-demand")
    assert 0 == deployed(env, sets=ondemand)[0]
    env.sandbox.cloud.ecs.spot_available = True
    assert 0 == deployed(env, sets=("service.capacity=spot",))[0]
