"""Elastic Load Balancing: checks of attributes of load balancers and target groups."""

from typing import Any

from provision.sandbox.aws import documented
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.errors import validation_error
from provision.sandbox.aws.rules import Answer, before

# API LoadBalancerAttribute and TargetGroupAttribute, "The range is ..." and "The value is ...".
_RANGES = {
    "idle_timeout.timeout_seconds": (1, 4000),
    "client_keep_alive.seconds": (60, 604800),
    "deregistration_delay.timeout_seconds": (0, 3600),
    "stickiness.lb_cookie.duration_seconds": (1, 604800),
    "stickiness.app_cookie.duration_seconds": (1, 604800),
}
_CHOICES = {
    "load_balancing.algorithm.type": (
        "round_robin",
        "least_outstanding_requests",
        "weighted_random",
    ),
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
}
_TARGET_GROUP_CROSS_ZONE = ("true", "false", "use_load_balancer_configuration")


@behaves("elbv2.load-balancer-attribute-unknown", "elbv2.load-balancer-attribute-value")
@before("elbv2", "ModifyLoadBalancerAttributes")
def check_load_balancer_attributes(cloud: Cloud, call: Call) -> None:
    """Check attributes (API LoadBalancerAttribute)."""
    known = documented.attributes(call.operation)
    for attribute in call.params["Attributes"]:
        key, value = attribute["Key"], attribute.get("Value", "")
        if key not in known:
            raise validation_error(f"Load balancer attribute key '{key}' is not recognized")
        _check(key, value, _CHOICES.get(key))


@behaves("elbv2.target-group-attribute-unknown", "elbv2.deregistration-delay-range")
@before("elbv2", "ModifyTargetGroupAttributes")
def check_target_group_attributes(cloud: Cloud, call: Call) -> Answer | None:
    """Check attributes; set a deregistration delay of 3600, which moto refuses (API TargetGroupAttribute)."""
    known = documented.attributes(call.operation)
    for attribute in call.params["Attributes"]:
        key, value = attribute["Key"], attribute.get("Value", "")
        if key not in known:
            raise validation_error(f"Target group attribute key '{key}' is not recognized")
        cross_zone = key == "load_balancing.cross_zone.enabled"
        _check(key, value, _TARGET_GROUP_CROSS_ZONE if cross_zone else _CHOICES.get(key))
    given = {a["Key"]: a.get("Value", "") for a in call.params["Attributes"]}
    group = cloud.elbv2.target_group(call.params["TargetGroupArn"])
    if group is None or given != {"deregistration_delay.timeout_seconds": "3600"}:
        return None
    group.attributes.update(given)
    return {"Attributes": _attribute_list(group.attributes)}


def _attribute_list(attributes: dict[str, Any]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": str(value)} for key, value in attributes.items()]


def _check(key: str, value: str, choices: tuple[str, ...] | None) -> None:
    if key in _RANGES:
        low, high = _RANGES[key]
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise validation_error(
                f"'{key}' value '{value}' must be between '{low}-{high}' inclusive"
            )
    elif choices is None and key.endswith(".enabled"):
        choices = ("true", "false")
    if choices is not None and value not in choices:
        raise validation_error(f"'{key}' value '{value}' must be one of [{', '.join(choices)}]")
