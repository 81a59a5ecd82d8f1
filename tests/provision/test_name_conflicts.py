"""A foreign resource with our name stops setup before any change; an adopted one keeps every property."""

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
FOREIGN_TAGS = [{"Key": "owner", "Value": "somebody"}]
FOREIGN_ECS_TAGS = [{"key": "owner", "value": "somebody"}]


def default_network(env: Env) -> tuple[str, list[str]]:
    """Return the default VPC and three of its subnets."""
    ec2 = env.aws_session.client("ec2")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:3]
    return str(ec2.describe_vpcs()["Vpcs"][0]["VpcId"]), subnets


def load_balancer(env: Env) -> str:
    """Create one with our name."""
    made = env.aws_session.client("elbv2").create_load_balancer(
        Name="news-bot", Subnets=default_network(env)[1], Tags=FOREIGN_TAGS
    )
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def target_group(env: Env) -> str:
    """Create one with our name."""
    made = env.aws_session.client("elbv2").create_target_group(
        Name="news-bot", Protocol="HTTP", Port=80, VpcId=default_network(env)[0], TargetType="ip"
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def security_group(part: str) -> Callable[[Env], str]:
    """Return a function that creates one with our name in our VPC."""

    def create(env: Env) -> str:
        made = env.aws_session.client("ec2").create_security_group(
            GroupName=f"news-bot-{part}", Description="x", VpcId=default_network(env)[0]
        )
        return str(made["GroupId"])

    return create


def log_group(env: Env) -> str:
    """Create one with our name."""
    env.aws_session.client("logs").create_log_group(
        logGroupName="/ecs/news-bot", tags={"owner": "x"}
    )
    return "log-group:/ecs/news-bot"


def role(part: str) -> Callable[[Env], str]:
    """Return a function that creates one with our name and a policy."""

    def create(env: Env) -> str:
        iam, name = env.aws_session.client("iam"), f"news-bot-{part}-ap-northeast-1"
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=FOREIGN_TAGS)
        iam.put_role_policy(RoleName=name, PolicyName="theirs", PolicyDocument=POLICY)
        return str(made["Role"]["Arn"])

    return create


def task_definition(family: str) -> Callable[[Env], str]:
    """Return a function that registers one of our family."""

    def create(env: Env) -> str:
        made = env.aws_session.client("ecs").register_task_definition(
            family=family,
            containerDefinitions=[{"name": "x", "image": "x", "memory": 128}],
            tags=FOREIGN_ECS_TAGS,
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    return create


def cluster(env: Env) -> str:
    """Create one with our name, containing a service with our name."""
    ecs = env.aws_session.client("ecs")
    env.aws_session.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    made = ecs.create_cluster(clusterName="news-bot", tags=FOREIGN_ECS_TAGS)["cluster"][
        "clusterArn"
    ]
    container = {"name": "x", "image": "x", "memory": 128}
    ecs.register_task_definition(family="theirs", containerDefinitions=[container])
    ecs.create_service(
        cluster="news-bot", serviceName="news-bot", taskDefinition="theirs", desiredCount=0
    )
    return str(made)


def schedule_group(env: Env) -> str:
    """Create one with our name, containing a schedule with our name."""
    scheduler = env.aws_session.client("scheduler")
    made = scheduler.create_schedule_group(Name="news-bot", Tags=FOREIGN_TAGS)["ScheduleGroupArn"]
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
    """Set a bucket in stack.yaml that another account owns."""
    env.sandbox.cloud.s3.other_accounts.add("our-news")
    env.set(news__bucket="our-news")
    return "our-news"


def zone(env: Env, *records: dict[str, Any]) -> str:
    """Create a hosted zone of our domain, and delegate the domain to it."""
    route53 = env.aws_session.client("route53")
    made = route53.create_hosted_zone(Name="example.jp", CallerReference="theirs")
    id = str(made["HostedZone"]["Id"].rpartition("/")[2])
    env.sandbox.cloud.registrar.enter("example.jp", made["DelegationSet"]["NameServers"])
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=id, AddTags=FOREIGN_TAGS)
    if records:
        changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]
        route53.change_resource_record_sets(HostedZoneId=id, ChangeBatch={"Changes": changes})
    return id


def record_set(kind: str, value: str, host: str = "") -> Callable[[Env], str]:
    """Return a function that creates a record with our host's name in a foreign zone."""

    def create(env: Env) -> str:
        if host:
            env.set(host=host)
        name = host or "example.jp"
        zone(env, {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]})
        return f"{kind} {name} -> {value}"

    return create


# The resource in conflict, the service in the error message, and how to create the conflict.
CONFLICTS: list[tuple[str, str, Callable[[Env], str]]] = [
    ("load_balancer", "Elastic Load Balancing", load_balancer),
    ("target_group", "Elastic Load Balancing", target_group),
    ("load_balancer_group", "Amazon EC2", security_group("load-balancer")),
    ("bot_group", "Amazon EC2", security_group("bot")),
    ("collector_group", "Amazon EC2", security_group("collector")),
    ("log_group", "CloudWatch Logs", log_group),
    ("execution_role", "IAM", role("execution")),
    ("task_role", "IAM", role("task")),
    ("scheduler_role", "IAM", role("scheduler")),
    ("collector_role", "IAM", role("collector")),
    ("collector_execution_role", "IAM", role("collector-execution")),
    ("task_definition", "Amazon ECS", task_definition("news-bot")),
    ("collector_definition", "Amazon ECS", task_definition("news-bot-collector")),
    ("cluster", "Amazon ECS", cluster),
    ("schedule_group", "EventBridge Scheduler", schedule_group),
    ("news_bucket", "bucket", bucket_of_another_account),
    ("alias", "Route 53", record_set("A", "203.0.113.9")),
    ("alias", "Route 53", record_set("AAAA", "2001:db8::9")),
    ("alias", "Route 53", record_set("CNAME", "elsewhere.example", host="bot.example.jp")),
]
IDS = [f"{line}-{number}" for number, (line, *_) in enumerate(CONFLICTS)]


@pytest.mark.parametrize(("line", "service", "create"), CONFLICTS, ids=IDS)
def test_conflict_stops_setup(
    env: Env, line: str, service: str, create: Callable[[Env], str]
) -> None:
    """Before any change the error shows the ARN or id, the service, and advice."""
    found = create(env)
    env.clock.advance(60)
    before = snapshot(env)
    env.changes()
    engine = env.engine()
    found_plan = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    (refusal,) = found_plan.errors
    assert f"{line}/" in refusal.what or line == "news_bucket"
    assert found in refusal.what + refusal.why
    assert service in refusal.why
    assert "stack.yaml" in refusal.then or "news.bucket" in refusal.then
    with pytest.raises(type(refusal)):
        raise_first_error(found_plan)
    assert ([], {}) == (env.changes(), StackFile(env.path).records)
    env.teardown(everything=True)
    assert before == snapshot(env)


@pytest.mark.parametrize(("line", "service", "create"), CONFLICTS, ids=IDS)
@pytest.mark.full
def test_conflict_after_the_plan(
    env: Env, line: str, service: str, create: Callable[[Env], str]
) -> None:
    """Everything else is created, and teardown leaves the foreign resource unchanged."""
    create(env)
    env.clock.advance(60)
    before = snapshot(env)
    assert [] != env.setup(wait=0).errors
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert before == {**snapshot(env), "webhook": before["webhook"]}  # LINE has no delete


def repository(env: Env) -> None:
    """Create one with our name and another lifecycle policy."""
    ecr = env.aws_session.client("ecr")
    ecr.create_repository(repositoryName="news-bot", tags=FOREIGN_TAGS)
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 99},
        "action": {"type": "expire"},
    }
    ecr.put_lifecycle_policy(
        repositoryName="news-bot", lifecyclePolicyText=json.dumps({"rules": [rule]})
    )


def bucket(env: Env) -> None:
    """Create the bucket set in stack.yaml, with a foreign object."""
    s3 = env.aws_session.client("s3")
    s3.create_bucket(Bucket="our-news", CreateBucketConfiguration=HERE)
    s3.put_bucket_tagging(Bucket="our-news", Tagging={"TagSet": FOREIGN_TAGS})
    s3.put_object(Bucket="our-news", Key="holiday.jpg", Body=b"x")
    env.set(news__bucket="our-news")


def parameter(line: str, name: str) -> Callable[[Env], None]:
    """Return a function that creates one with the valid value."""

    def create(env: Env) -> None:
        value = getattr(env.secrets, line)
        env.aws_session.client("ssm").put_parameter(
            Name=name, Value=value, Type="SecureString", Tags=FOREIGN_TAGS
        )

    return create


def ecs_service_linked_role(env: Env) -> None:
    """Create ECS's service-linked role."""
    env.aws_session.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")


def zone_with_mail(env: Env) -> None:
    """Create a zone with an MX record."""
    value = {"Value": "10 mail.example.jp"}
    zone(env, {"Name": "example.jp", "Type": "MX", "TTL": 60, "ResourceRecords": [value]})


def certificate_for_host(env: Env) -> None:
    """Issue a certificate in a foreign zone: ACM requires the same record for ours."""
    acm = env.aws_session.client("acm")
    arn = acm.request_certificate(
        DomainName="example.jp", ValidationMethod="DNS", Tags=FOREIGN_TAGS
    )["CertificateArn"]
    env.clock.advance(60)
    certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    required = certificate["DomainValidationOptions"][0]["ResourceRecord"]
    values = [{"Value": required["Value"]}]
    zone(env, {"Name": required["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": values})
    for _ in range(30):
        env.clock.advance(10)


ADOPTED: dict[str, Callable[[Env], None]] = {
    "zone": zone_with_mail,
    "validation_record": certificate_for_host,
    "repository": repository,
    "news_bucket": bucket,
    "access_token": parameter("access_token", "ACCESS_TOKEN"),
    "channel_secret": parameter("channel_secret", "CHANNEL_SECRET"),
    "network": lambda env: None,  # the default VPC
    "service_linked_role": ecs_service_linked_role,
}


@pytest.mark.sample(4)
@pytest.mark.parametrize("line", ADOPTED)
def test_adopted_resource_is_not_changed(env: Env, line: str) -> None:
    """Neither setup nor teardown --everything changes anything of it."""
    ADOPTED[line](env)
    env.clock.advance(60)
    before = snapshot(env)
    assert [] == env.setup().errors
    records = StackFile(env.path).records
    assert {"adopted"} == {r.state for key, r in records.items() if key.partition("/")[0] == line}
    during = snapshot(env)
    certificates = {
        key: described for key, described in before.items() if ":certificate/" not in key
    }
    assert {key: during.get(key) for key in certificates if key != "webhook"} == {
        key: described for key, described in certificates.items() if key != "webhook"
    }
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    after = snapshot(env)
    assert before == {**after, "webhook": before["webhook"]}


# Resources with neither case, and why a conflict is impossible.
NO_CONFLICT = {
    "certificate": "names are not unique in ACM; somebody's for the host is test_adopted's",
    "execution_permissions": "an inline policy of a role of ours",
    "task_permissions": "an inline policy of a role of ours",
    "scheduler_permissions": "an inline policy of a role of ours",
    "collector_permissions": "an inline policy of a role of ours",
    "collector_execution_permissions": "an inline policy of a role of ours",
    "collecting_permissions": "an inline policy of a role of ours",
    "collector_schedule": "in a group of ours; in somebody's the group stops setup",
    "initial_collection": "news that somebody brought is as good as ours",
    "https_from_anywhere": "a rule in a group of ours",
    "bot_from_load_balancer": "a rule in a group of ours",
    "bootstrap_listener": "on a load balancer of ours: test_foreign_resource_inside_ours",
    "bootstrap_rule": "on a listener of ours",
    "webhook_rule": "on a listener of ours",
    "https": "on a load balancer of ours: test_foreign_resource_inside_ours",
    "service": "in a cluster of ours: test_foreign_resource_inside_ours",
    "start_schedule": "in a group of ours; in somebody's the group stops setup",
    "stop_schedule": "in a group of ours; in somebody's the group stops setup",
    "webhook": "test_former_endpoint_is_restored",
}


def test_every_resource_is_covered() -> None:
    """A new resource of stack.py needs a conflict, an adoption, or a reason why neither is possible."""
    known = {*(line for line, *_ in CONFLICTS), *ADOPTED, *NO_CONFLICT}
    assert known == {one.logical_id for one in created_resources("default")}


def test_former_endpoint_is_restored(env: Env) -> None:
    """LINE has one endpoint per channel: ours replaces it, and teardown restores it."""
    line = env.clients().line
    env.sandbox.line.other_servers.add("elsewhere.example")
    line.set_endpoint("https://elsewhere.example/webhook")
    env.setup()
    assert "https://example.jp/webhook" == line.endpoint()["endpoint"]
    env.teardown()
    assert "https://elsewhere.example/webhook" == line.endpoint()["endpoint"]


def foreign_listener(env: Env, line: str, port: int) -> str:
    """Create one on our load balancer, on the port of one of ours that is not created yet."""
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


def foreign_service(env: Env, line: str, port: int) -> str:
    """Create one in our cluster with our service's name."""
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
    [
        (foreign_listener, "https", 443),
        (foreign_listener, "bootstrap_listener", 80),
        (foreign_service, "service", 0),
    ],
)
def test_foreign_resource_inside_ours(
    env: Env, create: Callable[[Env, str, int], str], line: str, port: int
) -> None:
    """Without our tags it is not taken for ours, even inside a resource of ours."""
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
    errors = [str(refusal) for refusal in env.setup(wait=0).errors]
    assert [found in each and "not this stack's" in each for each in errors] == [True]
    assert before == snapshot(env)[found]
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert before == snapshot(env)[found]


@pytest.mark.full
def test_command_reports_conflict(person: Person, addresses: dict[str, str]) -> None:
    """Exit status 1, what was found and where, and a file without records."""
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
def test_deleted_adopted_resource(env: Env, line: str) -> None:
    """plan reports it, setup stops with advice, and teardown deletes what is ours."""
    ADOPTED[line](env)
    env.clock.advance(60)
    env.setup()
    one = next(one for one in env.engine().resources if one.logical_id == line)
    one.load_from_record(StackFile(env.path).records[one.key].outputs)
    one.with_contents = True
    one.delete(env.clients())
    env.clock.advance(60)
    found_plan = plan_and_status(env)
    (refusal,) = [each for each in found_plan.plan.errors if one.key in each.what]
    assert ("it was there before provision and is gone now", False) == (
        refusal.why,
        found_plan.status[line]["live"],
    )
    assert "stack.yaml" in refusal.then
    env.changes()
    with pytest.raises(type(refusal)):
        raise_first_error(found_plan.plan)
    assert [] == env.changes()
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
