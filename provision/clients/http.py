"""Connect over HTTP to services other than AWS, with the environment's proxy and certificate authorities."""

import ipaddress
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from provision.errors import ProvisionError
from provision.i18n import _

CONNECT, READ = 10, 120  # timeouts in seconds
# OpenSSL's messages where a retry is useless: the certificate is not valid, or the CA bundle is not.
UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed")
BAD_BUNDLE = ("NO_CERTIFICATE_OR_CRL_FOUND", "PEM lib", "[Errno 2]", "[Errno 13]", "[Errno 21]")


def transport_error() -> type[Exception]:
    """Return urllib3's base class of connection errors."""
    import urllib3.exceptions

    return urllib3.exceptions.HTTPError


def untrusted(error: BaseException) -> str:
    """Return why the server's certificate is not trusted, "" for every other error.

    boto3 and urllib3 wrap OpenSSL's error, in some cases without its message.
    """
    chain = list(_unwrap(error))
    is_tls = any("SSL" in type(inner).__name__ for inner in chain)
    for text in map(str, chain):
        if any(message in text for message in UNTRUSTED):
            return _("the server's certificate is not trusted ({error})", error=text)
        if is_tls and any(message in text for message in BAD_BUNDLE):
            return _("the CA bundle cannot be read ({error})", error=text)
    return ""


def trust_it() -> str:
    """Return the advice for a certificate that is not trusted."""
    return _(
        "If a proxy or firewall inspects TLS traffic, set AWS_CA_BUNDLE to a PEM file with "
        "its certificate authority, then run the same command again."
    )


def _unwrap(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors that this one wraps, innermost first, then itself."""
    attributes = [getattr(error, "kwargs", {}).get("error"), getattr(error, "reason", None)]
    for inner in (*attributes, error.__cause__):
        if isinstance(inner, BaseException):
            yield from _unwrap(inner)
    yield error


def on_loopback(url: str) -> bool:
    """Return whether a URL's host is localhost or a loopback address."""
    try:
        netloc = urllib.parse.urlsplit(url).netloc.rpartition("@")[2].lower()
        if "\\" in url:  # other parsers end the host there
            return False
        host = re.sub(r":\d*$", "", netloc)
        literal = host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host
        return literal == "localhost" or ipaddress.ip_address(literal).is_loopback
    except ValueError:  # a host name, or not a URL
        return False


class Connections:
    """urllib3's connection pools, one per proxy. They follow redirects and retry nothing."""

    def __init__(self) -> None:
        self._pools: dict[str, Any] = {}

    def pool(self, url: str) -> Any:
        """Return the pool for a URL."""
        parts = urllib.parse.urlsplit(url)
        proxy = urllib.request.getproxies().get(parts.scheme, "")
        if proxy and urllib.request.proxy_bypass(parts.hostname or ""):
            proxy = ""
        if proxy not in self._pools:
            self._pools[proxy] = _create_pool(proxy)
        return self._pools[proxy]


def _create_pool(proxy: str) -> Any:
    """Return a pool that trusts Mozilla's authorities (macOS's Python has none) and the CA bundle for AWS."""
    import certifi
    import urllib3
    from urllib3.util import create_urllib3_context

    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    if bundle := os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE"):
        try:
            context.load_verify_locations(bundle)
        except OSError as error:
            raise ProvisionError(
                _("Could not read AWS_CA_BUNDLE."),
                f"{bundle}: {error.strerror or error}",
                _("Set it to a file of certificates in PEM format, or unset it."),
            ) from None
    settings: dict[str, Any] = {
        "ssl_context": context,
        "timeout": urllib3.Timeout(connect=CONNECT, read=READ),
        "retries": urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=5),
    }
    return urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)
