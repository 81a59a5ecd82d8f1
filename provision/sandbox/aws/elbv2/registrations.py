"""Elastic Load Balancing: registration and health of targets that are IP addresses."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before


@before("elbv2", "RegisterTargets")
def register_targets(cloud: Cloud, call: Call) -> Answer | None:
    """Register targets instead of moto, whose targets are healthy at once (API RegisterTargets)."""
    group = _ip_target_group(cloud, call)
    if group is None:
        return None
    for target in call.params["Targets"]:
        port = target.get("Port", group.port)
        cloud.elbv2.register(group.arn, target["Id"], int(port))
    return {}


@behaves("elbv2.target-not-registered")
@before("elbv2", "DeregisterTargets")
def deregister_targets(cloud: Cloud, call: Call) -> Answer | None:
    """Drain registered targets, refuse others with InvalidTarget (API DeregisterTargets)."""
    group = _ip_target_group(cloud, call)
    if group is None:
        return None
    for target in call.params["Targets"]:
        port = int(target.get("Port", group.port))
        if not cloud.elbv2.deregister(group.arn, target["Id"], port):
            raise AwsError(
                "InvalidTarget", f"The following targets are not registered: {target['Id']}:{port}"
            )
    return {}


@behaves("elbv2.target-health-unregistered")
@before("elbv2", "DescribeTargetHealth")
def describe_target_health(cloud: Cloud, call: Call) -> Answer | None:
    """Return the states set by the health checks of targets.py (API DescribeTargetHealth)."""
    group = _ip_target_group(cloud, call)
    if group is None:
        return None
    registered = cloud.elbv2.targets.get(group.arn, {})
    targets_named = [
        (target["Id"], int(target.get("Port", group.port)))
        for target in call.params.get("Targets", [])
    ] or list(registered)
    unregistered = {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }
    return {
        "TargetHealthDescriptions": [
            {
                "Target": {"Id": ip, "Port": port},
                "HealthCheckPort": str(port),
                "TargetHealth": cloud.elbv2.health(group.arn, registered[ip, port])
                if (ip, port) in registered
                else unregistered,
            }
            for ip, port in targets_named
        ]
    }


def _ip_target_group(cloud: Cloud, call: Call) -> Any | None:
    """Return moto's target group if its targets are IP addresses; None otherwise."""
    group = cloud.backend("elbv2", call.region).target_groups.get(call.params["TargetGroupArn"])
    return group if group is not None and group.target_type == "ip" else None
