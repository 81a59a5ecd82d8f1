"""The read cache: clients that send each read request to AWS once."""

import pytest
from botocore.exceptions import ClientError

from provision.engine.read_cache import ReadCache, cached_reads
from provision.resources.security_group import SecurityGroup
from tests.provision.conftest import Env

ROLE = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"Service":"ecs-tasks.amazonaws.com"}}]}'
)


def test_only_the_aws_client_is_replaced(env: Env) -> None:
    """Fake registries, resolvers and LINE clients are kept."""
    clients = env.clients()
    cached = cached_reads(clients)
    assert isinstance(cached.aws, ReadCache)
    assert (clients.dns, clients.line) == (cached.dns, cached.line)
    assert (clients.registries, clients.index) == (cached.registries, cached.index)
    assert cached_reads(cached) is cached


def test_request_is_sent_once(env: Env) -> None:
    """Each caller gets its own copy of the response, which it may change."""
    ecs = cached_reads(env.clients()).aws.ecs
    env.aws_session.calls.clear()
    ecs.list_clusters()["clusterArns"].append("changed")
    assert [] == ecs.list_clusters()["clusterArns"]
    assert ["ListClusters"] == env.aws_session.calls


def test_error_is_not_kept(env: Env) -> None:
    """The same request is sent again after one that AWS refused."""
    iam = cached_reads(env.clients()).aws.iam
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="late")
    env.aws_session.client("iam").create_role(RoleName="late", AssumeRolePolicyDocument=ROLE)
    assert "late" == iam.get_role(RoleName="late")["Role"]["RoleName"]


def test_expected_requests_are_batched(env: Env) -> None:
    """Two expected groups are one call, an unexpected one is another; each caller gets its own response."""
    ec2 = env.aws_session.client("ec2")
    ids = [ec2.create_security_group(GroupName=name, Description="x")["GroupId"] for name in "abc"]
    assert SecurityGroup.batch
    aws = cached_reads(env.clients(), [(SecurityGroup.batch, id) for id in ids[:2]]).aws
    env.aws_session.calls.clear()
    cached = [aws.ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"] for id in ids]
    assert [["a"], ["b"], ["c"]] == [[group["GroupName"] for group in groups] for groups in cached]
    assert 2 == len(env.aws_session.calls)


def test_batch_with_a_missing_id_is_sent_one_by_one(env: Env) -> None:
    """EC2 answers for all ids or for none: the group that exists is still found."""
    ec2 = env.aws_session.client("ec2")
    existing, deleted = (
        ec2.create_security_group(GroupName=name, Description="x")["GroupId"] for name in "ab"
    )
    ec2.delete_security_group(GroupId=deleted)
    assert SecurityGroup.batch
    aws = cached_reads(env.clients(), [(SecurityGroup.batch, id) for id in (existing, deleted)]).aws
    env.aws_session.calls.clear()
    (group,) = aws.ec2.describe_security_groups(GroupIds=[existing])["SecurityGroups"]
    assert existing == group["GroupId"]
    with pytest.raises(ClientError, match=r"InvalidGroup.NotFound"):
        aws.ec2.describe_security_groups(GroupIds=[deleted])
    assert 3 == len(env.aws_session.calls)


def test_pages_are_read_once(env: Env) -> None:
    """The first caller reads all pages; each caller gets its own copies."""
    route53 = env.aws_session.client("route53")
    made = route53.create_hosted_zone(Name="example.jp", CallerReference="x")["HostedZone"]
    records = cached_reads(env.clients()).aws.route53.get_paginator("list_resource_record_sets")
    asked = {"HostedZoneId": made["Id"], "PaginationConfig": {"PageSize": 1}}
    env.aws_session.calls.clear()
    for page in records.paginate(**asked):
        page["ResourceRecordSets"][0]["Type"] = "changed"
    again = records.paginate(**asked)
    assert ["NS", "SOA"] == [page["ResourceRecordSets"][0]["Type"] for page in again]
    assert ["ListResourceRecordSets"] * 2 == env.aws_session.calls
