"""Read-after-write lag: recent changes are not visible yet."""

from typing import Any

import pytest

from tests.sandbox.conftest import REGION, Account
from tests.sandbox.control_client import control, control_error

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}'
)


@pytest.fixture(autouse=True)
def lagging(account: Account) -> None:
    """Return an account in which every service lags by ten seconds."""
    control(account, "POST", "lag", {"seconds": 10})


def group(account: Account, name: str = "bot") -> str:
    """Create a security group; return its id."""
    made = account.client("ec2").create_security_group(GroupName=name, Description="bot")
    return str(made["GroupId"])


@pytest.mark.behaviour("ec2.read-after-write")
def test_new_group_is_not_found_at_first(account: Account) -> None:
    """It cannot be described, listed, changed or deleted until the lag is over."""
    ec2 = account.client("ec2")
    made = group(account)
    expected = ("InvalidGroup.NotFound", 400, f"The security group '{made}' does not exist")
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    anywhere = [{**rule, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    assert expected == account.refusal(ec2.describe_security_groups, GroupIds=[made])
    assert expected == account.refusal(
        ec2.authorize_security_group_ingress, GroupId=made, IpPermissions=anywhere
    )
    assert expected == account.refusal(ec2.delete_security_group, GroupId=made)
    by_name = [{"Name": "group-name", "Values": ["bot"]}]
    assert [] == ec2.describe_security_groups(Filters=by_name)["SecurityGroups"]
    account.clock.advance(10)
    assert 1 == len(ec2.describe_security_groups(Filters=by_name)["SecurityGroups"])
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=anywhere)


@pytest.mark.behaviour("ec2.stale-answer")
def test_change_is_not_seen_at_first(account: Account) -> None:
    """A read gives the state before the change; later the current one."""
    ec2 = account.client("ec2")
    made = group(account)
    account.clock.advance(10)

    def tags() -> list[dict[str, str]]:
        found = ec2.describe_security_groups(GroupIds=[made])["SecurityGroups"][0]
        return list(found.get("Tags", []))

    assert [] == tags()
    ec2.create_tags(Resources=[made], Tags=[{"Key": "a", "Value": "1"}])
    account.clock.advance(5)
    ec2.create_tags(Resources=[made], Tags=[{"Key": "a", "Value": "2"}])
    assert [] == tags()
    account.clock.advance(5)  # ten after the first change, five after the second
    assert [{"Key": "a", "Value": "2"}] == tags()  # nobody asked in between: nothing is remembered
    ec2.create_tags(Resources=[made], Tags=[{"Key": "a", "Value": "3"}])
    account.clock.advance(9)
    assert [{"Key": "a", "Value": "2"}] == tags()
    account.clock.advance(1)
    assert [{"Key": "a", "Value": "3"}] == tags()


@pytest.mark.behaviour("iam.read-after-write")
def test_new_role_is_not_found_at_first(account: Account) -> None:
    """GetRole and PutRolePolicy: NoSuchEntity; another role with that policy name is unaffected."""
    iam = account.client("iam")
    iam.create_role(RoleName="bot", AssumeRolePolicyDocument=TRUST)
    expected = ("NoSuchEntity", 404, "The role with name bot cannot be found.")
    assert expected == account.refusal(iam.get_role, RoleName="bot")
    policy = {"PolicyName": "bot", "PolicyDocument": TRUST.replace("sts:AssumeRole", "s3:*")}
    assert expected == account.refusal(iam.put_role_policy, RoleName="bot", **policy)
    assert "bot" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]
    account.clock.advance(10)
    assert "bot" == iam.get_role(RoleName="bot")["Role"]["RoleName"]


@pytest.mark.behaviour("iam.deleted-still-shown")
def test_deleted_role_is_shown_for_a_while(account: Account) -> None:
    """GetRole answers as before the deletion."""
    iam = account.client("iam")
    iam.create_role(RoleName="bot", AssumeRolePolicyDocument=TRUST)
    account.clock.advance(10)
    iam.get_role(RoleName="bot")
    iam.delete_role(RoleName="bot")
    assert "bot" == iam.get_role(RoleName="bot")["Role"]["RoleName"]
    account.clock.advance(10)
    assert "NoSuchEntity" == account.refusal(iam.get_role, RoleName="bot")[0]


@pytest.mark.behaviour("elbv2.read-after-write")
def test_new_load_balancer_is_not_found_at_first(account: Account) -> None:
    """By ARN and by name; a target group of the same name is unaffected."""
    elbv2 = account.client("elbv2")
    arn = account.load_balancer("bot")["LoadBalancerArn"]
    expected = ("LoadBalancerNotFound", 400, "One or more load balancers not found")
    assert expected == account.refusal(elbv2.describe_load_balancers, Names=["bot"])
    assert expected == account.refusal(elbv2.describe_listeners, LoadBalancerArn=arn)
    assert [] == elbv2.describe_load_balancers()["LoadBalancers"]
    account.target_group("bot")
    refused = account.refusal(elbv2.describe_target_groups, Names=["bot"])
    assert "TargetGroupNotFound" == refused[0]
    account.clock.advance(10)
    assert 1 == len(elbv2.describe_load_balancers(Names=["bot"])["LoadBalancers"])


@pytest.mark.behaviour("ecs.read-after-write")
def test_new_cluster_is_missing_at_first(account: Account) -> None:
    """DescribeClusters says MISSING, other calls ClusterNotFoundException."""
    account.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    account.clock.advance(10)
    ecs = account.client("ecs")
    arn = ecs.create_cluster(clusterName="bot")["cluster"]["clusterArn"]
    answer = ecs.describe_clusters(clusters=["bot"])
    missing = [{"arn": arn, "reason": "MISSING"}]
    assert ([], missing) == (answer["clusters"], answer["failures"])
    assert [] == ecs.list_clusters()["clusterArns"]
    refused = account.refusal(ecs.list_services, cluster="bot")
    assert ("ClusterNotFoundException", 400, "Cluster not found.") == refused
    account.clock.advance(10)
    assert [arn] == ecs.list_clusters()["clusterArns"]


def make(account: Account, service: str) -> tuple[Any, dict[str, Any], list[Any]]:
    """Create one resource; return how to read it, and what a list shows of its kind."""
    client = account.client(service)
    if service == "acm":
        arn = client.request_certificate(DomainName="example.jp")["CertificateArn"]
        shown = client.list_certificates()["CertificateSummaryList"]
        return client.describe_certificate, {"CertificateArn": arn}, shown
    if service == "logs":
        client.create_log_group(logGroupName="/bot")
        shown = client.describe_log_groups()["logGroups"]
        return client.put_retention_policy, {"logGroupName": "/bot", "retentionInDays": 1}, shown
    if service == "route53":
        zone = account.hosted_zone()["HostedZone"]["Id"]
        shown = client.list_hosted_zones()["HostedZones"]
        return client.get_hosted_zone, {"Id": zone.rpartition("/")[2]}, shown
    if service == "ssm":
        client.put_parameter(Name="A", Value="b", Type="String")
        return client.get_parameter, {"Name": "A"}, client.describe_parameters()["Parameters"]
    if service == "ecr":
        client.create_repository(repositoryName="bot")
        shown = client.describe_repositories()["repositories"]
        return client.describe_repositories, {"repositoryNames": ["bot"]}, shown
    if service == "scheduler":
        client.create_schedule_group(Name="bot")
        groups = client.list_schedule_groups()["ScheduleGroups"]
        shown = [one for one in groups if one["Name"] != "default"]
        return client.get_schedule_group, {"Name": "bot"}, shown
    client.create_bucket(Bucket="bot", CreateBucketConfiguration={"LocationConstraint": REGION})
    return client.get_bucket_location, {"Bucket": "bot"}, client.list_buckets()["Buckets"]


@pytest.mark.behaviour("acm.read-after-write", "logs.read-after-write")
@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("acm", "ResourceNotFoundException"),
        ("logs", "ResourceNotFoundException"),
        ("route53", "NoSuchHostedZone"),
        ("ssm", "ParameterNotFound"),
        ("ecr", "RepositoryNotFoundException"),
        ("scheduler", "ResourceNotFoundException"),
        ("s3", "NoSuchBucket"),
    ],
)
def test_every_service_can_lag(account: Account, service: str, code: str) -> None:
    """The new resource is not found, with the service's own error, and not listed; later it is."""
    ask, parameters, shown = make(account, service)
    assert [] == shown
    assert code == account.refusal(ask, **parameters)[0]
    account.clock.advance(10)
    ask(**parameters)


@pytest.mark.behaviour("s3.deleted-bucket-still-listed")
def test_deleted_bucket_is_still_listed(account: Account) -> None:
    """Buckets lag, objects do not."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="bot", CreateBucketConfiguration={"LocationConstraint": REGION})
    account.clock.advance(10)
    s3.put_object(Bucket="bot", Key="a", Body=b"1")
    s3.put_object(Bucket="bot", Key="a", Body=b"2")
    assert b"2" == s3.get_object(Bucket="bot", Key="a")["Body"].read()
    assert 1 == len(s3.list_buckets()["Buckets"])
    s3.delete_object(Bucket="bot", Key="a")
    assert 0 == s3.list_objects_v2(Bucket="bot")["KeyCount"]
    s3.delete_bucket(Bucket="bot")
    assert ["bot"] == [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    account.clock.advance(10)
    assert [] == s3.list_buckets()["Buckets"]


def test_lag_is_switched_by_service(account: Account) -> None:
    """Only the named services change; 0 ends the lag; a service without lag is rejected."""
    services = control(account, "POST", "lag", {"seconds": 0})
    assert {} == services
    assert {"iam": 3} == control(account, "POST", "lag", {"seconds": 3, "services": ["iam"]})
    ec2 = account.client("ec2")
    ec2.describe_security_groups(GroupIds=[group(account)])
    status, words = control_error(account, "POST", "lag", {"seconds": 3, "services": ["ecx"]})
    assert (400, True) == (status, words.startswith("services are among acm, ec2"))
    refused = control_error(account, "POST", "lag", {"seconds": 3, "services": 1})
    assert (400, "services is a list, not 1") == refused
    assert (
        "seconds is a number from 0 up, not -1"
        == control_error(account, "POST", "lag", {"seconds": -1})[1]
    )
    control(account, "POST", "reset")
    assert {} == account.cloud.lag.seconds


def test_lag_comes_with_the_delays(account: Account) -> None:
    """`Delays.lag` is by service, or one for all; a reset returns to it."""
    account.cloud.delays.lag = {"ssm": 4}
    control(account, "POST", "reset")
    assert {"ssm": 4} == account.cloud.lag.seconds
    account.cloud.delays.lag = 2
    control(account, "POST", "reset")
    assert {2} == set(account.cloud.lag.seconds.values())
    assert {"ec2", "iam", "s3"} < set(account.cloud.lag.seconds)
