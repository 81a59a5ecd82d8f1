"""S3: bucket policies, and buckets of other accounts."""

from dataclasses import dataclass, field

from provision.sandbox.aws.behaviours import behaves


@behaves(
    "s3.bucket-owned",
    "a bucket that is one's own is not made twice (outside us-east-1)",
    "BucketAlreadyOwnedByYou 409",
    "S3 API Reference, CreateBucket, Errors",
    moto="moto refuses it as well",
)
@behaves(
    "s3.location",
    "a bucket is made where the call goes: LocationConstraint names that region, none in us-east-1",
    "IllegalLocationConstraintException, InvalidLocationConstraint 400",
    "S3 API Reference, CreateBucket, LocationConstraint; aws-cdk and aws-cli issues",
    moto="moto refuses it as well",
)
@dataclass
class S3:
    """Bucket policies as sent, and names of other accounts' buckets."""

    policies: dict[str, str] = field(default_factory=dict)  # by bucket
    other_accounts: set[str] = field(default_factory=set)
