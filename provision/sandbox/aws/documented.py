"""Names that are only in the documentation strings of botocore's models."""

import functools
import re

from moto.core.utils import get_service_model


@functools.cache
def filters(operation: str) -> frozenset[str]:
    """Return the filter names of an EC2 Describe operation, without "tag:..."."""
    shape = get_service_model("ec2").operation_model(operation).input_shape
    documentation = shape.members["Filters"].documentation
    return frozenset(re.findall(r"<li> <p> <code>([A-Za-z0-9.:-]+)</code>", documentation))


@functools.cache
def attributes(operation: str) -> frozenset[str]:
    """Return the attribute keys of ModifyLoadBalancerAttributes or ModifyTargetGroupAttributes."""
    shape = get_service_model("elbv2").operation_model(operation).input_shape
    documentation = shape.members["Attributes"].member.members["Key"].documentation
    return frozenset(re.findall(r"<code>([a-z0-9_]+(?:\.[a-z0-9_]+)+)</code>", documentation))
