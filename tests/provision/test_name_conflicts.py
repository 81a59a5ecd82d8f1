"""Somebody else's of our name stops setup before anything is made; what is adopted keeps every property."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from provision.cli.planning import raise_first_error
from provision.engine.plan import plan
from provision.pricing import prices
from provision.state.stack_file import StackFile
from tests.provision.account_snapshot import snapshot
from tests.provision.conftest import Env
from tests.provision.drift_cases import POLICY, TRUST
from tests.provision.finished_stack import created_resources, plan_and_status
from tests.provision.shell import Person

HERE = {"LocationConstraint": "ap-northeast-1"}
BESIDE = [{"Key": "owner", "Value": "somebody"}]
TAGGED = [{"key": "owner", "value": "somebody"}]


def default(env: Env) -> tuple[str, list[str]]:
    """The default VPC and three of its subnets."""
    ec2 = env.aws_session.client("ec2")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:3]
    return str(ec2.describe_vpcs()["Vpcs"][0]["VpcId"]), subnets


def load_balancer(env: Env) -> str:
    """Of our name."""
    made = env.aws_session.client("elbv2").create_load_balancer(
        Name="news-bot", Subnets=default(env)[1], Tags=BESIDE
    )
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def target_group(env: Env) -> str:
    """Of our name."""
    made = env.aws_session.client("elbv2").create_target_group(
        Name="news-bot", Protocol="HTTP", Port=80, VpcId=default(env)[0], TargetType="ip"
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def security_group(part: str) -> Callable[[Env], str]:
    """Of our name in our VPC."""

    def create(env: Env) -> str:
        made = env.aws_session.client("ec2").create_security_group(
            GroupName=f"news-bot-{part}", Description="x", VpcId=default(env)[0]
        )
        return str(made["GroupId"])

    return create


def log_group(env: Env) -> str:
    """Of our name."""
    env.aws_session.client("logs").create_log_group(
        logGroupName="/ecs/news-bot", tags={"owner": "x"}
    )
    return "log-group:/ecs/news-bot"


def role(part: str) -> Callable[[Env], str]:
    """Of our name, with a policy."""

    def create(env: Env) -> str:
        iam, name = env.aws_session.client("iam"), f"news-bot-{part}-ap-northeast-1"
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=BESIDE)
        iam.put_role_policy(RoleName=name, PolicyName="theirs", PolicyDocument=POLICY)
        return str(made["Role"]["Arn"])

    return create


def task_definition(family: str) -> Callable[[Env], str]:
    """Of our family."""

    def create(env: Env) -> str:
        made = env.aws_session.client("ecs").register_task_definition(
            family=family,
            containerDefinitions=[{"name": "x", "image": "x", "memory": 128}],
            tags=TAGGED,
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    return create


def cluster(env: Env) -> str:
    """Of our name, with a service of our name in it."""
    ecs = env.aws_session.client("ecs")
    env.aws_session.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    made = ecs.create_cluster(clusterName="news-bot", tags=TAGGED)["cluster"]["clusterArn"]
    container = {"name": "x", "image": "x", "memory": 128}
    ecs.register_task_definition(family="theirs", containerDefinitions=[container])
    ecs.create_service(
        cluster="news-bot", serviceName="news-bot", taskDefinition="theirs", desiredCount=0
    )
    return str(made)


def schedule_group(env: Env) -> str:
    """Of our name, with a schedule of our name in it."""
    scheduler = env.aws_session.client("scheduler")
    made = scheduler.create_schedule_group(Name="news-bot", Tags=BESIDE)["ScheduleGroupArn"]
    trust = TRUST.replace("ec2.amazonaws.com", "scheduler.amazonaws.com")
    theirs = env.aws_session.client("iam").create_role(
        RoleName="theirs", AssumeRolePolicyDocument=trust
    )
    env.clock.advance(60)
    scheduler.create_schedule(
        Name="start",
        GroupName="news-bot",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
            "RoleArn": theirs["Role"]["Arn"],
            "Input": "{}",
        },
    )
    return str(made)


def bucket_of_another_account(env: Env) -> str:
    """Named in stack.yaml."""
    env.sandbox.cloud.s3.foreign.add("our-news")
    env.set(news__bucket="our-news")
    return "our-news"


def zone(env: Env, *records: dict[str, Any]) -> str:
    """Of our domain, delegated to."""
    route53 = env.aws_session.client("route53")
    made = route53.create_hosted_zone(Name="example.jp", CallerReference="theirs")
    id = str(made["HostedZone"]["Id"].rpartition("/")[2])
    env.sandbox.cloud.registrar.enter("example.jp", made["DelegationSet"]["NameServers"])
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=id, AddTags=BESIDE)
    if records:
        changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]
        route53.change_resource_record_sets(HostedZoneId=id, ChangeBatch={"Changes": changes})
    return id


def record(kind: str, value: str, host: str = "") -> Callable[[Env], str]:
    """At our host's name, in a zone of theirs."""

    def create(env: Env) -> str:
        if host:
            env.set(host=host)
        name = host or "example.jp"
        zone(env, {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]})
        return f"{kind} {name} -> {value}"

    return create


# By line of stack.py: what is in the way, and the service that is named.
STRANGERS: list[tuple[str, str, Callable[[Env], str]]] = [
    ("load_balancer", "Elastic Load Balancing", load_balancer),
    ("target_group", "Elastic Load Balancing", target_group),
    ("load_balancer_group", "Amazon EC2", security_group("load-balancer")),
    ("bot_group", "Amazon EC2", security_group("bot")),
    ("log_group", "CloudWatch Logs", log_group),
    ("execution_role", "IAM", role("execution")),
    ("task_role", "IAM", role("task")),
    ("scheduler_role", "IAM", role("scheduler")),
    ("collector_role", "IAM", role("collector")),
    ("task_definition", "Amazon ECS", task_definition("news-bot")),
    ("collector_definition", "Amazon ECS", task_definition("news-bot-collector")),
    ("cluster", "Amazon ECS", cluster),
    ("schedule_group", "EventBridge Scheduler", schedule_group),
    ("news_bucket", "bucket", bucket_of_another_account),
    ("alias", "Route 53", record("A", "203.0.113.9")),
    ("alias", "Route 53", record("AAAA", "2001:db8::9")),
    ("alias", "Route 53", record("CNAME", "elsewhere.example", host="bot.example.jp")),
]
IDS = [f"{line}-{number}" for number, (line, *_) in enumerate(STRANGERS)]


@pytest.mark.parametrize(("line", "service", "create"), STRANGERS, ids=IDS)
def test_stops_setup(env: Env, line: str, service: str, create: Callable[[Env], str]) -> None:
    """Before anything is made: what was found, by its ARN or id, where, and the way out; nothing changes."""
    found = create(env)
    env.clock.advance(60)
    before = snapshot(env)
    env.changes()
    engine = env.engine()
    seen = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    (refusal,) = seen.errors
    assert f"{line}/" in refusal.what or line == "news_bucket"
    assert found in refusal.what + refusal.why
    assert service in refusal.why
    assert "stack.yaml" in refusal.then or "news.bucket" in refusal.then
    with pytest.raises(type(refusal)):
        raise_first_error(seen)
    assert ([], {}) == (env.changes(), StackFile(env.path).records)
    env.teardown(everything=True)
    assert before == snapshot(env)


@pytest.mark.parametrize(("line", "service", "create"), STRANGERS, ids=IDS)
@pytest.mark.full
def test_came_after_the_plan(
    env: Env, line: str, service: str, create: Callable[[Env], str]
) -> None:
    """It appeared between plan and walk: all else is made, and it is left as it is, by teardown too."""
    create(env)
    env.clock.advance(60)
    before = snapshot(env)
    assert [] != env.setup(wait=0).errors
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    assert before == {**snapshot(env), "webhook": before["webhook"]}  # LINE has no delete


def repository(env: Env) -> None:
    """Of our name, with another lifecycle."""
    ecr = env.aws_session.client("ecr")
    ecr.create_repository(repositoryName="news-bot", tags=BESIDE)
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 99},
        "action": {"type": "expire"},
    }
    ecr.put_lifecycle_policy(
        repositoryName="news-bot", lifecyclePolicyText=json.dumps({"rules": [rule]})
    )


def bucket(env: Env) -> None:
    """Named in stack.yaml, with somebody's object."""
    s3 = env.aws_session.client("s3")
    s3.create_bucket(Bucket="our-news", CreateBucketConfiguration=HERE)
    s3.put_bucket_tagging(Bucket="our-news", Tagging={"TagSet": BESIDE})
    s3.put_object(Bucket="our-news", Key="holiday.jpg", Body=b"x")
    env.set(news__bucket="our-news")


def parameter(line: str, name: str) -> Callable[[Env], None]:
    """With the value that LINE takes."""

    def create(env: Env) -> None:
        value = getattr(env.secrets, line)
        env.aws_session.client("ssm").put_parameter(
            Name=name, Value=value, Type="SecureString", Tags=BESIDE
        )

    return create


def role_of_ecs(env: Env) -> None:
    """ECS's own, from somebody's first use of it."""
    env.aws_session.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")


def mail(env: Env) -> None:
    """A zone with somebody's mail in it."""
    value = {"Value": "10 mail.example.jp"}
    zone(env, {"Name": "example.jp", "Type": "MX", "TTL": 60, "ResourceRecords": [value]})


def certificate_of_the_host(env: Env) -> None:
    """Issued, in a zone of theirs: ACM asks us for the very same record."""
    acm = env.aws_session.client("acm")
    arn = acm.request_certificate(DomainName="example.jp", ValidationMethod="DNS", Tags=BESIDE)[
        "CertificateArn"
    ]
    env.clock.advance(60)
    told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    asked = told["DomainValidationOptions"][0]["ResourceRecord"]
    values = [{"Value": asked["Value"]}]
    zone(env, {"Name": asked["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": values})
    for _ in range(30):
        env.clock.advance(10)


ADOPTED: dict[str, Callable[[Env], None]] = {
    "zone": mail,
    "validation_record": certificate_of_the_host,
    "repository": repository,
    "news_bucket": bucket,
    "access_token": parameter("access_token", "ACCESS_TOKEN"),
    "channel_secret": parameter("channel_secret", "CHANNEL_SECRET"),
    "network": lambda env: None,  # the default VPC
    "service_linked_role": role_of_ecs,
}


@pytest.mark.parametrize("line", ADOPTED)
def test_adopted_keeps_everything(env: Env, line: str) -> None:
    """Used as it is: neither setup nor teardown --everything changes a word of it."""
    ADOPTED[line](env)
    env.clock.advance(60)
    before = snapshot(env)
    assert [] == env.setup().errors
    records = StackFile(env.path).records
    assert {"adopted"} == {r.state for key, r in records.items() if key.partition("/")[0] == line}
    during = snapshot(env)
    certificates = {key: told for key, told in before.items() if ":certificate/" not in key}
    assert {key: during.get(key) for key in certificates if key != "webhook"} == {
        key: told for key, told in certificates.items() if key != "webhook"
    }
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    after = snapshot(env)
    assert before == {**after, "webhook": before["webhook"]}


# Neither: why nobody else's can stand there.
NOBODYS = {
    "certificate": "names are not unique in ACM; somebody's for the host is test_adopted's",
    "execution_permissions": "an inline policy of a role of ours",
    "task_permissions": "an inline policy of a role of ours",
    "scheduler_permissions": "an inline policy of a role of ours",
    "collector_permissions": "an inline policy of a role of ours",
    "collecting_permissions": "an inline policy of a role of ours",
    "collector_schedule": "in a group of ours; in somebody's the group stops setup",
    "initial_collection": "news that somebody brought is as good as ours",
    "https_from_anywhere": "a rule in a group of ours",
    "bot_from_load_balancer": "a rule in a group of ours",
    "bootstrap_listener": "on a load balancer of ours: test_put_into_ours",
    "bootstrap_rule": "on a listener of ours",
    "https": "on a load balancer of ours: test_put_into_ours",
    "service": "in a cluster of ours: test_put_into_ours",
    "start_schedule": "in a group of ours; in somebody's the group stops setup",
    "stop_schedule": "in a group of ours; in somebody's the group stops setup",
    "webhook": "test_endpoint_that_was_there",
}


def test_every_resource_is_thought_of() -> None:
    """A new line of stack.py: a stranger in its place, adopted, or a reason why neither can be."""
    known = {*(line for line, *_ in STRANGERS), *ADOPTED, *NOBODYS}
    assert known == {one.logical_id for one in created_resources("default")}


def test_endpoint_that_was_there(env: Env) -> None:
    """LINE has one endpoint a channel: ours takes its place, and it comes back at teardown."""
    line = env.clients().line
    line.set_endpoint("https://elsewhere.example/webhook")
    env.setup()
    assert "https://example.jp/webhook" == line.endpoint()["endpoint"]
    env.teardown()
    assert "https://elsewhere.example/webhook" == line.endpoint()["endpoint"]


def listener(env: Env, line: str, port: int) -> str:
    """On our load balancer, at the port of one of ours that was not made yet."""
    elbv2 = env.aws_session.client("elbv2")
    records = StackFile(env.path).records
    known = {key.partition("/")[0]: record.outputs for key, record in records.items()}
    elbv2.delete_listener(ListenerArn=known[line]["arn"])
    made = elbv2.create_listener(
        LoadBalancerArn=known["load_balancer"]["arn"],
        Protocol="HTTP",
        Port=port,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    return str(made["Listeners"][0]["ListenerArn"])


def service(env: Env, line: str, port: int) -> str:
    """In our cluster, with our service's name."""
    ecs = env.aws_session.client("ecs")
    ecs.delete_service(cluster="news-bot", service="news-bot", force=True)
    env.clock.advance(600)
    ecs.register_task_definition(
        family="theirs", containerDefinitions=[{"name": "x", "image": "x", "memory": 128}]
    )
    made = ecs.create_service(
        cluster="news-bot", serviceName="news-bot", taskDefinition="theirs", desiredCount=0
    )
    return str(made["service"]["serviceArn"])


@pytest.mark.parametrize(
    ("create", "line", "port"),
    [(listener, "https", 443), (listener, "bootstrap_listener", 80), (service, "service", 0)],
)
def test_put_into_ours(
    env: Env, create: Callable[[Env, str, int], str], line: str, port: int
) -> None:
    """Before ours was made: what carries no tags of ours is not taken for ours, though it is in ours."""
    env.setup()
    found = create(env, line, port)
    file = StackFile(env.path)
    for key in list(file.records):
        if key.partition("/")[0] in (
            line,
            "bootstrap_rule" if line == "bootstrap_listener" else line,
        ):
            file.forget(key)
    before = snapshot(env)[found]
    said = [str(refusal) for refusal in env.setup(wait=0).errors]
    assert [found in each and "not this stack's" in each for each in said] == [True]
    assert before == snapshot(env)[found]
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    assert before == snapshot(env)[found]


@pytest.mark.full
def test_command_says_it(person: Person, addresses: dict[str, str]) -> None:
    """Exit status 1, what was found and where, and a file that records nothing."""
    session = boto3.Session("access", "secret", region_name="ap-northeast-1")
    logs = session.client("logs", endpoint_url=addresses["aws"])
    logs.create_log_group(logGroupName="/ecs/news-bot")
    for verb in (("setup", "--yes"), ("plan",)):
        done = person.types("--sandbox", *verb)
        assert 1 == done.returncode, done.stderr
        assert "CloudWatch Logs arn:aws:logs:" in done.stderr
        assert "Choose another `name` in stack.yaml" in done.stderr
    assert "resources:" not in (person.folder / "stack.sandbox.yaml").read_text()


@pytest.mark.full
@pytest.mark.parametrize(
    "line", [line for line in ADOPTED if line not in ("network", "service_linked_role")]
)
def test_adopted_and_gone(env: Env, line: str) -> None:
    """It was theirs: plan names it, setup stops with the way on, teardown takes what is ours."""
    ADOPTED[line](env)
    env.clock.advance(60)
    env.setup()
    one = next(one for one in env.engine().resources if one.logical_id == line)
    one.load_from_record(StackFile(env.path).records[one.key].outputs)
    one.with_contents = True
    one.delete(env.clients())
    env.clock.advance(60)
    seen = plan_and_status(env)
    (refusal,) = [each for each in seen.plan.errors if one.key in each.what]
    assert ("it was there before provision and is gone now", False) == (
        refusal.why,
        seen.status[line]["live"],
    )
    assert "stack.yaml" in refusal.then
    env.changes()
    with pytest.raises(type(refusal)):
        raise_first_error(seen.plan)
    assert [] == env.changes()
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
