"""EC2's network: a default VPC that is public, and interfaces that others leave behind."""

import re

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call, Refusal
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.documented import filters
from provision.sandbox.aws.rules import before


@before("ec2", "*")
def region_is_ready(cloud: Cloud, call: Call) -> None:
    """The first call in a region finds a public default VPC."""
    cloud.ec2.backend(call.region)


@behaves(
    "ec2.unknown-filter",
    "a filter that an operation does not have is refused",
    "InvalidParameterValue 400, 'The filter ... is invalid'",
    "EC2 API Reference, Filters of the Describe operations",
)
@before(
    "ec2",
    "DescribeVpcs",
    "DescribeSubnets",
    "DescribeRouteTables",
    "DescribeSecurityGroups",
    "DescribeInternetGateways",
    "DescribeNetworkInterfaces",
)
def filters_are_known(cloud: Cloud, call: Call) -> None:
    """Each operation's Filters; their names in camelCase (isDefault) are an older spelling."""
    for given in call.params.get("Filters", []):
        name = given.get("Name", "")
        spelt = re.sub("[A-Z]", lambda letter: "-" + letter[0].lower(), name)
        if not name.startswith("tag:") and spelt not in filters(call.operation):
            raise Refusal("InvalidParameterValue", f"The filter '{name}' is invalid")
