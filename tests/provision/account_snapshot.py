"""A snapshot of an account as each service describes it, with tags, to show that nothing changed."""

import json
from collections.abc import Callable
from typing import Any

from tests.provision.conftest import Env

VOLATILE = ("ResponseMetadata", "lastEvaluatedAt", "RoleLastUsed", "events", "deployments")


def snapshot(env: Env) -> dict[str, Any]:
    """Return every description by ARN, id or name, including what AWS itself put there."""
    client = env.aws_session.client
    found: dict[str, Any] = {}
    for part in (_domain, _network, _load_balancing, _containers, _storage, _iam, _schedules):
        found.update(part(client))
    found["webhook"] = env.clients().line.endpoint()
    return dict(json.loads(json.dumps(found, default=str, sort_keys=True)))


def _domain(client: Callable[[str], Any]) -> dict[str, Any]:
    route53, acm, found = client("route53"), client("acm"), {}
    for zone in route53.list_hosted_zones()["HostedZones"]:
        id = zone["Id"].rpartition("/")[2]
        tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=id)
        records = route53.list_resource_record_sets(HostedZoneId=id)["ResourceRecordSets"]
        bare = {k: v for k, v in zone.items() if k != "ResourceRecordSetCount"}
        found[id] = {**bare, "tags": tags["ResourceTagSet"]}
        found.update({f"{id} {r['Name']} {r['Type']}": r for r in records})
    for summary in acm.list_certificates()["CertificateSummaryList"]:
        arn = summary["CertificateArn"]
        described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        found[arn] = [described, acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]]
    return found


def _network(client: Callable[[str], Any]) -> dict[str, Any]:
    ec2 = client("ec2")
    lists = (
        (ec2.describe_vpcs, "Vpcs", "VpcId"),
        (ec2.describe_subnets, "Subnets", "SubnetId"),
        (ec2.describe_route_tables, "RouteTables", "RouteTableId"),
        (ec2.describe_internet_gateways, "InternetGateways", "InternetGatewayId"),
        (ec2.describe_security_groups, "SecurityGroups", "GroupId"),
        (ec2.describe_security_group_rules, "SecurityGroupRules", "SecurityGroupRuleId"),
    )
    found = {one[id]: one for ask, name, id in lists for one in ask()[name]}
    for one in found.values():
        one.pop("AvailableIpAddressCount", None)  # of a subnet: what stands in it takes some
    return found


def _load_balancing(client: Callable[[str], Any]) -> dict[str, Any]:
    elbv2, found = client("elbv2"), {}
    for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
        arn = balancer["LoadBalancerArn"]
        found[arn] = [balancer, elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)]
        for listener in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
            found[listener["ListenerArn"]] = [listener]
            for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
                found[rule["RuleArn"]] = [rule]
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        arn = group["TargetGroupArn"]
        found[arn] = [group, elbv2.describe_target_group_attributes(TargetGroupArn=arn)]
    for arn, described in found.items():
        described.append(elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"])
    return _without_volatile(found)


def _containers(client: Callable[[str], Any]) -> dict[str, Any]:
    ecs, found = client("ecs"), {}
    for arn in ecs.list_clusters()["clusterArns"]:
        found[arn] = ecs.describe_clusters(clusters=[arn], include=["TAGS"])["clusters"]
        for service in ecs.list_services(cluster=arn)["serviceArns"]:
            described = ecs.describe_services(cluster=arn, services=[service], include=["TAGS"])
            found[service] = described["services"]
    for arn in ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]:
        found[arn] = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    return _without_volatile(found)


def _storage(client: Callable[[str], Any]) -> dict[str, Any]:
    s3, ecr, logs, ssm = client("s3"), client("ecr"), client("logs"), client("ssm")
    found: dict[str, Any] = {}
    for bucket in s3.list_buckets()["Buckets"]:
        which = {"Bucket": bucket["Name"]}
        asked = (
            s3.get_bucket_tagging,
            s3.get_public_access_block,
            s3.get_bucket_policy,
            s3.get_bucket_encryption,
            s3.get_bucket_ownership_controls,
        )
        objects = s3.list_objects_v2(**which).get("Contents", [])
        beside = [one for one in objects if not one["Key"].startswith("news/")]
        found[f"bucket {bucket['Name']}"] = [beside, *(_or_none(s3, a, **which) for a in asked)]
    for one in ecr.describe_repositories()["repositories"]:
        tags = ecr.list_tags_for_resource(resourceArn=one["repositoryArn"])["tags"]
        policy = _or_none(ecr, ecr.get_lifecycle_policy, repositoryName=one["repositoryName"])
        found[one["repositoryArn"]] = [one, tags, policy]
    for one in logs.describe_log_groups()["logGroups"]:
        arn = one["arn"].removesuffix(":*")
        found[arn] = [one, logs.list_tags_for_resource(resourceArn=arn)["tags"]]
    for one in ssm.describe_parameters()["Parameters"]:
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=one["Name"])
        value = ssm.get_parameter(Name=one["Name"], WithDecryption=True)["Parameter"]
        found[f"parameter {one['Name']}"] = [one, tags["TagList"], value]
    return _without_volatile(found)


def _iam(client: Callable[[str], Any]) -> dict[str, Any]:
    iam, found = client("iam"), {}
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        if role["Path"].startswith("/aws-service-role/"):
            continue
        policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
        found[role["Arn"]] = [
            iam.get_role(RoleName=name)["Role"],
            iam.list_role_tags(RoleName=name)["Tags"],
            iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
            [iam.get_role_policy(RoleName=name, PolicyName=each) for each in policies],
        ]
    return _without_volatile(found)


def _schedules(client: Callable[[str], Any]) -> dict[str, Any]:
    scheduler, found = client("scheduler"), {}
    for group in scheduler.list_schedule_groups()["ScheduleGroups"]:
        if group["Name"] != "default":
            found[group["Arn"]] = [
                group,
                scheduler.list_tags_for_resource(ResourceArn=group["Arn"]),
            ]
    for one in scheduler.list_schedules()["Schedules"]:
        which = {"GroupName": one["GroupName"], "Name": one["Name"]}
        found[one["Arn"]] = scheduler.get_schedule(**which)
    return _without_volatile(found)


def _or_none(client: Any, ask: Callable[..., Any], **which: Any) -> Any:
    try:
        return ask(**which)
    except client.exceptions.ClientError:
        return None


def _without_volatile(value: Any) -> Any:
    """Return the value without what changes by itself."""
    if isinstance(value, dict):
        return {k: _without_volatile(v) for k, v in value.items() if k not in VOLATILE}
    if isinstance(value, list | tuple):
        return [_without_volatile(one) for one in value]
    return value
