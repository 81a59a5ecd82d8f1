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


@behaves(
    "ec2.throttled",
    "EC2 says that calls come too fast with a 503 and a code of its own",
    "RequestLimitExceeded 503",
    "Amazon EC2 Developer Guide, Request throttling for the Amazon EC2 API",
)
@behaves(
    "s3.throttled",
    "S3 says that calls come too fast with a 503 and a code of its own",
    "SlowDown 503",
    "Amazon S3 API Reference, List of error codes",
)
@behaves(
    "scheduler.throttled",
    "the Scheduler says that calls come too fast with a 429",
    "ThrottlingException 429",
    "botocore model scheduler, shape ThrottlingException",
)
@behaves(
    "iam.throttled",
    "the query services and Route 53 say Throttling, without Exception",
    "Throttling 400",
    "IAM API Reference, Common Error Types",
)
@behaves(
    "ecs.throttled",
    "the JSON services say ThrottlingException",
    "ThrottlingException 400",
    "Amazon ECS API Reference, Common Error Types",
)
def throttled(service: str) -> AwsError:
    """Return the service's throttling error."""
    code, status, message = _THROTTLING.get(service, ("ThrottlingException", 400, "Rate exceeded"))
    return AwsError(code, message, status)


@behaves(
    "ec2.internal-error",
    "an error inside EC2 or S3 is InternalError",
    "InternalError 500",
    "Amazon EC2 API Reference, Error codes, Server error codes",
)
@behaves(
    "iam.internal-error",
    "an error inside IAM is ServiceFailure",
    "ServiceFailure 500",
    "IAM API Reference, CreateRole, Errors",
)
@behaves(
    "ecs.internal-error",
    "an error inside ECS is ServerException",
    "ServerException 500",
    "Amazon ECS API Reference, CreateService, Errors",
)
@behaves(
    "elbv2.internal-error",
    "an error inside a service that names none of its own is InternalFailure",
    "InternalFailure 500",
    "Elastic Load Balancing API Reference, Common Error Types",
)
def internal_error(service: str) -> AwsError:
    """Return the service's error for an internal failure, which may be retried."""
    default = ("InternalFailure", 500, "An internal error has occurred.")
    code, status, message = _INTERNAL.get(service, default)
    return AwsError(code, message, status)
