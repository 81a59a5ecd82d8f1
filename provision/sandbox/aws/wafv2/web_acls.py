"""AWS WAF: the load balancers of web ACLs."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after, before


@behaves("wafv2.web-acl-associated")
@before("wafv2", "DeleteWebACL")
def check_unused(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a web ACL in use (API DeleteWebACL, WAFAssociatedItemException)."""
    for acl in _acls(cloud, call.region):
        if acl.id == call.params["Id"] and acl.associated_resources:
            raise AwsError(
                "WAFAssociatedItemException",
                "AWS WAF couldn't perform the operation because your resource is being used by another "
                "resource or it's associated with another resource.",
            )


@behaves("wafv2.resource-missing", "wafv2.association-replaced")
@before("wafv2", "AssociateWebACL")
def replace_association(cloud: Cloud, call: Call) -> None:
    """Refuse a missing load balancer; release one from its former web ACL (API AssociateWebACL)."""
    arn = call.params["ResourceArn"]
    if ":loadbalancer/app/" in arn and cloud.elbv2.load_balancer(call.region, arn) is None:
        raise AwsError(
            "WAFUnavailableEntityException",
            "AWS WAF couldn't retrieve a resource that you specified for this operation. Verify the "
            "resources that you are specifying in your request parameters and then retry the operation.",
        )
    _release(cloud, call.region, arn)


@behaves("wafv2.association-goes")
@after("elbv2", "DeleteLoadBalancer")
def release_deleted(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Release a deleted load balancer from its web ACL."""
    _release(cloud, call.region, call.params["LoadBalancerArn"])


@behaves("wafv2.resources-of-web-acl")
@before("wafv2", "ListResourcesForWebACL")
def list_resources(cloud: Cloud, call: Call) -> Answer:
    """Return the load balancers of a web ACL, which moto cannot (API ListResourcesForWebACL)."""
    found = [acl for acl in _acls(cloud, call.region) if acl.arn == call.params["WebACLArn"]]
    if not found:
        raise AwsError(
            "WAFNonexistentItemException",
            "AWS WAF couldn't perform the operation because your resource doesn't exist.",
        )
    return {
        "ResourceArns": [arn for arn in found[0].associated_resources if ":loadbalancer/" in arn]
    }


def _acls(cloud: Cloud, region: str) -> list[Any]:
    return list(cloud.backend("wafv2", region).wacls.values())


def _release(cloud: Cloud, region: str, arn: str) -> None:
    for acl in _acls(cloud, region):
        acl.associated_resources = [each for each in acl.associated_resources if each != arn]
