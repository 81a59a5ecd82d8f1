"""Elastic Load Balancing: creation, description, changes and deletion of load balancers."""

import json
import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.elbv2.errors import validation_error
from provision.sandbox.aws.elbv2.state import LINKED_ROLE
from provision.sandbox.aws.elbv2.subnets import check_groups, check_subnets, subnet_ids_of
from provision.sandbox.aws.rules import Answer, after, before

behaves("elbv2.parameter-outside-its-limits")(constraint_rule)
before("elbv2", "*")(constraint_rule("ValidationError"))

# Parameter -> what its ARN contains, and its name in AWS's message.
_ARNS = {
    "ListenerArn": (":listener/", "listener ARN"),
    "LoadBalancerArn": (":loadbalancer/", "load balancer ARN"),
    "RuleArn": (":listener-rule/", "listener rule ARN"),
    "TargetGroupArn": (":targetgroup/", "target group ARN"),
}


@behaves("elbv2.not-an-arn")
@before("elbv2", "*")
def check_arns(cloud: Cloud, call: Call) -> None:
    """Refuse values that are no ARN of the parameter's kind, in any call."""
    for name, (part, kind) in _ARNS.items():
        for arn in [call.params.get(name), *(call.params.get(f"{name}s") or [])]:
            if arn is not None and not (arn.startswith("arn:") and part in arn):
                raise validation_error(f"'{arn}' is not a valid {kind}")


@behaves("elbv2.load-balancer-same-settings", "elbv2.load-balancer-other-settings")
@before("elbv2", "CreateLoadBalancer")
def check_new_load_balancer(cloud: Cloud, call: Call) -> Answer | None:
    """Check name, subnets and groups; return an identical load balancer (API CreateLoadBalancer)."""
    name = call.params["Name"]
    _check_name(name)
    subnet_ids = subnet_ids_of(call)
    scheme = call.params.get("Scheme", "internet-facing")
    for lb in cloud.backend("elbv2", call.region).load_balancers.values():
        if lb.name == name:
            groups = set(call.params.get("SecurityGroups", lb.security_groups))
            same = {subnet.id for subnet in lb.subnets} == set(subnet_ids)
            if same and groups == set(lb.security_groups) and lb.scheme == scheme:
                return {"LoadBalancers": [cloud.elbv2.describe(lb)]}
            raise AwsError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
    if call.params.get("Type", "application") == "application":
        vpc_id = check_subnets(cloud, call.region, subnet_ids, scheme, set())
        check_groups(cloud, call, vpc_id)
    return None


@behaves(
    "elbv2.load-balancer-name-length",
    "elbv2.load-balancer-name-alphabet",
    "elbv2.load-balancer-name-internal",
)
def _check_name(name: str) -> None:
    for problem, wrong in (
        ("cannot be longer than '32' characters", len(name) > 32),
        (
            "can only contain characters that are alphanumeric characters or hyphens(-)",
            not re.fullmatch(r"[A-Za-z0-9-]+", name),
        ),
        ("cannot begin or end with '-'", name.startswith("-") or name.endswith("-")),
        ("cannot begin with 'internal-'", name.startswith("internal-")),
    ):
        if wrong:
            raise validation_error(f"The load balancer name '{name}' {problem}")


@behaves("elbv2.provisioning")
@after("elbv2", "CreateLoadBalancer")
def start_provisioning(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set the state to provisioning (API LoadBalancerState)."""
    arn = answer["LoadBalancers"][0]["LoadBalancerArn"]
    load_balancer = cloud.backend("elbv2", call.region).load_balancers[arn]
    cloud.elbv2.add(call.region, load_balancer)
    answer["LoadBalancers"] = [cloud.elbv2.describe(load_balancer)]


@before("elbv2", "CreateLoadBalancer", "CreateTargetGroup")
def create_linked_role(cloud: Cloud, call: Call) -> None:
    """Create the account's service-linked role (User Guide, "Service-linked role")."""
    iam = cloud.backend("iam")
    if not any(role.path == f"/aws-service-role/{LINKED_ROLE}/" for role in iam.roles.values()):
        iam.create_role(
            role_name="AWSServiceRoleForElasticLoadBalancing",
            assume_role_policy_document=json.dumps(_trust_policy()),
            path=f"/aws-service-role/{LINKED_ROLE}/",
            permissions_boundary=None,
            description="",
            tags=[],
            max_session_duration="3600",
            linked_service=LINKED_ROLE,
        )


def _trust_policy() -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": LINKED_ROLE},
        "Action": "sts:AssumeRole",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@behaves("elbv2.load-balancer-not-found")
@before("elbv2", "DescribeLoadBalancers")
def check_names(cloud: Cloud, call: Call) -> None:
    """Refuse unknown names; moto checks the first only (API DescribeLoadBalancers)."""
    load_balancers = cloud.backend("elbv2", call.region).load_balancers
    names = {load_balancer.name for load_balancer in load_balancers.values()}
    missing = [name for name in call.params.get("Names", []) if name not in names]
    if missing:
        raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
    if any(arn not in load_balancers for arn in call.params.get("LoadBalancerArns", [])):
        raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")


@after("elbv2", "DescribeLoadBalancers")
def show_state(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set the state by the sandbox's clock; moto's is active at once (API LoadBalancerState)."""
    for shown in answer["LoadBalancers"]:
        shown["State"] = cloud.elbv2.state(shown["LoadBalancerArn"])


@after("elbv2", "SetSubnets")
def move_interfaces(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Create an interface in each new subnet, release those in removed ones (API SetSubnets)."""
    load_balancers = cloud.backend("elbv2", call.region).load_balancers
    cloud.elbv2.update_subnets(call.region, load_balancers[call.params["LoadBalancerArn"]])


@after("elbv2", "SetSecurityGroups")
def regroup_interfaces(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set the interfaces' security groups (API SetSecurityGroups)."""
    load_balancers = cloud.backend("elbv2", call.region).load_balancers
    cloud.elbv2.update_security_groups(load_balancers[call.params["LoadBalancerArn"]])


@behaves("elbv2.deletion-protection")
@before("elbv2", "DeleteLoadBalancer")
def check_deletion(cloud: Cloud, call: Call) -> None:
    """Refuse under deletion protection; release the interfaces (API DeleteLoadBalancer)."""
    arn = call.params["LoadBalancerArn"]
    load_balancer = cloud.elbv2.load_balancer(call.region, arn)
    if load_balancer is None:
        return
    if load_balancer.attrs.get("deletion_protection.enabled") == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    for listener in load_balancer.listeners.values():
        cloud.acm.release(listener.certificates, arn)
    cloud.elbv2.remove(call.region, arn)
