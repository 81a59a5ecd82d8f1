"""Accounts with foreign resources: setup and teardown change nothing of them."""

import json
from typing import Any

import pytest

from provision.engine.plan import plan
from provision.pricing import prices
from tests.provision.conftest import Env

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def describe_account(env: Env) -> dict[str, Any]:
    """Return everything in the account that a run could have changed, as each service describes it."""
    client = env.aws_session.client
    elbv2, ecs, route53 = client("elbv2"), client("ecs"), client("route53")
    balancers = elbv2.describe_load_balancers()["LoadBalancers"]
    zones = route53.list_hosted_zones()["HostedZones"]
    clusters = ecs.list_clusters()["clusterArns"]
    names = [p["Name"] for p in client("ssm").describe_parameters()["Parameters"]]
    return {
        "zones": zones,
        "records": [
            route53.list_resource_record_sets(HostedZoneId=z["Id"])["ResourceRecordSets"]
            for z in zones
        ],
        "certificates": client("acm").list_certificates()["CertificateSummaryList"],
        "groups": client("ec2").describe_security_groups()["SecurityGroups"],
        "vpcs": client("ec2").describe_vpcs()["Vpcs"],
        "subnets": client("ec2").describe_subnets()["Subnets"],
        "balancers": balancers,
        "listeners": [
            elbv2.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"])["Listeners"]
            for b in balancers
        ],
        "target groups": elbv2.describe_target_groups()["TargetGroups"],
        "parameters": [
            client("ssm").get_parameter(Name=n, WithDecryption=True)["Parameter"] for n in names
        ],
        "roles": [
            role
            for role in client("iam").list_roles()["Roles"]
            if not role["Path"].startswith("/aws-service-role/")
        ],
        "clusters": ecs.describe_clusters(clusters=clusters)["clusters"] if clusters else [],
        "log groups": client("logs").describe_log_groups()["logGroups"],
    }


def follow_the_article(env: Env) -> None:
    """Create what somebody has who followed the article by hand, with names like the article's."""
    client = env.aws_session.client
    zone = client("route53").create_hosted_zone(Name="example.jp", CallerReference="hand")
    env.sandbox.cloud.registrar.enter("example.jp", zone["DelegationSet"]["NameServers"])
    for name, value in (
        ("ACCESS_TOKEN", env.secrets.access_token),
        ("CHANNEL_SECRET", env.secrets.channel_secret),
    ):
        client("ssm").put_parameter(Name=name, Value=value, Type="SecureString")
    ec2, elbv2 = client("ec2"), client("elbv2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:3]
    group = ec2.create_security_group(GroupName="alb-sg", Description="by hand", VpcId=vpc)[
        "GroupId"
    ]
    balancer = elbv2.create_load_balancer(Name="line-alb", Subnets=subnets, SecurityGroups=[group])
    target = elbv2.create_target_group(
        Name="line-tg", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
    )
    alias = {
        "HostedZoneId": balancer["LoadBalancers"][0]["CanonicalHostedZoneId"],
        "DNSName": balancer["LoadBalancers"][0]["DNSName"],
        "EvaluateTargetHealth": False,
    }
    record = {"Name": "example.jp", "Type": "A", "AliasTarget": alias}
    client("route53").change_resource_record_sets(
        HostedZoneId=zone["HostedZone"]["Id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )
    client("iam").create_role(RoleName="ecsTaskExecutionRole", AssumeRolePolicyDocument=TRUST)
    client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    client("ecs").create_cluster(clusterName="line-cluster")
    client("acm").request_certificate(DomainName="example.jp", ValidationMethod="DNS")
    env.clock.advance(1)


def plan_errors(env: Env) -> list[str]:
    """Return the plan's errors."""
    engine = env.engine()
    return [
        r.what for r in plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1")).errors
    ]


def test_empty_account(env: Env) -> None:
    """It was empty, and is empty afterwards."""
    before = describe_account(env)
    env.setup()
    env.teardown(everything=True)
    assert before == describe_account(env)


def test_hand_made_stack_on_another_host(env: Env) -> None:
    """With its own host, our stack adopts zone and parameters; everything foreign stays."""
    follow_the_article(env)
    before = describe_account(env)
    env.set(host="bot.example.jp")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert 1 == len(env.sandbox.line.send("help", "U" + "1" * 32)["reply"])
    result = env.teardown(everything=True)
    assert [] == result.left
    assert {
        "zone/example.jp",
        "access_token/ACCESS_TOKEN",
        "channel_secret/CHANNEL_SECRET",
        "network/default",
        "service_linked_role",
    } == set(result.kept)
    assert before == describe_account(env)


def test_hand_made_stack_on_the_same_host(env: Env) -> None:
    """Their A record points at their load balancer: setup reports it, and changes nothing of it.

    ACM requires the same record for both certificates, so ours stays where theirs needs it.
    """
    follow_the_article(env)
    before = describe_account(env)["records"]
    assert ["Could not create alias/example.jp."] == plan_errors(env)
    outcome = env.setup(wait=0)
    assert ["Could not create alias/example.jp."] == [r.what for r in outcome.errors]
    result = env.teardown(everything=True)
    assert "validation_record/example.jp" in result.kept
    after = describe_account(env)["records"]
    assert ["CNAME"] == [r["Type"] for r in after[0] if r not in before[0]]
    assert before[0] == [r for r in after[0] if r["Type"] != "CNAME"]


CONFLICTS = {
    "load_balancer": lambda c, vpc, subnets: c("elbv2").create_load_balancer(
        Name="news-bot", Subnets=subnets
    ),
    "target_group": lambda c, vpc, subnets: c("elbv2").create_target_group(
        Name="news-bot", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    ),
    "bot_group": lambda c, vpc, subnets: c("ec2").create_security_group(
        GroupName="news-bot-bot", Description="x", VpcId=vpc
    ),
    "log_group": lambda c, vpc, subnets: c("logs").create_log_group(logGroupName="/ecs/news-bot"),
    "task_role": lambda c, vpc, subnets: c("iam").create_role(
        RoleName="news-bot-task-ap-northeast-1", AssumeRolePolicyDocument=TRUST
    ),
    "task_definition": lambda c, vpc, subnets: c("ecs").register_task_definition(
        family="news-bot", containerDefinitions=[{"name": "x", "image": "x", "memory": 128}]
    ),
}


@pytest.mark.sample(2)
@pytest.mark.parametrize("line", CONFLICTS)
def test_name_conflict_is_in_the_plan(env: Env, line: str) -> None:
    """The plan reports it, and teardown leaves it unchanged."""
    ec2 = env.aws_session.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:3]
    CONFLICTS[line](env.aws_session.client, vpc, subnets)
    before = describe_account(env)
    assert [f"Could not create {line}/"] == [
        what.partition("/")[0] + "/" for what in plan_errors(env)
    ]
    env.setup(wait=0)
    env.teardown(everything=True)
    after = describe_account(env)
    assert before == after
