"""S3: access to objects, and their deletion."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.permissions import s3_actions
from provision.sandbox.aws.permissions.actions import context
from provision.sandbox.aws.permissions.enforcement import access_denied, denial_message
from provision.sandbox.aws.rules import Answer, before
from provision.sandbox.aws.s3.buckets import find_bucket

_MAX_OBJECTS = 1000


@behaves("s3.missing-key", "s3.conditional")
@before("s3", "GetObject", "HeadObject")
def check_list_permission(cloud: Cloud, call: Call) -> None:
    """Refuse access to a missing object with 403 without s3:ListBucket; else moto's 404 (API GetObject)."""
    caller = cloud.permissions.caller(call.access_key)
    bucket, key = find_bucket(cloud, call), call.params["Key"]
    if caller is None or bucket is None or key in bucket.keys:
        return
    permission = ("s3:ListBucket", f"arn:aws:s3:::{bucket.name}", {"s3:prefix": key})
    message = denial_message(cloud, caller, permission, context(cloud, call))
    if message:
        raise access_denied(call, message)


@behaves("s3.acl-not-supported")
@before("s3", "PutObject")
def check_acl(cloud: Cloud, call: Call) -> None:
    """Refuse ACLs other than bucket-owner-full-control, which has no effect (User Guide)."""
    bucket = find_bucket(cloud, call)
    acl = call.params.get("ACL") or call.params.get("AccessControlPolicy")
    if bucket is None or str(bucket.ownership_rule) != "BucketOwnerEnforced" or acl is None:
        return
    if acl not in ("bucket-owner-full-control", "private"):
        raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)


@behaves("s3.delete-thousand", "s3.delete-errors")
@before("s3", "DeleteObjects")
def delete_objects(cloud: Cloud, call: Call) -> Answer | None:
    """Delete the objects for which the caller has permission (API DeleteObjects)."""
    if len(call.params["Delete"]["Objects"]) > _MAX_OBJECTS:
        raise AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published "
            "schema",
            400,
        )
    caller = cloud.permissions.caller(call.access_key)
    if caller is None or find_bucket(cloud, call) is None:
        return None
    keys, errors, deleted = context(cloud, call), [], []
    objects = zip(
        call.params["Delete"]["Objects"], s3_actions.required_permissions(call), strict=True
    )
    for identifier, (action, resource) in objects:
        message = denial_message(cloud, caller, (action, resource, {}), keys)
        shown_id = {name: identifier[name] for name in ("Key", "VersionId") if identifier.get(name)}
        if message:
            errors.append(shown_id | {"Code": "AccessDenied", "Message": message})
        else:
            _delete(cloud, call, identifier)
            deleted.append(shown_id)
    quiet = call.params["Delete"].get("Quiet")
    return {"Errors": errors} | ({} if quiet else {"Deleted": deleted})


def _delete(cloud: Cloud, call: Call, identifier: dict[str, Any]) -> None:
    cloud.backend("s3").delete_object(
        call.params["Bucket"], identifier["Key"], identifier.get("VersionId")
    )
