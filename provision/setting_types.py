"""Parsers of settings. Each converts a string or a list of strings.

They raise ValueError with a description of the allowed values.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from provision import schedules
from provision.i18n import _
from provision.image.reference import parse

Raw = str | list[str]
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
# Top-level domains are alphabetic or xn--. RFC 3696, section 2; RFC 5890.
HOST_NAME = re.compile(rf"({_LABEL}\.)+(?=[a-z]{{2,63}}\Z|xn--){_LABEL}")

# MiB by CPU units. Amazon ECS Developer Guide, "Task definition parameters", task size.
FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}


def text_like(pattern: str, wanted: Callable[[], str]) -> Callable[[Raw], str]:
    """Return a parser for strings that match the whole pattern; `wanted` returns their description."""

    def parse(raw: Raw) -> str:
        if not isinstance(raw, str) or not re.fullmatch(pattern, raw):
            raise ValueError(wanted())
        return raw

    return parse


def number(low: int, high: int) -> Callable[[Raw], int]:
    """Return a parser for integers from low to high."""

    def parse(raw: Raw) -> int:
        if isinstance(raw, str) and re.fullmatch(r"[0-9]{1,7}", raw) and low <= int(raw) <= high:
            return int(raw)
        raise ValueError(_("a whole number from {low} to {high}", low=low, high=high))

    return parse


def one_of(*values: str) -> Callable[[Raw], str]:
    """Return a parser for one of several words."""

    def parse(raw: Raw) -> str:
        if isinstance(raw, str) and raw in values:
            return raw
        raise ValueError(_("one of: {values}", values=", ".join(values)))

    return parse


def list_of(item: Callable[[Raw], str]) -> Callable[[Raw], list[str]]:
    """Return a parser for a list, or for one string with commas (as on the command line)."""

    def parse(raw: Raw) -> list[str]:
        text = "" if raw == "[]" else raw  # as in the file
        items = text if isinstance(text, list) else [part.strip() for part in text.split(",")]
        return [item(part) for part in items if part]

    return parse


def fargate_cpu(raw: Raw) -> int:
    """Return CPU units that Fargate offers."""
    if isinstance(raw, str) and re.fullmatch(r"[0-9]{1,7}", raw) and int(raw) in FARGATE_MEMORY:
        return int(raw)
    raise ValueError(_("one of: {values}", values=", ".join(map(str, FARGATE_MEMORY))))


def fargate_memory(raw: Raw) -> int:
    """Return MiB that Fargate offers for one of its numbers of CPU units."""
    sizes = {size for offered in FARGATE_MEMORY.values() for size in offered}
    if isinstance(raw, str) and re.fullmatch(r"[0-9]{1,7}", raw) and int(raw) in sizes:
        return int(raw)
    raise ValueError(_("what Fargate offers for service.cpu (512, 1024 and 2048 for 256)"))


def host_name(raw: Raw) -> str:
    """Return a DNS name of two labels or more in lower case, without the final dot.

    Source: RFC 1035, 2.3.1 and 2.3.4.
    """
    if isinstance(raw, str):
        name = raw.removesuffix(".").lower()
        if raw.isascii() and len(name) <= 253 and HOST_NAME.fullmatch(name):
            return name
        if converted := _contained_name(raw):
            raise ValueError(
                _(
                    "a domain name such as example.jp; for {given}: {converted}",
                    given=raw,
                    converted=converted,
                )
            )
    raise ValueError(_("a domain name such as example.jp (an international one in its xn-- form)"))


def _contained_name(text: str) -> str:
    """Return the domain name in a URL or with a port, an international one in its xn-- form; "" for none."""
    text = text.strip()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        converted = host.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        return ""
    return converted if HOST_NAME.fullmatch(converted) else ""


def is_punycode(label: str) -> bool:
    """Return whether a label is xn-- and valid Punycode. Source: ACM User Guide, "Managed renewal"."""
    try:
        text = label.removeprefix("xn--").encode().decode("punycode")
        return not text.isascii() and f"xn--{text.encode('punycode').decode()}" == label
    except UnicodeError:
        return False


def image_reference(raw: Raw) -> str:
    """Return the name of a container image."""
    try:
        if isinstance(raw, str) and parse(raw):
            return raw
    except ValueError:
        pass
    raise ValueError(_("an image, preferably by digest: public.ecr.aws/name/image@sha256:..."))


def feed_url(raw: Raw) -> str:
    """Return the http(s) URL of a feed."""
    try:
        if isinstance(raw, str) and re.fullmatch(r"https?://\S{1,2000}", raw):
            parts = urlsplit(raw)
            if parts.hostname and parts.port != 0:
                return raw
    except ValueError:  # brackets without an IPv6 address, or no port
        pass
    raise ValueError(_("a list of http(s) URLs"))


def schedule_expression(raw: Raw) -> str:
    """Return an EventBridge Scheduler expression: cron, rate or at."""
    try:
        if isinstance(raw, str) and schedules.parse(raw):
            return raw
    except ValueError:
        pass
    raise ValueError(
        _(
            "cron(minutes hours day-of-month month day-of-week year) with ? for one of the two days, such as "
            "cron(0 8 ? * MON-FRI *); rate(...) or at(...)"
        )
    )


def time_zone(raw: Raw) -> str:
    """Return the name of an IANA time zone."""
    try:
        # The computer's own list may have others, such as localtime and right/UTC.
        if (
            isinstance(raw, str)
            and re.fullmatch(r"[A-Z][A-Za-z0-9_/+-]+", raw)
            and raw != "Factory"
        ):
            return ZoneInfo(raw).key
    except (ValueError, KeyError, OSError):
        pass
    raise ValueError(_("an IANA time zone such as Asia/Tokyo"))
