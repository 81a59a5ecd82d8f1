"""Where the news lies: an S3 bucket, private, encrypted, spoken to over TLS only."""

import json
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from provision.clients.aws import call_or_none
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.parallel import run_all
from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Resource,
    Tagged,
    flat,
    listed,
    marked,
    output,
    resource,
)

FOLDER = "news"  # the prefix of everything the bot reads
A_CALL = 1000  # DeleteObjects takes no more at once
PASSING = ("InternalError", "SlowDown", "ServiceUnavailable")  # for one object of a DeleteObjects
HIDDEN = ("NoSuchTagSet", "AccessDenied", "NoSuchBucket")  # no tags, or none for our eyes
PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@resource
class NewsBucket(Resource):
    """The bucket of the news: the one that is named, adopted where it exists; else one of our own.

    Costs next to nothing: 0.025 USD per GB and month in Tokyo, and the articles are some kilobytes.
    """

    name: str  # "": a name of our own
    bucket: str = output("Name")
    arn: str = output("Arn")
    at_once = True
    not_found = ("NoSuchBucket", "404")
    exists = ("BucketAlreadyOwnedByYou",)
    retry = ("OperationAborted", "BucketNotEmpty", "NoSuchBucket")
    later = ("PublicAccessBlock", "Encryption", "Policy", "Tags")

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Bucket names are the whole world's, so a name of our own is random, and on disk before the call."""
        return {"bucket": self.name or f"{self.stack}-news-{secrets.token_hex(8)}"}

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Of every bucket in the region its tags: one that was named may be called anything."""
        s3 = clients.aws.s3
        pages = s3.get_paginator("list_buckets").paginate(BucketRegion=clients.aws.region)
        names = [bucket["Name"] for page in pages for bucket in page.get("Buckets", [])]

        def tags_of(name: str) -> dict[str, str]:
            answer = call_or_none(HIDDEN, s3.get_bucket_tagging, Bucket=name) or {}
            return flat(answer.get("TagSet", []))

        told = zip(run_all(tags_of, names), names, strict=True)
        return [(tags, _called(name)) for tags, name in told if marked(tags, stack)]

    def preflight(self, clients: Clients) -> None:
        """One that was named and is not among the account's own may be another account's."""

        def closed() -> Any:  # HeadBucket, Errors: 403 and 301 where it exists and is not ours
            asked = clients.aws.s3.head_bucket
            return call_or_none(("403", "301"), asked, Bucket=self.name) or {"Closed": True}

        if self.name and call_or_none(("404", "NoSuchBucket"), closed):
            raise self._elsewhere()

    def _elsewhere(self) -> ProvisionError:
        return ProvisionError(
            _("Creating the bucket {name}.", name=self.bucket or self.name),
            _("another account has a bucket of that name; bucket names are the whole world's"),
            _("Set news.bucket to another name, or to nothing: then provision finds one."),
        )

    def find(self, clients: Clients) -> Live | None:
        """By name among the account's own; without a name the one that carries our tags."""
        pages = clients.aws.s3.get_paginator("list_buckets").paginate()
        names = [bucket["Name"] for page in pages for bucket in page.get("Buckets", [])]
        if wanted := self.bucket or getattr(self, "name", ""):
            return self._read(clients, wanted) if wanted in names else None
        for name in names:
            if name.startswith(f"{self.stack}-news-"):
                live = self._read(clients, name)
                if live["Tags"].get("provision:stack") == self.stack:
                    return live
        return None

    def _read(self, clients: Clients, name: str) -> Live:
        s3 = clients.aws.s3
        calls = {  # S3 has no call for several; each says in its own words that nothing is set
            "NoSuchTagSet": s3.get_bucket_tagging,
            "NoSuchPublicAccessBlockConfiguration": s3.get_public_access_block,
            "NoSuchBucketPolicy": s3.get_bucket_policy,
            "ServerSideEncryptionConfigurationNotFoundError": s3.get_bucket_encryption,
            "OwnershipControlsNotFoundError": s3.get_bucket_ownership_controls,
        }
        with ThreadPoolExecutor(len(calls)) as pool:
            asked = [
                pool.submit(call_or_none, code, call, Bucket=name) for code, call in calls.items()
            ]
            tags, access, policy, encryption, owner = (one.result() or {} for one in asked)
        return {
            **_called(name),
            "Tags": flat(tags.get("TagSet", [])),
            "PublicAccessBlock": access.get("PublicAccessBlockConfiguration"),
            "Policy": json.loads(policy["Policy"]) if policy else None,
            "Encryption": encryption.get("ServerSideEncryptionConfiguration"),
            "OwnershipControls": owner.get("OwnershipControls"),
        }

    def create(self, clients: Clients) -> Live | None:
        """CreateBucket. All but the owner is a difference, as the call takes no more and defaults vary."""
        where = {"LocationConstraint": clients.aws.region}
        elsewhere = (
            {} if clients.aws.region == "us-east-1" else {"CreateBucketConfiguration": where}
        )
        made = call_or_none(
            "BucketAlreadyExists",
            clients.aws.s3.create_bucket,
            Bucket=self.bucket,
            ObjectOwnership="BucketOwnerEnforced",
            **elsewhere,
        )
        if made is None:
            raise self._elsewhere()
        owner = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        return {**_called(self.bucket), "Tags": {}, "OwnershipControls": owner}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Its tags; a bucket that has a random name of ours is ours before it has any."""
        random = re.fullmatch(rf"{re.escape(self.stack)}-news-[0-9a-f]{{16}}", live["Name"])
        return {**({"provision:stack": self.stack} if random else {}), **live["Tags"]}

    def may_adopt(self, live: Live) -> bool:
        """One that was named is meant."""
        return bool(self.name)

    def desired(self) -> dict[str, Any]:
        """Private, its owner's, encrypted, over TLS only, and our tags."""
        return {
            "PublicAccessBlock": PRIVATE,
            "OwnershipControls.Rules[0].ObjectOwnership": "BucketOwnerEnforced",
            "Encryption.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm": "AES256",
            "Policy": self._policy(),
            **{f'Tags."{name}"': value for name, value in self.tags.items()},
        }

    def _policy(self) -> dict[str, Any]:
        """S3 User Guide, "Security best practices": enforce encryption of data in transit."""
        denied = {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.arn, f"{self.arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        return {"Version": "2012-10-17", "Statement": [denied]}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """One call for each property that differs; tags of others stay (PutBucketTagging replaces all)."""
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
        if "Policy" in differing:
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps(self._policy()))
        if "Tags" in differing:
            tags = listed({**live["Tags"], **self.tags})
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})

    def retention_reason(self, everything: bool) -> str:
        """What was collected cannot be had again."""
        if everything:
            return ""
        return _(
            "it holds the collected news; it costs next to nothing (0.025 USD per GB and month); "
            "--everything takes it too"
        )

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Objects that people put beside the news."""
        pages = clients.aws.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Delimiter="/"
        )
        names: set[str] = set()
        for page in pages:
            names.update(item["Prefix"] for item in page.get("CommonPrefixes", []))
            for item in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                names.add(item["Key"])
        return [
            ExternalUse(f"{self.bucket}/{n}", content=True) for n in sorted(names - {f"{FOLDER}/"})
        ]

    def keep_on_replace(self, clients: Clients) -> str:
        """What was collected cannot be had again."""
        objects = clients.aws.s3.list_objects_v2(Bucket=self.bucket, MaxKeys=1).get("Contents")
        if not objects:
            return ""
        return _("it holds the collected news; `provision teardown --everything` takes it")

    def delete(self, clients: Clients) -> None:
        """DeleteBucket takes empty ones only: first every version and delete marker of the news."""
        s3 = clients.aws.s3
        folder = "" if self.with_contents else f"{FOLDER}/"
        before: list[dict[str, str]] = []
        while (
            True
        ):  # always the first page: a marker that has been deleted leads nowhere on some clouds
            page = s3.list_object_versions(Bucket=self.bucket, Prefix=folder, MaxKeys=A_CALL)
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
            if not objects:
                break
            if objects == before:
                raise Pending(_("waiting until it is gone"))
            before = objects
            answer = s3.delete_objects(
                Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True}
            )
            _read_errors(self.bucket, answer.get("Errors", []))
            if page.get("IsTruncated") is False:
                break
        s3.delete_bucket(Bucket=self.bucket)


def _called(name: str) -> Live:
    return {"Name": name, "Arn": f"arn:aws:s3:::{name}"}


def _read_errors(bucket: str, errors: list[dict[str, Any]]) -> None:
    """DeleteObjects answers 200 even where single objects stay."""
    if not errors:
        return
    first = errors[0]
    why = f"{first.get('Key')}: {first.get('Code')}: {first.get('Message')}"
    if all(error.get("Code") in PASSING for error in errors):
        raise Pending(why)
    raise ProvisionError(
        _("Emptying the bucket {name}.", name=bucket),
        why,
        _("Mend what AWS names, then run the same command again; it goes on from here."),
    )
