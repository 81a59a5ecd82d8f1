"""EC2: errors that many operations raise."""

from provision.sandbox.aws.calls import AwsError


def invalid_value(message: str) -> AwsError:
    """Return an InvalidParameterValue."""
    return AwsError("InvalidParameterValue", message)


def has_dependencies(resource: str, resource_id: str) -> AwsError:
    """Return a DependencyViolation for a resource that something uses."""
    return AwsError(
        "DependencyViolation",
        f"The {resource} '{resource_id}' has dependencies and cannot be deleted.",
    )
