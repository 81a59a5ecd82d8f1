"""HTTP to what is not AWS (registries, LINE): through the environment's proxy, trusting whom it names."""

import os
import urllib.parse
import urllib.request
from typing import Any

CONNECT, READ = 10, 120  # seconds


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
        context.load_verify_locations(own)
    settings: dict[str, Any] = {
        "ssl_context": context,
        "timeout": urllib3.Timeout(connect=CONNECT, read=READ),
        "retries": urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=5),
    }
    return urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)
