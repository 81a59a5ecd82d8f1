"""EC2: creation of the default VPC's gateway, and the filters of Describe operations."""

import re

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.documented import filters
from provision.sandbox.aws.ec2.errors import invalid_value
from provision.sandbox.aws.rules import before


@before("ec2", "*")
def prepare_region(cloud: Cloud, call: Call) -> None:
    """Give the default VPC its internet gateway at the first call in a region."""
    cloud.ec2.backend(call.region)


@behaves("ec2.unknown-filter")
@before(
    "ec2",
    "DescribeVpcs",
    "DescribeSubnets",
    "DescribeRouteTables",
    "DescribeSecurityGroups",
    "DescribeInternetGateways",
    "DescribeNetworkInterfaces",
)
def check_filters(cloud: Cloud, call: Call) -> None:
    """Refuse unknown Filters; camelCase names (isDefault) are an older form."""
    for given in call.params.get("Filters", []):
        name = given.get("Name", "")
        kebab_case = re.sub("[A-Z]", lambda letter: "-" + letter[0].lower(), name)
        if not name.startswith("tag:") and kebab_case not in filters(call.operation):
            raise invalid_value(f"The filter '{name}' is invalid")
