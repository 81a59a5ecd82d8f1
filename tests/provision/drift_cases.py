"""For each property that a resource sets: how to change it by hand, with the service's own API.

A change is called with an Editor and returns a cleanup function if it created anything of its own. A property
with a single value needs none here if `another_value` finds one that AWS accepts.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provision.engine.inspector import load_records
from provision.resources.base import Difference, Resource
from provision.resources.listener import forwards_to
from provision.resources.role import RolePolicy
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env

Cleanup = Callable[[], Any] | None
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
class Editor:
    """Somebody at the AWS console, changing one of our resources."""

    env: Env
    resource: Resource

    def __call__(self, service: str) -> Any:
        """Return the service's client."""
        return self.env.aws_session.client(service)

    def __getitem__(self, output: str) -> Any:
        """Return a recorded output of the resource."""
        return self.of(self.resource.logical_id)[output]

    def of(self, line: str) -> dict[str, Any]:
        """Return the recorded outputs of another resource of the stack."""
        records = StackFile(self.env.path).records
        return next(r.outputs for key, r in records.items() if key.partition("/")[0] == line)

    def vpc(self) -> str:
        """Return the id of the stack's VPC."""
        return str(self.of("vpc")["id"])

    def other_target_group(self) -> str:
        """Create a foreign target group in the same VPC; return its ARN."""
        made = self("elbv2").create_target_group(
            Name="theirs", Protocol="HTTP", Port=80, VpcId=self.vpc(), TargetType="ip"
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])


Change = Callable[[Editor], Cleanup]


def another_value(path: str) -> Change:
    """Send the request of the resource's own `update` with another value of this property.

    A number is doubled, a boolean negated, and a text lengthened.
    """
    name = "".join(re.findall(r'"([^"]+)"|(\w+)', path)[-1])

    def change_by_hand(editor: Editor) -> None:
        env, resources = editor.env, editor.env.engine().resources
        load_records(resources, StackFile(env.path).records)
        resource = next(r for r in resources if r.logical_id == editor.resource.logical_id)
        want, sent = resource.desired()[path], []

        def replace(value: Any) -> None:
            """Replace it in a request's parameters: the member of this name, or the value of this key."""
            for inner in value if isinstance(value, list) else value.values():
                if isinstance(inner, dict | list):
                    replace(inner)
            if isinstance(value, dict):
                member = "Value" if value.get("Key") == name else name
                if value.get(member) == want:
                    value[member] = _other(want)
                    sent.append(member)

        env.aws_session.request = lambda operation, parameters: replace(parameters)
        resource.update(
            env.clients(), resource.find(env.clients()) or {}, [Difference(path, None, want)]
        )
        env.aws_session.free()
        assert sent, f"no request has {name}: write a change of {path} in drift_cases.py"

    return change_by_hand


def _other(value: Any) -> Any:
    """Return another value like this one."""
    if isinstance(value, bool):
        return not value
    opposite = {"true": "false", "false": "true"}
    return opposite.get(value, f"{value}x") if isinstance(value, str) else value * 2


def remove_zone_tag(tag: str) -> Change:
    """Remove a tag from the zone."""
    return lambda editor: (
        editor("route53").change_tags_for_resource(
            ResourceType="hostedzone", ResourceId=editor["id"], RemoveTagKeys=[tag]
        )
        and None
    )


def change_record_set(change: dict[str, Any]) -> Change:
    """Give the record set another value."""

    def change_by_hand(editor: Editor) -> None:
        given = {"Name": editor["name"], "Type": editor["type"], **change}
        editor("route53").change_resource_record_sets(
            HostedZoneId=editor["zone_id"],
            ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": given}]},
        )

    return change_by_hand


def encrypt_with_kms(editor: Editor) -> None:
    """Change the bucket's encryption to KMS."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    editor("s3").put_bucket_encryption(
        Bucket=editor["bucket"], ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def let_writers_own_objects(editor: Editor) -> None:
    """Let the writer of an object own it."""
    editor("s3").put_bucket_ownership_controls(
        Bucket=editor["bucket"], OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )


def keep_old_versions(editor: Editor) -> None:
    """Replace the lifecycle rule by one that only expires uploads, after another time."""
    rule = {
        "ID": "provision",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 90},
    }
    editor("s3").put_bucket_lifecycle_configuration(
        Bucket=editor["bucket"], LifecycleConfiguration={"Rules": [rule]}
    )


def remove_bucket_tag(tag: str) -> Change:
    """Remove one tag from the bucket."""

    def change_by_hand(editor: Editor) -> None:
        tags = editor("s3").get_bucket_tagging(Bucket=editor["bucket"])["TagSet"]
        kept = [each for each in tags if each["Key"] != tag]
        editor("s3").put_bucket_tagging(Bucket=editor["bucket"], Tagging={"TagSet": kept})

    return change_by_hand


def change_secret(editor: Editor) -> None:
    """Change the value, as if it had been reissued at LINE."""
    editor("ssm").put_parameter(
        Name=editor["parameter_name"], Value="another", Type="SecureString", Overwrite=True
    )


def change_inline_policy(editor: Editor) -> None:
    """Replace the inline policy."""
    editor("iam").put_role_policy(
        RoleName=editor["role_name"], PolicyName=editor["policy_name"], PolicyDocument=POLICY
    )


def change_trust_policy(editor: Editor) -> None:
    """Let another service assume the role."""
    editor("iam").update_assume_role_policy(RoleName=editor["role_name"], PolicyDocument=TRUST)


def create_duplicate(editor: Editor) -> None:
    """Create a second resource with our tags, just as ours was created."""
    ec2, kind = editor("ec2"), editor.resource.kind
    tags = {
        "TagSpecifications": [
            {
                "ResourceType": editor.resource.resource_type,  # type: ignore[attr-defined]
                "Tags": [{"Key": k, "Value": v} for k, v in editor.resource.tags.items()],
            }
        ]
    }
    {
        "Vpc": lambda: ec2.create_vpc(CidrBlock="10.65.0.0/16", **tags),
        "InternetGateway": lambda: ec2.create_internet_gateway(**tags),
        "RouteTable": lambda: ec2.create_route_table(VpcId=editor.vpc(), **tags),
        "Subnet": lambda: ec2.create_subnet(VpcId=editor.vpc(), CidrBlock="10.64.99.0/24", **tags),
    }[kind]()


def disable_dns_host_names(editor: Editor) -> None:
    """Disable DNS host names."""
    editor("ec2").modify_vpc_attribute(VpcId=editor["id"], EnableDnsHostnames={"Value": False})


def route_to_interface(editor: Editor) -> Cleanup:
    """Point the default route at a network interface."""
    ec2 = editor("ec2")
    made = ec2.create_network_interface(SubnetId=editor.of("subnet_1")["id"])["NetworkInterface"]
    ec2.replace_route(
        RouteTableId=editor["table_id"],
        DestinationCidrBlock="0.0.0.0/0",
        NetworkInterfaceId=made["NetworkInterfaceId"],
    )
    return lambda: ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])


def use_main_route_table(editor: Editor) -> None:
    """Associate the subnet with the VPC's main route table."""
    ec2 = editor("ec2")
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [editor.vpc()]}])
    main = next(t for t in tables["RouteTables"] if any(a.get("Main") for a in t["Associations"]))
    ec2.replace_route_table_association(
        AssociationId=editor["id"], RouteTableId=main["RouteTableId"]
    )


def change_ingress(**change: Any) -> Change:
    """Change the range or port of the rule."""

    def change_by_hand(editor: Editor) -> None:
        ec2 = editor("ec2")
        live = ec2.describe_security_group_rules(SecurityGroupRuleIds=[editor["id"]])
        known = live["SecurityGroupRules"][0]
        rule = {key: known[key] for key in ("IpProtocol", "FromPort", "ToPort")}
        if "CidrIpv4" in known:
            rule["CidrIpv4"] = known["CidrIpv4"]
        else:
            rule["ReferencedGroupId"] = known["ReferencedGroupInfo"]["GroupId"]
        ec2.modify_security_group_rules(
            GroupId=editor["group_id"],
            SecurityGroupRules=[
                {"SecurityGroupRuleId": editor["id"], "SecurityGroupRule": {**rule, **change}}
            ],
        )

    return change_by_hand


def allow_bot_group(editor: Editor) -> None:
    """Change the source group of the rule."""
    change_ingress(ReferencedGroupId=editor["group_id"])(editor)


def open_egress(editor: Editor) -> None:
    """Allow SSH to anywhere."""
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    editor("ec2").authorize_security_group_egress(
        GroupId=editor["id"], IpPermissions=[{**ssh, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )


def change_attribute(key: str, value: str) -> Change:
    """Change an attribute of the load balancer."""
    return lambda editor: (
        editor("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=editor["arn"], Attributes=[{"Key": key, "Value": value}]
        )
        and None
    )


def remove_subnet(editor: Editor) -> None:
    """Remove one subnet from the load balancer."""
    subnets = [editor.of(f"subnet_{number}")["id"] for number in (1, 2)]
    editor("elbv2").set_subnets(LoadBalancerArn=editor["arn"], Subnets=subnets)


def add_security_group(editor: Editor) -> None:
    """Add the bot's security group to the load balancer."""
    groups = [editor.of("load_balancer_group")["id"], editor.of("bot_group")["id"]]
    editor("elbv2").set_security_groups(LoadBalancerArn=editor["arn"], SecurityGroups=groups)


def change_health_check(**change: Any) -> Change:
    """Change the health check."""

    def change_by_hand(editor: Editor) -> None:
        editor("elbv2").modify_target_group(TargetGroupArn=editor["arn"], **change)

    return change_by_hand


def reset_deregistration_delay(editor: Editor) -> None:
    """Set the deregistration delay to AWS's default."""
    editor("elbv2").modify_target_group_attributes(
        TargetGroupArn=editor["arn"],
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}],
    )


def change_listener(**change: Any) -> Change:
    """Change the listener."""

    def change_by_hand(editor: Editor) -> None:
        editor("elbv2").modify_listener(ListenerArn=editor["arn"], **change)

    return change_by_hand


NOTHING_HERE = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def switch_to_tls(editor: Editor) -> None:
    """Make the bootstrap listener speak TLS."""
    certificate = {"CertificateArn": editor.of("certificate")["arn"]}
    change_listener(Protocol="HTTPS", Certificates=[certificate])(editor)


def change_certificate(editor: Editor) -> Cleanup:
    """Use a second certificate for the same host; ACM asks for the same record, so it is issued."""
    acm = editor("acm")
    arn = acm.request_certificate(DomainName="example.jp", ValidationMethod="DNS")["CertificateArn"]
    for _ in range(30):
        editor.env.clock.advance(10)
    change_listener(Certificates=[{"CertificateArn": arn}])(editor)
    return lambda: acm.delete_certificate(CertificateArn=arn)


def change_forward_target(editor: Editor) -> Cleanup:
    """Make the rule forward to a foreign target group."""
    arn = editor.other_target_group()
    editor("elbv2").modify_rule(
        RuleArn=editor["arn"], Actions=[{"Type": "forward", "TargetGroupArn": arn}]
    )
    return lambda: editor("elbv2").delete_target_group(TargetGroupArn=arn)


def forward_everything(editor: Editor) -> None:
    """Forward every request to the bot."""
    arn = editor.of("target_group")["arn"]
    change_listener(DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}])(editor)


def widen_rule(editor: Editor) -> None:
    """Match another path."""
    editor("elbv2").modify_rule(
        RuleArn=editor["arn"], Conditions=[{"Field": "path-pattern", "Values": ["/theirs/*"]}]
    )


def remove_capacity_provider(editor: Editor) -> None:
    """Remove one of the two capacity providers."""
    editor("ecs").put_cluster_capacity_providers(
        cluster=editor["arn"],
        capacityProviders=["FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[],
    )


def register_revision(
    change: Callable[[Editor, dict[str, Any], dict[str, Any]], Any], run: bool = True
) -> Change:
    """Register a changed revision, since revisions are immutable, and run it where the service can."""

    def change_by_hand(editor: Editor) -> None:
        ecs = editor("ecs")
        live = ecs.describe_task_definition(taskDefinition=editor["arn"])["taskDefinition"]
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
        change(editor, given, given["containerDefinitions"][0])
        new = ecs.register_task_definition(**given)["taskDefinition"]["taskDefinitionArn"]
        service = editor.of("service")
        if run and editor.resource.logical_id == "task_definition":
            ecs.update_service(
                cluster=service["cluster_arn"], service=service["arn"], taskDefinition=new
            )

    return change_by_hand


def change_container_secrets(
    editor: Editor, definition: dict[str, Any], container: dict[str, Any]
) -> None:
    """Remove a secret, or add one if there was none."""
    more = {"name": "MORE", "valueFrom": editor.of("access_token")["arn"]}
    known = container.get("secrets") or []
    container["secrets"] = known[:-1] if known else [more]


def service(change: Callable[[Editor], dict[str, Any]]) -> Change:
    """Call UpdateService with a change."""

    def change_by_hand(editor: Editor) -> None:
        editor("ecs").update_service(
            cluster=editor["cluster_arn"],
            service=editor["arn"],
            forceNewDeployment=True,
            **change(editor),
        )

    return change_by_hand


def change_service_target_group(editor: Editor) -> Cleanup:
    """Register the service's tasks with a foreign target group."""
    arn = editor.other_target_group()
    rule = editor("elbv2").create_rule(
        ListenerArn=editor.of("bootstrap_listener")["arn"],
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": arn}],
    )["Rules"][0]["RuleArn"]
    balancers = [{"targetGroupArn": arn, "containerName": "bot", "containerPort": 8080}]
    service(lambda _: {"loadBalancers": balancers})(editor)

    def cleanup() -> None:
        editor("elbv2").delete_rule(RuleArn=rule)
        editor("elbv2").delete_target_group(TargetGroupArn=arn)

    return cleanup


def change_deployment_configuration(**change: Any) -> Change:
    """Change the deployment configuration."""
    ours = {
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "minimumHealthyPercent": 100,
        "maximumPercent": 200,
    }
    return service(lambda _: {"deploymentConfiguration": {**ours, **change}})


def two_subnet_configuration(editor: Editor) -> dict[str, Any]:
    """Return a network configuration with two of the subnets."""
    here = {
        "subnets": [editor.of(f"subnet_{number}")["id"] for number in (1, 2)],
        "securityGroups": [editor.of("bot_group")["id"]],
        "assignPublicIp": "ENABLED",
    }
    return {"networkConfiguration": {"awsvpcConfiguration": here}}


def change_schedule(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Call UpdateSchedule, which needs every property, with a change."""

    def change_by_hand(editor: Editor) -> None:
        scheduler, which = editor("scheduler"), {"GroupName": editor["group_name"]}
        live = scheduler.get_schedule(**which, Name=editor["schedule_name"])
        kept = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "State")
        given = {key: live[key] for key in (*kept, "Target")}
        change(given)
        scheduler.update_schedule(**which, Name=editor["schedule_name"], **given)

    return change_by_hand


RUNS = "Target.EcsParameters"
PLACE = f"{RUNS}.NetworkConfiguration.awsvpcConfiguration"


def change_task_target(change: Callable[[Editor, dict[str, Any]], Any]) -> Change:
    """Change which task the schedule runs, or where."""
    return lambda editor: change_schedule(lambda s: change(editor, s["Target"]["EcsParameters"]))(
        editor
    )


def change_scheduler_role(editor: Editor) -> Cleanup:
    """Use another role that Scheduler may assume."""
    trust = editor("iam").get_role(RoleName=editor.of("scheduler_role")["role_name"])["Role"]
    document = json.dumps(trust["AssumeRolePolicyDocument"])
    arn = editor("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument=document)["Role"]
    change_schedule(lambda s: s["Target"].update(RoleArn=arn["Arn"]))(editor)
    return lambda: editor("iam").delete_role(RoleName="theirs")


CHANGES: dict[tuple[str, str], Change] = {
    ("HostedZone", 'Tags."provision:stack"'): remove_zone_tag("provision:stack"),
    ("HostedZone", 'Tags."provision:resource"'): remove_zone_tag("provision:resource"),
    ("HostedZone", 'Tags."provision:region"'): remove_zone_tag("provision:region"),
    ("ValidationRecord", "ResourceRecords"): change_record_set(
        {"TTL": 60, "ResourceRecords": [{"Value": "elsewhere.example.jp"}]}
    ),
    ("Alias", "AliasTarget"): change_record_set(
        {"TTL": 60, "ResourceRecords": [{"Value": "203.0.113.9"}]}
    ),
    ("Repository", "imageTagMutability"): lambda editor: (
        editor("ecr").put_image_tag_mutability(
            repositoryName=editor["repository_name"], imageTagMutability="MUTABLE"
        )
        and None
    ),
    ("Repository", "LifecyclePolicy"): lambda editor: (
        editor("ecr").delete_lifecycle_policy(repositoryName=editor["repository_name"]) and None
    ),
    ("NewsBucket", "Lifecycle"): keep_old_versions,
    ("NewsBucket", "PublicAccessBlock"): lambda editor: (
        editor("s3").delete_public_access_block(Bucket=editor["bucket"]) and None
    ),
    ("NewsBucket", "OwnershipControls.Rules[0].ObjectOwnership"): let_writers_own_objects,
    (
        "NewsBucket",
        "Encryption.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm",
    ): encrypt_with_kms,
    ("NewsBucket", "Policy"): lambda editor: (
        editor("s3").delete_bucket_policy(Bucket=editor["bucket"]) and None
    ),
    ("NewsBucket", 'Tags."provision:stack"'): remove_bucket_tag("provision:stack"),
    ("NewsBucket", 'Tags."provision:resource"'): remove_bucket_tag("provision:resource"),
    ("Parameter", "UpToDate"): change_secret,
    ("Role", "AssumeRolePolicyDocument"): change_trust_policy,
    (RolePolicy.__name__, "PolicyDocument"): change_inline_policy,
    ("Vpc", "DnsHostnames"): disable_dns_host_names,
    ("TaggedEc2", "Surplus"): create_duplicate,
    ("Route", "GatewayId"): route_to_interface,
    ("RouteTableAssociation", "RouteTableId"): use_main_route_table,
    ("IngressRule", "IpProtocol"): change_ingress(IpProtocol="udp"),
    ("IngressRule", "FromPort"): change_ingress(FromPort=22),
    ("IngressRule", "CidrIpv4"): change_ingress(CidrIpv4="203.0.113.0/24"),
    ("IngressRule", "ReferencedGroupInfo.GroupId"): allow_bot_group,
    ("LoadBalancer", "Subnets"): remove_subnet,
    ("LoadBalancer", "SecurityGroups"): add_security_group,
    ("LoadBalancer", 'Attributes."routing.http.desync_mitigation_mode"'): change_attribute(
        "routing.http.desync_mitigation_mode", "monitor"
    ),
    ("SecurityGroup", "Egress"): open_egress,
    ("TargetGroup", "HealthCheckProtocol"): change_health_check(HealthCheckProtocol="HTTPS"),
    ("TargetGroup", "HealthCheckTimeoutSeconds"): change_health_check(HealthCheckTimeoutSeconds=3),
    (
        "TargetGroup",
        'Attributes."deregistration_delay.timeout_seconds"',
    ): reset_deregistration_delay,
    ("BootstrapListener", "Protocol"): switch_to_tls,
    ("BootstrapListener", "DefaultActions[0].Type"): change_listener(DefaultActions=NOTHING_HERE),
    ("Rule", forwards_to("Actions")): change_forward_target,
    ("HttpsListener", "SslPolicy"): change_listener(SslPolicy="ELBSecurityPolicy-2016-08"),
    ("HttpsListener", "Certificates[0].CertificateArn"): change_certificate,
    ("HttpsListener", "DefaultActions[0].FixedResponseConfig.StatusCode"): forward_everything,
    ("Rule", "ConditionValues"): widen_rule,
    ("Cluster", "Providers"): remove_capacity_provider,
    ("Family", "cpu"): register_revision(lambda _, d, c: d.update(cpu="512")),
    ("Family", "memory"): register_revision(lambda _, d, c: d.update(memory="1024")),
    ("Family", "executionRoleArn"): register_revision(
        lambda editor, d, c: d.update(executionRoleArn=editor.of("task_role")["arn"])
    ),
    ("Family", "taskRoleArn"): register_revision(
        lambda editor, d, c: d.update(taskRoleArn=editor.of("execution_role")["arn"])
    ),
    ("Family", "runtimePlatform"): register_revision(
        lambda _, d, c: d["runtimePlatform"].update(cpuArchitecture="ARM64")
    ),
    ("Family", "Container.name"): register_revision(lambda _, d, c: c.update(name="x"), run=False),
    ("Family", "Container.image"): register_revision(lambda _, d, c: c.update(image="a/b:2")),
    ("Family", "Container.ports"): register_revision(
        lambda _, d, c: c.update(portMappings=[{"containerPort": 9090}]), run=False
    ),
    ("Family", "Container.environment"): register_revision(
        lambda _, d, c: c["environment"].append({"name": "MORE", "value": "1"})
    ),
    ("Family", "Container.secrets"): register_revision(change_container_secrets),
    ("Family", "Container.command"): register_revision(lambda _, d, c: c.update(command=["true"])),
    ("Family", "Container.user"): register_revision(lambda _, d, c: c.update(user="0")),
    ("Family", "Container.readonlyRootFilesystem"): register_revision(
        lambda _, d, c: c.update(readonlyRootFilesystem=False)
    ),
    ("Family", "Container.capabilities"): register_revision(
        lambda _, d, c: c.update(linuxParameters={"capabilities": {"add": ["SYS_PTRACE"]}})
    ),
    ("Family", "Container.log"): register_revision(
        lambda _, d, c: c["logConfiguration"]["options"].update({"awslogs-stream-prefix": "x"})
    ),
    ("Family", "Container.stopTimeout"): register_revision(lambda _, d, c: c.update(stopTimeout=2)),
    ("Service", "capacityProviderStrategy[0].capacityProvider"): service(
        lambda editor: {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}]}
    ),
    ("Service", "loadBalancers[0].targetGroupArn"): change_service_target_group,
    ("Service", "Vpc"): service(two_subnet_configuration),
    ("Service", "deploymentConfiguration.minimumHealthyPercent"): change_deployment_configuration(
        minimumHealthyPercent=50
    ),
    ("Service", "deploymentConfiguration.maximumPercent"): change_deployment_configuration(
        maximumPercent=150
    ),
    (
        "Service",
        "deploymentConfiguration.deploymentCircuitBreaker",
    ): change_deployment_configuration(
        deploymentCircuitBreaker={"enable": False, "rollback": False}
    ),
    ("Scheduled", "ScheduleExpression"): change_schedule(
        lambda s: s.update(ScheduleExpression="cron(0 3 * * ? *)")
    ),
    ("Scheduled", "ScheduleExpressionTimezone"): change_schedule(
        lambda s: s.update(ScheduleExpressionTimezone="UTC")
    ),
    ("Scheduled", "FlexibleTimeWindow"): change_schedule(
        lambda s: s.update(FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60})
    ),
    ("Scheduled", "State"): change_schedule(lambda s: s.update(State="DISABLED")),
    ("Schedule", "Target"): change_schedule(
        lambda s: s["Target"]["RetryPolicy"].update(MaximumRetryAttempts=3)
    ),
    ("CollectorSchedule", "Target.RetryPolicy"): change_schedule(
        lambda s: s["Target"]["RetryPolicy"].update(MaximumRetryAttempts=3)
    ),
    ("CollectorSchedule", "Target.Arn"): change_schedule(
        lambda s: s["Target"].update(Arn=s["Target"]["Arn"] + "-other")
    ),
    ("CollectorSchedule", "Target.RoleArn"): change_scheduler_role,
    ("CollectorSchedule", f"{RUNS}.TaskDefinitionArn"): change_task_target(
        lambda editor, t: t.update(TaskDefinitionArn=editor.of("task_definition")["arn"])
    ),
    (
        "CollectorSchedule",
        f"{RUNS}.CapacityProviderStrategy[0].capacityProvider",
    ): change_task_target(
        lambda _, t: t["CapacityProviderStrategy"][0].update(capacityProvider="FARGATE")
    ),
    ("CollectorSchedule", f"sort({PLACE}.Subnets || `[]`)"): change_task_target(
        lambda _, t: t["NetworkConfiguration"]["awsvpcConfiguration"]["Subnets"].pop()
    ),
    ("CollectorSchedule", f"{PLACE}.SecurityGroups"): change_task_target(
        lambda editor, t: t["NetworkConfiguration"]["awsvpcConfiguration"].update(
            SecurityGroups=[editor.of("load_balancer_group")["id"]]
        )
    ),
    ("CollectorSchedule", f"{PLACE}.AssignPublicIp"): change_task_target(
        lambda _, t: t["NetworkConfiguration"]["awsvpcConfiguration"].update(
            AssignPublicIp="DISABLED"
        )
    ),
}

# Set by a resource, but not a property that can be changed in AWS.
NOT_IN_AWS = {
    (
        "Service",
        "Counted",
    ): "the count it was last set to, which only stack.yaml knows; the present "
    "one belongs to start, stop and the schedule",
    ("Service", "taskDefinition"): "changed by each change of TaskDefinition that is run",
}


def find_change(resource: Resource, path: str) -> Change | None:
    """Return the change for this property, defined for its class or a base class, or derived."""
    names = [kind.__name__ for kind in type(resource).__mro__]
    derived = isinstance(resource.desired()[path], bool | int | float | str)
    changes = (CHANGES[name, path] for name in names if (name, path) in CHANGES)
    return next(changes, another_value(path) if derived else None)
