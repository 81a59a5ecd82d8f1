"""S3: checks of bucket policies; aws/permissions evaluates them for every call."""

import json
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.iam.documents import check_principals
from provision.sandbox.aws.permissions.patterns import as_list
from provision.sandbox.aws.permissions.policies import Statement, statements
from provision.sandbox.aws.rules import Answer, after, before
from provision.sandbox.aws.s3.buckets import find_bucket

# Conditions that make an Allow for everybody not public (User Guide, "The meaning of public").
_RESTRICTING_KEYS = (
    "aws:sourceip",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceaccount",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:userid",
)


@behaves("s3.policy-json", "s3.policy-resource", "s3.policy-principal")
@before("s3", "PutBucketPolicy")
def check_policy(cloud: Cloud, call: Call) -> None:
    """Refuse a malformed policy (API PutBucketPolicy, MalformedPolicy)."""
    found = statements(call.params["Policy"])
    if not found:
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    for statement in found:
        _check(statement, f"arn:aws:s3:::{call.params['Bucket']}")
        try:
            check_principals(cloud, statement, "MalformedPolicy")
        except AwsError:
            raise _malformed("Invalid principal in policy") from None


def _check(statement: Statement, bucket: str) -> None:
    for element in ("Principal", "Effect", "Action", "Resource"):
        if not {element, f"Not{element}"} & statement.keys():
            raise _malformed(f"Missing required field {element}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed(f"Invalid effect: {statement['Effect']}")
    for action in as_list(statement.get("Action", [])):
        if action != "*" and not str(action).startswith("s3:"):
            raise _malformed("Policy has invalid action")
    for resource in as_list(statement.get("Resource", [])):
        if resource != bucket and not str(resource).startswith(f"{bucket}/"):
            raise _malformed("Policy has invalid resource")


@behaves("s3.public-policy")
@before("s3", "PutBucketPolicy")
def check_not_public(cloud: Cloud, call: Call) -> None:
    """Refuse a public policy (User Guide, BlockPublicPolicy and "The meaning of public")."""
    bucket = find_bucket(cloud, call)
    block = bucket.public_access_block if bucket is not None else None
    if block is None or str(block.block_public_policy).lower() != "true":
        return
    if any(_is_public(statement) for statement in statements(call.params["Policy"])):
        caller = cloud.permissions.caller_arn(call.access_key)
        raise AwsError(
            "AccessDenied",
            f"User: {caller} is not authorized to perform: s3:PutBucketPolicy on "
            f'resource: "arn:aws:s3:::{call.params["Bucket"]}" because public policies are prevented '
            "by the BlockPublicPolicy setting in S3 Block Public Access.",
            403,
        )


def _is_public(statement: Statement) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    keys = {key.lower() for test in statement.get("Condition", {}).values() for key in test}
    restricted = any(key in _RESTRICTING_KEYS for key in keys)
    return statement.get("Effect") == "Allow" and "*" in as_list(named) and not restricted


@after("s3", "PutBucketPolicy")
def store_policy(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Store the policy; give moto, which ignores conditions, the unconditional Allows."""
    bucket, text = find_bucket(cloud, call), str(call.params["Policy"])
    if bucket is not None:
        cloud.s3.policies[bucket.name] = text
        plain = [
            statement
            for statement in statements(text)
            if not statement.get("Condition") and statement["Effect"] == "Allow"
        ]
        bucket.policy = json.dumps({"Version": "2012-10-17", "Statement": plain}).encode()


@before("s3", "GetBucketPolicy")
def get_policy(cloud: Cloud, call: Call) -> Answer | None:
    """Return the policy as stored (API GetBucketPolicy)."""
    bucket = find_bucket(cloud, call)
    policy: Any = bucket is not None and cloud.s3.policies.get(bucket.name)
    return {"Policy": policy} if policy else None


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicy", message, 400)
