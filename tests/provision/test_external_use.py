"""What others have to do with things of ours is seen before the first delete, and stays."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env

ALLOWED = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [ALLOWED]})


def outputs(env: Env, line: str) -> dict[str, Any]:
    """What is recorded of a line."""
    records = StackFile(env.path).records
    return next(r.outputs for key, r in records.items() if key.partition("/")[0] == line)


def balancer(env: Env, **more: Any) -> str:
    """Somebody's load balancer; its ARN."""
    subnets = [s["SubnetId"] for s in env.aws_session.client("ec2").describe_subnets()["Subnets"]][
        :2
    ]
    made = env.aws_session.client("elbv2").create_load_balancer(
        Name="theirs", Subnets=subnets, **more
    )
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def listener(env: Env, arn: str, **more: Any) -> None:
    """A listener that sends everything to our target group."""
    action = {"Type": "forward", "TargetGroupArn": outputs(env, "target_group")["arn"]}
    env.aws_session.client("elbv2").create_listener(
        LoadBalancerArn=arn, DefaultActions=[action], **more
    )


def on_their_listener(env: Env) -> None:
    """Our target group behind somebody's load balancer, which ELB allows while it hangs on none of ours."""
    env.engine().pause()
    listener(env, balancer(env), Protocol="HTTP", Port=80)


def certificate_elsewhere(env: Env) -> None:
    """Our certificate on somebody's load balancer."""
    arn = outputs(env, "certificate")["arn"]
    elbv2 = env.aws_session.client("elbv2")
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    elbv2.create_listener(
        LoadBalancerArn=balancer(env),
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[answer],
    )


def certificate_beside(env: Env) -> None:
    """Somebody's certificate for the same host, which ACM renews by the same record."""
    env.aws_session.client("acm").request_certificate(
        DomainName="example.jp", ValidationMethod="DNS"
    )


def named_in_a_rule(env: Env) -> None:
    """Our bot's group in a rule of somebody's group."""
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


def interface_in_our_group(env: Env) -> None:
    """Somebody's machine in our load balancer's group."""
    ec2 = env.aws_session.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    group = outputs(env, "load_balancer_group")["id"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[group])


def service_in_our_cluster(env: Env) -> None:
    """Somebody's service in our cluster."""
    ecs = env.aws_session.client("ecs")
    container = {"name": "x", "image": "x", "memory": 128}
    ecs.register_task_definition(family="theirs", containerDefinitions=[container])
    ecs.create_service(
        cluster="news-bot", serviceName="theirs", taskDefinition="theirs", desiredCount=0
    )


def record_in_our_zone(env: Env) -> None:
    """A mail server's record in our zone."""
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


def key_signing_key_of_our_zone(env: Env) -> None:
    """Somebody signed our zone."""
    env.aws_session.client("route53").create_key_signing_key(
        CallerReference="theirs",
        HostedZoneId=outputs(env, "zone")["id"],
        KeyManagementServiceArn="arn:aws:kms:us-east-1:123456789012:key/k",
        Name="theirs",
        Status="ACTIVE",
    )


def object_in_our_bucket(env: Env) -> None:
    """Somebody's object beside the news."""
    bucket = outputs(env, "news_bucket")["bucket"]
    s3 = env.aws_session.client("s3")
    s3.put_object(Bucket=bucket, Key="news/latest.json", Body=b"[]")
    s3.put_object(Bucket=bucket, Key="holiday/photo.jpg", Body=b"x")


def listener_on_our_balancer(env: Env) -> None:
    """Somebody's port on our load balancer."""
    arn = outputs(env, "load_balancer")["arn"]
    listener(env, arn, Protocol="HTTP", Port=8080)


def schedule_in_our_group(env: Env) -> None:
    """Somebody's schedule in our group."""
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
ROOT = {"service_linked_role"}
USES: list[tuple[Callable[[Env], None], set[str], bool]] = [
    (on_their_listener, {"target_group/news-bot"}, False),
    (
        certificate_elsewhere,
        {"certificate/example.jp", "validation_record/example.jp", "zone/example.jp"},
        False,
    ),
    (
        certificate_beside,
        {"certificate/example.jp", "validation_record/example.jp", "zone/example.jp"},
        False,
    ),
    (
        named_in_a_rule,
        {
            "bot_group/news-bot-bot",
            "bot_from_load_balancer/news-bot-bot",
            "load_balancer_group/news-bot-load-balancer",
            "https_from_anywhere/news-bot-load-balancer",
        },
        False,
    ),
    (
        interface_in_our_group,
        {
            "load_balancer_group/news-bot-load-balancer",
            "https_from_anywhere/news-bot-load-balancer",
        },
        False,
    ),
    (service_in_our_cluster, {"cluster/news-bot"}, False),
    (record_in_our_zone, {"zone/example.jp"}, True),
    (key_signing_key_of_our_zone, {"zone/example.jp"}, False),
    (object_in_our_bucket, {"news_bucket"}, True),
    (
        listener_on_our_balancer,
        {
            "load_balancer/news-bot",
            "target_group/news-bot",
            "load_balancer_group/news-bot-load-balancer",
            "https_from_anywhere/news-bot-load-balancer",
        },
        True,
    ),
    (schedule_in_our_group, {"schedule_group/news-bot"}, True),
]


@pytest.mark.parametrize(("use", "stays", "content"), USES, ids=[u[0].__name__ for u in USES])
def test_stays(env: Env, use: Callable[[Env], None], stays: set[str], content: bool) -> None:
    """It and what rests below it stay, everything else goes."""
    env.setup()
    use(env)
    env.clock.advance(60)
    found = env.engine().check_teardown(everything=True)
    assert {content} == {used.content for some in found.values() for used in some}
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    assert stays == set(gone.kept) - NETWORK - ROOT
    assert stays == set(StackFile(env.path).records) - NETWORK - ROOT


CONTENTS = [use for use, _stays, content in USES if content]


@pytest.mark.parametrize("use", CONTENTS, ids=[use.__name__ for use in CONTENTS])
def test_contents_go_when_they_are_let_go(env: Env, use: Callable[[Env], None]) -> None:
    """--contents: nothing is left."""
    env.setup()
    use(env)
    engine = env.engine()
    gone = engine.teardown(True, contents=list(engine.check_teardown(everything=True)))
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()


def test_nobody_uses_anything(env: Env) -> None:
    """A stack of which nobody else has anything, in a network of its own: nothing is shown."""
    env.set(network__vpc="new")
    env.setup()
    assert {} == env.engine().check_teardown(everything=True)


def test_deletion_protection(env: Env) -> None:
    """Somebody protected our load balancer: teardown was agreed to, so it is switched off."""
    env.setup()
    env.aws_session.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=outputs(env, "load_balancer")["arn"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}],
    )
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()


def test_machine_in_our_network(env: Env) -> None:
    """Somebody's machine in a VPC of ours: the whole network stays, and its way to the internet."""
    env.set(network__vpc="new")
    env.setup()
    ec2 = env.aws_session.client("ec2")
    ec2.create_network_interface(SubnetId=outputs(env, "subnet_1")["id"], Description="theirs")
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    networks = {"vpc": 1, "subnet": 3, "route table": 2, "association": 3, "internet gateway": 1}
    assert {**networks, "interface": 1} == env.inventory()


def test_policies_that_somebody_attached(env: Env) -> None:
    """DeleteRole refuses a role with policies: those that were added are let go, and stay themselves."""
    env.setup()
    iam = env.aws_session.client("iam")
    policy = iam.create_policy(PolicyName="theirs", PolicyDocument=POLICY)["Policy"]
    role = outputs(env, "task_role")["role_name"]
    iam.attach_role_policy(RoleName=role, PolicyArn=policy["Arn"])
    iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=POLICY)
    assert [] == env.teardown().left
    assert {} == env.inventory()
    assert ["theirs"] == [p["PolicyName"] for p in iam.list_policies(Scope="Local")["Policies"]]


def test_pause_leaves_a_load_balancer_that_others_added_to(env: Env) -> None:
    """It goes on costing, so it is said; the service is gone."""
    env.setup()
    listener_on_our_balancer(env)
    gone = env.engine().pause()
    assert "--contents" in gone.kept["load_balancer/news-bot"]
    assert "service/news-bot" in gone.deleted
    assert [] == env.teardown().errors


def test_bucket_that_was_replaced_stays_while_it_holds_news(env: Env) -> None:
    """Setup does not delete what was collected; empty, it would go; teardown --everything takes it."""
    env.setup()
    bucket = outputs(env, "news_bucket")["bucket"]
    env.aws_session.client("s3").put_object(Bucket=bucket, Key="news/latest.json", Body=b"[]")
    env.set(news__bucket="another-bucket")
    assert [] == env.setup().errors
    assert {**WHOLE, "bucket": 2, "task definition": 4} == env.inventory()
    assert {"news_bucket"} == set(env.engine().retained_orphans())
    assert [] == env.teardown(everything=True).left
    assert {} == env.inventory()


def test_zone_that_was_replaced_stays_while_it_holds_records_of_others(env: Env) -> None:
    """Another domain: the former one's zone has somebody's records."""
    env.setup()
    record_in_our_zone(env)
    env.set(domain="example.org")
    assert [] == env.setup().errors
    assert {**WHOLE, "zone": 2, "record": 3} == env.inventory()
