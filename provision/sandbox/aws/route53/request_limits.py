"""Route 53: limits of parameters, and of requests per second."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.rules import before

behaves("route53.parameter-outside-its-limits")(constraint_rule)
before("route53", "*")(constraint_rule("InvalidInput"))


@behaves("route53.five-requests-a-second")
@before("route53", "*")
def limit_requests(cloud: Cloud, call: Call) -> None:
    """Refuse requests above `requests_a_second` (Developer Guide, Quotas: five per account)."""
    if cloud.route53.requests_a_second and not cloud.route53.count_request():
        raise AwsError("Throttling", "Rate exceeded", 400)
