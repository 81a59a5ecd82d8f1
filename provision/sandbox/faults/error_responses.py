"""The services' errors for throttling and internal failures."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError

# Code, HTTP status, message; other services have the common errors of the JSON protocols.
_THROTTLING = {
    "ec2": ("RequestLimitExceeded", 503, "Request limit exceeded."),
    "elbv2": ("Throttling", 400, "Rate exceeded"),
    "iam": ("Throttling", 400, "Rate exceeded"),
    "resourcegroupstaggingapi": ("ThrottledException", 400, "Rate exceeded"),
    "route53": ("Throttling", 400, "Rate exceeded"),
    "s3": ("SlowDown", 503, "Please reduce your request rate."),
    "scheduler": ("ThrottlingException", 429, "Rate exceeded"),
    "sts": ("Throttling", 400, "Rate exceeded"),
}
_INTERNAL = {
    "acm": ("InternalServerException", 500, "Internal service error"),
    "ec2": ("InternalError", 500, "An internal error has occurred"),
    "ecr": ("ServerException", 500, "Service Unavailable. Please try again later."),
    "ecs": ("ServerException", 500, "Service Unavailable. Please try again later."),
    "iam": ("ServiceFailure", 500, "An internal error has occurred"),
    "logs": ("ServiceUnavailableException", 503, "The service cannot complete the request."),
    "s3": ("InternalError", 500, "We encountered an internal error. Please try again."),
    "scheduler": ("InternalServerException", 500, "Internal server error"),
    "ssm": ("InternalServerError", 500, "An error occurred on the server side."),
}


@behaves("ec2.throttled", "s3.throttled", "scheduler.throttled", "iam.throttled", "ecs.throttled")
def throttled(service: str) -> AwsError:
    """Return the service's throttling error."""
    code, status, message = _THROTTLING.get(service, ("ThrottlingException", 400, "Rate exceeded"))
    return AwsError(code, message, status)


@behaves("ec2.internal-error", "iam.internal-error", "ecs.internal-error", "elbv2.internal-error")
def internal_error(service: str) -> AwsError:
    """Return the service's error for an internal failure, which may be retried."""
    default = ("InternalFailure", 500, "An internal error has occurred.")
    code, status, message = _INTERNAL.get(service, default)
    return AwsError(code, message, status)
