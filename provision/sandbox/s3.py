"""S3: names, what a new bucket has since April 2023, and buckets that are not empty.

Sources: User Guide "General purpose bucket naming rules", "Blocking public access", "Controlling
ownership of objects"; API CreateBucket, DeleteBucket.
"""

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.s3.models import PublicAccessBlock

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.permissions.policies import statements
from provision.sandbox.rules import Answer, after, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


@dataclass
class S3:
    """Bucket policies as they were put. moto reads no conditions and would take a Deny for plain http
    as a Deny for all; it is handed the statements without one. The loopback counts as TLS."""

    policies: dict[str, str] = field(default_factory=dict)  # by bucket


_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@before("s3", "CreateBucket")
def bucket_has_a_name(cloud: "Cloud", call: Call) -> None:
    """User Guide, naming rules: InvalidBucketName."""
    name = call.params["Bucket"]
    bad = not _NAME.fullmatch(name) or _ADDRESS.fullmatch(name)
    if bad or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        raise Refusal("InvalidBucketName", "The specified bucket is not valid.", 400)


@after("s3", "CreateBucket")
def new_bucket_is_private(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """Since 2023: public access blocked, no ACLs, SSE-S3; tags given at creation are kept (API, 2025)."""
    bucket = find_bucket(cloud, call)
    assert bucket is not None
    if bucket.public_access_block is None:
        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
    if not bucket.encryption:
        default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        bucket.encryption = {"Rule": {**default, "BucketKeyEnabled": False}}
    bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
    tags = (call.params.get("CreateBucketConfiguration") or {}).get("Tags") or []
    if tags:
        given = {tag["Key"]: tag["Value"] for tag in tags}
        cloud.backend("s3").put_bucket_tagging(bucket.name, given)


@before("s3", "DeleteBucket")
def bucket_is_empty(cloud: "Cloud", call: Call) -> None:
    """API DeleteBucket, BucketNotEmpty: versions and delete markers count."""
    bucket = find_bucket(cloud, call)
    if bucket is not None and any(bucket.keys.getlist(key) for key in bucket.keys):
        versioned = bool(bucket.versioning_status)
        more = " You must delete all versions in the bucket." if versioned else ""
        raise Refusal("BucketNotEmpty", f"The bucket you tried to delete is not empty.{more}", 409)


@before("s3", "PutBucketPolicy")
def policy_is_not_public(cloud: "Cloud", call: Call) -> None:
    """User Guide, BlockPublicPolicy: an Allow for everybody without a condition is refused."""
    bucket = find_bucket(cloud, call)
    block = bucket.public_access_block if bucket is not None else None
    if block is None or str(block.block_public_policy).lower() != "true":
        return
    for statement in statements(call.params["Policy"]):
        everybody = statement.get("Principal") in ("*", {"AWS": "*"})
        if statement.get("Effect") == "Allow" and everybody and not statement.get("Condition"):
            raise Refusal(
                "AccessDenied",
                "User is not authorized to perform: s3:PutBucketPolicy because public policies are "
                "blocked by the BlockPublicPolicy block public access setting.",
                403,
            )


@after("s3", "PutBucketPolicy")
def policy_is_kept(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API GetBucketPolicy: the policy as it was put."""
    bucket, text = find_bucket(cloud, call), str(call.params["Policy"])
    if bucket is not None:
        cloud.s3.policies[bucket.name] = text
        plain = [s for s in statements(text) if not s.get("Condition")]
        bucket.policy = json.dumps({"Version": "2012-10-17", "Statement": plain}).encode()


@before("s3", "GetBucketPolicy")
def policy_as_put(cloud: "Cloud", call: Call) -> Answer | None:
    """API GetBucketPolicy."""
    bucket = find_bucket(cloud, call)
    known = bucket is not None and bucket.policy and cloud.s3.policies.get(bucket.name)
    return {"Policy": known} if known else None


def find_bucket(cloud: "Cloud", call: Call) -> Any | None:
    """Moto's bucket, or None."""
    return cloud.backend("s3").buckets.get(call.params["Bucket"])
