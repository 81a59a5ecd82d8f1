"""Send HTTP requests with the proxy and the certificate authorities of the environment."""

import atexit
import functools
import ipaddress
import math
import os
import re
import ssl
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from bot.bounds import BoundedResponse, bound
from bot.config import in_private_network
from provision.errors import ProvisionError
from provision.i18n import _

CONNECT, READ = 10, 120  # timeouts in seconds
MIN_RATE = 10_000  # bytes a second of a download, once READ is over
# Raised by code that reads a document of another form than expected, such as a proxy's page.
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
# OpenSSL's messages for an invalid certificate or CA bundle, for which a retry is useless.
UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed")
PROXY_REFUSAL = re.compile(r"Tunnel connection failed: (4\d\d[^'\")]*)")  # http.client's message
PLAIN_PROXY = "proxy appears to only use HTTP"  # urllib3's message
MAX_RETRY_AFTER = 60.0  # seconds that a server may ask to wait before one retry
BAD_BUNDLE = ("NO_CERTIFICATE_OR_CRL_FOUND", "PEM lib", "[Errno 2]", "[Errno 13]", "[Errno 21]")


def certificate_error(error: BaseException) -> str:
    """Return why the server's certificate is not trusted; "" for any other error.

    boto3, requests and urllib3 wrap OpenSSL's error, sometimes without its message.
    """
    chain = list(_unwrap(error))
    is_tls = any("SSL" in type(inner).__name__ for inner in chain)
    for text in map(str, chain):
        if any(message in text for message in UNTRUSTED):
            return _("the server's certificate is not trusted ({error})", error=text)
        if is_tls and any(message in text for message in BAD_BUNDLE):
            return _("the CA bundle cannot be read ({error})", error=text)
    return ""


def permanent_error(doing: str, error: BaseException) -> ProvisionError | None:
    """Return the error for an untrusted certificate or for what a proxy refuses or cannot do.

    A retry cannot change these. Return None for any other error.
    """
    if why := certificate_error(error):
        advice = _(
            "If a proxy or firewall inspects TLS traffic, set AWS_CA_BUNDLE to a PEM file with "
            "its certificate authority, then run the same command again."
        )
        return ProvisionError(doing, why, advice)
    for text in map(str, _unwrap(error)):
        if refusal := PROXY_REFUSAL.search(text):
            return proxy_error(doing, refusal[1])
        if PLAIN_PROXY in text:
            return ProvisionError(
                doing,
                _("the proxy does not speak TLS"),
                _(
                    "Set HTTPS_PROXY to the proxy's http:// address, then run the same command again."
                ),
            )
    return None


def proxy_error(doing: str, response: str) -> ProvisionError:
    """Return the error for a proxy's refusal. response: its HTTP status and reason."""
    if response.startswith("407"):
        then = _(
            "The proxy wants a user name and a password: set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT "
            "(special characters as %40 and so on), then run the same command again."
        )
    else:
        then = _(
            "Ask the administrator of the proxy to allow this address, or set NO_PROXY, then run the same "
            "command again."
        )
    return ProvisionError(doing, _("the proxy refuses: {response}", response=response), then)


def retry_after(headers: Mapping[str, str] | None) -> float | None:
    """Return the seconds of a Retry-After header, MAX_RETRY_AFTER at most; None if it is missing or odd.

    A date counts from the response's own Date. Source: RFC 9110, section 10.2.3.
    """
    value, date = ((headers or {}).get(name, "").strip() for name in ("retry-after", "date"))
    try:
        if value.isdigit():
            delay = float(value)
        else:
            delay = (parsedate_to_datetime(value) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError, OverflowError):  # TypeError: one of them has no time zone
        return None
    return min(delay, MAX_RETRY_AFTER) if delay > 0 else None


def _unwrap(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors that this error wraps, innermost first, then the error itself."""
    attributes = [getattr(error, "kwargs", {}).get("error"), getattr(error, "reason", None)]
    for inner in (*error.args, *attributes, error.__cause__):
        if isinstance(inner, BaseException):
            yield from _unwrap(inner)
    yield error


def on_loopback(url: str) -> bool:
    """Return whether a URL's host is localhost or a loopback address."""
    try:
        netloc = urllib.parse.urlsplit(url).netloc.rpartition("@")[2].lower()
        if "\\" in url:  # parsers disagree about it
            return False
        host = re.sub(r":\d*$", "", netloc)
        literal = host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host
        return literal == "localhost" or ipaddress.ip_address(literal).is_loopback
    except ValueError:  # a host name, or not a URL
        return False


def require_https(name: str, url: str) -> None:
    """Raise ProvisionError for plain HTTP to a host that has not only addresses of private networks.

    Raise it for what is no URL, too. name: of the variable or setting with the URL.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname if parts.port != 0 and not re.search(r"\s", url) else ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise not_https(name)
    if parts.scheme == "http" and not on_loopback(url) and not in_private_network(host):
        raise ProvisionError(
            _("Could not use {name}.", name=name),
            _(
                "http://{host} is neither https nor in a private network: others could read LINE's secrets",
                host=host,
            ),
            _("Use its https:// address, then run the same command again."),
        )


def not_https(name: str) -> ProvisionError:
    """Return the error for a variable or setting whose value is no https:// URL."""
    return ProvisionError(
        _("Could not use {name}.", name=name),
        _("it is no address that begins with https://"),
        _("Use its https:// address, then run the same command again."),
    )


class Http:
    """A requests session without redirects and retries, which are left to the callers."""

    def __init__(self) -> None:
        self._session: Any = None

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Return requests' response. Raise requests.RequestException; ProvisionError for a bad proxy address.

        A request to this computer goes through no proxy.
        """
        self._session = self._session or _session()
        address = proxy(url)
        options["proxies"] = {"http": address, "https": address}
        return self._session.request(
            method,
            url,
            **{"timeout": (CONNECT, READ), **options},
            auth=_authorize_nothing,
            allow_redirects=False,
            verify=authorities() if url.startswith("https:") else True,
        )


class _Download(BoundedResponse):
    """A response whose size is limited where it is read, as layers may be large."""

    most_bytes = math.inf
    rate = MIN_RATE


def _session() -> Any:
    """Return requests' session with bounded responses, through a proxy too."""
    import requests

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            bound(self.poolmanager, _Download)

        def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
            return bound(super().proxy_manager_for(*arguments, **options), _Download)

    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    return session


def _authorize_nothing(request: Any) -> Any:
    """Return the request unchanged. Without an `auth`, requests would use ~/.netrc."""
    return request


def proxy(url: str, ignored: str = "") -> str:
    """Return the proxy that the environment sets for a URL, as a URL; "" for none.

    ignored: a variable's scheme that does not count; boto3 does not use ALL_PROXY. Raise ProvisionError for
    an address that is none of an HTTP proxy.
    """
    import requests  # not requests.utils: two threads that import both at once may fail

    if on_loopback(url):
        return ""
    proxies = requests.utils.get_environ_proxies(url)
    proxies.pop(ignored, None)
    value = str(requests.utils.select_proxy(url, proxies) or "")
    if not value:
        return ""
    address = value if "://" in value else f"http://{value}"
    try:
        parts = urllib.parse.urlsplit(address)
        login = urllib.parse.unquote(f"{parts.username}{parts.password}", errors="strict")
        valid = parts.hostname and parts.port != 0 and login.encode("latin-1")
    except ValueError:  # no port, or a password that no header can have
        valid = False
    if valid and parts.scheme in ("http", "https") and not re.search(r"[\s#?]", address):
        return address
    variables = [n for n in os.environ if n.lower().endswith("_proxy") and value in os.environ[n]]
    raise ProvisionError(
        _("Could not use {name}.", name=next(iter(sorted(variables)), "HTTPS_PROXY")),
        _("it is no address of an HTTP proxy (SOCKS is not supported)"),
        _(
            "Set it to http://HOST:PORT or http://USER:PASSWORD@HOST:PORT (special characters as %40 and so "
            "on), or unset it, then run the same command again."
        ),
    )


def proxy_headers(address: str) -> dict[str, str]:
    """Return the authorization header for a proxy whose address has a user name and a password."""
    import requests

    return dict(requests.adapters.HTTPAdapter().proxy_headers(address))


def root_cause(error: BaseException) -> BaseException:
    """Return the innermost error that requests or urllib3 wrapped."""
    for inner in (getattr(error, "reason", None), *error.args):
        if isinstance(inner, Exception):
            return root_cause(inner)
    return error


def authorities() -> str:
    """Return the path of a bundle of certifi's authorities and those of the environment.

    These are AWS_CA_BUNDLE (also set by clients.aws, from the profile), REQUESTS_CA_BUNDLE, or SSL_CERT_FILE.
    Raise ProvisionError if the file cannot be read. (Python on macOS has no authorities of its own.)
    """
    import certifi

    variables = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    bundle = next(filter(None, map(os.environ.get, variables)), "")
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
    """Return the path of a temporary file with both bundles, deleted at exit. Raise OSError for a bad bundle.

    If the file cannot be written (disk full), return the given bundle.
    """
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(bundle)
    try:
        with tempfile.NamedTemporaryFile("wb", suffix=".pem", delete=False) as file:
            file.write(Path(public).read_bytes() + b"\n" + Path(bundle).read_bytes())
    except OSError:
        return bundle
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return file.name
