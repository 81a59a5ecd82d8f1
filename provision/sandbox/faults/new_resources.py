"""What the create calls of AWS's services make, and how the services say that they do not know it (yet)."""

from provision.sandbox.faults.eventual_consistency import Kind


def _ec2(noun: str, id: str, code: str, words: str) -> tuple[Kind, ...]:
    ids = f"answer.{noun}.{id}" if noun else f"answer.{id}"
    return (Kind(ids, r".*", id.rpartition(".")[2], code, words),)


def _elbv2(noun: str, plural: str, code: str, named: str = "") -> tuple[Kind, ...]:
    words = f"One or more {named or noun.lower() + 's'} not found"
    by_arn = Kind(f"answer.{plural}[].{noun}Arn", r".*", f"{noun}Arn", code, words)
    name = f"answer.{plural}[].{noun}Name"
    by_name = Kind(name, rf"Describe{plural}\.Names", f"{noun}Name", code, words)
    return (by_arn, by_name) if named else (by_arn,)


# By service and create call. Codes and words: each API reference, Errors of the Describe and Get calls.
MADE: dict[tuple[str, str], tuple[Kind, ...]] = {
    ("ec2", "CreateSecurityGroup"): _ec2(
        "", "GroupId", "InvalidGroup.NotFound", "The security group '{}' does not exist"
    ),
    ("ec2", "AuthorizeSecurityGroupIngress"): (
        Kind(
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
        Kind(
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
        Kind(
            "[answer.cluster.clusterArn, answer.cluster.clusterName]",
            r"\w+\.cluster",
            "clusterArn",
            "ClusterNotFoundException",
            "Cluster not found.",
        ),
    ),
    ("ecs", "CreateService"): (
        Kind(
            "[answer.service.serviceArn, answer.service.serviceName]",
            r"\w+\.service",
            "serviceArn",
            "ServiceNotFoundException",
            "Service not found.",
        ),
    ),
    ("ecs", "RegisterTaskDefinition"): (
        Kind(
            "answer.taskDefinition.[taskDefinitionArn, join(':', [family, to_string(revision)])]",
            r"\w+\.taskDefinition",
            "taskDefinitionArn",
            "ClientException",
            "Unable to describe task definition.",
        ),
    ),
    ("route53", "CreateHostedZone"): (
        Kind(
            "answer.HostedZone.Id",
            r"\w+\.(Id|HostedZoneId|ResourceId)",
            "Id",
            "NoSuchHostedZone",
            "No hosted zone found with ID: {}",
            404,
        ),
    ),
    ("acm", "RequestCertificate"): (
        Kind(
            "answer.CertificateArn",
            r".*",
            "CertificateArn",
            "ResourceNotFoundException",
            "Could not find certificate {}.",
        ),
    ),
    ("logs", "CreateLogGroup"): (
        Kind(
            "params.logGroupName",
            r"\w+\.(logGroupName|logGroupIdentifier)",
            "logGroupName",
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        ),
    ),
    ("ssm", "PutParameter"): (Kind("params.Name", r"\w+\.Name", "Name", "ParameterNotFound", ""),),
    ("ecr", "CreateRepository"): (
        Kind(
            "answer.repository.repositoryName",
            r"\w+\.repositoryNames?",
            "repositoryName",
            "RepositoryNotFoundException",
            "The repository with name '{}' does not exist in the registry with id '123456789012'",
        ),
    ),
    ("s3", "CreateBucket"): (
        Kind(
            "params.Bucket",
            r"\w+Bucket\w*\.Bucket",
            "Name",
            "NoSuchBucket",
            "The specified bucket does not exist",
            404,
        ),
    ),
    ("scheduler", "CreateSchedule"): (
        Kind(
            "params.Name",
            r"(Get|Update|Delete)Schedule\.Name",
            "Name",
            "ResourceNotFoundException",
            "Schedule {} does not exist.",
            404,
        ),
    ),
    ("scheduler", "CreateScheduleGroup"): (
        Kind(
            "params.Name",
            r"\w+\.GroupName|(Get|Delete)ScheduleGroup\.Name",
            "Name",
            "ResourceNotFoundException",
            "Schedule group {} does not exist.",
            404,
        ),
    ),
}
