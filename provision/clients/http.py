"""HTTP to what is not AWS (registries, LINE): through the environment's proxy, trusting whom it names."""

import ipaddress
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from provision.errors import ProvisionError
from provision.i18n import _

CONNECT, READ = 10, 120  # seconds
# OpenSSL's words where no second try can help: the certificate is at fault, or the file of authorities is.
UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed")
BAD_BUNDLE = ("NO_CERTIFICATE_OR_CRL_FOUND", "PEM lib", "[Errno 2]", "[Errno 13]", "[Errno 21]")


def transport_error() -> type[Exception]:
    """Return urllib3's base class of errors of the connection."""
    import urllib3.exceptions

    return urllib3.exceptions.HTTPError


def untrusted(error: BaseException) -> str:
    """Return why the server's certificate is not trusted, "" for every other error.

    boto3 and urllib3 wrap OpenSSL's error, some of them without its words.
    """
    chain = list(_wrapped(error))
    of_tls = any("SSL" in type(inner).__name__ for inner in chain)
    for said in map(str, chain):
        if any(words in said for words in UNTRUSTED):
            return _("the certificate that the server shows is not trusted ({error})", error=said)
        if of_tls and any(words in said for words in BAD_BUNDLE):
            return _("the file of trusted certificates cannot be read ({error})", error=said)
    return ""


def trust_it() -> str:
    """Return what to do where a certificate is not trusted."""
    return _(
        "Where a proxy or firewall reads TLS, set AWS_CA_BUNDLE to a PEM file with its certificate "
        "authority; then run the same command again."
    )


def _wrapped(error: BaseException) -> Iterator[BaseException]:
    """Yield what the error was made of, the innermost first."""
    given = [getattr(error, "kwargs", {}).get("error"), getattr(error, "reason", None)]
    for inner in (*given, error.__cause__):
        if isinstance(inner, BaseException):
            yield from _wrapped(inner)
    yield error


def on_loopback(url: str) -> bool:
    """Return whether a URL's host is this machine itself: localhost or an address of the loopback."""
    try:
        place = urllib.parse.urlsplit(url).netloc.rpartition("@")[2].lower()
        if "\\" in url:  # others end the host there
            return False
        host = re.sub(r":\d*$", "", place)
        literal = host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host
        return literal == "localhost" or ipaddress.ip_address(literal).is_loopback
    except ValueError:  # a name, or no URL at all
        return False


class Connections:
    """urllib3's pools, one for each proxy in between. They follow redirects and try nothing again."""

    def __init__(self) -> None:
        self._pools: dict[str, Any] = {}

    def pool(self, url: str) -> Any:
        """The one for this URL."""
        parts = urllib.parse.urlsplit(url)
        proxy = urllib.request.getproxies().get(parts.scheme, "")
        if proxy and urllib.request.proxy_bypass(parts.hostname or ""):
            proxy = ""
        if proxy not in self._pools:
            self._pools[proxy] = _made(proxy)
        return self._pools[proxy]


def _made(proxy: str) -> Any:
    """Trusts Mozilla's list (macOS's Python has none of its own) and, beside it, what AWS's door trusts."""
    import certifi
    import urllib3
    from urllib3.util import create_urllib3_context

    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    if own := os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE"):
        try:
            context.load_verify_locations(own)
        except OSError as error:
            raise ProvisionError(
                _("Reading AWS_CA_BUNDLE."),
                f"{own}: {error.strerror or error}",
                _("Set it to a file of certificates in PEM, or unset it."),
            ) from None
    settings: dict[str, Any] = {
        "ssl_context": context,
        "timeout": urllib3.Timeout(connect=CONNECT, read=READ),
        "retries": urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=5),
    }
    return urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)
