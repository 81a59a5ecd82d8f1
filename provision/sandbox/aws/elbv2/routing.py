"""Elastic Load Balancing: evaluation of listener rules for a request.

Elastic Load Balancing User Guide, "Listener rules": by priority; all conditions of a rule must match.
"""

import ipaddress
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from provision.sandbox.tasks.runners import Headers, Reply, Request


def action_for(listener: Any, request: Request, client: str) -> dict[str, Any]:
    """Return the routing action of the first matching rule, else of the default rule."""
    rules = [rule for rule in listener.rules.values() if not rule.is_default]
    for rule in sorted(rules, key=lambda rule: int(rule.priority)):
        if all(_condition_matches(condition, request, client) for condition in rule.conditions):
            return _routing(rule.actions)
    return _routing(listener.default_actions)


def header(request: Request, name: str) -> str:
    """Return the first header of this name, in any case, or ""."""
    return next((v for n, v in request.headers if n.lower() == name.lower()), "")


def _routing(actions: list[Any]) -> dict[str, Any]:
    ordered: list[dict[str, Any]] = sorted(
        (action.data for action in actions), key=lambda data: int(data.get("Order") or 1)
    )
    return ordered[-1]


def _condition_matches(condition: dict[str, Any], request: Request, client: str) -> bool:
    kind = condition["Field"]
    config: dict[str, Any] = next((v for k, v in condition.items() if k.endswith("Config")), {})
    values: list[Any] = config.get("Values") or condition.get("Values") or []
    url = urlsplit(request.target)
    match kind:
        case "path-pattern":
            return any(_matches_pattern(value, url.path) for value in values)
        case "host-header":
            host = header(request, "host").partition(":")[0].lower()
            return any(_matches_pattern(value.lower(), host) for value in values)
        case "http-header":
            given = [v for n, v in request.headers if n.lower() == config["HttpHeaderName"].lower()]
            return any(_matches_pattern(v.lower(), g.lower()) for v in values for g in given)
        case "http-request-method":
            return request.method in values
        case "query-string":
            pairs = parse_qsl(url.query, keep_blank_values=True)
            return any(
                _matches_pattern(value["Value"].lower(), given.lower())
                and ("Key" not in value or _matches_pattern(value["Key"].lower(), key.lower()))
                for value in values
                for key, given in pairs
            )
        case "source-ip":
            address = ipaddress.ip_address(client)
            return any(address in ipaddress.ip_network(value, False) for value in values)
    return False


def _matches_pattern(pattern: str, text: str) -> bool:
    """Match with `*` for any number of characters and `?` for one."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def fixed_response(config: dict[str, Any]) -> Reply:
    """Return a fixed response (API FixedResponseActionConfig)."""
    headers: Headers = [("Content-Type", config.get("ContentType") or "text/plain")]
    return Reply(int(config["StatusCode"]), headers, (config.get("MessageBody") or "").encode())


def redirect(config: dict[str, Any], request: Request, port: int) -> Reply:
    """Return a redirect; `#{...}` stands for parts of the request's URL (API RedirectActionConfig)."""
    url = urlsplit(request.target)
    own = {
        "#{protocol}": "https" if port == 443 else "http",
        "#{host}": header(request, "host").partition(":")[0],
        "#{port}": str(port),
        "#{path}": url.path.lstrip("/"),
        "#{query}": url.query,
    }

    def filled(part: str, default: str) -> str:
        text = str(config.get(part) or default)
        for name, value in own.items():
            text = text.replace(name, value)
        return text

    scheme = filled("Protocol", "#{protocol}").lower()
    query = filled("Query", "#{query}")
    address = f"{scheme}://{filled('Host', '#{host}')}:{filled('Port', '#{port}')}"
    location = f"{address}{filled('Path', '/#{path}')}" + (f"?{query}" if query else "")
    status = int(config["StatusCode"].removeprefix("HTTP_"))
    return Reply(status, [("Location", location)], b"")
