"""The permissions that a call needs: actions on resources, iam:PassRole, condition keys.

Source: Service Authorization Reference, each service's actions with their dependent actions; IAM User
Guide, "AWS global condition context keys" and "Grant permissions to pass a role to a service".
"""

import re
from datetime import UTC, datetime
from typing import Any

import jmespath

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.state import LINKED_ROLE
from provision.sandbox.aws.permissions import s3_actions
from provision.sandbox.aws.permissions.resources import action_name, resources

RequiredPermission = tuple[str, str, dict[str, Any]]  # action, resource, its own condition keys

# botocore's service names -> action prefixes, where they differ.
PREFIX = {
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
# Calls that need no permission (STS API Reference).
FREE = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
# Calls that pass roles to a service -> the parameters with the roles (jmespath), and the service.
_ECS_ROLES = "[taskRoleArn, executionRoleArn]"
_PASSED_ROLES = {
    ("ecs", "RegisterTaskDefinition"): (_ECS_ROLES, "ecs-tasks.amazonaws.com"),
    ("ecs", "RunTask"): (f"overrides.{_ECS_ROLES}", "ecs-tasks.amazonaws.com"),
    ("ecs", "CreateService"): ("[role]", "ecs.amazonaws.com"),
    ("lambda", "CreateFunction"): ("[Role]", "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): ("[Role]", "lambda.amazonaws.com"),
    ("scheduler", "CreateSchedule"): ("[Target.RoleArn]", "scheduler.amazonaws.com"),
    ("scheduler", "UpdateSchedule"): ("[Target.RoleArn]", "scheduler.amazonaws.com"),
}
# The action that a creating call with tags needs too, by operation or by service.
TAGGING = {
    "acm": "AddTagsToCertificate",
    "ecr": "TagResource",
    "ecs": "TagResource",
    "elasticloadbalancing": "AddTags",
    "events": "TagResource",
    "iam:CreateRole": "TagRole",
    "iam:CreateUser": "TagUser",
    "iam:CreatePolicy": "TagPolicy",
    "lambda": "TagResource",
    "logs": "TagResource",
    "scheduler": "TagResource",
    "ssm": "AddTagsToResource",
    "wafv2": "TagResource",
}
# Calls of AWS WAF on a load balancer -> actions of Elastic Load Balancing that they need too.
_WEB_ACL_ACTIONS = {
    "AssociateWebACL": ("CreateWebACLAssociation", "SetWebAcl"),
    "DisassociateWebACL": ("DeleteWebACLAssociation", "SetWebAcl"),
    "GetWebACLForResource": ("GetLoadBalancerWebACL",),
    "ListResourcesForWebACL": ("DescribeWebACLAssociation",),
}
_CREATING = ("Create", "Register", "Request", "Put", "Run")
# Operations -> the ARN of what they create, from that of the resource on which they are allowed.
_CREATED = {
    "CreateListener": (":loadbalancer/app/", ":listener/app/"),
    "CreateRule": (":listener/app/", ":listener-rule/app/"),
}
# Services' own condition keys -> the parameter with the value (jmespath).
_SERVICE_KEYS = {
    "s3:prefix": "Prefix",
    "s3:delimiter": "Delimiter",
    "s3:max-keys": "MaxKeys",
    "s3:versionid": "VersionId",
    "s3:x-amz-acl": "ACL",
    "s3:locationconstraint": "CreateBucketConfiguration.LocationConstraint",
    "s3:x-amz-server-side-encryption": "ServerSideEncryption",
    "iam:policyarn": "PolicyArn",
    "iam:awsservicename": "AWSServiceName",
    "iam:permissionsboundary": "PermissionsBoundary",
    "ssm:overwrite": "Overwrite",
    "sts:externalid": "ExternalId",
    "sts:rolesessionname": "RoleSessionName",
}
_RECORD_NAMES = "route53:changeresourcerecordsetsnormalizedrecordnames"


@behaves("permissions.free", "permissions.hosted-zone")
def required_permissions(cloud: Cloud, call: Call) -> list[RequiredPermission]:
    """Return the permissions that this call needs."""
    if (call.service, call.operation) in FREE:
        return []
    if call.service == "s3":
        return [
            (action, resource, {}) for action, resource in s3_actions.required_permissions(call)
        ]
    service = PREFIX.get(call.service, call.service)
    arns = [_with_path(cloud, arn) for arn in resources(call, service, cloud.account_id)]
    own: list[RequiredPermission] = [
        (f"{service}:{action_name(call)}", resource, {}) for resource in arns
    ]
    if (call.service, call.operation) == ("route53", "CreateHostedZone"):
        own.append(("ec2:DescribeVpcs", "*", {}))
    if (call.service, call.operation) == ("ec2", "DisassociateRouteTable"):
        own = _association_permissions(cloud, call)
    for action in _WEB_ACL_ACTIONS.get(call.operation, ()):
        without = action in ("SetWebAcl", "DescribeWebACLAssociation")  # take no resource
        arn = "*" if without else str(call.params["ResourceArn"])
        own.append((f"elasticloadbalancing:{action}", arn, {}))
    if call.operation in ("CreateLoadBalancer", "CreateTargetGroup"):
        own += _linked_role_permissions(cloud)
    return own + _tag_permissions(cloud, call, service, arns) + _pass_role_permissions(cloud, call)


def _with_path(cloud: Cloud, arn: str) -> str:
    """Return a role's ARN with its path, which calls by name lack."""
    role = cloud.iam.role(arn.rpartition("/")[2]) if ":iam:" in arn and ":role/" in arn else None
    return arn if role is None else str(role.arn)


@behaves("permissions.tags-at-creation")
def _tag_permissions(
    cloud: Cloud, call: Call, service: str, arns: list[str]
) -> list[RequiredPermission]:
    """Return the tagging permissions that a creating call with tags needs."""
    if service == "ec2":
        return [
            (
                "ec2:CreateTags",
                f"arn:aws:ec2:{call.region}:{cloud.account_id}:{tagged['ResourceType']}/*",
                {"ec2:CreateAction": call.operation},
            )
            for tagged in call.params.get("TagSpecifications") or []
        ]
    action = TAGGING.get(f"{service}:{call.operation}") or TAGGING.get(service)
    tags_given = call.params.get("tags") or call.params.get("Tags")
    if not (action and tags_given and call.operation.startswith(_CREATING)):
        return []
    if service == "acm":
        arns = [f"arn:aws:acm:{call.region}:{cloud.account_id}:certificate/*"]
    if call.operation in _CREATED:
        arns = [f"{arn.replace(*_CREATED[call.operation])}/*" for arn in arns]
    if call.operation == "RunTask":
        cluster = str(call.params.get("cluster") or "default").rpartition("/")[2]
        arns = [f"{arns[0].partition(':task-definition/')[0]}:task/{cluster}/*"]
    return [(f"{service}:{action}", arn.removesuffix(":log-stream:"), {}) for arn in arns]


@behaves("permissions.load-balancer-linked-role")
def _linked_role_permissions(cloud: Cloud) -> list[RequiredPermission]:
    """Return iam:CreateServiceLinkedRole until the account has a load balancer's service-linked role."""
    path = f"/aws-service-role/{LINKED_ROLE}/"
    if any(role.path == path for role in cloud.backend("iam").roles.values()):
        return []
    arn = f"arn:aws:iam::{cloud.account_id}:role{path}*"
    return [("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": LINKED_ROLE})]


def _association_permissions(cloud: Cloud, call: Call) -> list[RequiredPermission]:
    """Return DisassociateRouteTable on the table of the association."""
    place = f"arn:aws:ec2:{call.region}:{cloud.account_id}"
    for table in cloud.backend("ec2", call.region).route_tables.values():
        for association in table.associations:
            if association["RouteTableAssociationId"] == call.params["AssociationId"]:
                arn = f"{place}:route-table/{table.id}"
                return [("ec2:DisassociateRouteTable", arn, {})]
    return [("ec2:DisassociateRouteTable", f"{place}:route-table/*", {})]


@behaves("permissions.pass-role", "permissions.passed-to-service")
def _pass_role_permissions(cloud: Cloud, call: Call) -> list[RequiredPermission]:
    """Return iam:PassRole for every role that this call passes to a service."""
    if (call.service, call.operation) not in _PASSED_ROLES:
        return []
    expression, service = _PASSED_ROLES[call.service, call.operation]
    names = jmespath.search(expression, call.params) or []
    if call.operation == "RunTask":
        names += _roles_of(cloud, call)
    roles = {cloud.iam.role(name) or name for name in names if name}
    arns = sorted(str(getattr(role, "arn", role)) for role in roles)
    return [("iam:PassRole", arn, {"iam:PassedToService": service}) for arn in arns]


def _roles_of(cloud: Cloud, call: Call) -> list[str | None]:
    """Return the roles of the task definition (Scheduler User Guide, RunTask)."""
    family, _, revision = str(call.params["taskDefinition"]).rpartition("/")[2].partition(":")
    revisions = cloud.backend("ecs", call.region).task_definitions.get(family, {})
    number = int(revision) if revision.isdigit() else max(revisions, default=0)
    if number not in revisions:
        return []
    return [revisions[number].task_role_arn, revisions[number].execution_role_arn]


# Calls on a user or role whose boundary, not that of the request, is the value of iam:PermissionsBoundary.
_BOUNDED = re.compile(
    r"((Attach|Detach|Put|Delete)(User|Role)Policy|Delete(User|Role)PermissionsBoundary)"
)


@behaves("permissions.boundary-condition")
def _boundary(cloud: Cloud, call: Call) -> dict[str, str]:
    """Return the condition key with the boundary that a user or role has (User Guide, keys for IAM)."""
    if not (call.service == "iam" and _BOUNDED.fullmatch(call.operation)):
        return {}
    user = cloud.backend("iam").users.get(call.params.get("UserName"))
    entity = user or cloud.iam.role(call.params.get("RoleName") or "")
    boundary = getattr(entity, "permissions_boundary_arn", None)
    return {"iam:permissionsboundary": boundary} if boundary else {}


@behaves("permissions.record-names")
def context(cloud: Cloud, call: Call) -> dict[str, Any]:
    """Return the condition keys of the request."""
    tags = _tags(call.params)
    keys: dict[str, Any] = {
        "aws:securetransport": call.secure,
        "aws:requestedregion": call.region,
        "aws:sourceip": "127.0.0.1",
        "aws:currenttime": datetime.fromtimestamp(call.time, UTC).isoformat(),
        "aws:epochtime": call.time,
        "aws:resourceaccount": cloud.account_id,
    }
    keys |= {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}
    if tags:
        keys["aws:tagkeys"] = list(tags)
    for key, expression in _SERVICE_KEYS.items():
        if key.startswith(f"{call.service}:"):
            value = jmespath.search(expression, call.params)
            if value is not None:
                keys[key] = value
    if call.operation == "ChangeResourceRecordSets":
        names = jmespath.search("ChangeBatch.Changes[].ResourceRecordSet.Name", call.params) or []
        keys[_RECORD_NAMES] = [str(name).rstrip(".").lower() for name in names]
    if call.service == "ecs" and call.operation not in ("CreateCluster", "DeleteCluster"):
        cluster = str(call.params.get("cluster") or "default").rpartition("/")[2]
        keys["ecs:cluster"] = f"arn:aws:ecs:{call.region}:{cloud.account_id}:cluster/{cluster}"
    return keys | _boundary(cloud, call)


def _tags(params: dict[str, Any]) -> dict[str, str]:
    """Return the tags in a request of any service."""
    tags_given = params.get("tags") or params.get("Tags") or params.get("AddTags") or []
    if isinstance(tags_given, dict):
        return dict(tags_given)
    tags_given = [*tags_given, *(jmespath.search("TagSpecifications[].Tags[]", params) or [])]
    tags_given += jmespath.search("CreateBucketConfiguration.Tags", params) or []
    tags_given += jmespath.search("Tagging.TagSet", params) or []
    return {
        str(tag.get("Key") or tag.get("key")): str(tag.get("Value") or tag.get("value") or "")
        for tag in tags_given
        if isinstance(tag, dict)
    }
