"""What AWS does not answer, refuses, or answers incompletely is reported as unknown."""

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from provision.cli import planning
from provision.clients.line import Line
from provision.clients.tls import Tls
from provision.console.server import HttpServer
from provision.engine import external_use
from provision.engine.inventory import list_inventory
from provision.engine.plan import plan
from provision.errors import Pending, UnknownState
from provision.pricing import prices
from provision.status_report import entry, tasks
from provision.ui.progress import Progress
from provision.verify.checks import checks
from provision.verify.tree import CheckContext, Finding, run_checks
from provision.wizard import recovery
from tests.provision.conftest import READING, Env
from tests.provision.finished_stack import FinishedStack, plan_and_status
from tests.provision.shell import Person, control
from tests.provision.test_domain import inspected_run

THROTTLED = "AWS is throttling requests (ThrottlingException)"
ALWAYS = 100_000  # times


def throttle(env: Env, service: str, operation: str, times: int = ALWAYS) -> None:
    """Throttle that many of these calls."""
    fault = {"kind": "throttle", "service": service, "operation": operation, "times": times}
    env.sandbox.cloud.faults.add(fault)


def deny(*operations: str, code: str = "AccessDenied") -> Callable[[str], None]:
    """Return a hook that denies these operations, as for a user without the permission."""

    def before(called: str) -> None:
        if called in operations:
            answer = {"Error": {"Code": code, "Message": f"not authorized: {called}"}}
            raise botocore.exceptions.ClientError(answer, called)

    return before


def verify_findings(env: Env) -> dict[str, Finding]:
    """Return all findings of `provision verify`, without a server for TLS."""
    run = inspected_run(env)
    return run_checks(
        checks(run.stack), CheckContext(run, run.observations, Tls(("127.0.0.1", 9), ()))
    )


def by_logical_id(found: dict[str, Any]) -> dict[str, Any]:
    """Return the mapping with logical ids as keys."""
    return {key.partition("/")[0]: value for key, value in found.items()}


def test_briefly_throttled_reads_are_retried(shared_env: Env) -> None:
    """After a few throttled or dropped responses the inspection returns the same as without them."""
    before, began = plan_and_status(shared_env), shared_env.clock.now()
    throttle(shared_env, "ecs", "DescribeServices", 2)
    throttle(shared_env, "route53", "GetHostedZone", 3)
    throttle(shared_env, "sts", "GetCallerIdentity", 3)
    reset = {"kind": "reset", "service": "ec2", "operation": "DescribeSubnets", "times": 2}
    shared_env.sandbox.cloud.faults.add(reset)
    assert before == plan_and_status(shared_env)
    assert shared_env.clock.now() > began


def test_unreadable_service_is_unknown(shared_env: Env) -> None:
    """It is neither false nor 0 in status, plan and verify; what depends on it is unknown too."""
    throttle(shared_env, "ecs", "DescribeServices")
    observations = by_logical_id(inspected_run(shared_env).observations)
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
    steps = {step["key"]: step for step in plan_and_status(shared_env).plan.to_dict()["resources"]}
    assert (None, THROTTLED) == (
        steps["service/news-bot"]["action"],
        steps["service/news-bot"]["reason"],
    )
    assert "keep" == steps["cluster/news-bot"]["action"]
    findings = verify_findings(shared_env)
    assert (None, THROTTLED) == (findings["service"].state, findings["service"].reason)
    assert "OK" == findings["zone"].state


def test_task_counts_are_known_without_target_health(shared_env: Env) -> None:
    """If the load balancer's target health cannot be read, ECS's own counts are still shown."""

    def two_wanted(called: str, parsed: dict[str, Any]) -> None:
        if called == "DescribeServices":
            parsed["services"][0]["desiredCount"] = 2

    shared_env.aws_session.answer = two_wanted
    throttle(shared_env, "elbv2", "DescribeTargetHealth")
    observations = by_logical_id(inspected_run(shared_env).observations)
    assert None is entry(observations["steady_service"])["ready"]
    assert {"running": 1, "wanted": 2, "rollout": []} == tasks(
        observations["service"], observations["steady_service"]
    )


def test_check_without_permission_is_unknown(shared_env: Env) -> None:
    """A check that may not read target health is neither NG nor OK."""
    shared_env.aws_session.before = deny("DescribeTargetHealth")
    found = verify_findings(shared_env)["target"]
    assert (None, "AccessDenied: not authorized: DescribeTargetHealth") == (
        found.state,
        found.reason,
    )
    assert "permission" in found.then


def test_recover_with_unreadable_lists_raises_unknown_state(shared_env: Env) -> None:
    """If no list can be read, the account is not "empty"; if some can, a missing name is unknown."""
    listing = (
        "DescribeSecurityGroups",
        "ListHostedZones",
        "ListCertificates",
        "ListRoles",
        "ListClusters",
    )
    shared_env.aws_session.before = deny(*listing)
    with pytest.raises(UnknownState, match="AccessDenied"):
        recovery.list_stacks(shared_env.clients(), shared_env.clock)
    shared_env.aws_session.before = deny("ListClusters")
    assert ["news-bot"] == recovery.list_stacks(shared_env.clients(), shared_env.clock)
    with pytest.raises(UnknownState, match="AccessDenied"):
        recovery.list_stacks(shared_env.clients(), shared_env.clock, "other-bot")
    shared_env.aws_session.free()
    assert ["news-bot"] == recovery.list_stacks(shared_env.clients(), shared_env.clock, "other-bot")
    throttle(shared_env, "*", "*")
    with pytest.raises(UnknownState, match="AWS is throttling"):
        recovery.list_stacks(shared_env.clients(), shared_env.clock)


def test_missing_response_member_is_reported(shared_env: Env) -> None:
    """With the operation, the member, and the next step; the other resources are not affected."""
    shared_env.aws_session.answer = lambda called, parsed: (
        remove_members(parsed) if called == "DescribeLogGroups" else None
    )
    observations = by_logical_id(inspected_run(shared_env).observations)
    refusal = observations["log_group"].error
    assert isinstance(refusal, UnknownState)
    assert "the answer to logs:DescribeLogGroups has no logGroups" == refusal.why
    assert "AWS_ENDPOINT_URL" in refusal.then
    assert None is entry(observations["log_group"])["live"]
    assert True is entry(observations["cluster"])["live"]


def test_dependents_of_an_unknown_resource_are_unknown(env: Env) -> None:
    """If the stack's own VPC cannot be read, its subnets are unknown, recorded or not."""
    throttle(env, "ec2", "DescribeVpcs")
    env.set(network__vpc="new")
    shown = by_logical_id(
        {key: entry(observation) for key, observation in inspected_run(env).observations.items()}
    )
    assert None is shown["vpc"]["live"]
    assert (None, "vpc/news-bot-new could not be looked at") == (
        shown["subnet_1"]["live"],
        shown["subnet_1"]["reason"],
    )
    assert False is shown["zone"]["live"]


EXTERNAL_USE_READS = [  # a read of external use, and the resource kept because of it
    ("GetDNSSEC", "zone"),
    ("ListObjectVersions", "news_bucket"),
]


@pytest.mark.parametrize(("operation", "line"), EXTERNAL_USE_READS)
def test_teardown_keeps_only_what_it_cannot_check(env: Env, operation: str, line: str) -> None:
    """What cannot be checked is kept with the reason; everything independent of it is deleted."""
    env.setup()
    env.aws_session.before = deny(operation)
    result = env.teardown()
    why = f"AccessDenied: not authorized: {operation}"
    assert {line: why} == by_logical_id(result.unchecked)
    assert why in by_logical_id(result.kept)[line]
    assert [] == [key for key in result.left if not key.startswith(line)]
    assert {"load_balancer", "service", "https"} <= set(
        by_logical_id(dict.fromkeys(result.deleted))
    )
    env.aws_session.free()
    again = env.teardown()
    assert ({}, []) == (again.unknown, again.left)
    assert {} == env.inventory()


@pytest.mark.parametrize(
    ("operation", "lines_unknown"),
    [
        ("GetSchedule", {"start_schedule", "stop_schedule", "collector_schedule"}),
        (
            "GetRolePolicy",
            {"scheduler_permissions", "collecting_permissions", "collector_permissions"},
        ),
        ("DescribeCertificate", {"webhook", "certificate"}),
    ],
)
def test_what_costs_goes_though_what_rests_on_it_cannot_be_read(
    env: Env, operation: str, lines_unknown: set[str]
) -> None:
    """A schedule or a policy that may not be read does not keep the service and the load balancer running."""
    env.setup()
    env.aws_session.before = deny(operation)
    gone = env.teardown()
    assert {} == {
        kind: count
        for kind, count in env.inventory().items()
        if kind in ("service", "load balancer", "target group", "listener")
    }
    unknown = by_logical_id({key: why for key, why in gone.unchecked.items() if "/" in key})
    assert set() == lines_unknown - set(unknown)
    assert {f"AccessDenied: not authorized: {operation}"} == set(unknown.values())
    assert set() == set(gone.unchecked) - {*gone.left, *gone.kept}
    env.aws_session.free()
    again = env.teardown()
    assert ({}, []) == (again.unknown, again.left)
    assert {} == env.inventory()


def test_what_costs_goes_though_an_answer_is_malformed(env: Env) -> None:
    """An answer about the certificate without its members does not keep the service and the load balancer."""
    env.setup()
    env.aws_session.answer = lambda called, parsed: (
        empty_members(parsed) if called == "DescribeCertificate" else None
    )
    gone = env.teardown()
    assert {} == {
        kind: count
        for kind, count in env.inventory().items()
        if kind in ("service", "load balancer", "target group", "listener")
    }
    why = "the answer to acm:DescribeCertificate has no CertificateArn"
    assert why == gone.unchecked["certificate/example.jp"]
    env.aws_session.free()
    again = env.teardown()
    assert ({}, []) == (again.unknown, again.left)
    assert {} == env.inventory()


def test_teardown_keeps_cluster_if_tasks_cannot_be_listed(env: Env) -> None:
    """Whether a collector task is running is unknown: the cluster is kept, and that is reported."""
    env.setup()
    env.aws_session.before = deny("ListTasks")
    result = env.teardown()
    why = "AccessDenied: not authorized: ListTasks"
    assert {"cluster": why} == by_logical_id(result.unknown)
    assert [why] == [refusal.why for refusal in result.errors]
    assert {"load_balancer", "service", "https"} <= set(
        by_logical_id(dict.fromkeys(result.deleted))
    )


def test_teardown_reports_kinds_it_could_not_list(env: Env) -> None:
    """A kind whose list is denied is reported as unknown, with AWS's reason."""
    env.setup()
    env.aws_session.before = deny("ListScheduleGroups")
    result = env.teardown()
    assert {"ScheduleGroup": "AccessDenied: not authorized: ListScheduleGroups"} == result.unknown


def test_replaced_bucket_is_kept_if_its_use_is_unknown(env: Env) -> None:
    """plan and setup report that the former bucket's contents cannot be read."""
    env.setup()
    env.set(news__bucket="another-bucket-of-the-news")
    env.aws_session.before = deny("ListObjectVersions")
    why = "AccessDenied: not authorized: ListObjectVersions"
    run = inspected_run(env)
    engine = run.engine(Progress([], run.clock))
    steps = planning.inspect_and_plan(run, engine).to_dict()["resources"]
    assert {"news_bucket": (None, why)} == {
        step["key"].partition("/")[0]: (step["action"], step["reason"])
        for step in steps
        if step["action"] is None
    }
    assert [why] == [refusal.why for refusal in env.setup().errors]
    env.aws_session.free()
    assert [] == env.setup().errors


def remove_members(parsed: dict[str, Any]) -> None:
    """Remove all members of a response."""
    for name in [name for name in parsed if name != "ResponseMetadata"]:
        del parsed[name]


def empty_members(parsed: dict[str, Any]) -> None:
    """Empty all lists and objects of a response."""
    for name, value in parsed.items():
        if name != "ResponseMetadata" and isinstance(value, list | dict):
            parsed[name] = type(value)()


DAMAGES = {"stripped": remove_members, "hollow": empty_members}


@pytest.mark.full
@pytest.mark.parametrize("damage", DAMAGES)
def test_incomplete_responses_never_end_in_a_traceback(
    finished_stack: FinishedStack, damage: str
) -> None:
    """Each read operation of inspect, plan, list and teardown preview is damaged in turn: no KeyError."""
    with finished_stack.on("new") as env:
        env.aws_session.calls.clear()
        read_everything(env)
        operations = sorted({call for call in env.aws_session.calls if call.startswith(READING)})
        assert len(operations) > 40
        failed = {}
        for operation in set(operations) - {"GetCallerIdentity"}:

            def answer(called: str, parsed: dict[str, Any], which: str = operation) -> None:
                if called == which:
                    DAMAGES[damage](parsed)

            env.aws_session.answer = answer
            try:
                read_everything(env)
            except Exception as error:
                failed[operation] = repr(error)
            env.aws_session.free()
        assert {} == failed
        finished_stack.whole(env)


def read_everything(env: Env) -> None:
    """Run everything that reads: status, plan, verify, the inventory, and external use."""
    run = inspected_run(env)
    observations = by_logical_id(run.observations)
    assert all(map(entry, observations.values()))
    tasks(observations["service"], observations["steady_service"])
    plan(run.observations, [], prices("ap-northeast-1"))
    run_checks(checks(run.stack), CheckContext(run, run.observations, Tls(("127.0.0.1", 9), ())))
    list_inventory(env.clients(), env.clock, "news-bot")
    external_use.uses(run.stack.resources, run.file.records, env.clients(), env.clock)


def test_empty_repository_list_means_not_found(env: Env) -> None:
    """Some AWS-compatible clouds answer so instead of RepositoryNotFoundException."""
    env.setup()
    env.aws_session.answer = lambda called, parsed: (
        empty_members(parsed) if called == "DescribeRepositories" else None
    )
    observations = by_logical_id(inspected_run(env).observations)
    assert (None, "") == (observations["repository"].live, observations["repository"].unknown)


@pytest.mark.slow
def test_commands_report_unknown_state(person: Person, addresses: dict[str, str]) -> None:
    """Exit status 1 and null while AWS keeps throttling; exit status 0 if it stops in time."""
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
    shown = by_logical_id({each["key"]: each for each in json.loads(status.stdout)["resources"]})
    assert (1, None, THROTTLED) == (
        status.returncode,
        shown["service"]["live"],
        shown["service"]["reason"],
    )
    text = person.types("--sandbox", "status")
    assert (1, True) == (text.returncode, f"Tasks: unknown: {THROTTLED}" in text.stdout)
    verify = person.types("--sandbox", "verify", "--json")
    report = json.loads(verify.stdout)
    states = {check["key"]: check["state"] for check in report["checks"]}
    assert (1, None, 0) == (verify.returncode, states["service"], report["ng"])
    assert report["unknown"] == 1
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
def test_teardown_command_reports_unknown_state(person: Person, addresses: dict[str, str]) -> None:
    """What could not be read is in the JSON document with the reason, and the exit status is 1."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    body = {
        "kind": "throttle",
        "service": "route53",
        "operation": "GetDNSSEC",
        "times": ALWAYS,
    }
    control(addresses, "faults", body)
    result = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    report = json.loads(result.stdout)
    reason = "AWS is throttling requests (Throttling)"
    assert (1, [{"key": "zone/news-bot.example", "reason": reason}]) == (
        result.returncode,
        report["unknown"],
    )
    kept = {each["key"]: each["why"] for each in report["kept"]}
    assert {"zone/news-bot.example", "network/default", "service_linked_role"} == set(kept)
    assert reason in kept["zone/news-bot.example"]
    assert "load_balancer/news-bot" in report["deleted"]


@pytest.mark.parametrize(
    ("words", "exit_status"),
    [
        (["recover"], 1),
        (["status"], 2),  # nor is the domain answered
        (["teardown", "--yes", "--set", "domain=a.jp", "--set", "network.vpc=default"], 1),
    ],
)
def test_missing_credentials(person: Person, words: list[str], exit_status: int) -> None:
    """Without credentials nothing is known about a stack: the error says how to sign in."""
    operations = person.types(*words, AWS_EC2_METADATA_DISABLED="true", HOME=str(person.folder))
    assert exit_status == operations.returncode
    assert "Unable to locate credentials" in operations.stderr
    assert "aws configure" in operations.stderr
    assert "there is none" not in operations.stderr


def test_recover_with_unreachable_endpoint(person: Person) -> None:
    """It is reported at once, without claiming an empty account."""
    server = HttpServer(None)
    server.close()
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    operations = person.types("recover", AWS_ENDPOINT_URL=server.url, **keys)
    assert 1 == operations.returncode
    assert "EndpointConnectionError" in operations.stderr
    assert "AWS_ENDPOINT_URL" in operations.stderr
    assert "there is none" not in operations.stderr


def test_unreachable_line_is_pending() -> None:
    """An unreachable LINE is retried, not taken for an unknown channel."""
    server = HttpServer(None)
    server.close()
    with pytest.raises(Pending, match="LINE does not answer"):
        Line(lambda: "token", server.url).channel()
    with pytest.raises(Pending, match="LINE does not answer"):
        Line(lambda: "token", server.url).has_secret("1", "secret")
