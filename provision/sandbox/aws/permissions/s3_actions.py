"""The actions of S3's operations, many of which have other names than the operations.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"; S3 User
Guide, "Required permissions for Amazon S3 API operations".
"""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call

RequiredPermission = tuple[str, str]  # action and resource

# Operations on the bucket -> actions, where the names differ.
BUCKET = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketCors": "PutBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
}
# Operations on an object -> actions.
OBJECT = {
    "HeadObject": "GetObject",
    "GetObjectAttributes": "GetObject",
    "PutObject": "PutObject",
    "GetObject": "GetObject",
    "DeleteObject": "DeleteObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
    "GetObjectTagging": "GetObjectTagging",
    "PutObjectTagging": "PutObjectTagging",
    "DeleteObjectTagging": "DeleteObjectTagging",
    "GetObjectAcl": "GetObjectAcl",
    "PutObjectAcl": "PutObjectAcl",
}
# With a VersionId these have actions of their own.
_VERSIONED = {"GetObject", "DeleteObject"}


def required_permissions(call: Call) -> list[RequiredPermission]:
    """Return the actions and resources that this call needs."""
    params = call.params
    if "Bucket" not in params:
        return [("s3:ListAllMyBuckets" if call.operation == "ListBuckets" else _plain(call), "*")]
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if call.operation == "DeleteObjects":
        objects = (params.get("Delete") or {}).get("Objects") or []
        return [(_action("DeleteObject", found), f"{bucket}/{found['Key']}") for found in objects]
    if call.operation == "CopyObject":
        source = f"arn:aws:s3:::{_source(params['CopySource'])}"
        return [("s3:GetObject", source), ("s3:PutObject", f"{bucket}/{params['Key']}")]
    if call.operation in OBJECT:
        return [(_action(OBJECT[call.operation], params), f"{bucket}/{params['Key']}")]
    more = _creating(params, bucket) if call.operation == "CreateBucket" else []
    return [(f"s3:{BUCKET.get(call.operation, call.operation)}", bucket), *more]


@behaves("permissions.bucket-ownership")
def _creating(params: dict[str, Any], bucket: str) -> list[RequiredPermission]:
    """Return what CreateBucket needs for its parameters (S3 API, CreateBucket, Permissions)."""
    tags = (params.get("CreateBucketConfiguration") or {}).get("Tags")
    given = {
        "s3:TagResource": tags,
        "s3:PutBucketOwnershipControls": params.get("ObjectOwnership"),
        "s3:PutBucketAcl": params.get("ACL") not in (None, "private"),
    }
    return [(action, bucket) for action, value in given.items() if value]


def _plain(call: Call) -> str:
    return f"s3:{call.operation}"


def _action(name: str, params: dict[str, Any]) -> str:
    return f"s3:{name}{'Version' if name in _VERSIONED and params.get('VersionId') else ''}"


def _source(params: Any) -> str:
    if isinstance(params, dict):
        return f"{params['Bucket']}/{params['Key']}"
    return str(params).lstrip("/").partition("?")[0]
