"""Create S3 buckets for the news and for access logs: private, encrypted, TLS only."""

import json
import re
import secrets
from dataclasses import field
from typing import Any, ClassVar

from provision.clients.aws_errors import call_or_none
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.parallel import run_all
from provision.pricing import Prices
from provision.resources import kms
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    FoundSettings,
    Live,
    Permission,
    Resource,
    Tagged,
    arn_pattern,
    has_stack_tag,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)
from provision.resources.vpc import ZONES

FOLDER = "news"  # the prefix of everything the bot reads
BATCH_SIZE = 1000  # S3 API, DeleteObjects
# Error codes of single objects in a DeleteObjects response that may be retried.
TRANSIENT = ("InternalError", "SlowDown", "ServiceUnavailable")
# Without tags, or not readable by this caller.
NO_TAGS = ("NoSuchTagSet", "AccessDenied", "NoSuchBucket")
# Old versions (if somebody switches versioning on) and uploads that were never finished cost money unseen.
LIFECYCLE = {
    "ID": "provision",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
}
LOG_DAYS = 30  # for which access logs are kept
LOG_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@resource
class Bucket(Resource):
    """A bucket with a random name. folder: the prefix of the stack's objects. lifecycle: its rule."""

    purpose: ClassVar[str] = ""  # in the random name
    folder: ClassVar[str] = ""
    lifecycle: ClassVar[Live] = LIFECYCLE

    name: str = field(default="", init=False)  # "": a random one
    bucket: str = output("Name")
    arn: str = output("Arn", arn_pattern())
    without_tls: bool = field(default=False, init=False)  # the endpoint is http://; set by `find`
    deletion = Deletion(immediate=True)
    errors = Errors(
        not_found=("NoSuchBucket", "404"),
        exists=("BucketAlreadyOwnedByYou",),
        retry=("OperationAborted", "BucketNotEmpty", "NoSuchBucket"),
    )

    def _permissions(self) -> list[Permission]:
        """Return the permissions that the person who runs provision needs."""
        bucket = self.bucket or self.name or f"{self._prefix}*"
        return [
            Permission("read", "s3", "ListAllMyBuckets"),
            Permission("read", "s3", "GetBucketTagging", "*"),  # finds the stack's by its tags
            Permission(
                "read",
                "s3",
                "GetBucketPolicy GetBucketPublicAccessBlock GetBucketOwnershipControls "
                "GetEncryptionConfiguration GetLifecycleConfiguration ListBucket "
                "ListBucketVersions",
                bucket,
            ),
            Permission(
                "create",
                "s3",
                "CreateBucket PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock "
                "PutBucketTagging PutEncryptionConfiguration PutLifecycleConfiguration",
                bucket,
            ),
            Permission("delete", "s3", "DeleteBucket", bucket),
            Permission("delete", "s3", "DeleteObjectVersion", f"{bucket}/*"),
        ]

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return the bucket's name; without a configured one, a random name, because names are global.

        Use a recorded name again: if S3 does not show the bucket yet, another name would create a second one.
        """
        return {"bucket": self.name or self.bucket or f"{self._prefix}{secrets.token_hex(8)}"}

    @classmethod
    def is_random(cls, stack: str, name: str) -> bool:
        """Return whether it is a random name of this kind and stack."""
        return bool(re.fullmatch(rf"{re.escape(stack)}-{cls.purpose}-[0-9a-f]{{16}}", name))

    @property
    def _prefix(self) -> str:
        """Return the beginning of random names."""
        return f"{self.stack}-{self.purpose}-"

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return the region's buckets of this kind by tags, because a configured one may have any name."""
        s3 = clients.aws.s3
        pages = s3.get_paginator("list_buckets").paginate(BucketRegion=clients.aws.region)
        names = [bucket["Name"] for page in pages for bucket in page.get("Buckets", [])]

        def tags_of(name: str) -> dict[str, str]:
            answer = call_or_none(NO_TAGS, s3.get_bucket_tagging, Bucket=name) or {}
            return tags_to_dict(answer.get("TagSet", []))

        buckets = zip(run_all(tags_of, names), names, strict=True)
        return [
            (tags, _live(name))
            for tags, name in buckets
            if has_stack_tag(tags, stack) and cls.is_kind(tags.get("provision:resource", ""))
        ]

    @classmethod
    def is_kind(cls, key: str) -> bool:
        """Return whether a bucket with this key is of this kind."""
        return False

    def _name_taken(self) -> ProvisionError:
        return ProvisionError(
            _("Could not create the bucket {name}.", name=self.bucket or self.name),
            _("another account has a bucket of that name; bucket names are globally unique"),
            _("Set news.bucket to another name, or leave it empty to let provision choose one."),
        )

    def find(self, clients: Clients) -> Live | None:
        """Find the bucket by name among the account's buckets; without a name by the stack's tags."""
        self.without_tls = str(clients.aws.s3.meta.endpoint_url).startswith("http://")
        pages = clients.aws.s3.get_paginator("list_buckets").paginate()
        names = [bucket["Name"] for page in pages for bucket in page.get("Buckets", [])]
        if known := self.bucket or self.name:
            exists = known in names or (not names and self._is_own(clients, known))
            return self._read(clients, known) if exists else None
        for name in names:
            if name.startswith(self._prefix):
                live = self._read(clients, name)
                if live["Tags"].get("provision:stack") == self.stack:
                    return live
        return None

    def _is_own(self, clients: Clients, name: str) -> bool:
        """Return whether the bucket exists and is this account's, although ListBuckets shows none at all.

        HeadBucket returns 403 if ExpectedBucketOwner does not own it.
        """
        head = clients.aws.s3.head_bucket
        others = ("403", "404", "301", "NoSuchBucket")
        account = clients.aws.account()
        return bool(call_or_none(others, head, Bucket=name, ExpectedBucketOwner=account))

    def _read(self, clients: Clients, name: str) -> Live:
        s3 = clients.aws.s3
        # One call per property, each with its own error code for a property that is not set.
        calls = {
            "NoSuchTagSet": s3.get_bucket_tagging,
            "NoSuchPublicAccessBlockConfiguration": s3.get_public_access_block,
            "NoSuchBucketPolicy": s3.get_bucket_policy,
            "ServerSideEncryptionConfigurationNotFoundError": s3.get_bucket_encryption,
            "OwnershipControlsNotFoundError": s3.get_bucket_ownership_controls,
            "NoSuchLifecycleConfiguration": s3.get_bucket_lifecycle_configuration,
        }
        answers = run_all(lambda pair: call_or_none(*pair, Bucket=name), calls.items())
        tags, access, policy, encryption, owner, lifecycle = (answer or {} for answer in answers)
        return {
            **_live(name),
            "Tags": tags_to_dict(tags.get("TagSet", [])),
            "PublicAccessBlock": access.get("PublicAccessBlockConfiguration"),
            "Policy": json.loads(policy["Policy"]) if policy else None,
            "Encryption": encryption.get("ServerSideEncryptionConfiguration"),
            "OwnershipControls": owner.get("OwnershipControls"),
            "KeyArn": _key_arn(clients, encryption),
            "LifecycleRules": lifecycle.get("Rules", []),
            "Lifecycle": self._own_rule(lifecycle.get("Rules", [])),
        }

    def _own_rule(self, rules: list[Live]) -> Live:
        """Return the lifecycle rule with provision's ID, in a comparable form; {} for none."""
        for rule in rules:
            if rule["ID"] == self.lifecycle["ID"]:
                prefix = rule.get("Filter", {}).get("Prefix", "") or rule.get("Prefix", "")
                own = {key: rule.get(key) for key in self.lifecycle}
                return {**own, "Filter": {"Prefix": prefix}}
        return {}

    def create(self, clients: Clients) -> Live | None:
        """Call CreateBucket, which sets only the ownership; `update` sets the other properties."""
        region = clients.aws.region
        configuration = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        location = {} if region == "us-east-1" else configuration
        answer = call_or_none(
            "BucketAlreadyExists",
            clients.aws.s3.create_bucket,
            Bucket=self.bucket,
            ObjectOwnership="BucketOwnerEnforced",
            **location,
        )
        if answer is None:
            raise self._name_taken()
        owner = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        unset: Live = {"Tags": {}, "PublicAccessBlock": None, "Encryption": None, "Policy": None}
        no_rules: Live = {"LifecycleRules": [], "Lifecycle": {}}
        return {**_live(self.bucket), **unset, "OwnershipControls": owner, **no_rules}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return its tags; a bucket with this stack's random name is the stack's before it has tags."""
        ours = {"provision:stack": self.stack} if self.is_random(self.stack, live["Name"]) else {}
        return {**ours, **live["Tags"]}

    def desired(self) -> dict[str, Any]:
        """Return access block, ownership, encryption, policy, lifecycle rule and the stack's tags."""
        statements = self.statements()
        return {
            "Lifecycle": self.lifecycle,
            "PublicAccessBlock": PRIVATE,
            "OwnershipControls.Rules[0].ObjectOwnership": "BucketOwnerEnforced",
            "Encryption.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm": "AES256",
            **({"Policy": _policy(statements)} if statements else {}),
            **{f'Tags."{name}"': value for name, value in self.tags.items()},
        }

    def statements(self) -> list[dict[str, Any]]:
        """Return the statements of its policy: the one that requires TLS.

        Without it if AWS_ENDPOINT_URL is http://: it would lock provision itself out.
        Source: S3 User Guide, "Security best practices": enforce encryption of data in transit.
        """
        if self.without_tls:
            return []
        statement = {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.arn, f"{self.arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        return [statement]

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Set each property that differs; keep other tags (PutBucketTagging replaces all tags)."""
        s3, name = clients.aws.s3, self.bucket
        differing = {difference.path.partition(".")[0] for difference in differences}
        if "PublicAccessBlock" in differing:
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=PRIVATE)
        if "OwnershipControls" in differing:
            rule = {"ObjectOwnership": "BucketOwnerEnforced"}
            s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [rule]})
        if "Encryption" in differing:
            rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            s3.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules}
            )
        if "Lifecycle" in differing:
            own = self.lifecycle["ID"]
            others = [rule for rule in live["LifecycleRules"] if rule["ID"] != own]
            s3.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration={"Rules": [*others, self.lifecycle]}
            )
        if "Policy" in differing:
            policy = json.dumps(_policy(self.statements()))
            s3.put_bucket_policy(Bucket=name, Policy=policy)
        if "Tags" in differing:
            tags = tags_to_list({**live["Tags"], **self.tags})
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return objects outside its folder."""
        pages = clients.aws.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Delimiter="/"
        )
        names: set[str] = set()
        for page in pages:
            names.update(item["Prefix"] for item in page.get("CommonPrefixes", []))
            for item in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                names.add(item["Key"])
        return [
            ExternalUse(f"{self.bucket}/{name}", content=True)
            for name in sorted(names - {f"{self.folder}/"})
        ]

    def delete(self, clients: Clients) -> None:
        """Delete every version and delete marker in its folder, then the bucket, which must be empty."""
        s3 = clients.aws.s3
        folder = "" if self.with_contents else f"{self.folder}/"
        previous: list[dict[str, str]] = []
        # Always read the first page: some emulators cannot continue from a deleted key marker.
        while True:
            page = s3.list_object_versions(Bucket=self.bucket, Prefix=folder, MaxKeys=BATCH_SIZE)
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in versions]
            if not objects:
                break
            if objects == previous:
                raise Pending(_("waiting for its deletion"))
            previous = objects
            answer = s3.delete_objects(
                Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True}
            )
            _raise_errors(self.bucket, answer.get("Errors", []))
            if page.get("IsTruncated") is False:
                break
        s3.delete_bucket(Bucket=self.bucket)


@resource
class NewsBucket(Bucket):
    """The bucket of the news: the configured one, adopted if it exists, or one with a random name.

    It costs 0.025 USD per GB and month in Tokyo; the news has some kilobytes.
    """

    name: str
    key_arn: str = output("KeyArn")  # the customer managed key of an adopted one
    elsewhere: tuple[str, str] = field(default=("", ""), init=False)  # its region and the stack's
    purpose: ClassVar[str] = "news"
    folder: ClassVar[str] = FOLDER

    @classmethod
    def is_kind(cls, key: str) -> bool:
        """Return whether it has not the key of the access logs' bucket."""
        return not AccessLogBucket.is_kind(key)

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions, and that to read the news."""
        bucket = self.bucket or self.name or f"{self._prefix}*"
        news = Permission("read", "s3", "GetObject", f"{bucket}/{FOLDER}/*")
        return [*self._permissions(), news]

    def preflight(self, clients: Clients) -> None:
        """Raise ProvisionError if a configured bucket belongs to another account."""

        def exists() -> Any:  # HeadBucket, Errors: 403 and 301 for another account's bucket
            head = clients.aws.s3.head_bucket
            return call_or_none(("403", "301"), head, Bucket=self.name) or {"Foreign": True}

        if self.name and call_or_none(("404", "NoSuchBucket"), exists):
            raise self._name_taken()

    def find(self, clients: Clients) -> Live | None:
        """Find the bucket; note the region of one that is not provision's."""
        live = super().find(clients)
        if live and self.name and not self.bucket:
            refused = ("301", "400", "403", "404")
            head = call_or_none(refused, clients.aws.s3.head_bucket, Bucket=self.name) or {}
            region, here = str(head.get("BucketRegion") or ""), clients.aws.region
            self.elsewhere = (region, here) if region not in ("", here) else ("", "")
        return live

    def plan_notes(self) -> list[str]:
        """Return that an adopted bucket is in another region."""
        region, here = self.elsewhere
        if not region:
            return []
        return [
            _(
                "the bucket is in {region}: each request from {here} takes longer, and AWS charges for the "
                "transfer between regions",
                region=region,
                here=here,
            )
        ]

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return the configured name; "" for a random one."""
        return {"news.bucket": identity_in(self.key)}

    def may_adopt(self, live: Live) -> bool:
        """Adopt a configured bucket."""
        return bool(self.name)

    def retention_reason(self, everything: bool) -> str:
        """Keep it unless `everything`: the collected news cannot be recovered."""
        if everything:
            return ""
        return _(
            "it contains the collected news and costs almost nothing (0.025 USD per GB and "
            "month); --everything deletes it too"
        )

    def keep_on_replace(self, clients: Clients) -> str:
        """Keep a replaced bucket: the collected news cannot be recovered."""
        objects = clients.aws.s3.list_objects_v2(Bucket=self.bucket, MaxKeys=1).get("Contents")
        if not objects:
            return ""
        return _("it contains the collected news; `provision teardown --everything` deletes it")


@resource
class AccessLogBucket(Bucket):
    """The bucket of the load balancer's access logs, which goes with its logs when the stack goes."""

    account: str = output("Account", "[0-9]{12}")
    purpose: ClassVar[str] = "access-logs"
    folder: ClassVar[str] = "AWSLogs"  # set by Elastic Load Balancing
    lifecycle: ClassVar[Live] = {**LIFECYCLE, "Expiration": {"Days": LOG_DAYS}}

    @classmethod
    def is_kind(cls, key: str) -> bool:
        """Return whether it is the key in stack.py."""
        return key == "access_log_bucket"

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return self._permissions()

    def find(self, clients: Clients) -> Live | None:
        """Find the bucket; add the account, which is in the names of its objects."""
        return _with_account(clients, super().find(clients))

    def create(self, clients: Clients) -> Live | None:
        """Create the bucket, as `find` returns it."""
        return _with_account(clients, super().create(clients))

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return that logs are on."""
        return {"load_balancer.access_logs": "on"}

    def costs(self, prices: Prices) -> float:
        """Return the price of a file every five minutes from each of three zones, without storage."""
        return prices.log_files_month(ZONES)

    def statements(self) -> list[dict[str, Any]]:
        """Return the statements of its policy: TLS, and the delivery of this account's logs.

        Source: User Guide for Application Load Balancers, "Enable access logs": this principal is that of
        every region, also of those where older policies name an account of AWS's; the account in the path
        keeps other accounts' load balancers out.
        """
        delivery = {
            "Sid": "LogDelivery",
            "Effect": "Allow",
            "Principal": {"Service": LOG_DELIVERY},
            "Action": "s3:PutObject",
            "Resource": f"{self.arn}/{self.folder}/{self.account}/*",
        }
        return [*super().statements(), delivery]


def _with_account(clients: Clients, live: Live | None) -> Live | None:
    return live and {**live, "Account": clients.aws.caller().split(":")[4]}


def _policy(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _key_arn(clients: Clients, encryption: Live) -> str:
    """Return the ARN of the customer managed key of a GetBucketEncryption response; "" without one."""
    rules = encryption.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    return kms.key_arn(clients, next((d.get("KMSMasterKeyID", "") for d in defaults), ""))


def _live(name: str) -> Live:
    return {"Name": name, "Arn": f"arn:aws:s3:::{name}"}


def _raise_errors(bucket: str, errors: list[dict[str, Any]]) -> None:
    """Raise Pending or ProvisionError for objects not deleted; DeleteObjects returns 200 for them."""
    if not errors:
        return
    first = errors[0]
    why = f"{first.get('Key')}: {first.get('Code')}: {first.get('Message')}"
    if all(error.get("Code") in TRANSIENT for error in errors):
        raise Pending(why)
    raise ProvisionError(
        _("Could not empty the bucket {name}.", name=bucket),
        why,
        _("Fix the problem AWS reported, then run the same command again to continue."),
    )
