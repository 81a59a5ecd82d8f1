"""Names that only the documentation inside botocore's models lists."""

import functools
import re

from moto.core.utils import get_service_model


@functools.cache
def filters(operation: str) -> frozenset[str]:
    """Return the names that a Describe operation of EC2 documents for its Filters ("tag:..." aside)."""
    shape = get_service_model("ec2").operation_model(operation).input_shape
    words = shape.members["Filters"].documentation
    return frozenset(re.findall(r"<li> <p> <code>([A-Za-z0-9.:-]+)</code>", words))


@functools.cache
def attributes(operation: str) -> frozenset[str]:
    """Return the keys that ModifyLoadBalancerAttributes and ModifyTargetGroupAttributes document."""
    shape = get_service_model("elbv2").operation_model(operation).input_shape
    words = shape.members["Attributes"].member.members["Key"].documentation
    return frozenset(re.findall(r"<code>([a-z0-9_]+(?:\.[a-z0-9_]+)+)</code>", words))
