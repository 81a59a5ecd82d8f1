"""Elastic Load Balancing: the actions of listeners and rules."""

import copy
from typing import Any

from moto.elbv2.models import FakeAction

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.errors import validation_error

_ROUTING = ("forward", "redirect", "fixed-response")


def same_actions(given: list[dict[str, Any]], current: list[Any]) -> bool:
    """Return whether the given actions equal a listener's `current` ones (moto's)."""
    return [FakeAction(copy.deepcopy(action)).data for action in given] == [a.data for a in current]


@behaves("elbv2.one-routing-action")
def check_actions(cloud: Cloud, actions: list[dict[str, Any]], load_balancer_arn: str) -> None:
    """Refuse actions that a listener of this load balancer cannot have."""
    if sum(action["Type"] in _ROUTING for action in actions) != 1:
        raise validation_error(
            "You must specify exactly one of the following actions: forward, redirect, "
            "fixed-response"
        )
    for action in actions:
        _check_redirect(action.get("RedirectConfig"))
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        for arn in {action.get("TargetGroupArn"), *(g["TargetGroupArn"] for g in groups)} - {None}:
            _check_target_group(cloud, arn, load_balancer_arn)


@behaves("elbv2.redirect-loop")
def _check_redirect(redirect: dict[str, Any] | None) -> None:
    if redirect is None:
        return
    current = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}"}
    if all(redirect.get(part, same) == same for part, same in current.items()):
        raise AwsError(
            "InvalidLoadBalancerAction",
            "The redirect configuration is not valid because it creates a loop.",
        )


@behaves("elbv2.target-group-in-two-load-balancers")
def _check_target_group(cloud: Cloud, arn: str, load_balancer_arn: str) -> None:
    if any(lb.arn != load_balancer_arn for lb in cloud.elbv2.load_balancers_of(arn)):
        raise AwsError(
            "TargetGroupAssociationLimit",
            "The following target groups cannot be associated with more than one load "
            f"balancer: {arn}",
        )
