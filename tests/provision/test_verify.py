"""verify: each check's OK and NG, the SKIP of dependent checks, and every state of a stack."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from provision.cli.findings import exit_status, show
from provision.clients.tls import Tls
from provision.resources.base import Clients
from provision.sandbox.tasks.runners import Application, InlineTasks
from provision.sandbox.web.serving import TlsServer
from provision.settings import Settings
from provision.stack import Secrets, Stack
from provision.verify.checks import checks
from provision.verify.permissions import _check_by_policies, _check_by_simulation
from provision.verify.probes import news_is_fresh, targets
from provision.verify.tree import CheckContext, Finding, ng, ok, run_checks, skip, unknown
from tests.provision.conftest import ANSWERS, Env, line_of
from tests.provision.shell import Person
from tests.provision.test_domain import inspected_run
from tests.provision.test_from_record import Answers, aws


@pytest.fixture
def load_balancer_server(env: Env) -> Iterator[TlsServer]:
    """Yield the load balancers' HTTPS endpoint on a real socket."""
    server = TlsServer(env.sandbox.front)
    yield server
    server.close()


def verify_findings(
    env: Env, load_balancer_server: TlsServer, *, trusted: bool = True
) -> dict[str, Finding]:
    """Return all findings of a new inspection; the token is the one in Parameter Store."""
    run = inspected_run(env)
    run.clients = Clients(run.clients.aws, run.clients.dns, line_of(env, run))
    authority = (str(env.sandbox.cloud.authority.root),) if trusted else ()
    tls = Tls(("127.0.0.1", load_balancer_server.port), authority)
    return run_checks(checks(run.stack), CheckContext(run, run.observations, tls))


def failed_states(findings: dict[str, Finding]) -> dict[str, str]:
    """Return the states of the checks that are not OK."""
    return {key: found.state for key, found in findings.items() if found.state != "OK"}


def test_everything_is_ok_after_setup(env: Env, load_balancer_server: TlsServer) -> None:
    """The news is OK too, and the friend link is shown."""
    env.setup()
    findings = verify_findings(env, load_balancer_server)
    assert {} == failed_states(findings)
    assert "less than an hour old" == findings["articles"].reason
    assert "TLSv1.3" in findings["tls"].reason
    assert "1 of 1 healthy" == findings["target"].reason
    assert f"https://line.me/R/ti/p/{env.sandbox.line.basic_id}" == findings["message"].reason


def test_changes_by_hand_are_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """Each of these is NG with its reason, and none hides another; what was not changed is OK."""
    env.setup()
    client = env.aws_session.client
    zone = client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    upsert_record(env, zone, "example.jp.", "CAA", '0 issue "ca.example"')
    allow_everything(env, "news-bot-task-ap-northeast-1")
    delete_policies(env, "news-bot-execution-ap-northeast-1")
    delete_policies(env, "news-bot-collector-ap-northeast-1")
    disable_schedule(env, "start")
    env.sandbox.line.endpoint = "https://other.example/hook"
    repository = client("ecr").describe_repositories()["repositories"][0]
    env.set(image__uri=f"{repository['repositoryUri']}:v2")
    findings = verify_findings(env, load_balancer_server, trusted=False)
    expected = {
        "caa": "ca.example",  # the certificate would not be renewed
        "tls": "not trusted",  # the certificate's authority
        "task_role": "ssm:PutParameter",
        "execution_role": "",
        "collector_role": "",
        "start": "State",
        "webhook": "LINE calls https://other.example/hook",
        "image": ":v2",
        "service": "Container.image",
        "collecting": "Container.image",
    }
    wrong = {key: found for key, found in findings.items() if found.state == "NG"}
    assert expected.keys() == wrong.keys()
    assert [] == [key for key, text in expected.items() if text not in wrong[key].reason]
    assert ["caa"] == [key for key, found in wrong.items() if found.outside]
    assert "deploy" in findings["image"].then
    assert "OK" == findings["stop"].state


def allow_everything(env: Env, role: str) -> None:
    """Attach a managed policy to a role."""
    iam = env.aws_session.client("iam")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    policy = iam.create_policy(PolicyName="All", PolicyDocument=document)["Policy"]
    iam.attach_role_policy(RoleName=role, PolicyArn=policy["Arn"])


def delete_policies(env: Env, role: str) -> None:
    """Delete a role's inline policies."""
    iam = env.aws_session.client("iam")
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)


def disable_schedule(env: Env, name: str) -> None:
    """Disable a schedule."""
    scheduler = env.aws_session.client("scheduler")
    found = scheduler.get_schedule(GroupName="news-bot", Name=name)
    kept = ("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone")
    kept += ("FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{key: found[key] for key in kept}, State="DISABLED")


def test_empty_account(env: Env, load_balancer_server: TlsServer) -> None:
    """What is missing is NG with setup as the next step; dependent checks are SKIP."""
    findings = verify_findings(env, load_balancer_server)
    assert "NG" == findings["zone"].state
    assert "provision setup" in findings["zone"].then
    assert {"SKIP"} == {findings[key].state for key in ("delegation", "tls", "webhook", "message")}
    assert "needs: hosted zone" == findings["delegation"].reason
    assert not [key for key, found in findings.items() if found.outside]


def test_missing_delegation_is_the_only_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """It is marked as outside AWS; everything independent of it is OK."""
    env.at_registrar = False
    env.setup(wait=0)
    findings = verify_findings(env, load_balancer_server)
    assert {"delegation": "NG"} == {k: s for k, s in failed_states(findings).items() if s == "NG"}
    assert findings["delegation"].outside
    assert {"OK"} == {findings[key].state for key in ("task", "target", "token", "load_balancer")}
    assert {"SKIP"} == {findings[key].state for key in ("certificate", "listener", "tls", "test")}


def test_stopped_by_schedule_is_skip(env: Env, load_balancer_server: TlsServer) -> None:
    """Nothing is NG, and the next start is shown."""
    env.setup()
    ecs = env.aws_session.client("ecs")
    ecs.update_service(cluster="news-bot", service="news-bot", desiredCount=0)
    findings = verify_findings(env, load_balancer_server)
    assert {"SKIP"} == set(failed_states(findings).values())
    assert "the next start is" in findings["awake"].reason
    assert findings["awake"].reason == findings["test"].reason


def test_paused_stack_is_skip(env: Env, load_balancer_server: TlsServer) -> None:
    """The load balancer and its dependent checks are SKIP, with how to resume."""
    env.setup()
    env.engine().pause()
    findings = verify_findings(env, load_balancer_server)
    assert {"SKIP"} == set(failed_states(findings).values())
    assert "provision resume" in findings["load_balancer"].then
    assert {"OK"} == {findings[key].state for key in ("zone", "certificate", "token", "task_role")}


def upsert_record(env: Env, zone: str, name: str, kind: str, value: str) -> None:
    """Change a record set by hand."""
    records = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    change = {"Action": "UPSERT", "ResourceRecordSet": records}
    env.aws_session.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [change]}
    )


def test_changed_alias_record_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """The difference is shown, and TLS is not checked."""
    env.setup()
    zone = env.aws_session.client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    upsert_record(env, zone, "example.jp.", "A", "192.0.2.7")
    findings = verify_findings(env, load_balancer_server)
    assert "NG" == findings["alias"].state
    assert "AliasTarget" in findings["alias"].reason
    assert ("SKIP", "needs: alias") == (findings["tls"].state, findings["tls"].reason)


def test_closed_security_group_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """The TLS handshake fails, as LINE's would."""
    env.setup()
    ec2 = env.aws_session.client("ec2")
    (group,) = [
        group
        for group in ec2.describe_security_groups()["SecurityGroups"]
        if group["GroupName"] == "news-bot-load-balancer"
    ]
    ec2.revoke_security_group_ingress(
        GroupId=group["GroupId"], IpPermissions=group["IpPermissions"]
    )
    findings = verify_findings(env, load_balancer_server)
    assert ("NG", "SKIP") == (findings["tls"].state, findings["test"].state)


def test_deleted_listener_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """The HTTPS listener was deleted by hand."""
    env.setup()
    elbv2 = env.aws_session.client("elbv2")
    arn = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    for listener in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        if listener["Port"] == 443:
            elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    findings = verify_findings(env, load_balancer_server)
    assert ("NG", "not there") == (findings["listener"].state, findings["listener"].reason)


def test_deleted_load_balancer_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """Checks that depend on it are SKIP."""
    env.setup()
    elbv2 = env.aws_session.client("elbv2")
    arn = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    findings = verify_findings(env, load_balancer_server)
    assert "NG" == findings["load_balancer"].state
    assert {"SKIP"} == {findings[key].state for key in ("listener", "tls", "target", "test")}


def test_deleted_service_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """Checks of its tasks are SKIP."""
    env.setup()
    env.aws_session.client("ecs").delete_service(cluster="news-bot", service="news-bot", force=True)
    findings = verify_findings(env, load_balancer_server)
    assert ("NG", "not there") == (findings["service"].state, findings["service"].reason)
    assert {"SKIP"} == {findings[key].state for key in ("awake", "task", "target", "test")}


def test_crashing_task_is_ng_with_ecs_reason(env: Env, load_balancer_server: TlsServer) -> None:
    """The container exits by itself."""
    env.setup()
    tasks = env.sandbox.tasks
    assert isinstance(tasks, InlineTasks)
    tasks.application = crashing_bot
    next(task for task in tasks.started if not task.command).end(1)
    env.clock.advance(1)
    found = verify_findings(env, load_balancer_server)["task"]
    assert "NG" == found.state
    assert "Essential container in task exited" in found.reason


def crashing_bot(environment: dict[str, str]) -> Application:
    """Fail as soon as the bot starts."""
    raise RuntimeError("no such module")


def test_failing_health_check_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """The reason is the load balancer's own description of the target."""
    env.setup()
    group = env.aws_session.client("elbv2").describe_target_groups()["TargetGroups"][0]
    env.aws_session.client("elbv2").modify_target_group(
        TargetGroupArn=group["TargetGroupArn"], HealthCheckPath="/nowhere"
    )
    env.clock.advance(12)  # two health checks; then ECS replaces the task
    found = verify_findings(env, load_balancer_server)["target"]
    assert "NG" == found.state
    assert "[404]" in found.reason


def test_permissions_boundary_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """A boundary removes what the policy grants: only IAM's simulation sees it."""
    env.setup()
    iam = env.aws_session.client("iam")
    little = {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}
    policy = iam.create_policy(
        PolicyName="Little",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [little]}),
    )["Policy"]["Arn"]
    iam.put_role_permissions_boundary(
        RoleName="news-bot-task-ap-northeast-1", PermissionsBoundary=policy
    )
    found = verify_findings(env, load_balancer_server)["task_role"]
    assert "NG" == found.state
    assert "s3:GetObject" in found.reason


def test_policies_are_read_if_simulation_fails(env: Env, load_balancer_server: TlsServer) -> None:
    """IAM does not simulate, for this user or at all."""
    env.setup()
    fault = {"kind": "error", "service": "iam", "operation": "SimulatePrincipalPolicy"}
    env.sandbox.cloud.faults.add({**fault, "times": 20})
    found = verify_findings(env, load_balancer_server)["task_role"]
    assert ("OK", "read from its policies") == (found.state, found.reason)


def test_revoked_token_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """The token was reissued in LINE's console: 401, and LINE is not called with it again."""
    env.setup()
    put_parameter(env, "ACCESS_TOKEN", "revoked")
    env.secrets = replace(env.secrets, access_token="")
    findings = verify_findings(env, load_balancer_server)
    assert "NG" == findings["token"].state
    assert "401" in findings["token"].reason
    assert {"SKIP"} == {findings[key].state for key in ("channel", "webhook", "test", "message")}


def test_secret_of_another_channel_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """Token and secret are each valid, but not of the same channel."""
    env.setup()
    put_parameter(env, "CHANNEL_SECRET", "0" * 32)
    env.secrets = replace(env.secrets, channel_secret="")
    found = verify_findings(env, load_balancer_server)["channel"]
    assert ("NG", False) == (found.state, "0" * 32 in found.reason)


def put_parameter(env: Env, name: str, value: str) -> None:
    """Change the parameter's value."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


def test_news_and_bucket(env: Env, load_balancer_server: TlsServer) -> None:
    """News put there by hand a moment ago is OK; a deleted bucket is NG."""
    env.set(news__feeds="")
    env.setup()
    assert "SKIP" == (found := verify_findings(env, load_balancer_server)["articles"]).state
    assert "" == found.then
    s3 = env.aws_session.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.put_object(Bucket=bucket, Key="news/articles.json", Body=b"{}")
    found = verify_findings(env, load_balancer_server)["articles"]
    assert ("OK", "less than an hour old") == (found.state, found.reason)
    s3.delete_object(Bucket=bucket, Key="news/articles.json")
    s3.delete_bucket(Bucket=bucket)
    findings = verify_findings(env, load_balancer_server)
    assert ("NG", "SKIP") == (findings["bucket"].state, findings["articles"].state)


def test_unreachable_feeds_are_skip(env: Env, load_balancer_server: TlsServer) -> None:
    """The stack is not at fault; the advice says where to look."""
    env.feeds.document = None
    env.setup()
    found = verify_findings(env, load_balancer_server)["articles"]
    assert "SKIP" == found.state
    assert "provision logs" in found.then


def test_schedule_checks_are_skip_without_schedule(
    env: Env, load_balancer_server: TlsServer
) -> None:
    """The bot is always on."""
    env.set(schedule__start="", schedule__stop="")
    env.setup()
    findings = verify_findings(env, load_balancer_server)
    assert {"SKIP"} == {findings["start"].state, findings["stop"].state}


def test_disabled_use_webhook_is_ng(env: Env, load_balancer_server: TlsServer) -> None:
    """Only a person can switch it on: marked as outside, with where it is."""
    env.setup()
    env.sandbox.line.active = False
    findings = verify_findings(env, load_balancer_server)
    assert {"active": "NG", "message": "SKIP"} == failed_states(findings)
    assert findings["active"].outside
    assert "developers.line.biz" in findings["active"].reason


@pytest.mark.slow
def test_verify_command(person: Person) -> None:
    """Exit status 1 in an empty account, 0 for a complete stack with real TLS; one JSON document."""
    empty = person.types("--sandbox", "verify", "--yes")
    assert 1 == empty.returncode, empty.stderr
    assert "There is no stack. `provision --sandbox setup` builds one.\n" == empty.stdout
    assert "NG    hosted zone" in person.types("--sandbox", "verify", "--yes", "-v").stdout
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    done = person.types("--sandbox", "verify", "--json")
    report = json.loads(done.stdout)
    assert (0, 0) == (done.returncode, report["ng"]), done.stdout
    tls = next(check for check in report["checks"] if check["key"] == "tls")
    assert "OK" == tls["state"]


def test_adopted_zone_without_our_tags_has_no_drift(env: Env) -> None:
    """An adopted zone carries none of our tags."""
    zone = env.aws_session.client("route53").create_hosted_zone(
        Name="example.jp", CallerReference="a"
    )
    servers = zone["DelegationSet"]["NameServers"]
    env.sandbox.cloud.registrar.enter("example.jp", servers)
    assert [] == env.setup().errors
    observation = env.engine().inspect()["zone/example.jp"]
    assert ("adopted", []) == (observation.record and observation.record.state, observation.drift)


def lines_of(stack: Stack, found: dict[str, Finding], *, verbose: bool = False) -> list[str]:
    """Return what is printed of the checks of a stack; those without a finding are OK."""
    stream, all_checks = io.StringIO(), checks(stack)
    show(
        all_checks,
        {each.key: found.get(each.key, ok()) for each in all_checks},
        stream,
        verbose=verbose,
    )
    return stream.getvalue().splitlines()


def test_default_output_fits_a_terminal() -> None:
    """A line for each group; below it what is wrong, but not what is skipped because of that. -v: all."""
    stack = Stack(Settings({**ANSWERS, "image.uri": ""}))
    groups = ["Domain", "HTTPS", "Bot", "Permissions", "Secrets", "News", "Hours", "LINE"]
    assert [f"OK    {group}" for group in groups] == lines_of(stack, {})
    needs = skip("needs: listener")
    found = {
        "listener": ng("not there", "Run `provision setup`."),
        **dict.fromkeys(("tls", "webhook", "active", "test", "message"), needs),
        "start": skip("not set in stack.yaml"),
        "stop": skip("not set in stack.yaml"),
        "awake": skip("no task should be running now", "To try it now: `provision start`."),
        "task": skip("no task should be running now", "To try it now: `provision start`."),
        "articles": unknown("HTTP 500"),
    }
    assert [
        "OK    Domain",
        "NG    HTTPS",
        "  NG    listener: not there",
        "        -> Run `provision setup`.",
        "OK    Bot",
        "  SKIP  bot should be running: no task should be running now",
        "        -> To try it now: `provision start`.",
        "OK    Permissions",
        "OK    Secrets",
        "?     News",
        "  ?     news up to date: HTTP 500",
        "        -> Run the same command again in a moment.",
        "SKIP  Hours",
        "SKIP  LINE",
    ] == lines_of(stack, found)
    shown = lines_of(stack, found, verbose=True)
    assert len(checks(stack)) + len(groups) + 4 == len(shown)
    assert ["HTTPS", "  OK    load balancer", "  NG    listener: not there"] == shown[6:9]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], 0),
        ([ok(), skip("stopped")], 0),
        ([ok(), ng("", "", outside=True)], 3),
        ([ng("", "", outside=True), ng("", "")], 1),
        ([unknown("no answer")], 1),
        ([unknown("no answer"), ng("", "", outside=True)], 1),
    ],
)
def test_exit_status(states: list[Finding], expected: int) -> None:
    """3 if only a person or another company has to act; what could not be read counts as wrong."""
    assert expected == exit_status({str(number): each for number, each in enumerate(states)})


def test_what_a_check_needs() -> None:
    """A check is skipped, not NG, where one that it needs fails."""
    stack = Stack(Settings(ANSWERS), Secrets(), {})
    assert {
        "delegation": ("zone",),
        "certificate": ("delegation",),
        "alias": ("delegation", "load_balancer"),
        "listener": ("certificate", "load_balancer"),
        "tls": ("alias", "listener"),
        "awake": ("service",),
        "task": ("service", "awake"),
        "target": ("service", "awake", "load_balancer"),
        "token": ("access_token",),
        "channel": ("token", "channel_secret"),
        "articles": ("bucket",),
        "webhook": ("token", "listener"),
        "active": ("webhook",),
        "test": ("webhook", "tls", "target"),
        "message": ("active", "test"),
    } == {check.key: check.needs for check in checks(stack) if check.needs}


def context_of(**services: Any) -> CheckContext:
    """Return the context of checks whose AWS gives these answers."""
    stack = Stack(Settings(ANSWERS), Secrets(), {})
    run = SimpleNamespace(stack=stack, clients=aws(**services))
    return CheckContext(run, {}, Tls())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("healthy", "OK"), ("initial", "NG"), ("unhealthy", "NG"), ("draining", "NG")],
)
def test_state_of_a_target(state: str, expected: str) -> None:
    """Only a healthy one is served; the first checks of a new one may still fail."""
    described = [{"TargetHealth": {"State": state}}]
    answers = Answers(describe_target_health={"TargetHealthDescriptions": described})
    assert expected == targets(context_of(elbv2=answers)).state


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0.5, ("OK", "less than an hour old")),
        (36, ("OK", "36 hours old")),
        (37, ("NG", "the news is 37 hours old")),
    ],
)
def test_age_of_the_news(hours: float, expected: tuple[str, str]) -> None:
    """After 36 hours at least one daily collection has failed. The time is S3's."""
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    headers = {"HTTPHeaders": {"date": "Mon, 30 Nov 2026 12:00:00 GMT"}}
    head = {"ResponseMetadata": headers, "LastModified": now - timedelta(hours=hours)}
    found = news_is_fresh(context_of(s3=Answers(head_object=head)))
    assert expected == (found.state, found.reason)


def test_policies_of_a_role() -> None:
    """Without IAM's simulator: another inline policy, or an attached one, is more than the bot needs."""
    attached = [{"PolicyName": "AdministratorAccess"}]
    for inline, more, expected in (
        (["ours"], [], "read from its policies"),
        (["ours", "theirs"], [], "it may do more than the bot needs: theirs"),
        (["ours"], attached, "it may do more than the bot needs: AdministratorAccess"),
    ):
        iam = Answers(
            list_role_policies=[{"PolicyNames": inline}],
            list_attached_role_policies=[{"AttachedPolicies": more}],
        )
        assert expected == _check_by_policies(aws(iam=iam), "role", "ours").reason


@pytest.mark.parametrize("decision", ["implicitDeny", "explicitDeny"])
def test_permission_that_is_denied(decision: str) -> None:
    """By no policy, or by one that forbids it."""
    result = {"EvalActionName": "s3:GetObject", "EvalDecision": decision}
    iam = Answers(simulate_principal_policy=[{"EvaluationResults": [result]}])
    statement = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    found = _check_by_simulation(aws(iam=iam), "arn", [statement])
    assert ("NG", f"s3:GetObject on * is not allowed ({decision})") == (found.state, found.reason)
