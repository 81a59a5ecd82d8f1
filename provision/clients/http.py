"""Send HTTP requests to services other than AWS, with the environment's proxy and certificate authorities."""

import atexit
import functools
import ipaddress
import os
import re
import ssl
import tempfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from provision.errors import ProvisionError
from provision.i18n import _

CONNECT, READ = 10, 120  # timeouts in seconds
# OpenSSL's messages where a retry is useless: the certificate is not valid, or the CA bundle is not.
UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed")
BAD_BUNDLE = ("NO_CERTIFICATE_OR_CRL_FOUND", "PEM lib", "[Errno 2]", "[Errno 13]", "[Errno 21]")


def untrusted(error: BaseException) -> str:
    """Return why the server's certificate is not trusted, "" for every other error.

    boto3, requests and urllib3 wrap OpenSSL's error, in some cases without its message.
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
    for inner in (*error.args, *attributes, error.__cause__):
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


class Http:
    """A requests session. It follows no redirects and retries nothing: its callers do."""

    def __init__(self) -> None:
        self._session: Any = None

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Return requests' response. Raise requests.RequestException.

        A request to this computer goes through no proxy.
        """
        import requests

        self._session = self._session or requests.Session()
        if on_loopback(url):
            options["proxies"] = {"http": "", "https": ""}
        return self._session.request(
            method,
            url,
            **{"timeout": (CONNECT, READ), **options},
            auth=_authorize_nothing,
            allow_redirects=False,
            verify=authorities() if url.startswith("https:") else True,
        )


def _authorize_nothing(request: Any) -> Any:
    """Return the request as it is; without an `auth`, requests takes a password from ~/.netrc."""
    return request


def proxy(url: str) -> str:
    """Return the environment's proxy for a URL; "" for none."""
    import requests.utils

    if on_loopback(url):
        return ""
    proxies = requests.utils.get_environ_proxies(url)
    return str(requests.utils.select_proxy(url, proxies) or "")


def proxy_headers(address: str) -> dict[str, str]:
    """Return the headers for a proxy whose address has a user name and a password."""
    import requests.adapters

    return dict(requests.adapters.HTTPAdapter().proxy_headers(address))


def root_cause(error: BaseException) -> BaseException:
    """Return the innermost error that requests or urllib3 wrapped."""
    for inner in (getattr(error, "reason", None), *error.args):
        if isinstance(inner, Exception):
            return root_cause(inner)
    return error


def authorities() -> str:
    """Return a file of Mozilla's authorities (macOS's Python has none) and those of AWS_CA_BUNDLE.

    Raise ProvisionError for a bundle that cannot be read.
    """
    import certifi

    bundle = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    if not bundle:
        return str(certifi.where())
    try:
        return _joined(certifi.where(), bundle, os.stat(bundle).st_mtime_ns)
    except OSError as error:
        raise bad_bundle(bundle, error) from None


def bad_bundle(bundle: str, error: OSError) -> ProvisionError:
    """Return the error for a CA bundle that cannot be read."""
    return ProvisionError(
        _("Could not read AWS_CA_BUNDLE."),
        f"{bundle}: {error.strerror or error}",
        _("Set it to a file of certificates in PEM format, or unset it."),
    )


@functools.cache
def _joined(public: str, bundle: str, _modified: int) -> str:
    """Return a temporary file with both; it is deleted when the process ends. Raise OSError for a bad bundle.

    Where a full disk has no room for it, return the bundle alone.
    """
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(bundle)
    try:
        with tempfile.NamedTemporaryFile("wb", suffix=".pem", delete=False) as file:
            file.write(Path(public).read_bytes() + b"\n" + Path(bundle).read_bytes())
    except OSError:
        return bundle
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return file.name
