"""S3: bucket policies, and buckets of other accounts."""

from dataclasses import dataclass, field

from provision.sandbox.aws.behaviours import behaves


@behaves("s3.bucket-owned", "s3.location")
@dataclass
class S3:
    """Bucket policies as sent, and names of other accounts' buckets."""

    policies: dict[str, str] = field(default_factory=dict)  # by bucket
    other_accounts: set[str] = field(default_factory=set)
