"""Regions: enabled by default, opted in, or not enabled."""

import functools
import re
from collections.abc import Iterable
from typing import Any

from botocore.session import get_session

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before

# Account Management Reference Guide, "AWS Regions that are enabled by default"; in other partitions all are.
BY_DEFAULT = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "sa-east-1", "ca-central-1"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "ap-south-1"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2"),
    }
)


@functools.cache
def partitions() -> dict[str, dict[str, Any]]:
    """Return every partition's regions from botocore, without loading its service models."""
    return {
        partition["id"]: partition["regions"]
        for partition in get_session().get_data("partitions")["partitions"]
    }


def exists(region: str) -> bool:
    """Return whether a region, or a global pseudo-region, of this name exists in any partition."""
    return any(region in regions for regions in partitions().values())


def opt_in_regions() -> frozenset[str]:
    """Return the regions that are not enabled by default."""
    return frozenset(_without_pseudo_regions(partitions()["aws"])) - BY_DEFAULT


def is_disabled(cloud: Cloud, region: str) -> bool:
    """Return whether this region is not enabled in the account."""
    return region in opt_in_regions() and region not in cloud.opted_in


@behaves("iam.region-not-enabled")
def check_enabled(cloud: Cloud, call: Call) -> None:
    """Raise an error for a call to a region that is not enabled."""
    if not is_disabled(cloud, call.region):
        return
    message = "The security token included in the request is invalid."
    match call.protocol:
        case "ec2":
            message = "AWS was not able to validate the provided access credentials"
            raise AwsError("AuthFailure", message, 401)
        case "json" | "rest-json":
            raise AwsError("UnrecognizedClientException", message, 400)
        case _:
            raise AwsError("InvalidClientTokenId", message, 403)


@behaves("ec2.regions-that-are-enabled")
@before("ec2", "DescribeRegions")
def describe_regions(cloud: Cloud, call: Call) -> Answer:
    """Describe regions instead of moto, which lists those of all partitions."""
    partition = next(regions for regions in partitions().values() if call.region in regions)
    requested = call.params.get("RegionNames") or _without_pseudo_regions(partition)
    if unknown := [name for name in requested if name not in partition]:
        raise AwsError("InvalidParameterValue", f"Invalid region provided: {unknown[0]}")
    include_disabled = call.params.get("AllRegions") or call.params.get("RegionNames")
    names = [name for name in requested if include_disabled or not is_disabled(cloud, name)]
    return {"Regions": [_describe(cloud, name) for name in names]}


def _describe(cloud: Cloud, name: str) -> dict[str, str]:
    status = "opted-in" if name in opt_in_regions() else "opt-in-not-required"
    return {
        "RegionName": name,
        "Endpoint": f"ec2.{name}.amazonaws.com",
        "OptInStatus": "not-opted-in" if is_disabled(cloud, name) else status,
    }


def _without_pseudo_regions(regions: Iterable[str]) -> list[str]:
    """Return the names of regions, sorted, without the pseudo-regions of global services."""
    return sorted(name for name in regions if re.search(r"-\d+$", name))
