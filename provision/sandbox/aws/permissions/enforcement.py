"""Checks of every call except root's against the caller's policies.

Every access key that IAM did not create is root's; of those, only the sandbox's own passes over HTTP
(signatures.py). Source: IAM User Guide, "Policy evaluation logic" and
"Troubleshoot access denied error messages"; the error codes are each service's "Common Errors".
"""

import base64
import json

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions.actions import (
    RequiredPermission,
    context,
    required_permissions,
)
from provision.sandbox.aws.permissions.policies import (
    PermissionRequest,
    resource_decision,
    statements,
)
from provision.sandbox.aws.permissions.principals import Principal
from provision.sandbox.aws.permissions.tags import resource_tags

# Checked by the trust policy (aws/sts), and for each object (aws/s3/objects.py).
_CHECKED_ELSEWHERE = ("AssumeRole", "DeleteObjects")


@behaves(
    "permissions.caller",
    "permissions.explicit-deny",
    "permissions.boundary",
    "permissions.session-policy",
    "permissions.conditions",
    "permissions.task-role",
)
def enforce(cloud: Cloud, call: Call) -> None:
    """Raise access denied if the caller lacks a permission for this call."""
    principal = cloud.permissions.caller(call.access_key)
    if principal is not None:
        check_permissions(cloud, call, principal)
    elif call.service == "s3" and cloud.s3.policies:
        _check_root(cloud, call)


def check_permissions(cloud: Cloud, call: Call, principal: Principal) -> None:
    """Raise access denied if the principal lacks a permission for this call."""
    request_keys = context(cloud, call)
    for action, resource, own_keys in required_permissions(cloud, call):
        if call.operation in _CHECKED_ELSEWHERE:
            continue
        message = denial_message(cloud, principal, (action, resource, own_keys), request_keys)
        if message:
            details = _encoded(principal, action, resource, message)
            raise access_denied(call, message, details)


@behaves("s3.policy-grants")
def denial_message(
    cloud: Cloud,
    principal: Principal,
    permission: RequiredPermission,
    request_keys: dict[str, object],
) -> str:
    """Return AWS's message if one action on one resource is denied, else "". Record the check."""
    action, resource, own_keys = permission
    tags = resource_tags(cloud, resource)
    keys = request_keys | tags | own_keys
    policy = _bucket_policy(cloud, resource) if action.startswith("s3:") else None
    message = cloud.permissions.denial_message(principal, action, resource, keys, policy)
    cloud.permissions.checks.add((principal.arn, action, resource, not message))
    return message


@behaves("s3.policy-tls-only")
def _check_root(cloud: Cloud, call: Call) -> None:
    """Apply a bucket policy's Deny to root, except to calls on the policy itself."""
    root = f"arn:aws:iam::{cloud.account_id}:root"
    if call.operation in ("DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy"):
        return
    for action, resource, _ in required_permissions(cloud, call):
        policy = statements(_bucket_policy(cloud, resource))
        request = PermissionRequest(root, action, resource, _lower(context(cloud, call)))
        if policy and resource_decision(policy, request) == "Deny":
            raise access_denied(
                call,
                f"User: {root} is not authorized to perform: {action} on resource: "
                f'"{resource}" with an explicit deny in a resource-based policy',
            )


def _lower(keys: dict[str, object]) -> dict[str, object]:
    return {key.lower(): value for key, value in keys.items()}


def _bucket_policy(cloud: Cloud, resource: str) -> str | None:
    return cloud.s3.policies.get(resource.removeprefix("arn:aws:s3:::").partition("/")[0])


@behaves(
    "permissions.words-json",
    "permissions.words-query",
    "permissions.words-ec2",
    "permissions.words-s3",
)
def access_denied(call: Call, message: str, details: str = "") -> AwsError:
    """Return the access denied error of the call's service."""
    if call.service == "ec2":
        message = message.replace(" on resource: *", "")
        if call.mutating:
            message = f"{message}. Encoded authorization failure message: {details}"
        message = f"You are not authorized to perform this operation. {message}"
        return AwsError("UnauthorizedOperation", message, 403)
    if call.protocol in ("query", "rest-xml"):
        return AwsError("AccessDenied", message, 403)
    return AwsError("AccessDeniedException", message, 403 if call.protocol == "rest-json" else 400)


def _encoded(principal: Principal, action: str, resource: str, message: str) -> str:
    """Return the details of a denial, which only DecodeAuthorizationMessage decodes."""
    details = {
        "allowed": False,
        "explicitDeny": "explicit deny" in message,
        "context": {
            "principal": {"name": principal.arn.rpartition("/")[2], "arn": principal.arn},
            "action": action,
            "resource": resource,
        },
    }
    return base64.urlsafe_b64encode(json.dumps(details).encode()).decode()


def unknown_key(call: Call) -> AwsError:
    """Return the error of an unknown or deleted access key."""
    if call.service == "ec2":
        message = "AWS was not able to validate the provided access credentials"
        return AwsError("AuthFailure", message, 401)
    if call.service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AwsError("InvalidAccessKeyId", message, 403)
    message = "The security token included in the request is invalid."
    if call.protocol in ("query", "rest-xml"):
        return AwsError("InvalidClientTokenId", message, 403)
    status = 403 if call.protocol == "rest-json" else 400
    return AwsError("UnrecognizedClientException", message, status)
