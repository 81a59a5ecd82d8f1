"""The article, statement by statement, checked in the emulated account after a setup.

docs/article.md is the table of these tests; its numbers are the article's sections.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.provision.conftest import Env

TABLE = Path(__file__).parents[2] / "docs" / "article.md"
USER = "U" + "1" * 32


@pytest.fixture
def env(shared_env: Env) -> Env:
    """Return the stack that these tests share."""
    return shared_env


def policy(env: Env, role: str) -> dict[str, Any]:
    """Return the statements of a role's inline policies, by Sid."""
    iam = env.aws_session.client("iam")
    name = f"news-bot-{role}-ap-northeast-1"
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]
        for one in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    return {s["Sid"]: s for document in documents for s in document["Statement"]}


def group(env: Env, name: str) -> dict[str, Any]:
    """Return a security group by its name."""
    filters = [{"Name": "group-name", "Values": [name]}]
    (found,) = env.aws_session.client("ec2").describe_security_groups(Filters=filters)[
        "SecurityGroups"
    ]
    return dict(found)


def load_balancer(env: Env) -> dict[str, Any]:
    """Return the only load balancer."""
    (found,) = env.aws_session.client("elbv2").describe_load_balancers()["LoadBalancers"]
    return dict(found)


def target_group(env: Env) -> dict[str, Any]:
    """Return the only target group."""
    (found,) = env.aws_session.client("elbv2").describe_target_groups()["TargetGroups"]
    return dict(found)


def certificate(env: Env) -> dict[str, Any]:
    """Return the only certificate."""
    acm = env.aws_session.client("acm")
    (found,) = acm.list_certificates()["CertificateSummaryList"]
    return dict(acm.describe_certificate(CertificateArn=found["CertificateArn"])["Certificate"])


def records(env: Env, kind: str) -> dict[str, dict[str, Any]]:
    """Return the zone's record sets of one type, by name."""
    route53 = env.aws_session.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    found = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return {record["Name"]: record for record in found if record["Type"] == kind}


def definition(env: Env) -> dict[str, Any]:
    """Return the task definition."""
    answer = env.aws_session.client("ecs").describe_task_definition(taskDefinition="news-bot")
    return dict(answer["taskDefinition"])


def service(env: Env) -> dict[str, Any]:
    """Return the service."""
    ecs = env.aws_session.client("ecs")
    return dict(ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0])


def default_vpc(env: Env) -> str:
    """Return the default VPC's id."""
    filters = [{"Name": "isDefault", "Values": ["true"]}]
    return str(env.aws_session.client("ec2").describe_vpcs(Filters=filters)["Vpcs"][0]["VpcId"])


def test_1_webhook(env: Env) -> None:
    """A message makes LINE send an HTTPS request to scheme, domain and path; the bot answers."""
    assert "https://example.jp/webhook" == env.sandbox.line.endpoint
    message = env.sandbox.line.send("help", USER)
    assert (200, True) == (message["status"], bool(message["reply"]))


def test_2_target_group(env: Env) -> None:
    """It has IP targets, the VPC, the container's port, and is filled by ECS."""
    found = target_group(env)
    assert ("ip", "HTTP", 8080) == (found["TargetType"], found["Protocol"], found["Port"])
    assert default_vpc(env) == found["VpcId"]
    health = env.aws_session.client("elbv2").describe_target_health(
        TargetGroupArn=found["TargetGroupArn"]
    )["TargetHealthDescriptions"]
    tasks = [task for task in env.sandbox.cloud.ecs.tasks if task.service and task.running]
    assert [(task.ip, 8080) for task in tasks] == [
        (target["Target"]["Id"], target["Target"]["Port"]) for target in health
    ]


def test_3_security_group_of_the_load_balancer(env: Env) -> None:
    """It allows HTTPS from everywhere, and nothing else."""
    found = group(env, "news-bot-load-balancer")
    (rule,) = found["IpPermissions"]
    assert ("tcp", 443, 443) == (rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
    assert ["0.0.0.0/0"] == [source["CidrIp"] for source in rule["IpRanges"]]
    assert [found["GroupId"]] == load_balancer(env)["SecurityGroups"]


def test_4_listener(env: Env) -> None:
    """HTTPS 443 has the certificate; it forwards LINE's webhooks to the target group, and nothing else."""
    elbv2 = env.aws_session.client("elbv2")
    listeners = elbv2.describe_listeners(LoadBalancerArn=load_balancer(env)["LoadBalancerArn"])[
        "Listeners"
    ]
    (https,) = [listener for listener in listeners if listener["Protocol"] == "HTTPS"]
    assert 443 == https["Port"]
    (nothing,) = https["DefaultActions"]
    assert ("fixed-response", "404") == (
        nothing["Type"],
        nothing["FixedResponseConfig"]["StatusCode"],
    )
    rules = elbv2.describe_rules(ListenerArn=https["ListenerArn"])["Rules"]
    (rule,) = [rule for rule in rules if not rule["IsDefault"]]
    (action,) = rule["Actions"]
    assert "forward" == action["Type"]
    assert target_group(env)["TargetGroupArn"] == action["TargetGroupArn"]
    assert {
        "host-header": ["example.jp"],
        "http-request-method": ["POST"],
        "path-pattern": ["/webhook"],
    } == {
        c["Field"]: next(v for k, v in c.items() if k != "Field")["Values"]
        for c in rule["Conditions"]
    }
    assert certificate(env)["CertificateArn"] == https["Certificates"][0]["CertificateArn"]


def test_5_hosted_zone(env: Env) -> None:
    """A public zone of the domain; the registrar has exactly its four name servers."""
    route53 = env.aws_session.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    assert ("example.jp.", False) == (zone["Name"], zone["Config"]["PrivateZone"])
    servers = route53.get_hosted_zone(Id=zone["Id"])["DelegationSet"]["NameServers"]
    assert 4 == len(servers)
    named = env.sandbox.cloud.registrar.name_servers("example.jp")
    assert sorted(servers) == sorted(named)


def test_6_alias(env: Env) -> None:
    """An A record of type alias points the domain at the load balancer."""
    alias = records(env, "A")["example.jp."]["AliasTarget"]
    balancer = load_balancer(env)
    assert balancer["CanonicalHostedZoneId"] == alias["HostedZoneId"]
    assert alias["DNSName"].rstrip(".").lower().endswith(balancer["DNSName"].lower())


def test_7_certificate(env: Env) -> None:
    """Public, for the domain, validated by the CNAME in the zone, issued, used by the listener."""
    found = certificate(env)
    assert ("example.jp", "ISSUED") == (found["DomainName"], found["Status"])
    (option,) = found["DomainValidationOptions"]
    assert "DNS" == option["ValidationMethod"]
    record = records(env, "CNAME")[option["ResourceRecord"]["Name"]]
    assert option["ResourceRecord"]["Value"] == record["ResourceRecords"][0]["Value"]


def test_8_task_definition(env: Env) -> None:
    """Fargate, Linux/X86_64, .25 vCPU, 2 GB, the image, the container's port over HTTP."""
    found = definition(env)
    assert ["FARGATE"] == found["requiresCompatibilities"]
    assert {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"} == found[
        "runtimePlatform"
    ]
    assert ("256", "2048") == (found["cpu"], found["memory"])
    (container,) = found["containerDefinitions"]
    assert "example.jp/bot:1" == container["image"]
    (port,) = container["portMappings"]
    assert (8080, "http") == (port["containerPort"], port["appProtocol"])


def test_8_two_roles(env: Env) -> None:
    """One starts the task, one is the bot's own; only ECS tasks may assume them."""
    found = definition(env)
    assert found["executionRoleArn"] != found["taskRoleArn"]
    for key in ("executionRoleArn", "taskRoleArn"):
        name = found[key].rpartition("/")[2]
        role = env.aws_session.client("iam").get_role(RoleName=name)["Role"]
        (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert {"Service": "ecs-tasks.amazonaws.com"} == trusted["Principal"]


def test_8_repository(env: Env) -> None:
    """An ECR repository that scans, keeps the newest hundred, and is all that ECS may pull from."""
    ecr = env.aws_session.client("ecr")
    (found,) = ecr.describe_repositories()["repositories"]
    assert found["imageScanningConfiguration"]["scanOnPush"]
    text = ecr.get_lifecycle_policy(repositoryName="news-bot")["lifecyclePolicyText"]
    assert 100 == json.loads(text)["rules"][0]["selection"]["countNumber"]
    statements = policy(env, "execution")
    assert [found["repositoryArn"]] == statements["PullTheImage"]["Resource"]
    assert "ecr:GetAuthorizationToken" == statements["SignInToTheRegistry"]["Action"]


def test_8_cluster(env: Env) -> None:
    """A cluster for Fargate and Fargate Spot."""
    (found,) = env.aws_session.client("ecs").describe_clusters(clusters=["news-bot"])["clusters"]
    assert {"FARGATE", "FARGATE_SPOT"} == set(found["capacityProviders"])


def test_9_parameters(env: Env) -> None:
    """The bot may read ACCESS_TOKEN and CHANNEL_SECRET with the two actions, and no other parameter."""
    secrets = policy(env, "task")["ReadTheSecrets"]
    assert ["ssm:GetParameter", "ssm:GetParameters"] == sorted(secrets["Action"])
    arn = "arn:aws:ssm:ap-northeast-1:123456789012:parameter/"
    assert [f"{arn}ACCESS_TOKEN", f"{arn}CHANNEL_SECRET"] == sorted(secrets["Resource"])
    ssm = env.aws_session.client("ssm")
    kinds = {p["Name"]: p["Type"] for p in ssm.describe_parameters()["Parameters"]}
    assert {"ACCESS_TOKEN": "SecureString", "CHANNEL_SECRET": "SecureString"} == kinds


def test_9_bucket(env: Env) -> None:
    """The bot may read and list news/ in its bucket, and write nothing."""
    (bucket,) = env.aws_session.client("s3").list_buckets()["Buckets"]
    statements = policy(env, "task")
    assert {"ReadTheSecrets", "ReadTheNews", "ListTheNews"} == set(statements)
    read, lists = statements["ReadTheNews"], statements["ListTheNews"]
    assert ("s3:GetObject", "s3:ListBucket") == (read["Action"], lists["Action"])
    arn = f"arn:aws:s3:::{bucket['Name']}"
    assert (f"{arn}/news/*", arn) == (read["Resource"], lists["Resource"])
    assert {"StringLike": {"s3:prefix": "news/*"}} == lists["Condition"]


def test_10_service(env: Env) -> None:
    """FARGATE_SPOT base 0 weight 1, one task, three public subnets of the VPC, the target group."""
    found = service(env)
    (provider,) = found["capacityProviderStrategy"]
    assert {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 1} == provider
    assert (1, 1) == (found["desiredCount"], found["runningCount"])
    (balancer,) = found["loadBalancers"]
    assert target_group(env)["TargetGroupArn"] == balancer["targetGroupArn"]
    assert 8080 == balancer["containerPort"]
    subnets = found["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    shown = env.aws_session.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    assert {default_vpc(env)} == {subnet["VpcId"] for subnet in shown}
    assert 3 == len({subnet["AvailabilityZone"] for subnet in shown})


def test_10_only_the_load_balancer_reaches_the_bot(env: Env) -> None:
    """The service's security group allows the container's port, from the load balancer's group only."""
    bot = group(env, "news-bot-bot")
    given = service(env)["networkConfiguration"]["awsvpcConfiguration"]
    assert [bot["GroupId"]] == given["securityGroups"]
    (rule,) = bot["IpPermissions"]
    assert (8080, 8080, []) == (rule["FromPort"], rule["ToPort"], rule["IpRanges"])
    sources = [pair["GroupId"] for pair in rule["UserIdGroupPairs"]]
    assert [group(env, "news-bot-load-balancer")["GroupId"]] == sources


def test_10_a_task_that_ends_is_started_again(env: Env) -> None:
    """ECS replaces a task that ends."""
    (first,) = [task for task in env.sandbox.cloud.ecs.tasks if task.service and task.running]
    env.aws_session.client("ecs").stop_task(cluster="news-bot", task=first.arn)
    env.clock.advance(300)
    (second,) = [task for task in env.sandbox.cloud.ecs.tasks if task.running]
    assert first.arn != second.arn


def test_11_start_and_stop(env: Env) -> None:
    """Saturdays and Sundays, start at 08:00 and stop at 09:00 in Tokyo, setting the desired count.

    test_schedule.py checks that the service follows them for a week.
    """
    scheduler = env.aws_session.client("scheduler")
    for name, hour, count in (("start", 8, 1), ("stop", 9, 0)):
        found = scheduler.get_schedule(GroupName="news-bot", Name=name)
        assert f"cron(0 {hour} ? * SAT,SUN *)" == found["ScheduleExpression"]
        assert "Asia/Tokyo" == found["ScheduleExpressionTimezone"]
        assert {"Mode": "OFF"} == found["FlexibleTimeWindow"]
        assert "arn:aws:scheduler:::aws-sdk:ecs:updateService" == found["Target"]["Arn"]
        given = json.loads(found["Target"]["Input"])
        assert (service(env)["serviceArn"], count) == (given["Service"], given["DesiredCount"])
    statement = policy(env, "scheduler")["StartAndStopTheBot"]
    assert ("ecs:UpdateService", service(env)["serviceArn"]) == (
        statement["Action"],
        statement["Resource"],
    )


def test_table_lists_existing_tests() -> None:
    """The table has sections 1 to 11, each with an existing test."""
    rows = re.findall(r"^\| (\d+) \|.*\| `(\w+\.py)::(\w+)` \|$", TABLE.read_text("utf-8"), re.M)
    assert {str(number) for number in range(1, 12)} == {number for number, _file, _test in rows}
    here = Path(__file__).parent
    missing = [
        test
        for _number, file, test in rows
        if f"def {test}(" not in (here / file).read_text(encoding="utf-8")
    ]
    assert [] == missing
    own = re.findall(r"^def (test_\d+\w*)\(", Path(__file__).read_text("utf-8"), re.M)
    assert set(own) <= {test for _number, _file, test in rows}
