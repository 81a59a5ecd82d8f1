"""verify: every check's OK and its NG, what lies below a failed one, and every state of a stack."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from provision.clients.line import Line
from provision.clients.tls import Tls
from provision.resources.base import Clients
from provision.sandbox.tasks.runners import Application, InlineTasks
from provision.sandbox.web.serving import TlsServer
from provision.verify.checks import checks
from provision.verify.tree import Finding, Scene, examine
from tests.provision.conftest import Env
from tests.provision.shell import Person
from tests.provision.test_domain import looked


@pytest.fixture
def front(env: Env) -> Iterator[TlsServer]:
    """The load balancers' HTTPS side, on a real socket."""
    server = TlsServer(env.sandbox.front)
    yield server
    server.close()


def verified(env: Env, front: TlsServer, *, trusted: bool = True) -> dict[str, Finding]:
    """Every finding, from a fresh look; the token is the one in Parameter Store."""
    run = looked(env)
    line = Line(lambda: run.value(run.stack.access_token), env.line_url)
    run.clients = Clients(run.clients.aws, run.clients.dns, line)
    authority = (str(env.sandbox.cloud.authority.root),) if trusted else ()
    tls = Tls(("127.0.0.1", front.port), authority)
    return examine(checks(run.stack), Scene(run, run.observations, tls))


def states(findings: dict[str, Finding]) -> dict[str, str]:
    """Those that are not OK."""
    return {key: found.state for key, found in findings.items() if found.state != "OK"}


def test_all_is_well(env: Env, front: TlsServer) -> None:
    """After setup: everything OK, the news too; the friend link is there."""
    env.setup()
    findings = verified(env, front)
    assert {} == states(findings)
    assert "0 h old" == findings["articles"].reason
    assert "TLSv1.3" in findings["tls"].reason
    assert "1 of 1 healthy" == findings["target"].reason
    assert f"https://line.me/R/ti/p/{env.sandbox.line.basic_id}" == findings["message"].reason


def test_nothing_there(env: Env, front: TlsServer) -> None:
    """An empty account: what is missing is NG with setup as the next step, what rests on it is SKIP."""
    findings = verified(env, front)
    assert "NG" == findings["zone"].state
    assert "provision setup" in findings["zone"].then
    assert {"SKIP"} == {findings[key].state for key in ("delegation", "tls", "webhook", "message")}
    assert "needs: hosted zone" == findings["delegation"].reason
    assert not [key for key, found in findings.items() if found.outside]


def test_registrar_not_done(env: Env, front: TlsServer) -> None:
    """Only what is outside is missing: one NG, marked so, and the rest above it OK."""
    env.at_registrar = False
    env.setup(wait=0)
    findings = verified(env, front)
    assert {"delegation": "NG"} == {k: s for k, s in states(findings).items() if s == "NG"}
    assert findings["delegation"].outside
    assert {"OK"} == {findings[key].state for key in ("task", "target", "token", "load_balancer")}
    assert {"SKIP"} == {findings[key].state for key in ("certificate", "listener", "tls", "test")}


def test_asleep_is_no_fault(env: Env, front: TlsServer) -> None:
    """Stopped by its schedule: nothing is NG, and the next start is named."""
    env.setup()
    ecs = env.aws_session.client("ecs")
    ecs.update_service(cluster="news-bot", service="news-bot", desiredCount=0)
    findings = verified(env, front)
    assert {"SKIP"} == set(states(findings).values())
    assert "the next start is" in findings["awake"].reason
    assert findings["awake"].reason == findings["test"].reason


def test_paused_is_no_fault(env: Env, front: TlsServer) -> None:
    """A pause took the load balancer and what needs it: SKIP, and how to resume."""
    env.setup()
    env.engine().pause()
    findings = verified(env, front)
    assert {"SKIP"} == set(states(findings).values())
    assert "provision resume" in findings["load_balancer"].then
    assert {"OK"} == {findings[key].state for key in ("zone", "certificate", "token", "task_role")}


def test_caa_names_others_only(env: Env, front: TlsServer) -> None:
    """A CAA record somebody put in after the certificate was issued: its renewal would fail."""
    env.setup()
    zone = env.aws_session.client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    record(env, zone, "example.jp.", "CAA", '0 issue "ca.example"')
    found = verified(env, front)["caa"]
    assert ("NG", True) == (found.state, found.outside)
    assert "ca.example" in found.reason


def record(env: Env, zone: str, name: str, kind: str, value: str) -> None:
    """A record set by hand."""
    records = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    change = {"Action": "UPSERT", "ResourceRecordSet": records}
    env.aws_session.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [change]}
    )


def test_alias_leads_elsewhere(env: Env, front: TlsServer) -> None:
    """Somebody changed the record: what differs is named, TLS is not tried."""
    env.setup()
    zone = env.aws_session.client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    record(env, zone, "example.jp.", "A", "192.0.2.7")
    findings = verified(env, front)
    assert "NG" == findings["alias"].state
    assert "AliasTarget" in findings["alias"].reason
    assert ("SKIP", "needs: alias") == (findings["tls"].state, findings["tls"].reason)


def test_authority_that_nobody_trusts(env: Env, front: TlsServer) -> None:
    """The chain ends in an authority that LINE would not take."""
    env.setup()
    found = verified(env, front, trusted=False)["tls"]
    assert "NG" == found.state
    assert "not trusted" in found.reason


def test_nobody_listens(env: Env, front: TlsServer) -> None:
    """A closed security group: the handshake ends, as LINE's would."""
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
    findings = verified(env, front)
    assert ("NG", "SKIP") == (findings["tls"].state, findings["test"].state)


def test_listener_gone(env: Env, front: TlsServer) -> None:
    """Deleted by hand."""
    env.setup()
    elbv2 = env.aws_session.client("elbv2")
    arn = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    for listener in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        if listener["Port"] == 443:
            elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    findings = verified(env, front)
    assert ("NG", "not there") == (findings["listener"].state, findings["listener"].reason)


def test_load_balancer_gone(env: Env, front: TlsServer) -> None:
    """Deleted by hand: it and what hangs on it."""
    env.setup()
    elbv2 = env.aws_session.client("elbv2")
    arn = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    findings = verified(env, front)
    assert "NG" == findings["load_balancer"].state
    assert {"SKIP"} == {findings[key].state for key in ("listener", "tls", "target", "test")}


def test_service_gone(env: Env, front: TlsServer) -> None:
    """Deleted by hand: no task can be asked about."""
    env.setup()
    env.aws_session.client("ecs").delete_service(cluster="news-bot", service="news-bot", force=True)
    findings = verified(env, front)
    assert ("NG", "not there") == (findings["service"].state, findings["service"].reason)
    assert {"SKIP"} == {findings[key].state for key in ("awake", "task", "target", "test")}


def test_task_ends_again_and_again(env: Env, front: TlsServer) -> None:
    """The container ends by itself: ECS's own word for why."""
    env.setup()
    tasks = env.sandbox.tasks
    assert isinstance(tasks, InlineTasks)
    tasks.application = broken
    next(task for task in tasks.started if not task.command).end(1)
    env.clock.advance(1)
    found = verified(env, front)["task"]
    assert "NG" == found.state
    assert "Essential container in task exited" in found.reason


def broken(environment: dict[str, str]) -> Application:
    """A bot that ends as soon as it starts."""
    raise RuntimeError("no such module")


def test_health_check_fails(env: Env, front: TlsServer) -> None:
    """The load balancer's own words about the target."""
    env.setup()
    group = env.aws_session.client("elbv2").describe_target_groups()["TargetGroups"][0]
    env.aws_session.client("elbv2").modify_target_group(
        TargetGroupArn=group["TargetGroupArn"], HealthCheckPath="/nowhere"
    )
    env.clock.advance(12)  # two health checks; then ECS replaces the task
    found = verified(env, front)["target"]
    assert "NG" == found.state
    assert "[404]" in found.reason


def test_more_rights_than_needed(env: Env, front: TlsServer) -> None:
    """A managed policy hung on the task role is named."""
    env.setup()
    iam = env.aws_session.client("iam")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = iam.create_policy(
        PolicyName="All",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="news-bot-task-ap-northeast-1", PolicyArn=policy)
    found = verified(env, front)["task_role"]
    assert "NG" == found.state
    assert "ssm:PutParameter" in found.reason


def test_rights_limited_from_above(env: Env, front: TlsServer) -> None:
    """A permissions boundary takes away what the policy gives: only IAM's simulation sees it."""
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
    found = verified(env, front)["task_role"]
    assert "NG" == found.state
    assert "s3:GetObject" in found.reason


def test_rights_where_nobody_may_ask(env: Env, front: TlsServer) -> None:
    """IAM does not simulate (for this person, or at all): the policies are read."""
    env.setup()
    fault = {"kind": "error", "service": "iam", "operation": "SimulatePrincipalPolicy"}
    env.sandbox.cloud.faults.add({**fault, "times": 20})
    found = verified(env, front)["task_role"]
    assert ("OK", "read from its policies") == (found.state, found.reason)


def test_fewer_rights_than_needed(env: Env, front: TlsServer) -> None:
    """The execution role's policy is gone: nothing could start."""
    env.setup()
    iam = env.aws_session.client("iam")
    name = "news-bot-execution-ap-northeast-1"
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    assert "NG" == verified(env, front)["execution_role"].state


def test_token_that_line_refuses(env: Env, front: TlsServer) -> None:
    """Reissued in LINE's console: 401, and nothing of LINE is asked with it."""
    env.setup()
    put(env, "ACCESS_TOKEN", "revoked")
    env.secrets = replace(env.secrets, access_token="")
    findings = verified(env, front)
    assert "NG" == findings["token"].state
    assert "401" in findings["token"].reason
    assert {"SKIP"} == {findings[key].state for key in ("channel", "webhook", "test", "message")}


def test_secret_of_another_channel(env: Env, front: TlsServer) -> None:
    """Both are good, and not of one channel."""
    env.setup()
    put(env, "CHANNEL_SECRET", "0" * 32)
    env.secrets = replace(env.secrets, channel_secret="")
    found = verified(env, front)["channel"]
    assert ("NG", False) == (found.state, "0" * 32 in found.reason)


def put(env: Env, name: str, value: str) -> None:
    """Another value in the parameter."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


def test_news_is_there(env: Env, front: TlsServer) -> None:
    """Put there by hand a moment ago: OK; in a bucket that is gone: NG."""
    env.set(news__feeds="")
    env.setup()
    assert "SKIP" == (found := verified(env, front)["articles"]).state
    assert "" == found.then
    s3 = env.aws_session.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.put_object(Bucket=bucket, Key="news/articles.json", Body=b"{}")
    found = verified(env, front)["articles"]
    assert ("OK", "0 h old") == (found.state, found.reason)
    s3.delete_object(Bucket=bucket, Key="news/articles.json")
    s3.delete_bucket(Bucket=bucket)
    findings = verified(env, front)
    assert ("NG", "SKIP") == (findings["bucket"].state, findings["articles"].state)


def test_nothing_could_be_collected(env: Env, front: TlsServer) -> None:
    """The feeds are down: no fault of the stack's, and where to look."""
    env.feeds.document = None
    env.setup()
    found = verified(env, front)["articles"]
    assert "SKIP" == found.state
    assert "provision logs" in found.then


def test_collector_may_not_write(env: Env, front: TlsServer) -> None:
    """Somebody took the right away: named, and the role of the bot stays as narrow as it was."""
    env.setup()
    iam, role = env.aws_session.client("iam"), "news-bot-collector-ap-northeast-1"
    iam.delete_role_policy(RoleName=role, PolicyName="collector_permissions")
    findings = verified(env, front)
    assert ("NG", "OK") == (findings["collector_role"].state, findings["task_role"].state)


def test_schedule_switched_off(env: Env, front: TlsServer) -> None:
    """Somebody disabled the start: what differs is named."""
    env.setup()
    scheduler = env.aws_session.client("scheduler")
    found = scheduler.get_schedule(GroupName="news-bot", Name="start")
    kept = ("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone")
    kept += ("FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{key: found[key] for key in kept}, State="DISABLED")
    findings = verified(env, front)
    assert ("NG", "OK") == (findings["start"].state, findings["stop"].state)
    assert "State" in findings["start"].reason


def test_no_hours_set(env: Env, front: TlsServer) -> None:
    """Always on: nothing to check."""
    env.set(schedule__start="", schedule__stop="")
    env.setup()
    findings = verified(env, front)
    assert {"SKIP"} == {findings["start"].state, findings["stop"].state}


def test_webhook_is_another_bots(env: Env, front: TlsServer) -> None:
    """LINE calls another URL: it is named."""
    env.setup()
    env.sandbox.line.endpoint = "https://other.example/hook"
    found = verified(env, front)["webhook"]
    assert ("NG", "LINE calls https://other.example/hook") == (found.state, found.reason)


def test_use_webhook_is_off(env: Env, front: TlsServer) -> None:
    """A switch that only a person can set: NG, outside, with where it is."""
    env.setup()
    env.sandbox.line.active = False
    findings = verified(env, front)
    assert {"active": "NG", "message": "SKIP"} == states(findings)
    assert findings["active"].outside
    assert "developers.line.biz" in findings["active"].reason


def test_image_not_in_the_repository(env: Env, front: TlsServer) -> None:
    """An ECR image that is not there is seen before a task fails."""
    env.setup()
    repository = env.aws_session.client("ecr").describe_repositories()["repositories"][0]
    env.set(image__uri=f"{repository['repositoryUri']}:v2")
    found = verified(env, front)["image"]
    assert "NG" == found.state
    assert "deploy" in found.then


@pytest.mark.slow
def test_from_the_command_line(person: Person) -> None:
    """Exit 1 on an empty account, 0 on a whole one through the sandbox's real TLS; one JSON document."""
    empty = person.types("--sandbox", "verify", "--yes")
    assert 1 == empty.returncode, empty.stderr
    assert "NG    hosted zone" in empty.stdout
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    done = person.types("--sandbox", "verify", "--json")
    told = json.loads(done.stdout)
    assert (0, 0) == (done.returncode, told["ng"]), done.stdout
    tls = next(check for check in told["checks"] if check["key"] == "tls")
    assert "OK" == tls["state"]


def test_adopted_zone_needs_no_tags(env: Env) -> None:
    """A zone that was there first carries none of our tags, and that is no difference."""
    zone = env.aws_session.client("route53").create_hosted_zone(
        Name="example.jp", CallerReference="a"
    )
    servers = zone["DelegationSet"]["NameServers"]
    env.sandbox.cloud.registrar.enter("example.jp", servers)
    assert [] == env.setup().errors
    observation = env.engine().inspect()["zone/example.jp"]
    assert ("adopted", []) == (observation.record and observation.record.state, observation.drift)
