"""What people call each resource, and the step of the setup it belongs to, by its attribute in stack.py."""

from collections.abc import Iterable
from functools import cache

from provision import i18n
from provision.i18n import _


def steps() -> dict[str, dict[str, str]]:
    """Return the steps in order, each with its resources' names by logical id."""
    return {
        _("Domain"): {
            "zone": _("hosted zone"),
            "delegation": _("name servers at the registrar"),
        },
        _("Certificate"): {
            "certificate": _("certificate"),
            "validation_record": _("validation record"),
            "issued_certificate": _("issue of the certificate"),
        },
        _("Storage and secrets"): {
            "repository": _("image repository"),
            "news_bucket": _("news bucket"),
            "log_group": _("log group"),
            "access_token": _("channel access token"),
            "channel_secret": _("channel secret"),
        },
        _("Roles"): {
            "execution_role": _("execution role"),
            "execution_permissions": _("execution role's permissions"),
            "task_role": _("bot's role"),
            "task_permissions": _("bot's permissions"),
            "collector_role": _("collector's role"),
            "collector_permissions": _("collector's permissions"),
            "collector_execution_role": _("collector's execution role"),
            "collector_execution_permissions": _("collector's execution role's permissions"),
        },
        _("Network"): {
            "vpc": "VPC",
            "internet_gateway": _("internet gateway"),
            "gateway_attachment": _("internet gateway's attachment"),
            "route_table": _("route table"),
            "route": _("route to the internet"),
            "subnet_1": _("first subnet"),
            "subnet_2": _("second subnet"),
            "subnet_3": _("third subnet"),
            "association_1": _("first subnet's route table"),
            "association_2": _("second subnet's route table"),
            "association_3": _("third subnet's route table"),
            "network": _("network"),
            "load_balancer_group": _("load balancer's security group"),
            "https_from_anywhere": _("HTTPS from anywhere"),
            "bot_group": _("bot's security group"),
            "collector_group": _("collector's security group"),
            "bot_from_load_balancer": _("access from the load balancer to the bot"),
        },
        _("Load balancer"): {
            "access_log_bucket": _("access log bucket"),
            "load_balancer": _("load balancer"),
            "web_acl": _("web ACL"),
            "web_acl_association": _("web ACL's association"),
            "active_load_balancer": _("start of the load balancer"),
            "alias": _("alias record"),
            "target_group": _("target group"),
            "bootstrap_listener": _("HTTP listener"),
            "bootstrap_rule": _("HTTP listener's rule"),
            "https": _("HTTPS listener"),
            "webhook_rule": _("HTTPS listener's rule"),
        },
        _("Bot"): {
            "service_linked_role": _("service-linked role of ECS"),
            "cluster": _("cluster"),
            "image": _("image"),
            "task_definition": _("task definition"),
            "service": _("service"),
            "steady_service": _("start of the bot"),
        },
        _("News"): {
            "collector_definition": _("collector's task definition"),
            "initial_collection": _("first collection"),
            "collector_schedule": _("collector's schedule"),
            "collecting_permissions": _("permission to run the collector"),
        },
        _("Schedules"): {
            "scheduler_role": _("scheduler's role"),
            "schedule_group": _("schedule group"),
            "scheduler_permissions": _("scheduler's permissions"),
            "start_schedule": _("start schedule"),
            "stop_schedule": _("stop schedule"),
        },
        "LINE": {
            "webhook": _("webhook URL"),
            "active_webhook": _('"Use webhook"'),
        },
    }


@cache
def _names(language: str) -> dict[str, tuple[str, str]]:
    """Return step and name of each resource by logical id. language: the current one, which they are in."""
    return {each: (step, name) for step, names in steps().items() for each, name in names.items()}


def name_of(key: str) -> str:
    """Return what people call the resource with this key; the key where it has no name."""
    return _names(i18n.language()).get(key.partition("/")[0], ("", key))[1]


def by_step(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the keys by step, in the steps' order; those that belong to none come last."""
    names, other = _names(i18n.language()), _("Other")
    found: dict[str, list[str]] = {step: [] for step in (*(s for s, _n in names.values()), other)}
    for key in keys:
        step, _name = names.get(key.partition("/")[0], (other, key))
        found[step].append(key)
    return {step: members for step, members in found.items() if members}
