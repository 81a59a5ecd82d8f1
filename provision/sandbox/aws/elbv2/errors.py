"""Elastic Load Balancing: errors that many operations raise."""

from provision.sandbox.aws.calls import AwsError


def validation_error(message: str) -> AwsError:
    """Return a ValidationError."""
    return AwsError("ValidationError", message, 400)
