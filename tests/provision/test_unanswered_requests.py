"""What AWS does not answer, refuses to answer, or answers without what is needed is unknown, and said so."""

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from provision.cli import planning
from provision.clients.line import Line
from provision.clients.tls import Tls
from provision.engine import external_use
from provision.engine.inventory import list_inventory
from provision.engine.plan import plan
from provision.errors import Pending, UnknownState
from provision.pricing import prices
from provision.sandbox.web.serving import HttpServer
from provision.status_report import entry, tasks
from provision.ui.progress import Progress
from provision.verify.checks import checks
from provision.verify.tree import Finding, Scene, examine
from provision.wizard import recovery
from tests.provision.conftest import READING, Env
from tests.provision.finished_stack import FinishedStack, plan_and_status
from tests.provision.shell import Person, control
from tests.provision.test_domain import looked

THROTTLED = "AWS is throttling requests (ThrottlingException)"
ALWAYS = 100_000  # times


def throttle(env: Env, service: str, operation: str, times: int = ALWAYS) -> None:
    """That many of these calls are throttled."""
    fault = {"kind": "throttle", "service": service, "operation": operation, "times": times}
    env.sandbox.cloud.faults.add(fault)


def denied(*operations: str) -> Callable[[str], None]:
    """Whoever runs this lacks the permission for these operations."""

    def before(called: str) -> None:
        if called in operations:
            answer = {"Error": {"Code": "AccessDenied", "Message": f"not authorized: {called}"}}
            raise botocore.exceptions.ClientError(answer, called)

    return before


def verified(env: Env) -> dict[str, Finding]:
    """Every finding of `provision verify`, without a front to shake hands with."""
    run = looked(env)
    return examine(checks(run.stack), Scene(run, run.observations, Tls(("127.0.0.1", 9), ())))


def lines(found: dict[str, Any]) -> dict[str, Any]:
    """By line of stack.py, not by key."""
    return {key.partition("/")[0]: value for key, value in found.items()}


def test_what_is_throttled_for_a_moment_is_asked_again(env: Env) -> None:
    """A few throttled or dropped answers: the look sees what it would have seen, later."""
    env.setup()
    before, began = plan_and_status(env), env.clock.now()
    throttle(env, "ecs", "DescribeServices", 2)
    throttle(env, "route53", "GetHostedZone", 3)
    throttle(env, "sts", "GetCallerIdentity", 3)
    reset = {"kind": "reset", "service": "ec2", "operation": "DescribeSubnets", "times": 2}
    env.sandbox.cloud.faults.add(reset)
    assert before == plan_and_status(env)
    assert env.clock.now() > began


def test_a_service_that_is_not_answered_is_unknown(env: Env) -> None:
    """Neither false nor 0 anywhere: status, plan and verify; what rests on it is unknown with it."""
    env.setup()
    throttle(env, "ecs", "DescribeServices")
    observations = lines(looked(env).observations)
    service = entry(observations["service"])
    assert (None, None, None, THROTTLED) == tuple(
        service[name] for name in ("live", "ready", "drift", "reason")
    )
    assert (None, None) == (
        entry(observations["steady_service"])["live"],
        entry(observations["steady_service"])["ready"],
    )
    assert {"running": None, "wanted": None, "rollout": [], "reason": THROTTLED} == tasks(
        observations["service"], observations["steady_service"]
    )
    steps = {step["key"]: step for step in plan_and_status(env).plan.shown()["resources"]}
    assert (None, THROTTLED) == (
        steps["service/news-bot"]["action"],
        steps["service/news-bot"]["reason"],
    )
    assert "keep" == steps["cluster/news-bot"]["action"]
    findings = verified(env)
    assert (None, THROTTLED) == (findings["service"].state, findings["service"].reason)
    assert "OK" == findings["zone"].state


def test_what_rests_on_the_unknown_is_unknown(env: Env) -> None:
    """A VPC of its own that cannot be looked at: nobody knows of the subnets in it, recorded or not."""
    throttle(env, "ec2", "DescribeVpcs")
    env.set(network__vpc="new")
    shown = lines(
        {key: entry(observation) for key, observation in looked(env).observations.items()}
    )
    assert None is shown["vpc"]["live"]
    assert (None, "vpc/news-bot-new could not be looked at") == (
        shown["subnet_1"]["live"],
        shown["subnet_1"]["reason"],
    )
    assert False is shown["zone"]["live"]


def test_tasks_are_known_without_the_targets(env: Env) -> None:
    """While the load balancer's side of it cannot be looked at, ECS's own counts are still told."""
    env.setup()

    def two_wanted(called: str, parsed: dict[str, Any]) -> None:
        if called == "DescribeServices":
            parsed["services"][0]["desiredCount"] = 2

    env.aws_session.answer = two_wanted
    throttle(env, "elbv2", "DescribeTargetHealth")
    observations = lines(looked(env).observations)
    assert None is entry(observations["steady_service"])["ready"]
    assert {"running": 1, "wanted": 2, "rollout": []} == tasks(
        observations["service"], observations["steady_service"]
    )


def test_a_probe_that_may_not_ask_is_unknown(env: Env) -> None:
    """verify: a target's health that this person may not see is neither NG nor OK, and LINE's silence too."""
    env.setup()
    env.aws_session.before = denied("DescribeTargetHealth")
    found = verified(env)["target"]
    assert (None, "AccessDenied: not authorized: DescribeTargetHealth") == (
        found.state,
        found.reason,
    )
    assert "permission" in found.then


def test_recover_without_an_answer_is_not_none(env: Env) -> None:
    """No list could be read: that is no empty account; some could: a name not among them may be there."""
    env.setup()
    listing = (
        "DescribeSecurityGroups",
        "ListHostedZones",
        "ListCertificates",
        "ListRoles",
        "ListClusters",
    )
    env.aws_session.before = denied(*listing)
    with pytest.raises(UnknownState, match="AccessDenied"):
        recovery.stacks(env.clients(), env.clock)
    env.aws_session.before = denied("ListClusters")
    assert ["news-bot"] == recovery.stacks(env.clients(), env.clock)
    with pytest.raises(UnknownState, match="AccessDenied"):
        recovery.stacks(env.clients(), env.clock, "other-bot")
    env.aws_session.free()
    assert ["news-bot"] == recovery.stacks(env.clients(), env.clock, "other-bot")
    throttle(env, "*", "*")
    with pytest.raises(UnknownState, match="AWS is throttling"):
        recovery.stacks(env.clients(), env.clock)


USES = [  # a read of who uses it, the resource that stays for it, and what stays with that
    ("GetDNSSEC", "zone"),
    ("ListObjectVersions", "news_bucket"),
]


@pytest.mark.parametrize(("operation", "line"), USES)
def test_teardown_goes_on_where_one_read_is_refused(env: Env, operation: str, line: str) -> None:
    """What cannot be judged stays, with the reason; everything that does not depend on it goes."""
    env.setup()
    env.aws_session.before = denied(operation)
    gone = env.teardown()
    why = f"AccessDenied: not authorized: {operation}"
    assert {line: why} == lines(gone.unchecked)
    assert why in lines(gone.kept)[line]
    assert [] == [key for key in gone.left if not key.startswith(line)]
    assert {"load_balancer", "service", "https"} <= set(lines(dict.fromkeys(gone.deleted)))
    env.aws_session.free()
    again = env.teardown()
    assert ({}, []) == (again.unknown, again.left)
    assert {} == env.inventory()


def test_teardown_goes_on_where_a_thing_cannot_be_stopped(env: Env) -> None:
    """Whether a collection still runs cannot be asked: it stays with what it rests on, and that is told."""
    env.setup()
    env.aws_session.before = denied("ListTasks")
    gone = env.teardown()
    why = "AccessDenied: not authorized: ListTasks"
    assert {"cluster": why} == lines(gone.unknown)
    assert [why] == [refusal.why for refusal in gone.errors]
    assert {"load_balancer", "service", "https"} <= set(lines(dict.fromkeys(gone.deleted)))


def test_teardown_says_what_it_could_not_list(env: Env) -> None:
    """A kind whose list is refused is among the unknown, with AWS's reason."""
    env.setup()
    env.aws_session.before = denied("ListScheduleGroups")
    gone = env.teardown()
    assert {"ScheduleGroup": "AccessDenied: not authorized: ListScheduleGroups"} == gone.unknown


def test_what_was_replaced_stays_while_nobody_knows_who_uses_it(env: Env) -> None:
    """Another bucket is set: whether others use the former one cannot be looked at. plan and setup say so."""
    env.setup()
    env.set(news__bucket="another-bucket-of-the-news")
    env.aws_session.before = denied("ListObjectVersions")
    why = "AccessDenied: not authorized: ListObjectVersions"
    run = looked(env)
    engine = run.engine(Progress([], run.clock))
    steps = planning.looked(run, engine).shown()["resources"]
    assert {"news_bucket": (None, why)} == {
        step["key"].partition("/")[0]: (step["action"], step["reason"])
        for step in steps
        if step["action"] is None
    }
    assert [why] == [refusal.why for refusal in env.setup().errors]
    env.aws_session.free()
    assert [] == env.setup().errors


def strip(parsed: dict[str, Any]) -> None:
    """An answer without its members."""
    for name in [name for name in parsed if name != "ResponseMetadata"]:
        del parsed[name]


def hollow(parsed: dict[str, Any]) -> None:
    """An answer whose lists are empty, and whose things have no properties."""
    for name, value in parsed.items():
        if name != "ResponseMetadata" and isinstance(value, list | dict):
            parsed[name] = type(value)()


DAMAGES = {"stripped": strip, "hollow": hollow}


@pytest.mark.slow(seconds=150)
@pytest.mark.parametrize("damage", DAMAGES)
def test_no_answer_ends_in_a_traceback(finished_stack: FinishedStack, damage: str) -> None:
    """Each operation that a look, a plan, a list or a teardown's foresight reads, damaged: no KeyError."""
    with finished_stack.on("new") as env:
        env.aws_session.calls.clear()
        everything(env)
        asked = sorted({call for call in env.aws_session.calls if call.startswith(READING)})
        assert len(asked) > 40
        failed = {}
        for operation in set(asked) - {"GetCallerIdentity"}:

            def answer(called: str, parsed: dict[str, Any], which: str = operation) -> None:
                if called == which:
                    DAMAGES[damage](parsed)

            env.aws_session.answer = answer
            try:
                everything(env)
            except Exception as error:
                failed[operation] = repr(error)
            env.aws_session.free()
        assert {} == failed
        finished_stack.whole(env)


def everything(env: Env) -> None:
    """All that reads: status, plan, verify, the account's lists, and what others use."""
    run = looked(env)
    observations = lines(run.observations)
    assert all(map(entry, observations.values()))
    tasks(observations["service"], observations["steady_service"])
    plan(run.observations, [], prices("ap-northeast-1"))
    examine(checks(run.stack), Scene(run, run.observations, Tls(("127.0.0.1", 9), ())))
    list_inventory(env.clients(), env.clock, "news-bot")
    external_use.uses(run.stack.resources, run.file.records, env.clients(), env.clock)


def test_the_missing_member_is_named(env: Env) -> None:
    """The operation, the member, and the next step; the other resources go on."""
    env.setup()
    env.aws_session.answer = lambda called, parsed: (
        strip(parsed) if called == "DescribeLogGroups" else None
    )
    observations = lines(looked(env).observations)
    refusal = observations["log_group"].refusal
    assert isinstance(refusal, UnknownState)
    assert "the answer to logs:DescribeLogGroups has no logGroups" == refusal.why
    assert "AWS_ENDPOINT_URL" in refusal.then
    assert None is entry(observations["log_group"])["live"]
    assert True is entry(observations["cluster"])["live"]


def test_an_empty_list_of_images_is_no_image(env: Env) -> None:
    """Some clouds answer so where AWS says RepositoryNotFoundException: it can be taken away all the same."""
    env.setup()
    env.aws_session.answer = lambda called, parsed: (
        hollow(parsed) if called == "DescribeRepositories" else None
    )
    observations = lines(looked(env).observations)
    assert (None, "") == (observations["repository"].live, observations["repository"].unknown)


@pytest.mark.slow
def test_unknown_from_outside(person: Person, addresses: dict[str, str]) -> None:
    """As a process: exit 1 and null where AWS goes on throttling; exit 0 where it stops in time."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode

    def fault(service: str, operation: str, times: int, kind: str = "throttle") -> None:
        body = {"kind": kind, "service": service, "operation": operation, "times": times}
        control(addresses, "faults", body)

    fault("ecs", "DescribeServices", 1)
    fault("sts", "GetCallerIdentity", 2)
    fault("sts", "GetCallerIdentity", 1, "reset")
    status = person.types("--sandbox", "status", "--json")
    assert (0, {"running": 1, "wanted": 1, "rollout": []}) == (
        status.returncode,
        json.loads(status.stdout)["tasks"],
    )

    fault("ecs", "DescribeServices", ALWAYS)
    fault("logs", "FilterLogEvents", ALWAYS)
    status = person.types("--sandbox", "status", "--json")
    shown = lines({each["key"]: each for each in json.loads(status.stdout)["resources"]})
    assert (1, None, THROTTLED) == (
        status.returncode,
        shown["service"]["live"],
        shown["service"]["reason"],
    )
    text = person.types("--sandbox", "status")
    assert (1, True) == (text.returncode, f"Tasks: unknown: {THROTTLED}" in text.stdout)
    verify = person.types("--sandbox", "verify", "--json")
    told = json.loads(verify.stdout)
    states = {check["key"]: check["state"] for check in told["checks"]}
    assert (1, None, 0) == (verify.returncode, states["service"], told["ng"])
    assert told["unknown"] == 1
    plan = person.types("--sandbox", "plan", "--json")
    steps = {step["key"]: step for step in json.loads(plan.stdout)["resources"]}
    assert (1, None) == (plan.returncode, steps["service/news-bot"]["action"])
    logs = person.types("--sandbox", "logs", "--since", "1d")
    assert (1, "") == (logs.returncode, logs.stdout)
    assert THROTTLED in logs.stderr

    fault("sts", "GetCallerIdentity", ALWAYS)
    refused = person.types("--sandbox", "status")
    assert 1 == refused.returncode
    assert "Run the same command again in a moment." in refused.stderr
    assert "network" not in refused.stderr


@pytest.mark.slow
def test_teardown_from_outside(person: Person, addresses: dict[str, str]) -> None:
    """What could not be looked at is in the document, with the reason, and the exit status is 1."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    body = {
        "kind": "throttle",
        "service": "route53",
        "operation": "GetDNSSEC",
        "times": ALWAYS,
    }
    control(addresses, "faults", body)
    gone = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    told = json.loads(gone.stdout)
    reason = "AWS is throttling requests (Throttling)"
    assert (1, [{"key": "zone/news-bot.example", "reason": reason}]) == (
        gone.returncode,
        told["unknown"],
    )
    kept = {each["key"]: each["why"] for each in told["kept"]}
    assert {"zone/news-bot.example", "network/default", "service_linked_role"} == set(kept)
    assert reason in kept["zone/news-bot.example"]
    assert "load_balancer/news-bot" in told["deleted"]


@pytest.mark.parametrize(
    ("words", "exit_status"),
    [
        (["recover"], 1),
        (["status"], 2),  # nor is the domain answered
        (["teardown", "--yes", "--set", "domain=a.jp", "--set", "network.vpc=default"], 1),
    ],
)
def test_signed_out(person: Person, words: list[str], exit_status: int) -> None:
    """Without credentials nobody knows whether there is a stack: said, with how to sign in."""
    asked = person.types(*words, AWS_EC2_METADATA_DISABLED="true", HOME=str(person.folder))
    assert exit_status == asked.returncode
    assert "Unable to locate credentials" in asked.stderr
    assert "aws configure" in asked.stderr
    assert "there is none" not in asked.stderr


def test_recover_without_a_network(person: Person) -> None:
    """An endpoint where nobody is: said at once, and no word of an empty account."""
    server = HttpServer(None)
    server.close()
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    asked = person.types("recover", AWS_ENDPOINT_URL=server.url, **keys)
    assert 1 == asked.returncode
    assert "EndpointConnectionError" in asked.stderr
    assert "AWS_ENDPOINT_URL" in asked.stderr
    assert "there is none" not in asked.stderr


def test_line_that_is_silent_does_not_say_nothing() -> None:
    """Whose token it is: silence is asked about again, not taken for "LINE does not tell"."""
    server = HttpServer(None)
    server.close()
    with pytest.raises(Pending, match="LINE does not answer"):
        Line(lambda: "token", server.url).channel()
    with pytest.raises(Pending, match="LINE does not answer"):
        Line(lambda: "token", server.url).has_secret("1", "secret")
