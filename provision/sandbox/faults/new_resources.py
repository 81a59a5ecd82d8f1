"""The resources that create calls create, and the errors of servers that do not know them yet."""

from provision.sandbox.faults.eventual_consistency import NewResource


def _ec2(noun: str, member: str, code: str, message: str) -> tuple[NewResource, ...]:
    ids = f"answer.{noun}.{member}" if noun else f"answer.{member}"
    return (NewResource(ids, r".*", member.rpartition(".")[2], code, message),)


def _elbv2(noun: str, plural: str, code: str, plural_words: str = "") -> tuple[NewResource, ...]:
    message = f"One or more {plural_words or noun.lower() + 's'} not found"
    by_arn = NewResource(f"answer.{plural}[].{noun}Arn", r".*", f"{noun}Arn", code, message)
    name = f"answer.{plural}[].{noun}Name"
    by_name = NewResource(name, rf"Describe{plural}\.Names", f"{noun}Name", code, message)
    return (by_arn, by_name) if plural_words else (by_arn,)


# By service and create call. Codes and words: each API reference, Errors of the Describe and Get calls.
NEW_RESOURCES: dict[tuple[str, str], tuple[NewResource, ...]] = {
    ("ec2", "CreateSecurityGroup"): _ec2(
        "", "GroupId", "InvalidGroup.NotFound", "The security group '{}' does not exist"
    ),
    ("ec2", "AuthorizeSecurityGroupIngress"): (
        NewResource(
            "answer.SecurityGroupRules[].SecurityGroupRuleId",
            r".*",
            "SecurityGroupRuleId",
            "InvalidSecurityGroupRuleId.NotFound",
            "The security group rule ID '{}' does not exist",
        ),
    ),
    ("ec2", "CreateVpc"): _ec2(
        "Vpc", "VpcId", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"
    ),
    ("ec2", "CreateSubnet"): _ec2(
        "Subnet", "SubnetId", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"
    ),
    ("ec2", "CreateInternetGateway"): _ec2(
        "InternetGateway",
        "InternetGatewayId",
        "InvalidInternetGatewayID.NotFound",
        "The internetGateway ID '{}' does not exist",
    ),
    ("ec2", "CreateRouteTable"): _ec2(
        "RouteTable",
        "RouteTableId",
        "InvalidRouteTableID.NotFound",
        "The routeTable ID '{}' does not exist",
    ),
    ("iam", "CreateRole"): (
        NewResource(
            "answer.Role.RoleName",
            r"\w*Role\w*\.RoleName",
            "RoleName",
            "NoSuchEntity",
            "The role with name {} cannot be found.",
            404,
        ),
    ),
    ("elbv2", "CreateLoadBalancer"): _elbv2(
        "LoadBalancer", "LoadBalancers", "LoadBalancerNotFound", "load balancers"
    ),
    ("elbv2", "CreateTargetGroup"): _elbv2(
        "TargetGroup", "TargetGroups", "TargetGroupNotFound", "target groups"
    ),
    ("elbv2", "CreateListener"): _elbv2("Listener", "Listeners", "ListenerNotFound"),
    ("elbv2", "CreateRule"): _elbv2("Rule", "Rules", "RuleNotFound"),
    ("ecs", "CreateCluster"): (
        NewResource(
            "[answer.cluster.clusterArn, answer.cluster.clusterName]",
            r"\w+\.cluster",
            "clusterArn",
            "ClusterNotFoundException",
            "Cluster not found.",
        ),
    ),
    ("ecs", "CreateService"): (
        NewResource(
            "[answer.service.serviceArn, answer.service.serviceName]",
            r"\w+\.service",
            "serviceArn",
            "ServiceNotFoundException",
            "Service not found.",
        ),
    ),
    ("ecs", "RegisterTaskDefinition"): (
        NewResource(
            "answer.taskDefinition.[taskDefinitionArn, join(':', [family, to_string(revision)])]",
            r"\w+\.taskDefinition",
            "taskDefinitionArn",
            "ClientException",
            "Unable to describe task definition.",
        ),
    ),
    ("route53", "CreateHostedZone"): (
        NewResource(
            "answer.HostedZone.Id",
            r"\w+\.(Id|HostedZoneId|ResourceId)",
            "Id",
            "NoSuchHostedZone",
            "No hosted zone found with ID: {}",
            404,
        ),
    ),
    ("acm", "RequestCertificate"): (
        NewResource(
            "answer.CertificateArn",
            r".*",
            "CertificateArn",
            "ResourceNotFoundException",
            "Could not find certificate {}.",
        ),
    ),
    ("logs", "CreateLogGroup"): (
        NewResource(
            "params.logGroupName",
            r"\w+\.(logGroupName|logGroupIdentifier)",
            "logGroupName",
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        ),
    ),
    ("ssm", "PutParameter"): (
        NewResource("params.Name", r"\w+\.Name", "Name", "ParameterNotFound", ""),
    ),
    ("ecr", "CreateRepository"): (
        NewResource(
            "answer.repository.repositoryName",
            r"\w+\.repositoryNames?",
            "repositoryName",
            "RepositoryNotFoundException",
            "The repository with name '{}' does not exist in the registry with id '123456789012'",
        ),
    ),
    ("s3", "CreateBucket"): (
        NewResource(
            "params.Bucket",
            r"\w+Bucket\w*\.Bucket",
            "Name",
            "NoSuchBucket",
            "The specified bucket does not exist",
            404,
        ),
    ),
    ("scheduler", "CreateSchedule"): (
        NewResource(
            "params.Name",
            r"(Get|Update|Delete)Schedule\.Name",
            "Name",
            "ResourceNotFoundException",
            "Schedule {} does not exist.",
            404,
        ),
    ),
    ("scheduler", "CreateScheduleGroup"): (
        NewResource(
            "params.Name",
            r"\w+\.GroupName|(Get|Delete)ScheduleGroup\.Name",
            "Name",
            "ResourceNotFoundException",
            "Schedule group {} does not exist.",
            404,
        ),
    ),
}
