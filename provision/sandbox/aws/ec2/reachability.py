"""EC2: whether security groups allow a connection."""

import ipaddress
from collections.abc import Iterable
from typing import Any


def admits(groups: Iterable[Any], port: int, address: str, sources: Iterable[str] = ()) -> bool:
    """Return whether any of these groups (moto's) allows inbound TCP to `port`.

    The client has the IPv4 `address` and is a member of the security groups `sources` (ids).
    """
    return _allows(
        (rule for group in groups for rule in group.ingress_rules), port, address, sources
    )


def lets_out(groups: Iterable[Any], port: int, address: str, targets: Iterable[str] = ()) -> bool:
    """Return whether any of these groups (moto's) allows outbound TCP to `port`.

    The server has the IPv4 `address` and is a member of the security groups `targets` (ids).
    """
    return _allows(
        (rule for group in groups for rule in group.egress_rules), port, address, targets
    )


def _allows(rules: Iterable[Any], port: int, address: str, peer_groups: Iterable[str]) -> bool:
    members = set(peer_groups)
    return any(
        _matches_port(rule, port) and _matches_peer(rule, members, address) for rule in rules
    )


def _matches_port(rule: Any, port: int) -> bool:
    if rule.ip_protocol == "-1":
        return True
    return rule.ip_protocol == "tcp" and int(rule.from_port) <= port <= int(rule.to_port)


def _matches_peer(rule: Any, groups: set[str], address: str) -> bool:
    if (rule.source_group or {}).get("GroupId") in groups:
        return True
    cidr = (rule.ip_range or {}).get("CidrIp")
    if not cidr:
        return False
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, False)
