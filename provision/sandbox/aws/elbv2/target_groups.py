"""Elastic Load Balancing: checks of target groups."""

import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.errors import validation_error
from provision.sandbox.aws.rules import Answer, before

_MIN_CODE, _MAX_CODE = 200, 499  # API Matcher: HTTP codes of an Application Load Balancer's checks

# CreateTargetGroup's parameters -> moto's attributes.
_SETTINGS = {
    "Protocol": "protocol",
    "ProtocolVersion": "protocol_version",
    "Port": "port",
    "VpcId": "vpc_id",
    "TargetType": "target_type",
    "HealthCheckProtocol": "health_check_protocol",
    "HealthCheckPort": "health_check_port",
    "HealthCheckPath": "health_check_path",
    "HealthCheckIntervalSeconds": "health_check_interval_seconds",
    "HealthCheckTimeoutSeconds": "health_check_timeout_seconds",
    "HealthyThresholdCount": "healthy_threshold_count",
    "UnhealthyThresholdCount": "unhealthy_threshold_count",
    "Matcher": "matcher",
}


@behaves(
    "elbv2.target-group-same-settings",
    "elbv2.target-group-other-settings",
    "elbv2.target-group-name",
)
@before("elbv2", "CreateTargetGroup")
def check_new_target_group(cloud: Cloud, call: Call) -> Answer | None:
    """Check the health check; return an identical target group (API CreateTargetGroup)."""
    name = call.params["Name"]
    _check_health_check(call.params)
    for group in cloud.backend("elbv2", call.region).target_groups.values():
        if group.name == name:
            if all(_requested(call, key) in (None, _current(group, key)) for key in _SETTINGS):
                return {"TargetGroups": [_describe(group)]}
            raise AwsError(
                "DuplicateTargetGroupName",
                f"A target group with the same name '{name}' exists, but with different settings",
            )
    return None


def _requested(call: Call, key: str) -> str | None:
    return str(call.params[key]) if key in call.params else None


def _current(group: Any, key: str) -> str:
    return str(getattr(group, _SETTINGS[key]))


def _describe(group: Any) -> dict[str, Any]:
    """Return the target group as the API shows it (API TargetGroup)."""
    numbers = ("Port", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds")
    shown = {key: getattr(group, attribute) for key, attribute in _SETTINGS.items()}
    for key in (*numbers, "HealthyThresholdCount", "UnhealthyThresholdCount"):
        shown[key] = int(shown[key])
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "HealthCheckEnabled": group.health_check_enabled,
        "LoadBalancerArns": list(dict.fromkeys(group.load_balancer_arns)),
        "IpAddressType": group.ip_address_type,
        **{key: value for key, value in shown.items() if value is not None},
    }


@behaves("elbv2.modified-timeout-above-interval")
@before("elbv2", "ModifyTargetGroup")
def check_changed_target_group(cloud: Cloud, call: Call) -> None:
    """Check as for a new target group (API ModifyTargetGroup)."""
    group = cloud.elbv2.target_group(call.params["TargetGroupArn"])
    if group is None:
        return
    _check_health_check(call.params)
    interval, timeout = (
        int(call.params.get(key) or getattr(group, _SETTINGS[key]))
        for key in ("HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds")
    )
    if timeout >= interval:
        raise validation_error(
            f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'"
        )


@behaves("elbv2.health-check-path", "elbv2.matcher-range")
def _check_health_check(params: dict[str, Any]) -> None:
    path = params.get("HealthCheckPath", "/")
    if not path.startswith("/"):
        raise validation_error(f"Health check path '{path}' must begin with a '/' character")
    matcher = params.get("Matcher", {}).get("HttpCode", "")
    for code in re.findall(r"\d+", matcher):
        if not _MIN_CODE <= int(code) <= _MAX_CODE:
            raise validation_error(
                f"Health check matcher HTTP code '{matcher}' must be within "
                f"'{_MIN_CODE}-{_MAX_CODE}' inclusive"
            )


@behaves("elbv2.target-group-in-use")
@before("elbv2", "DeleteTargetGroup")
def check_unused(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a target group in use (API DeleteTargetGroup)."""
    arn = call.params["TargetGroupArn"]
    if cloud.elbv2.load_balancers_of(arn):
        raise AwsError(
            "ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule"
        )
