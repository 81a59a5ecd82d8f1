"""Changes everything by hand that the stack `other` has created and setup reverts."""

import json
from collections.abc import Callable
from typing import Any

Client = Callable[[str], Any]
OPEN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ec2.amazonaws.com"},
        }
    ],
}


def change_everything(aws: Client) -> None:
    """Change everything."""
    for part in (
        change_records,
        change_bucket,
        change_storage,
        change_network,
        change_load_balancing,
        change_schedules,
        change_service,
        change_roles,
    ):
        part(aws)


def change_records(aws: Client) -> None:
    """Change the alias and the validation record; remove the zone's tags."""
    route53 = aws("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    sets = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    for one in sets:
        value = {"A": "192.0.2.1", "CNAME": "elsewhere.example"}.get(one["Type"])
        if value:
            given = {"Name": one["Name"], "Type": one["Type"], "TTL": 60}
            given["ResourceRecords"] = [{"Value": value}]
            batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": given}]}
            route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)
    route53.change_tags_for_resource(
        ResourceType="hostedzone",
        ResourceId=zone["Id"].rpartition("/")[2],
        RemoveTagKeys=["provision:resource"],
    )


def change_bucket(aws: Client) -> None:
    """Open the bucket, change ownership and encryption, remove its policy and our tags."""
    s3 = aws("s3")
    (found,) = s3.list_buckets()["Buckets"]
    name = found["Name"]
    kms = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [kms]})
    s3.delete_bucket_policy(Bucket=name)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "cost", "Value": "1"}]})


def change_storage(aws: Client) -> None:
    """Change repository, log group and the two secrets."""
    aws("ecr").put_image_scanning_configuration(
        repositoryName="other", imageScanningConfiguration={"scanOnPush": False}
    )
    aws("ecr").delete_lifecycle_policy(repositoryName="other")
    aws("logs").delete_retention_policy(logGroupName="/ecs/other")
    for name in ("/bot/token", "/bot/secret"):
        aws("ssm").put_parameter(Name=name, Value="x", Type="SecureString", Overwrite=True)


def change_roles(aws: Client) -> None:
    """Let other services assume the roles, and allow everything."""
    iam = aws("iam")
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        if name.startswith("other-"):
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(TRUST))
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                iam.put_role_policy(
                    RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(OPEN)
                )


def change_network(aws: Client) -> None:
    """Disable the VPC's DNS host names; change the ingress rules."""
    ec2 = aws("ec2")
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        if not vpc["IsDefault"]:
            ec2.modify_vpc_attribute(VpcId=vpc["VpcId"], EnableDnsHostnames={"Value": False})
    for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]:
        if not rule["IsEgress"] and rule["FromPort"] in (443, 8080):
            other = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
            if "CidrIpv4" in rule:
                other["CidrIpv4"] = "192.0.2.0/24"
            else:
                other["ReferencedGroupId"] = rule["ReferencedGroupInfo"]["GroupId"]
            changed = {
                "SecurityGroupRuleId": rule["SecurityGroupRuleId"],
                "SecurityGroupRule": other,
            }
            ec2.modify_security_group_rules(GroupId=rule["GroupId"], SecurityGroupRules=[changed])


def change_load_balancing(aws: Client) -> None:
    """Change subnets, TLS policy, default actions and the health check."""
    elbv2 = aws("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    (group,) = elbv2.describe_target_groups()["TargetGroups"]
    subnets = sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"])[:2]
    elbv2.set_subnets(LoadBalancerArn=balancer["LoadBalancerArn"], Subnets=subnets)
    nothing = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    where = {"LoadBalancerArn": balancer["LoadBalancerArn"]}
    for listener in elbv2.describe_listeners(**where)["Listeners"]:
        tls = {"SslPolicy": "ELBSecurityPolicy-2016-08"} if listener["Port"] == 443 else {}
        elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=nothing, **tls)
    elbv2.modify_target_group(
        TargetGroupArn=group["TargetGroupArn"],
        HealthCheckPath="/",
        HealthCheckIntervalSeconds=300,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=10,
        UnhealthyThresholdCount=10,
    )
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group["TargetGroupArn"],
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}],
    )


def change_schedules(aws: Client) -> None:
    """Use a flexible time window, another time in UTC, no retries, and disable the schedules."""
    scheduler = aws("scheduler")
    for name in ("start", "stop", "collect"):
        live = scheduler.get_schedule(GroupName="other", Name=name)
        scheduler.update_schedule(
            GroupName="other",
            Name=name,
            ScheduleExpression="cron(0 3 * * ? *)",
            ScheduleExpressionTimezone="UTC",
            FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60},
            State="DISABLED",
            Target={
                **live["Target"],
                "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
            },
        )


def change_service(aws: Client) -> None:
    """Remove the grace period and the circuit breaker."""
    ecs = aws("ecs")
    ecs.update_service(
        cluster="other",
        service="other-new",
        healthCheckGracePeriodSeconds=0,
        deploymentConfiguration={
            "minimumHealthyPercent": 0,
            "maximumPercent": 150,
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        },
    )
