"""How each property that a resource wants is changed by hand: with the service's own calls.

A way is handed the hand that changes, and returns what has to be done afterwards, where it brought something
of its own along.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provision.resources.base import Resource
from provision.resources.listener import forwards_to
from provision.resources.role import RolePolicy
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env

Afterwards = Callable[[], Any] | None
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
    }
)
TRUST = POLICY.replace('"s3:ListAllMyBuckets"', '"sts:AssumeRole"').replace(
    '"Resource": "*"', '"Principal": {"Service": "ec2.amazonaws.com"}'
)


@dataclass
class Hand:
    """Somebody at the console, at one resource of ours."""

    env: Env
    resource: Resource

    def __call__(self, service: str) -> Any:
        """The service's client."""
        return self.env.aws_session.client(service)

    def __getitem__(self, output: str) -> Any:
        """What is recorded of the resource."""
        return self.of(self.resource.logical_id)[output]

    def of(self, line: str) -> dict[str, Any]:
        """What is recorded of a line."""
        records = StackFile(self.env.path).records
        return next(r.outputs for key, r in records.items() if key.partition("/")[0] == line)

    def vpc(self) -> str:
        """The stack's VPC."""
        return str(self.of("vpc")["id"])

    def other_target_group(self) -> str:
        """Somebody's own, in the same VPC."""
        made = self("elbv2").create_target_group(
            Name="theirs", Protocol="HTTP", Port=80, VpcId=self.vpc(), TargetType="ip"
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])


Way = Callable[[Hand], Afterwards]


def tag_of_zone(tag: str) -> Way:
    """A tag is taken away."""
    return lambda hand: (
        hand("route53").change_tags_for_resource(
            ResourceType="hostedzone", ResourceId=hand["id"], RemoveTagKeys=[tag]
        )
        and None
    )


def record(change: dict[str, Any]) -> Way:
    """The record set gets another value."""

    def way(hand: Hand) -> None:
        given = {"Name": hand["name"], "Type": hand["type"], **change}
        hand("route53").change_resource_record_sets(
            HostedZoneId=hand["zone_id"],
            ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": given}]},
        )

    return way


def unscanned(hand: Hand) -> None:
    """Images are no longer scanned."""
    hand("ecr").put_image_scanning_configuration(
        repositoryName=hand["repository_name"], imageScanningConfiguration={"scanOnPush": False}
    )


def kms(hand: Hand) -> None:
    """Another encryption."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    hand("s3").put_bucket_encryption(
        Bucket=hand["bucket"], ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def writers(hand: Hand) -> None:
    """Whoever writes an object owns it."""
    hand("s3").put_bucket_ownership_controls(
        Bucket=hand["bucket"], OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )


def tag_of_bucket(tag: str) -> Way:
    """One tag is taken away."""

    def way(hand: Hand) -> None:
        told = hand("s3").get_bucket_tagging(Bucket=hand["bucket"])["TagSet"]
        kept = [each for each in told if each["Key"] != tag]
        hand("s3").put_bucket_tagging(Bucket=hand["bucket"], Tagging={"TagSet": kept})

    return way


def other_secret(hand: Hand) -> None:
    """Another value, as after it was issued anew at LINE."""
    hand("ssm").put_parameter(
        Name=hand["parameter_name"], Value="another", Type="SecureString", Overwrite=True
    )


def other_policy(hand: Hand) -> None:
    """The inline policy says something else."""
    hand("iam").put_role_policy(
        RoleName=hand["role_name"], PolicyName=hand["policy_name"], PolicyDocument=POLICY
    )


def other_trust(hand: Hand) -> None:
    """Another service may assume it."""
    hand("iam").update_assume_role_policy(RoleName=hand["role_name"], PolicyDocument=TRUST)


def twin(hand: Hand) -> None:
    """A second one that carries our tags, made as ours was."""
    ec2, kind = hand("ec2"), hand.resource.kind
    tags = {
        "TagSpecifications": [
            {
                "ResourceType": hand.resource.resource_type,  # type: ignore[attr-defined]
                "Tags": [{"Key": k, "Value": v} for k, v in hand.resource.tags.items()],
            }
        ]
    }
    {
        "Vpc": lambda: ec2.create_vpc(CidrBlock="10.65.0.0/16", **tags),
        "InternetGateway": lambda: ec2.create_internet_gateway(**tags),
        "RouteTable": lambda: ec2.create_route_table(VpcId=hand.vpc(), **tags),
        "Subnet": lambda: ec2.create_subnet(VpcId=hand.vpc(), CidrBlock="10.64.99.0/24", **tags),
    }[kind]()


def no_host_names(hand: Hand) -> None:
    """No DNS host names."""
    hand("ec2").modify_vpc_attribute(VpcId=hand["id"], EnableDnsHostnames={"Value": False})


def way_to_a_machine(hand: Hand) -> Afterwards:
    """The internet is looked for behind a network interface."""
    ec2 = hand("ec2")
    made = ec2.create_network_interface(SubnetId=hand.of("subnet_1")["id"])["NetworkInterface"]
    ec2.replace_route(
        RouteTableId=hand["table_id"],
        DestinationCidrBlock="0.0.0.0/0",
        NetworkInterfaceId=made["NetworkInterfaceId"],
    )
    return lambda: ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])


def main_table(hand: Hand) -> None:
    """The subnet uses the VPC's main route table."""
    ec2 = hand("ec2")
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [hand.vpc()]}])
    main = next(t for t in tables["RouteTables"] if any(a.get("Main") for a in t["Associations"]))
    ec2.replace_route_table_association(AssociationId=hand["id"], RouteTableId=main["RouteTableId"])


def ingress(**change: Any) -> Way:
    """Another range or port."""

    def way(hand: Hand) -> None:
        ec2 = hand("ec2")
        live = ec2.describe_security_group_rules(SecurityGroupRuleIds=[hand["id"]])
        known = live["SecurityGroupRules"][0]
        rule = {key: known[key] for key in ("IpProtocol", "FromPort", "ToPort")}
        if "CidrIpv4" in known:
            rule["CidrIpv4"] = known["CidrIpv4"]
        else:
            rule["ReferencedGroupId"] = known["ReferencedGroupInfo"]["GroupId"]
        ec2.modify_security_group_rules(
            GroupId=hand["group_id"],
            SecurityGroupRules=[
                {"SecurityGroupRuleId": hand["id"], "SecurityGroupRule": {**rule, **change}}
            ],
        )

    return way


def from_the_bot_itself(hand: Hand) -> None:
    """Another group is let in."""
    ingress(ReferencedGroupId=hand["group_id"])(hand)


def two_subnets(hand: Hand) -> None:
    """The load balancer leaves a zone."""
    subnets = [hand.of(f"subnet_{number}")["id"] for number in (1, 2)]
    hand("elbv2").set_subnets(LoadBalancerArn=hand["arn"], Subnets=subnets)


def other_group(hand: Hand) -> None:
    """The load balancer is in the bot's group too."""
    groups = [hand.of("load_balancer_group")["id"], hand.of("bot_group")["id"]]
    hand("elbv2").set_security_groups(LoadBalancerArn=hand["arn"], SecurityGroups=groups)


def health(**change: Any) -> Way:
    """Another health check."""

    def way(hand: Hand) -> None:
        hand("elbv2").modify_target_group(TargetGroupArn=hand["arn"], **change)

    return way


def deregistration(hand: Hand) -> None:
    """AWS's own default."""
    hand("elbv2").modify_target_group_attributes(
        TargetGroupArn=hand["arn"],
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}],
    )


def listener(**change: Any) -> Way:
    """The listener does something else."""

    def way(hand: Hand) -> None:
        hand("elbv2").modify_listener(ListenerArn=hand["arn"], **change)

    return way


NOTHING_HERE = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def tls(hand: Hand) -> None:
    """The warm door speaks TLS."""
    certificate = {"CertificateArn": hand.of("certificate")["arn"]}
    listener(Protocol="HTTPS", Certificates=[certificate])(hand)


def other_certificate(hand: Hand) -> Afterwards:
    """A second certificate for the same host; ACM asks for the same record, so it is issued."""
    acm = hand("acm")
    arn = acm.request_certificate(DomainName="example.jp", ValidationMethod="DNS")["CertificateArn"]
    for _ in range(30):
        hand.env.clock.advance(10)
    listener(Certificates=[{"CertificateArn": arn}])(hand)
    return lambda: acm.delete_certificate(CertificateArn=arn)


def other_forward(hand: Hand) -> Afterwards:
    """The rule forwards to somebody's target group."""
    arn = hand.other_target_group()
    hand("elbv2").modify_rule(
        RuleArn=hand["arn"], Actions=[{"Type": "forward", "TargetGroupArn": arn}]
    )
    return lambda: hand("elbv2").delete_target_group(TargetGroupArn=arn)


def spot_only(hand: Hand) -> None:
    """One of the two providers is taken away."""
    hand("ecs").put_cluster_capacity_providers(
        cluster=hand["arn"], capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )


def revision(
    change: Callable[[Hand, dict[str, Any], dict[str, Any]], Any], run: bool = True
) -> Way:
    """A revision cannot be changed: a newer one is registered, and run where the service can run it."""

    def way(hand: Hand) -> None:
        ecs = hand("ecs")
        live = ecs.describe_task_definition(taskDefinition=hand["arn"])["taskDefinition"]
        kept = (
            "family",
            "requiresCompatibilities",
            "networkMode",
            "runtimePlatform",
            "cpu",
            "memory",
            "executionRoleArn",
            "taskRoleArn",
            "containerDefinitions",
        )
        given = {key: live[key] for key in kept}
        change(hand, given, given["containerDefinitions"][0])
        new = ecs.register_task_definition(**given)["taskDefinition"]["taskDefinitionArn"]
        service = hand.of("service")
        if run and hand.resource.logical_id == "task_definition":
            ecs.update_service(
                cluster=service["cluster_arn"], service=service["arn"], taskDefinition=new
            )

    return way


def other_secrets(hand: Hand, definition: dict[str, Any], container: dict[str, Any]) -> None:
    """One less, or one where there was none."""
    more = {"name": "MORE", "valueFrom": hand.of("access_token")["arn"]}
    known = container.get("secrets") or []
    container["secrets"] = known[:-1] if known else [more]


def service(change: Callable[[Hand], dict[str, Any]]) -> Way:
    """UpdateService, by somebody."""

    def way(hand: Hand) -> None:
        hand("ecs").update_service(
            cluster=hand["cluster_arn"],
            service=hand["arn"],
            forceNewDeployment=True,
            **change(hand),
        )

    return way


def other_balancing(hand: Hand) -> Afterwards:
    """Tasks go to somebody's target group."""
    arn = hand.other_target_group()
    rule = hand("elbv2").create_rule(
        ListenerArn=hand.of("bootstrap_listener")["arn"],
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": arn}],
    )["Rules"][0]["RuleArn"]
    balancers = [{"targetGroupArn": arn, "containerName": "bot", "containerPort": 8080}]
    service(lambda _: {"loadBalancers": balancers})(hand)

    def afterwards() -> None:
        hand("elbv2").delete_rule(RuleArn=rule)
        hand("elbv2").delete_target_group(TargetGroupArn=arn)

    return afterwards


def deployment(**change: Any) -> Way:
    """Deployments go another way."""
    ours = {
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "minimumHealthyPercent": 100,
        "maximumPercent": 200,
    }
    return service(lambda _: {"deploymentConfiguration": {**ours, **change}})


def two_subnets_of(hand: Hand) -> dict[str, Any]:
    """Tasks in two zones."""
    here = {
        "subnets": [hand.of(f"subnet_{number}")["id"] for number in (1, 2)],
        "securityGroups": [hand.of("bot_group")["id"]],
        "assignPublicIp": "ENABLED",
    }
    return {"networkConfiguration": {"awsvpcConfiguration": here}}


def schedule(change: Callable[[dict[str, Any]], Any]) -> Way:
    """UpdateSchedule, which wants everything said."""

    def way(hand: Hand) -> None:
        scheduler, which = hand("scheduler"), {"GroupName": hand["group_name"]}
        live = scheduler.get_schedule(**which, Name=hand["schedule_name"])
        kept = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "State")
        given = {key: live[key] for key in (*kept, "Target")}
        change(given)
        scheduler.update_schedule(**which, Name=hand["schedule_name"], **given)

    return way


RUNS = "Target.EcsParameters"
PLACE = f"{RUNS}.NetworkConfiguration.awsvpcConfiguration"


def run_otherwise(change: Callable[[Hand, dict[str, Any]], Any]) -> Way:
    """Another task is run, or elsewhere."""
    return lambda hand: schedule(lambda s: change(hand, s["Target"]["EcsParameters"]))(hand)


def other_role(hand: Hand) -> Afterwards:
    """Another role that Scheduler may assume."""
    trust = hand("iam").get_role(RoleName=hand.of("scheduler_role")["role_name"])["Role"]
    document = json.dumps(trust["AssumeRolePolicyDocument"])
    arn = hand("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument=document)["Role"]
    schedule(lambda s: s["Target"].update(RoleArn=arn["Arn"]))(hand)
    return lambda: hand("iam").delete_role(RoleName="theirs")


WAYS: dict[tuple[str, str], Way] = {
    ("HostedZone", 'Tags."provision:stack"'): tag_of_zone("provision:stack"),
    ("HostedZone", 'Tags."provision:resource"'): tag_of_zone("provision:resource"),
    ("HostedZone", 'Tags."provision:region"'): tag_of_zone("provision:region"),
    ("ValidationRecord", "ResourceRecords"): record(
        {"TTL": 60, "ResourceRecords": [{"Value": "elsewhere.example.jp"}]}
    ),
    ("Alias", "AliasTarget"): record({"TTL": 60, "ResourceRecords": [{"Value": "203.0.113.9"}]}),
    ("Repository", "imageScanningConfiguration.scanOnPush"): unscanned,
    ("Repository", "LifecyclePolicy"): lambda hand: (
        hand("ecr").delete_lifecycle_policy(repositoryName=hand["repository_name"]) and None
    ),
    ("NewsBucket", "PublicAccessBlock"): lambda hand: (
        hand("s3").delete_public_access_block(Bucket=hand["bucket"]) and None
    ),
    ("NewsBucket", "OwnershipControls.Rules[0].ObjectOwnership"): writers,
    (
        "NewsBucket",
        "Encryption.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm",
    ): kms,
    ("NewsBucket", "Policy"): lambda hand: (
        hand("s3").delete_bucket_policy(Bucket=hand["bucket"]) and None
    ),
    ("NewsBucket", 'Tags."provision:stack"'): tag_of_bucket("provision:stack"),
    ("NewsBucket", 'Tags."provision:resource"'): tag_of_bucket("provision:resource"),
    ("LogGroup", "retentionInDays"): lambda hand: (
        hand("logs").delete_retention_policy(logGroupName=hand["log_group_name"]) and None
    ),
    ("Parameter", "UpToDate"): other_secret,
    ("Role", "AssumeRolePolicyDocument"): other_trust,
    (RolePolicy.__name__, "PolicyDocument"): other_policy,
    ("Vpc", "DnsHostnames"): no_host_names,
    ("TaggedEc2", "Surplus"): twin,
    ("Route", "GatewayId"): way_to_a_machine,
    ("RouteTableAssociation", "RouteTableId"): main_table,
    ("IngressRule", "IpProtocol"): ingress(IpProtocol="udp"),
    ("IngressRule", "FromPort"): ingress(FromPort=22),
    ("IngressRule", "ToPort"): ingress(ToPort=9000),
    ("IngressRule", "CidrIpv4"): ingress(CidrIpv4="203.0.113.0/24"),
    ("IngressRule", "ReferencedGroupInfo.GroupId"): from_the_bot_itself,
    ("LoadBalancer", "Subnets"): two_subnets,
    ("LoadBalancer", "SecurityGroups"): other_group,
    ("TargetGroup", "HealthCheckProtocol"): health(HealthCheckProtocol="HTTPS"),
    ("TargetGroup", "HealthCheckPath"): health(HealthCheckPath="/"),
    ("TargetGroup", "HealthCheckIntervalSeconds"): health(HealthCheckIntervalSeconds=30),
    ("TargetGroup", "HealthCheckTimeoutSeconds"): health(HealthCheckTimeoutSeconds=3),
    ("TargetGroup", "HealthyThresholdCount"): health(HealthyThresholdCount=5),
    ("TargetGroup", "UnhealthyThresholdCount"): health(UnhealthyThresholdCount=5),
    ("TargetGroup", 'Attributes."deregistration_delay.timeout_seconds"'): deregistration,
    ("BootstrapListener", "Protocol"): tls,
    ("BootstrapListener", "DefaultActions[0].Type"): listener(DefaultActions=NOTHING_HERE),
    ("BootstrapRule", forwards_to("Actions")): other_forward,
    ("HttpsListener", "SslPolicy"): listener(SslPolicy="ELBSecurityPolicy-2016-08"),
    ("HttpsListener", "Certificates[0].CertificateArn"): other_certificate,
    ("HttpsListener", forwards_to("DefaultActions")): listener(DefaultActions=NOTHING_HERE),
    ("Cluster", "Providers"): spot_only,
    ("Family", "cpu"): revision(lambda _, d, c: d.update(cpu="512")),
    ("Family", "memory"): revision(lambda _, d, c: d.update(memory="1024")),
    ("Family", "executionRoleArn"): revision(
        lambda hand, d, c: d.update(executionRoleArn=hand.of("task_role")["arn"])
    ),
    ("Family", "taskRoleArn"): revision(
        lambda hand, d, c: d.update(taskRoleArn=hand.of("execution_role")["arn"])
    ),
    ("Family", "runtimePlatform"): revision(
        lambda _, d, c: d["runtimePlatform"].update(cpuArchitecture="ARM64")
    ),
    ("Family", "Container.name"): revision(lambda _, d, c: c.update(name="x"), run=False),
    ("Family", "Container.image"): revision(lambda _, d, c: c.update(image="a/b:2")),
    ("Family", "Container.ports"): revision(
        lambda _, d, c: c.update(portMappings=[{"containerPort": 9090}]), run=False
    ),
    ("Family", "Container.environment"): revision(
        lambda _, d, c: c["environment"].append({"name": "MORE", "value": "1"})
    ),
    ("Family", "Container.secrets"): revision(other_secrets),
    ("Family", "Container.command"): revision(lambda _, d, c: c.update(command=["true"])),
    ("Family", "Container.user"): revision(lambda _, d, c: c.update(user="0")),
    ("Family", "Container.readonlyRootFilesystem"): revision(
        lambda _, d, c: c.update(readonlyRootFilesystem=False)
    ),
    ("Family", "Container.log"): revision(
        lambda _, d, c: c["logConfiguration"]["options"].update({"awslogs-stream-prefix": "x"})
    ),
    ("Family", "Container.stopTimeout"): revision(lambda _, d, c: c.update(stopTimeout=2)),
    ("Service", "capacityProviderStrategy[0].capacityProvider"): service(
        lambda hand: {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}]}
    ),
    ("Service", "loadBalancers[0].targetGroupArn"): other_balancing,
    ("Service", "Vpc"): service(two_subnets_of),
    ("Service", "healthCheckGracePeriodSeconds"): service(
        lambda hand: {"healthCheckGracePeriodSeconds": 0}
    ),
    ("Service", "deploymentConfiguration.minimumHealthyPercent"): deployment(
        minimumHealthyPercent=50
    ),
    ("Service", "deploymentConfiguration.maximumPercent"): deployment(maximumPercent=150),
    ("Service", "deploymentConfiguration.deploymentCircuitBreaker"): deployment(
        deploymentCircuitBreaker={"enable": False, "rollback": False}
    ),
    ("Scheduled", "ScheduleExpression"): schedule(
        lambda s: s.update(ScheduleExpression="cron(0 3 * * ? *)")
    ),
    ("Scheduled", "ScheduleExpressionTimezone"): schedule(
        lambda s: s.update(ScheduleExpressionTimezone="UTC")
    ),
    ("Scheduled", "FlexibleTimeWindow"): schedule(
        lambda s: s.update(FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60})
    ),
    ("Scheduled", "State"): schedule(lambda s: s.update(State="DISABLED")),
    ("Schedule", "Target"): schedule(
        lambda s: s["Target"]["RetryPolicy"].update(MaximumRetryAttempts=3)
    ),
    ("CollectorSchedule", "Target.RetryPolicy"): schedule(
        lambda s: s["Target"]["RetryPolicy"].update(MaximumRetryAttempts=3)
    ),
    ("CollectorSchedule", "Target.Arn"): schedule(
        lambda s: s["Target"].update(Arn=s["Target"]["Arn"] + "-other")
    ),
    ("CollectorSchedule", "Target.RoleArn"): other_role,
    ("CollectorSchedule", f"{RUNS}.TaskDefinitionArn"): run_otherwise(
        lambda hand, t: t.update(TaskDefinitionArn=hand.of("task_definition")["arn"])
    ),
    ("CollectorSchedule", f"{RUNS}.CapacityProviderStrategy[0].capacityProvider"): run_otherwise(
        lambda _, t: t["CapacityProviderStrategy"][0].update(capacityProvider="FARGATE")
    ),
    ("CollectorSchedule", f"sort({PLACE}.Subnets || `[]`)"): run_otherwise(
        lambda _, t: t["NetworkConfiguration"]["awsvpcConfiguration"]["Subnets"].pop()
    ),
    ("CollectorSchedule", f"{PLACE}.SecurityGroups"): run_otherwise(
        lambda hand, t: t["NetworkConfiguration"]["awsvpcConfiguration"].update(
            SecurityGroups=[hand.of("load_balancer_group")["id"]]
        )
    ),
    ("CollectorSchedule", f"{PLACE}.AssignPublicIp"): run_otherwise(
        lambda _, t: t["NetworkConfiguration"]["awsvpcConfiguration"].update(
            AssignPublicIp="DISABLED"
        )
    ),
}

# Wanted of a thing, and nobody's to change in AWS.
NOT_IN_AWS = {
    (
        "Service",
        "Counted",
    ): "the count it was last set to, which only stack.yaml knows; the present "
    "one belongs to start, stop and the schedule",
    ("Service", "taskDefinition"): "changed by each way of TaskDefinition that is run",
}


def way(resource: Resource, path: str) -> Way | None:
    """The way for this property of this resource: its class's, or a parent's."""
    names = [kind.__name__ for kind in type(resource).__mro__]
    return next((WAYS[name, path] for name in names if (name, path) in WAYS), None)
