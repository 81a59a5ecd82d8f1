"""Other parties' use of our resources is detected before the first delete, and what they use is kept."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env

ALLOWED = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [ALLOWED]})


def outputs(env: Env, line: str) -> dict[str, Any]:
    """Return the recorded outputs of a resource of the stack."""
    records = StackFile(env.path).records
    return next(r.outputs for key, r in records.items() if key.partition("/")[0] == line)


def create_load_balancer(env: Env, **more: Any) -> str:
    """Create a foreign load balancer; return its ARN."""
    subnets = [s["SubnetId"] for s in env.aws_session.client("ec2").describe_subnets()["Subnets"]][
        :2
    ]
    made = env.aws_session.client("elbv2").create_load_balancer(
        Name="theirs", Subnets=subnets, **more
    )
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def create_forwarding_listener(env: Env, arn: str, **more: Any) -> None:
    """Create a listener that forwards everything to our target group."""
    action = {"Type": "forward", "TargetGroupArn": outputs(env, "target_group")["arn"]}
    env.aws_session.client("elbv2").create_listener(
        LoadBalancerArn=arn, DefaultActions=[action], **more
    )


def target_group_behind_foreign_load_balancer(env: Env) -> None:
    """Put our target group behind a foreign load balancer, which ELB allows only while ours is gone."""
    env.engine().pause()
    create_forwarding_listener(env, create_load_balancer(env), Protocol="HTTP", Port=80)


def certificate_on_foreign_listener(env: Env) -> None:
    """Use our certificate on a foreign load balancer."""
    arn = outputs(env, "certificate")["arn"]
    elbv2 = env.aws_session.client("elbv2")
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    elbv2.create_listener(
        LoadBalancerArn=create_load_balancer(env),
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[answer],
    )


def foreign_certificate_of_same_host(env: Env) -> None:
    """Request a foreign certificate for the same host, which ACM renews by the same record."""
    env.aws_session.client("acm").request_certificate(
        DomainName="example.jp", ValidationMethod="DNS"
    )


def bot_group_in_foreign_rule(env: Env) -> None:
    """Reference our bot's group in a rule of a foreign group."""
    ec2 = env.aws_session.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="theirs", Description="x", VpcId=vpc)["GroupId"]
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        "UserIdGroupPairs": [{"GroupId": outputs(env, "bot_group")["id"]}],
    }
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


def foreign_interface_in_our_group(env: Env) -> None:
    """Create a foreign network interface in our load balancer's group."""
    ec2 = env.aws_session.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    group = outputs(env, "load_balancer_group")["id"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[group])


def foreign_service_in_our_cluster(env: Env) -> None:
    """Create a foreign service in our cluster."""
    ecs = env.aws_session.client("ecs")
    container = {"name": "x", "image": "x", "memory": 128}
    ecs.register_task_definition(family="theirs", containerDefinitions=[container])
    ecs.create_service(
        cluster="news-bot", serviceName="theirs", taskDefinition="theirs", desiredCount=0
    )


def foreign_record_in_our_zone(env: Env) -> None:
    """Create a mail server's record in our zone."""
    record = {
        "Name": "example.jp",
        "Type": "MX",
        "TTL": 300,
        "ResourceRecords": [{"Value": "10 mail.example.jp"}],
    }
    env.aws_session.client("route53").change_resource_record_sets(
        HostedZoneId=outputs(env, "zone")["id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )


def key_signing_key_in_our_zone(env: Env) -> None:
    """Enable DNSSEC signing for our zone."""
    env.aws_session.client("route53").create_key_signing_key(
        CallerReference="theirs",
        HostedZoneId=outputs(env, "zone")["id"],
        KeyManagementServiceArn="arn:aws:kms:us-east-1:123456789012:key/k",
        Name="theirs",
        Status="ACTIVE",
    )


def foreign_object_in_our_bucket(env: Env) -> None:
    """Put a foreign object beside the news."""
    bucket = outputs(env, "news_bucket")["bucket"]
    s3 = env.aws_session.client("s3")
    s3.put_object(Bucket=bucket, Key="news/latest.json", Body=b"[]")
    s3.put_object(Bucket=bucket, Key="holiday/photo.jpg", Body=b"x")


def foreign_listener_on_our_load_balancer(env: Env) -> None:
    """Create a foreign listener on our load balancer."""
    arn = outputs(env, "load_balancer")["arn"]
    create_forwarding_listener(env, arn, Protocol="HTTP", Port=8080)


def deletion_protection_by_hand(env: Env) -> None:
    """Switch deletion protection of our load balancer on."""
    env.aws_session.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=outputs(env, "load_balancer")["arn"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}],
    )


def foreign_schedule_in_our_group(env: Env) -> None:
    """Create a foreign schedule in our group."""
    env.aws_session.client("scheduler").create_schedule(
        Name="theirs",
        GroupName="news-bot",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
            "RoleArn": outputs(env, "scheduler_role")["arn"],
            "Input": "{}",
        },
    )


NETWORK = {"network/default"}
SERVICE_LINKED_ROLE = {"service_linked_role"}
GROUPS = {  # the load balancer's group leads to the bot's
    "bot_group/news-bot-bot",
    "bot_from_load_balancer/news-bot-bot",
    "load_balancer_group/news-bot-load-balancer",
    "https_from_anywhere/news-bot-load-balancer",
}
EXTERNAL_USES: list[tuple[Callable[[Env], None], set[str], bool]] = [
    (target_group_behind_foreign_load_balancer, {"target_group/news-bot"}, False),
    (
        certificate_on_foreign_listener,
        {"certificate/example.jp", "validation_record/example.jp", "zone/example.jp"},
        False,
    ),
    (
        foreign_certificate_of_same_host,
        {"certificate/example.jp", "validation_record/example.jp", "zone/example.jp"},
        False,
    ),
    (bot_group_in_foreign_rule, GROUPS, False),
    (foreign_interface_in_our_group, GROUPS, False),
    (foreign_service_in_our_cluster, {"cluster/news-bot"}, False),
    (foreign_record_in_our_zone, {"zone/example.jp"}, True),
    (key_signing_key_in_our_zone, {"zone/example.jp"}, False),
    (foreign_object_in_our_bucket, {"news_bucket"}, True),
    (
        foreign_listener_on_our_load_balancer,
        {"load_balancer/news-bot", "target_group/news-bot", *GROUPS},
        True,
    ),
    (deletion_protection_by_hand, {"load_balancer/news-bot", *GROUPS}, True),
    (foreign_schedule_in_our_group, {"schedule_group/news-bot"}, True),
]


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    ("use", "stays", "content"), EXTERNAL_USES, ids=[u[0].__name__ for u in EXTERNAL_USES]
)
def test_teardown_keeps_what_others_use(
    env: Env, use: Callable[[Env], None], stays: set[str], content: bool
) -> None:
    """What others use is kept with what it depends on; everything else is deleted."""
    env.setup()
    use(env)
    env.clock.advance(60)
    found = env.engine().check_teardown(everything=True)
    assert {content} == {used.content for some in found.values() for used in some}
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert stays == set(result.kept) - NETWORK - SERVICE_LINKED_ROLE
    assert stays == set(StackFile(env.path).records) - NETWORK - SERVICE_LINKED_ROLE


CONTENTS = [use for use, _stays, content in EXTERNAL_USES if content]


@pytest.mark.sample(2)
@pytest.mark.parametrize("use", CONTENTS, ids=[use.__name__ for use in CONTENTS])
def test_teardown_with_contents_deletes_everything(env: Env, use: Callable[[Env], None]) -> None:
    """With --contents nothing is left."""
    env.setup()
    use(env)
    engine = env.engine()
    result = engine.teardown(True, contents=list(engine.check_teardown(everything=True)))
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def test_no_external_use_is_reported_for_own_stack(env: Env) -> None:
    """A stack in its own network that nobody else uses: nothing is reported."""
    env.set(network__vpc="new")
    env.setup()
    assert {} == env.engine().check_teardown(everything=True)


def test_teardown_keeps_network_with_foreign_interface(env: Env) -> None:
    """With a foreign network interface in our VPC the whole network is kept, including its internet route."""
    env.set(network__vpc="new")
    env.setup()
    ec2 = env.aws_session.client("ec2")
    ec2.create_network_interface(SubnetId=outputs(env, "subnet_1")["id"], Description="theirs")
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    networks = {"vpc": 1, "subnet": 3, "route table": 2, "association": 3, "internet gateway": 1}
    assert {**networks, "interface": 1} == env.inventory()


def test_teardown_detaches_foreign_policies(env: Env) -> None:
    """DeleteRole rejects a role with policies: foreign ones are detached, and themselves kept."""
    env.setup()
    iam = env.aws_session.client("iam")
    policy = iam.create_policy(PolicyName="theirs", PolicyDocument=POLICY)["Policy"]
    role = outputs(env, "task_role")["role_name"]
    iam.attach_role_policy(RoleName=role, PolicyArn=policy["Arn"])
    iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=POLICY)
    assert [] == env.teardown().left
    assert {} == env.inventory()
    assert ["theirs"] == [p["PolicyName"] for p in iam.list_policies(Scope="Local")["Policies"]]


def test_pause_keeps_load_balancer_with_foreign_listener(env: Env) -> None:
    """Pause deletes the service, and reports that the load balancer is kept, since it still costs money."""
    env.setup()
    foreign_listener_on_our_load_balancer(env)
    result = env.engine().pause()
    assert "--contents" in result.kept["load_balancer/news-bot"]
    assert "service/news-bot" in result.deleted
    assert [] == env.teardown().errors


def test_setup_keeps_replaced_bucket_with_news(env: Env) -> None:
    """Setup does not delete collected news in the former bucket; teardown --everything does."""
    env.setup()
    bucket = outputs(env, "news_bucket")["bucket"]
    env.aws_session.client("s3").put_object(Bucket=bucket, Key="news/latest.json", Body=b"[]")
    env.set(news__bucket="another-bucket")
    assert [] == env.setup().errors
    assert {**WHOLE, "bucket": 2, "task definition": 4} == env.inventory()
    assert {"news_bucket"} == set(env.engine().retained_orphans())
    assert [] == env.teardown(everything=True).left
    assert {} == env.inventory()


def test_setup_keeps_replaced_zone_with_foreign_records(env: Env) -> None:
    """After a change of domain the former zone is kept, because it has foreign records."""
    env.setup()
    foreign_record_in_our_zone(env)
    env.set(domain="example.org")
    assert [] == env.setup().errors
    assert {**WHOLE, "zone": 2, "record": 3} == env.inventory()


def test_foreign_tasks_on_several_pages(env: Env) -> None:
    """ListTasks returns at most 100 at once, as many as the service may run itself."""
    env.setup()
    ecs = env.aws_session.client("ecs")
    (service,) = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"]
    tasks = ecs.run_task(
        cluster="news-bot",
        taskDefinition=service["taskDefinition"],
        count=2,
        launchType="FARGATE",
        networkConfiguration=service["networkConfiguration"],
    )["tasks"]

    def one_per_page(operation: str, params: dict[str, Any]) -> None:
        if operation == "ListTasks":
            params["maxResults"] = 1

    env.aws_session.request = one_per_page
    found = env.engine().check_teardown(everything=True)
    assert {f"news-bot: {task['taskArn']}" for task in tasks} == {
        used.description for used in found["cluster/news-bot"]
    }
