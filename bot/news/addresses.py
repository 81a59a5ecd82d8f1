"""Keep a process from private networks: a feed, or what it redirects to, may name any address."""

import ipaddress
import os
import sys

from bot.news.feeds import BadFeed

VARIABLE = "PRIVATE_FEEDS"  # set by the sandbox only, whose feeds are on this machine


def refuse_private_addresses() -> None:
    """Let every later connection of this process to a private, loopback or link-local address fail.

    Python tells the address just before it connects, so no redirect and no change in the DNS gets past.
    """
    if VARIABLE not in os.environ:
        sys.addaudithook(_check)


def _check(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        address = ipaddress.ip_address(arguments[1][0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if not address.is_global or address.is_multicast:
            raise BadFeed("private address")
