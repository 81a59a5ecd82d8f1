"""Fixtures: an emulated account, LINE, DNS and registrar in this process, and helpers to run the engine.

Time is a ManualClock, advanced by the engine's own waits. AWS is called without sockets and the bot
in-process; only LINE's API is served over HTTP, because line-bot-sdk speaks nothing else.
"""

import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import dns.message
import pytest

from bot.app import create_app
from bot.config import CollectorConfig, Config
from bot.news.cache import Cache
from bot.news.collector import collect
from bot.news.feeds import BadFeed
from bot.news.store import Bucket
from bot.news.web import FeedState, Result, read
from provision.clients.aws import Aws, new_session
from provision.clients.dns import Dns
from provision.clients.line import Line
from provision.clients.package_index import PackageIndex
from provision.clients.registry import Registries
from provision.console.server import HttpServer
from provision.engine.deleter import DeletionResult
from provision.engine.engine import Engine
from provision.engine.executor import Outcome
from provision.resources.base import Clients, Resource
from provision.resources.collector import COMMAND
from provision.run import Run
from provision.sandbox.aws.in_process import attach
from provision.sandbox.clock import ManualClock
from provision.sandbox.delays import Delays
from provision.sandbox.sandbox import Sandbox
from provision.sandbox.tasks.runners import InlineTasks
from provision.stack import Secrets, Stack
from provision.state.stack_file import StackFile
from tests.provision.shell import addresses as addresses  # fixtures, for every test here
from tests.provision.shell import person as person
from tests.provision.shell import served as served
from tests.provision.terminal import terminals as terminals

if TYPE_CHECKING:
    from tests.provision.finished_stack import FinishedStack

ANSWERS = {
    "domain": "example.jp",
    "network.vpc": "default",
    "image.uri": "example.jp/bot:1",
    "schedule.start": "cron(0 8 ? * SAT,SUN *)",
    "schedule.stop": "cron(0 9 ? * SAT,SUN *)",
}
CREDENTIALS = {
    "aws_access_key_id": "access",
    "aws_secret_access_key": "secret",
    "region_name": "ap-northeast-1",
}
READING = ("Describe", "List", "Get", "Head")


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Let children get the signals of a terminal, which the tests ignore under nohup or in the background."""
    ignored = [
        number
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
        if signal.getsignal(number) == signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


class PowerCut(BaseException):
    """Simulates a power cut: the code under test must not catch it."""


class AwsSession:
    """A boto3 session whose calls are recorded, can be intercepted, and can be cut off by a power cut."""

    def __init__(self) -> None:
        self.session = new_session(**CREDENTIALS)
        self.application: Any = None
        self.calls: list[str] = []
        self.refused: list[str] = []  # mutating calls that AWS rejected
        self.before: Callable[[str], None] = lambda operation: None
        self.after: Callable[[str], None] = lambda operation: None
        self.answer: Callable[[str, dict[str, Any]], None] = lambda operation, parsed: None
        self.request: Callable[[str, dict[str, Any]], None] = lambda operation, params: None
        self.off = False  # no power until the run has ended: its remaining calls fail
        self.clients: dict[str, Any] = {}
        attach(self.session, lambda environ, start: self.application(environ, start))
        inside = boto3.Session(**CREDENTIALS)
        attach(inside, lambda environ, start: self.application(environ, start))
        self.inside = inside.client("s3")  # for the collector: neither recorded nor cut off
        self.session.events.register("provide-client-params", self._request)
        self.session.events.register_first("before-call", self._before)
        self.session.events.register_last("after-call", self._after)

    def caller(self, credentials: dict[str, str]) -> Any:
        """Return an S3 client with a role's credentials, as the code in a task gets them."""
        session = boto3.Session(
            credentials["AWS_ACCESS_KEY_ID"],
            credentials["AWS_SECRET_ACCESS_KEY"],
            credentials["AWS_SESSION_TOKEN"],
            region_name="ap-northeast-1",
        )
        attach(session, lambda environ, start: self.application(environ, start))
        return session.client("s3")

    def _request(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self.request(model.name, params)

    def _before(self, model: Any, **_: Any) -> None:
        if self.off:
            raise PowerCut(f"off, {model.name}")
        self.before(model.name)
        self.calls.append(model.name)

    def _after(self, model: Any, http_response: Any, parsed: Any, **_: Any) -> None:
        if http_response.status_code < 300:  # a rejected call changed nothing
            self.after(model.name)
            self.answer(model.name, parsed)
        elif http_response.status_code < 500 and not model.name.startswith(READING):
            self.refused.append(model.name)

    def free(self) -> None:
        """Remove all hooks, and restore the power."""
        self.before = self.after = lambda operation: None
        self.answer = self.request = lambda operation, members: None
        self.off = False

    def cut(self, where: str, rest: bool = False) -> None:
        """Cut the power now: all further calls of the run fail, unless `rest` lets them through."""
        self.free()
        self.off = not rest
        raise PowerCut(where)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.session.client(service)
        return self.clients[service]


class InterruptibleLine(Line):
    """A LINE client subject to the same power cuts as the AWS session."""

    aws_session: AwsSession

    def set_endpoint(self, url: str) -> None:
        self.aws_session.before("SetWebhookEndpoint")
        self.aws_session.calls.append("SetWebhookEndpoint")
        super().set_endpoint(url)
        self.aws_session.after("SetWebhookEndpoint")


@dataclass
class Env:
    """A stack.yaml with everything outside emulated, and the commands run on it."""

    sandbox: Sandbox
    clock: ManualClock
    aws_session: AwsSession
    line_url: str
    path: Path
    aws: Aws
    feeds: "FakeFeeds"
    at_registrar: bool = True
    secrets: Secrets = field(default_factory=Secrets)
    registries: Registries = field(default_factory=Registries)
    index: PackageIndex = field(default_factory=PackageIndex)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    now: tuple[str, str] = ("", "")  # the last progress event, and the logical id of its resource

    def set(self, **answers: str) -> None:
        """Write settings into stack.yaml; dots in keys are written as double underscores."""
        file = StackFile(self.path)
        for key, value in answers.items():
            file.set(key.replace("__", "."), value)

    def stack(self) -> Stack:
        """Return the stack as configured in stack.yaml."""
        environment = {"LINE_API_URL": self.line_url}
        return Stack(StackFile(self.path).settings, self.secrets, environment, self.path.parent)

    def engine(self) -> Engine:
        """Return a new engine, as in a new process: it knows only what the file says."""
        self.aws_session.off = False
        file, stack = StackFile(self.path), self.stack()
        engine = Engine(stack.resources, file, self.clients(), self.clock, self._tell)
        engine.begin()
        return engine

    def clients(self) -> Clients:
        """Return the clients for AWS, DNS, LINE and the registries."""
        line = InterruptibleLine(lambda: self.sandbox.line.access_token, self.line_url)
        settings = StackFile(self.path).settings
        if settings["line.token"] == "stateless":
            line = InterruptibleLine(lambda: self.sandbox.line.channel_secret, self.line_url)
            line.issue_tokens(settings["line.channel_id"])
        line.aws_session = self.aws_session
        return Clients(
            self.aws, Dns(("127.0.0.1", 53), self._ask), line, self.registries, self.index
        )

    def _ask(self, query: Any, address: str, port: int) -> Any:
        return dns.message.from_wire(bytes(self.sandbox.cloud.dns.respond(query.to_wire())))

    def _tell(self, event: str, resource: Resource, detail: str) -> None:
        self.events.append((event, resource.key, detail))
        self.now = (event, resource.logical_id)
        if event == "done" and resource.logical_id == "zone" and self.at_registrar:
            self.enter_name_servers()

    def enter_name_servers(self) -> None:
        """Enter the zone's name servers at the registrar, as the user would."""
        for key, record in StackFile(self.path).records.items():
            if record.kind == "HostedZone" and "name_servers" in record.outputs:
                domain = key.partition("/")[2]
                self.sandbox.cloud.registrar.enter(domain, record.outputs["name_servers"])

    def enter_white_label_servers(self, servers: list[str]) -> list[str]:
        """Enter servers of other names with these servers' addresses; their records are glue. Return them."""
        registrar, dns = self.sandbox.cloud.registrar, self.sandbox.cloud.dns
        glue = [
            (f"ns{number}.example.net", "A", *dns.resolve(server, "A"))
            for number, server in enumerate(servers, 1)
        ]
        registrar.keep("example.net", glue)
        registrar.enter("example.jp", [name for name, *_record in glue])
        self.at_registrar = False
        return [name for name, *_record in glue]

    def setup(self, wait: float | None = 600, refused: Collection[str] = ()) -> Outcome:
        """Run `provision setup`. Fail if AWS rejects a mutating call that is not in `refused`.

        A setup that succeeds in the end may still have sent invalid requests; a test states where that is
        expected. Rejections injected by the test itself (faults, lag) are not checked.
        """
        cloud = self.sandbox.cloud
        injected = cloud.faults.describe() or cloud.lag.seconds
        engine = self.engine()
        engine.inspect()
        self.aws_session.refused.clear()
        outcome = engine.setup(wait)
        if not injected:
            assert set() == set(self.aws_session.refused).difference(refused)
        return outcome

    def teardown(self, everything: bool = True) -> DeletionResult:
        """Run `provision teardown`."""
        return self.engine().teardown(everything)

    def cut_power(self, event: str, line: str, moment: str, rest: bool = False) -> None:
        """Cut the power `before` or `after` the first mutating call for that resource of stack.py.

        rest: let the calls in flight finish, as after Ctrl-C.
        """

        def cut(operation: str) -> None:
            if self.now == (event, line) and not operation.startswith(READING):
                self.aws_session.cut(f"{moment} {operation}", rest)

        setattr(self.aws_session, moment, cut)

    def changes(self) -> list[str]:
        """Return the mutating calls since the last time this was called."""
        made = [call for call in self.aws_session.calls if not call.startswith(READING)]
        self.aws_session.calls.clear()
        return made

    def inventory(self) -> dict[str, int]:
        """Count the resources in the account by kind, using each service's own list calls."""
        return count_resources(self.aws_session.client)


def count_networks(ec2: Any) -> dict[str, int]:
    """Count the parts of all networks except the default VPC."""
    vpcs = [v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]]
    tables = [t for t in ec2.describe_route_tables()["RouteTables"] if t["VpcId"] in vpcs]
    gateways = ec2.describe_internet_gateways()["InternetGateways"]
    attached = [a["VpcId"] for gateway in gateways for a in gateway["Attachments"]]
    return {
        "vpc": len(vpcs),
        "subnet": len([s for s in ec2.describe_subnets()["Subnets"] if s["VpcId"] in vpcs]),
        "route table": len(tables),
        "association": sum("SubnetId" in a for table in tables for a in table["Associations"]),
        "internet gateway": len([g for g in gateways if not g["Attachments"]])
        + len([vpc for vpc in attached if vpc in vpcs]),
    }


def count_resources(client: Callable[[str], Any]) -> dict[str, int]:
    """Count resources by kind, leaving out what AWS puts into every account."""
    ec2, elbv2, ecs, route53 = client("ec2"), client("elbv2"), client("ecs"), client("route53")
    count: Counter[str] = Counter()
    for zone in route53.list_hosted_zones()["HostedZones"]:
        count["zone"] += 1
        records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
        count["record"] += len([r for r in records if r["Type"] not in ("NS", "SOA")])
    count["certificate"] = len(client("acm").list_certificates()["CertificateSummaryList"])
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"] != "default":
            count["security group"] += 1
            count["ingress"] += len(group["IpPermissions"])
    count.update(count_networks(ec2))
    count["interface"] = len(ec2.describe_network_interfaces()["NetworkInterfaces"])
    for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
        count["load balancer"] += 1
        for listener in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])[
            "Listeners"
        ]:
            count["listener"] += 1
            rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            count["rule"] += len([rule for rule in rules if not rule["IsDefault"]])
    acls = client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    count["web ACL"] = len(acls)
    count["target group"] = len(elbv2.describe_target_groups()["TargetGroups"])
    count["log group"] = len(client("logs").describe_log_groups()["logGroups"])
    count["parameter"] = len(client("ssm").describe_parameters()["Parameters"])
    for role in client("iam").list_roles()["Roles"]:
        if not role["Path"].startswith("/aws-service-role/"):
            count["role"] += 1
            count["policy"] += len(
                client("iam").list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            )
    count["bucket"] = len(client("s3").list_buckets()["Buckets"])
    count["repository"] = len(client("ecr").describe_repositories()["repositories"])
    scheduler = client("scheduler")
    groups = scheduler.list_schedule_groups()["ScheduleGroups"]
    count["schedule group"] = len([group for group in groups if group["Name"] != "default"])
    count["schedule"] = len(scheduler.list_schedules()["Schedules"])
    for cluster in ecs.list_clusters()["clusterArns"]:
        count["cluster"] += 1
        count["service"] += len(ecs.list_services(cluster=cluster)["serviceArns"])
    count["task definition"] = len(ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"])
    return {kind: number for kind, number in sorted(count.items()) if number}


WHOLE = {  # the inventory of a complete stack
    "bucket": 1,
    "certificate": 1,
    "cluster": 1,
    "ingress": 2,
    "interface": 4,
    "listener": 2,
    "load balancer": 1,
    "log group": 1,
    "parameter": 2,
    "policy": 6,
    "record": 2,
    "repository": 1,
    "role": 5,
    "rule": 2,
    "schedule": 3,
    "schedule group": 1,
    "security group": 3,
    "service": 1,
    "target group": 1,
    "task definition": 2,
    "zone": 1,
}


@pytest.fixture(scope="session")
def aws_session() -> AwsSession:
    """Return one session for all tests: building boto3 clients is what makes such tests slow."""
    return AwsSession()


@pytest.fixture(scope="session")
def clients(aws_session: AwsSession) -> Aws:
    """Return the tool's AWS client on that session."""
    return Aws("ap-northeast-1", aws_session.session)


RSS = """<rss version="2.0"><channel><title>The Daily</title>
<item><title>A bridge opens</title><link>https://news.example/bridge</link></item>
</channel></rss>"""


class FakeFeeds:
    """A fake of the RSS feeds on the internet: every URL serves `document`; None: no URL answers."""

    def __init__(self) -> None:
        self.document: str | None = RSS
        self.requested: list[str] = []

    def get(self, url: str, state: FeedState) -> tuple[bytes, str, FeedState]:
        self.requested.append(url)
        if self.document is None:
            raise BadFeed("nobody answers")
        return self.document.encode(), "application/rss+xml", FeedState()

    def read(self, asked: Sequence[tuple[str, FeedState]], now: float) -> list[Result]:
        return [read(url, state, now, self.get) for url, state in asked]


def _collect(
    aws_session: AwsSession, clock: ManualClock, feeds: FakeFeeds, environment: dict[str, str]
) -> int:
    """Run the collector on the sandbox's clock, with S3 on that session too."""
    config = CollectorConfig.from_environment(environment)
    store = _store(config.news_url, aws_session.inside)
    count = collect(store, config.feeds, config.days, clock.now(), feeds.read)
    return 0 if count else 1


def _bot(aws_session: AwsSession, clock: ManualClock, environment: dict[str, str]) -> Any:
    """Create the bot on the sandbox's clock, with S3 on that session too."""
    config = Config.from_environment(environment)
    store = _store(config.news_url, aws_session.client("s3"))
    cache = Cache(store, clock=clock.now, run=lambda work: work())
    return create_app(config, cache=cache, clock=clock.now)


def _store(news_url: str, client: Any) -> Bucket:
    bucket, _slash, prefix = news_url.removeprefix("s3://").partition("/")
    return Bucket(bucket, prefix, client=client)


@pytest.fixture
def delays() -> Delays:
    """Return no delays: AWS acts at once. A test about waiting overrides this."""
    return Delays.none()


@contextmanager
def open_env(aws_session: AwsSession, clients: Aws, delays: Delays, folder: Path) -> Iterator[Env]:
    """Yield an environment with an empty account."""
    clock, feeds = ManualClock(), FakeFeeds()
    programs = {tuple(COMMAND): partial(_collect, aws_session, clock, feeds)}
    sandbox = Sandbox(clock, delays, InlineTasks(partial(_bot, aws_session, clock), programs))
    server = HttpServer(sandbox.line.wsgi)
    aws_session.application = sandbox.aws
    aws_session.free()
    env = Env(sandbox, clock, aws_session, server.url, folder / "stack.yaml", clients, feeds)
    env.secrets = Secrets(sandbox.line.access_token, sandbox.line.channel_secret)
    env.set(**{key.replace(".", "__"): value for key, value in ANSWERS.items()})
    aws_session.calls.clear()
    yield env
    server.close()
    sandbox.close()


def line_of(env: Env, run: Run) -> Line:
    """Return a run's client of the sandbox's LINE, with the stack's own credential."""
    line = Line(lambda: run.secret_value(run.stack.line_credential), env.line_url)
    if not run.stack.access_token:
        line.issue_tokens(run.file.settings["line.channel_id"])
    return line


@pytest.fixture
def env(aws_session: AwsSession, clients: Aws, delays: Delays, tmp_path: Path) -> Iterator[Env]:
    """Yield an environment with an empty account."""
    with open_env(aws_session, clients, delays, tmp_path) as env:
        yield env


@pytest.fixture(scope="module")
def finished_stack(
    aws_session: AwsSession, clients: Aws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["FinishedStack"]:
    """Yield complete stacks that a module's tests share; after a test with `env` they are built anew."""
    from tests.provision.finished_stack import FinishedStack

    def new() -> AbstractContextManager[Env]:
        return open_env(aws_session, clients, Delays.none(), tmp_path_factory.mktemp("finished"))

    finished_stack = FinishedStack(new)
    yield finished_stack
    finished_stack.close()


@pytest.fixture
def shared_env(finished_stack: "FinishedStack") -> Iterator[Env]:
    """Yield a complete stack in the default VPC. The test leaves it as it is, but for faults and hooks."""
    with finished_stack.on("default") as env:
        yield env
        env.aws_session.free()
        env.sandbox.cloud.faults.clear()
