"""S3: bucket names, a new bucket's settings, and deletion.

Sources: User Guide "General purpose bucket naming rules", "Blocking public access", "Controlling
ownership of objects"; API CreateBucket, DeleteBucket.
"""

import re
from typing import Any

from moto.s3.models import PublicAccessBlock, s3_backends

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after, before

_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_TAGS = 50


@behaves("s3.bucket-name")
@before("s3", "CreateBucket")
def check_name(cloud: Cloud, call: Call) -> None:
    """Refuse an invalid name (User Guide, naming rules)."""
    name = call.params["Bucket"]
    invalid = not _NAME.fullmatch(name) or _ADDRESS.fullmatch(name)
    if invalid or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400)


@behaves("s3.bucket-taken")
@before("s3", "CreateBucket")
def check_name_free(cloud: Cloud, call: Call) -> None:
    """Refuse a name taken by another account (API CreateBucket, BucketAlreadyExists)."""
    if call.params["Bucket"] in cloud.s3.other_accounts:
        raise AwsError(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users "
            "of the system. Please select a different name and try again.",
            409,
        )


@behaves("s3.foreign-bucket")
@before("s3", "*")
def check_owner(cloud: Cloud, call: Call) -> None:
    """Refuse access to another account's bucket with 403 (API HeadBucket)."""
    if call.params.get("Bucket") in cloud.s3.other_accounts and call.operation != "CreateBucket":
        raise AwsError("AccessDenied", "Access Denied", 403)


@behaves("s3.expected-owner")
@before("s3", "*")
def check_expected_owner(cloud: Cloud, call: Call) -> None:
    """Refuse a call whose ExpectedBucketOwner is another account (User Guide, bucket owner condition)."""
    expected = call.params.get("ExpectedBucketOwner")
    _partition, owner = s3_backends.bucket_accounts.get(
        call.params.get("Bucket"), ("aws", cloud.account_id)
    )
    if expected and expected != owner:
        raise AwsError("AccessDenied", "Access Denied", 403)


@behaves("s3.create-acl")
@before("s3", "CreateBucket")
def check_acl(cloud: Cloud, call: Call) -> None:
    """Refuse ACLs with ObjectOwnership BucketOwnerEnforced, the default since April 2023."""
    ownership = call.params.get("ObjectOwnership") or "BucketOwnerEnforced"
    if ownership == "BucketOwnerEnforced" and call.params.get("ACL") not in (None, "private"):
        raise AwsError(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            400,
        )


@behaves("s3.new-bucket", "s3.new-bucket-tags")
@after("s3", "CreateBucket")
def apply_defaults(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Block public access, disable ACLs, encrypt with SSE-S3, and store tags given at creation."""
    bucket = find_bucket(cloud, call)
    assert bucket is not None
    if bucket.public_access_block is None:
        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
    if not bucket.encryption:
        _encrypt(bucket)
    bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
    tags = (call.params.get("CreateBucketConfiguration") or {}).get("Tags") or []
    if tags:
        given = {tag["Key"]: tag["Value"] for tag in tags}
        cloud.backend("s3").put_bucket_tagging(bucket.name, given)


def _encrypt(bucket: Any) -> None:
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    bucket.encryption = {"Rule": {**default, "BucketKeyEnabled": False}}


@behaves("s3.bucket-tags")
@before("s3", "PutBucketTagging")
def check_tags(cloud: Cloud, call: Call) -> None:
    """Refuse more than 50 tags (User Guide, bucket tags)."""
    if len((call.params.get("Tagging") or {}).get("TagSet") or []) > _TAGS:
        message = f"Bucket tag count cannot be greater than {_TAGS}"
        raise AwsError("BadRequest", message, 400)


@behaves("s3.bucket-not-empty")
@before("s3", "DeleteBucket")
def check_empty(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a bucket with objects, versions or delete markers (API DeleteBucket)."""
    bucket = find_bucket(cloud, call)
    if bucket is not None and any(bucket.keys.getlist(key) for key in bucket.keys):
        versioned = bool(bucket.versioning_status)
        more = " You must delete all versions in the bucket." if versioned else ""
        raise AwsError("BucketNotEmpty", f"The bucket you tried to delete is not empty.{more}", 409)


@after("s3", "DeleteBucket", "DeleteBucketPolicy")
def remove_policy(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Remove the policy."""
    cloud.s3.policies.pop(call.params["Bucket"], None)


def find_bucket(cloud: Cloud, call: Call) -> Any | None:
    """Return moto's bucket, or None."""
    return cloud.backend("s3").buckets.get(call.params["Bucket"])
