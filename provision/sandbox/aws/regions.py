"""Regions: enabled by default, opted in, or disabled."""

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
    """Return every partition's regions from botocore; its list per service would load every model."""
    return {
        partition["id"]: partition["regions"]
        for partition in get_session().get_data("partitions")["partitions"]
    }


def known(region: str) -> bool:
    """Return whether any partition has a region, or a global pseudo-region, of this name."""
    return any(region in regions for regions in partitions().values())


def opt_in() -> frozenset[str]:
    """Return the regions that an account has to enable before it can use them."""
    return frozenset(_real(partitions()["aws"])) - BY_DEFAULT


def disabled(cloud: Cloud, region: str) -> bool:
    """Return whether the account has not enabled this region."""
    return region in opt_in() and region not in cloud.opted_in


@behaves(
    "iam.region-not-enabled",
    "a call to a region that the account has not enabled is refused as one with unknown credentials",
    "InvalidClientTokenId 403, UnrecognizedClientException 400, AuthFailure 401",
    "Account Management Reference Guide, Enable or disable AWS Regions; aws-okta#225",
)
def refuse_disabled(cloud: Cloud, call: Call) -> None:
    """Raise the refusal of a call to a region that is not enabled."""
    if not disabled(cloud, call.region):
        return
    words = "The security token included in the request is invalid."
    match call.protocol:
        case "ec2":
            sentence = "AWS was not able to validate the provided access credentials"
            raise AwsError("AuthFailure", sentence, 401)
        case "json" | "rest-json":
            raise AwsError("UnrecognizedClientException", words, 400)
        case _:
            raise AwsError("InvalidClientTokenId", words, 403)


@behaves(
    "ec2.regions-that-are-enabled",
    "DescribeRegions lists the regions that the account has enabled, all of its partition when asked to",
    "Regions with OptInStatus",
    "Amazon EC2 API Reference, DescribeRegions, AllRegions",
)
@before("ec2", "DescribeRegions")
def describe_regions(cloud: Cloud, call: Call) -> Answer:
    """Answer in moto's place, which lists every partition's."""
    own = next(regions for regions in partitions().values() if call.region in regions)
    wanted = call.params.get("RegionNames") or _real(own)
    if unknown := [name for name in wanted if name not in own]:
        raise AwsError("InvalidParameterValue", f"Invalid region provided: {unknown[0]}")
    every = call.params.get("AllRegions") or call.params.get("RegionNames")
    shown = [name for name in wanted if every or not disabled(cloud, name)]
    return {"Regions": [_shown(cloud, name) for name in shown]}


def _shown(cloud: Cloud, name: str) -> dict[str, str]:
    status = "opted-in" if name in opt_in() else "opt-in-not-required"
    return {
        "RegionName": name,
        "Endpoint": f"ec2.{name}.amazonaws.com",
        "OptInStatus": "not-opted-in" if disabled(cloud, name) else status,
    }


def _real(regions: Iterable[str]) -> list[str]:
    """Return the regions without the pseudo-regions of global services."""
    return sorted(name for name in regions if re.search(r"-\d+$", name))
