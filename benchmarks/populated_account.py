"""A sandbox in its own process that can be filled: `python -m benchmarks.populated_account`.

It prints its addresses, fills the account for each size read from stdin, and prints the number of each kind
of item. It is separate from benchmarks/scale.py so that its memory is not counted as the command's: Linux
counts a parent's memory for its child.
"""

import copy
import json
import os
import sys
from typing import Any

import boto3
from moto.ecr.models import Image
from moto.route53.models import RecordSet

from provision.sandbox.aws.in_process import attach
from provision.sandbox.clock import RunningClock
from provision.sandbox.delays import Delays
from provision.sandbox.runtime import runtime_file, write_runtime
from provision.sandbox.sandbox import Sandbox

REGION, DOMAIN, NAME = "ap-northeast-1", "news-bot.example", "news-bot"
OBJECTS, VERSIONS, IMAGES, RECORDS, REVISIONS, STACKS = 100_000, 2, 1_000, 10_000, 1_000, 50


def main() -> None:
    """Serve until stdin ends."""
    with Sandbox(RunningClock(20), Delays.none()) as sandbox:
        addresses = sandbox.serve()
        secrets = {
            "access_token": sandbox.line.access_token,
            "channel_secret": sandbox.line.channel_secret,
        }
        write_runtime({**addresses, **secrets, "pid": os.getpid(), "id": "growth"}, runtime_file())
        print(json.dumps(addresses), flush=True)
        for size in sys.stdin:
            print(json.dumps(fill(sandbox, float(size))), flush=True)


def fill(sandbox: Sandbox, size: float) -> dict[str, int]:
    """Fill the account at that size; return the number of each kind of item."""
    cloud = sandbox.cloud
    with cloud.lock:
        s3 = cloud.backend("s3")
        bucket = next(one for one in s3.buckets.values() if one.name.startswith(NAME))
        bucket.versioning_status = "Enabled"
        for number in range(int(OBJECTS * size)):
            for _version in range(VERSIONS):
                key = f"news/{number:06d}.json"
                version = s3.put_object(bucket.name, key, b"", disable_notification=True)
                prevent_copies(version)
        repository = cloud.backend("ecr", REGION).repositories[NAME]
        for number in range(int(IMAGES * size)):
            manifest = f'{{"schemaVersion": 2, "number": {number}}}'
            image = Image(
                cloud.account_id, f"v{number}", manifest, NAME, digest=f"sha256:{number:064x}"
            )
            repository.images.append(image)
        zone = next(z for z in cloud.backend("route53").zones.values() if z.name == f"{DOMAIN}.")
        for number in range(int(RECORDS * size)):
            name = f"r{number:05d}.{DOMAIN}."
            record = {"Name": name, "Type": "A", "TTL": 300, "ResourceRecords": ["192.0.2.1"]}
            zone.rrsets.append(RecordSet(record))
        revisions = cloud.backend("ecs", REGION).task_definitions[NAME]
        newest = max(revisions)
        for number in range(newest + 1, newest + 1 + int(REVISIONS * size)):
            revision = copy.copy(revisions[newest])
            revision.revision = number
            revision.arn = f"{revision.arn.rpartition(':')[0]}:{number}"
            revisions[number] = revision
    session = boto3.Session("access", "secret", region_name=REGION)
    attach(session, sandbox.aws)
    clients = {name: session.client(name) for name in ("s3", "logs", "ecs", "ecr", "iam")}
    for number in range(int(STACKS * size)):
        create_other_stack(clients, f"other-{number:02d}")
    return {
        "versions": int(OBJECTS * size) * VERSIONS,
        "records": int(RECORDS * size),
        "revisions": int(REVISIONS * size),
        "stacks": int(STACKS * size),
    }


def prevent_copies(version: Any) -> None:
    """Prevent moto from copying every version of a bucket for every page, which takes hours."""
    version.__deepcopy__ = lambda memo: version


def create_other_stack(clients: dict[str, Any], name: str) -> None:
    """Create what another stack has in the lists: bucket, log group, cluster, repository, roles."""
    tags = {"provision:stack": name, "provision:resource": f"x/{name}"}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    small = [{"key": key, "value": value} for key, value in tags.items()]
    where = {"LocationConstraint": REGION}
    clients["s3"].create_bucket(Bucket=f"{name}-news-0", CreateBucketConfiguration=where)
    clients["s3"].put_bucket_tagging(Bucket=f"{name}-news-0", Tagging={"TagSet": pairs})
    clients["logs"].create_log_group(logGroupName=f"/ecs/{name}", tags=tags)
    clients["ecs"].create_cluster(clusterName=name, tags=small)
    clients["ecr"].create_repository(repositoryName=name, tags=pairs)
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        '"Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}'
    )
    for what in ("execution", "task"):
        role = f"{name}-{what}-{REGION}"
        clients["iam"].create_role(RoleName=role, AssumeRolePolicyDocument=trust, Tags=pairs)


if __name__ == "__main__":
    main()
