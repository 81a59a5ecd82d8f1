"""ECS: errors that many operations raise."""

from provision.sandbox.aws.calls import AwsError


def invalid_parameter(message: str) -> AwsError:
    """Return an InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def client_error(message: str) -> AwsError:
    """Return a ClientException."""
    return AwsError("ClientException", message)
