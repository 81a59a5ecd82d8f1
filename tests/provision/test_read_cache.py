"""Clients that ask AWS each question once."""

import pytest
from botocore.exceptions import ClientError

from provision.engine.read_cache import ReadCache, cached_reads
from provision.resources.security_group import SecurityGroup
from tests.provision.conftest import Env


def test_only_the_door_to_aws_is_another(env: Env) -> None:
    """What stands in for a registry, a resolver or LINE stands in for those who look, too."""
    clients = env.clients()
    told = cached_reads(clients)
    assert isinstance(told.aws, ReadCache)
    assert (clients.dns, clients.line) == (told.dns, told.line)
    assert (clients.registries, clients.index) == (told.registries, told.index)
    assert cached_reads(told) is told


def test_a_question_is_asked_once(env: Env) -> None:
    """And each gets an answer of its own, which it may change."""
    ecs = cached_reads(env.clients()).aws.ecs
    env.aws_session.calls.clear()
    ecs.list_clusters()["clusterArns"].append("changed")
    assert [] == ecs.list_clusters()["clusterArns"]
    assert ["ListClusters"] == env.aws_session.calls


def test_asked_together(env: Env) -> None:
    """Two groups that are expected are one call; one that is not is another; each gets its own answer."""
    ec2 = env.aws_session.client("ec2")
    ids = [ec2.create_security_group(GroupName=name, Description="x")["GroupId"] for name in "abc"]
    assert SecurityGroup.batch
    aws = cached_reads(env.clients(), [(SecurityGroup.batch, id) for id in ids[:2]]).aws
    env.aws_session.calls.clear()
    told = [aws.ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"] for id in ids]
    assert [["a"], ["b"], ["c"]] == [[group["GroupName"] for group in groups] for groups in told]
    assert 2 == len(env.aws_session.calls)


def test_asked_alone_where_one_is_gone(env: Env) -> None:
    """EC2 answers for all or for none: the one that is there is found all the same."""
    ec2 = env.aws_session.client("ec2")
    kept, gone = (
        ec2.create_security_group(GroupName=name, Description="x")["GroupId"] for name in "ab"
    )
    ec2.delete_security_group(GroupId=gone)
    assert SecurityGroup.batch
    aws = cached_reads(env.clients(), [(SecurityGroup.batch, id) for id in (kept, gone)]).aws
    env.aws_session.calls.clear()
    (group,) = aws.ec2.describe_security_groups(GroupIds=[kept])["SecurityGroups"]
    assert kept == group["GroupId"]
    with pytest.raises(ClientError, match=r"InvalidGroup.NotFound"):
        aws.ec2.describe_security_groups(GroupIds=[gone])
    assert 3 == len(env.aws_session.calls)


def test_pages_are_read_once(env: Env) -> None:
    """All pages are read by the first caller; each caller gets pages of its own."""
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
