"""The HTTP client for everything but AWS: whom it trusts, and which proxy it uses."""

import base64
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from werkzeug.wrappers import Request, Response

import provision
from provision.clients.http import (
    Http,
    authorities,
    on_loopback,
    proxy,
    proxy_headers,
    require_https,
    retry_after,
)
from provision.console.server import HttpServer
from provision.errors import ProvisionError
from provision.run import clients_for
from provision.state.stack_file import StackFile

PUBLIC_AUTHORITIES = 100  # at least; certifi's list has more
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove this machine's own proxy settings."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def requests() -> list[Request]:
    """Return the list of requests that the server receives."""
    return []


@pytest.fixture
def server(requests: list[Request]) -> Iterator[HttpServer]:
    """Yield a server that answers everything with 302 and a body."""

    @Request.application
    def answer(request: Request) -> Response:
        requests.append(request)
        return Response("moved", 302, headers={"Location": "/elsewhere"})

    server = HttpServer(answer)
    yield server
    server.close()


def test_trusts_public_and_own_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS_CA_BUNDLE is added to the public authorities: LINE and the gallery stay reachable."""
    own = trustme.CA()
    own.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(cafile=authorities())
    trusted = context.get_ca_certs(binary_form=True)
    assert ssl.PEM_cert_to_DER_cert(own.cert_pem.bytes().decode()) in trusted
    assert len(trusted) > PUBLIC_AUTHORITIES


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unreadable_ca_bundle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    """The error shows its variable and path."""
    bundle = tmp_path / "ca.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with pytest.raises(ProvisionError) as refusal:
        authorities()
    assert "Could not read AWS_CA_BUNDLE." == refusal.value.what
    assert refusal.value.why.startswith(f"{bundle}: ")


def test_proxy_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not used for hosts in no_proxy, nor for this computer."""
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "registry.example")
    assert "http://proxy.example:3128" == proxy("https://api.line.me")
    assert "" == proxy("https://registry.example/v2/")
    assert "" == proxy("https://127.0.0.1:5000/v2/")


def test_proxy_with_a_password() -> None:
    """Name and password of its URL are sent, decoded."""
    assert {"Proxy-Authorization": "Basic " + base64.b64encode(b"me:s@cret").decode()} == (
        proxy_headers("http://me:s%40cret@proxy.example:3128")
    )
    assert {} == proxy_headers("http://proxy.example:3128")


def test_local_requests_bypass_the_proxy(
    monkeypatch: pytest.MonkeyPatch, server: HttpServer, requests: list[Request]
) -> None:
    """A proxy could not reach this computer."""
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    assert 302 == Http().request("GET", server.url).status_code
    assert ["/"] == [request.path for request in requests]  # the redirect is not followed


def test_netrc_is_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: HttpServer, requests: list[Request]
) -> None:
    """Only the caller's own headers are sent."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    Http().request("GET", server.url)
    Http().request("GET", server.url, headers={"Authorization": "Bearer ours"})
    assert [None, "Bearer ours"] == [request.headers.get("Authorization") for request in requests]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://127.1.2.3", True),
        ("http://localhost:5000/a", True),
        ("http://[::1]:5000", True),
        ("https://127.0.0.1", True),
        ("http://127.0.0.1.evil.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("http://evil.example\\@127.0.0.1", False),
        ("http://localhost.evil.example", False),
        ("http://localhostevil", False),
        ("http://[::1].evil.example", False),
        ("http://evil.example/127.0.0.1", False),
        ("http://192.0.2.1", False),
        ("127.0.0.1:5000", False),
        ("", False),
    ],
)
def test_on_loopback(url: str, expected: bool) -> None:
    """The host counts, not what the URL begins with."""
    assert expected == on_loopback(url)


def test_requests_is_imported_as_a_whole() -> None:
    """Threads that import requests and requests.utils at once can fail: each waits for the other."""
    found = [
        f"{path.name}: {line.strip()}"
        for path in Path(provision.__file__).parent.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s+(import|from) requests\.", line)
    ]
    assert [] == found


ADDRESSES = {
    "localstack": ["172.18.0.2"],
    "line.internal": ["fd00::1", "10.0.0.1"],
    "both.example": ["172.18.0.2", "93.184.216.34"],
    "aws.example": ["93.184.216.34"],
    "metadata.example": ["169.254.169.254"],
}


def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
    """Answer as getaddrinfo, for the names above and for addresses."""
    if not host[-1].isdigit() and ":" not in host and host not in ADDRESSES:
        raise socket.gaierror(host)
    return [(0, 0, 0, "", (address, 0)) for address in ADDRESSES.get(host, [host])]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.line.me",
        "https://93.184.216.34",
        "http://localhost:4566",
        "http://127.0.0.1:4566",
        "http://0.0.0.0:5000",
        "http://[::1]:4566",
        "http://192.168.1.5:4566",
        "http://172.17.0.1",
        "http://localstack:4566",
        "http://line.internal/v2",
    ],
)
def test_endpoint_that_may_be_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """https, this computer, and a private network, such as that of containers."""
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    require_https("AWS_ENDPOINT_URL", url)


@pytest.mark.parametrize(
    "host",
    [
        "aws.example",
        "93.184.216.34",
        "both.example",
        "metadata.example",
        "nowhere.example",
        "127.0.0.1.evil.example",
        "192.0.2.1",
        "100.64.0.1",
        "172.32.0.1",
    ],
)
def test_plain_http_is_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent; a password in the URL is not shown."""
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(ProvisionError) as error:
        require_https("LINE_API_URL", f"http://user:secret@{host}:8080/v2")
    assert (
        "Could not use LINE_API_URL.\n"
        f"  why:  http://{host} is neither https nor in a private network: others could read LINE's secrets\n"
        "  next: Use its https:// address, then run the same command again." == str(error.value)
    )


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM", "LINE_API_URL"])
def test_commands_use_no_plain_http(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of them says so."""
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv(variable, "http://192.0.2.1")
    file = StackFile(tmp_path / "stack.yaml")
    with pytest.raises(ProvisionError, match=r"http://192\.0\.2\.1 is neither https"):
        _ = clients_for(file).aws.ssm


NOW = "Mon, 30 Nov 2026 01:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": " 1 "}, 1.0),
        ({"retry-after": "86400"}, 60.0),
        ({"retry-after": "9" * 400}, 60.0),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": "Mon, 30 Nov 2026 01:00:20 GMT", "date": NOW}, 20.0),
        ({"retry-after": "Mon, 30 Nov 2026 03:00:00 GMT", "date": NOW}, 60.0),
        ({"retry-after": "Mon, 30 Nov 2026 00:59:00 GMT", "date": NOW}, None),
        ({"retry-after": "Mon, 30 Nov 2026 01:00:20 -0000", "date": NOW}, None),
        ({"retry-after": "Mon, 30 Nov 2026 01:00:20 GMT"}, None),
        ({"date": NOW}, None),
        ({}, None),
        (None, None),
    ],
)
def test_retry_after(headers: dict[str, str] | None, expected: float | None) -> None:
    """In seconds or as a date beside the response's own, a minute at most. Source: RFC 9110, 10.2.3."""
    assert expected == retry_after(headers)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://[::1",
            "https://",
            "https:///v2",
            "api.line.me",
            "ftp://127.0.0.1",
            "https://a:b",
        ),
        *(" https://api.line.me", "https://api.line.me\n", "https://api line.me", ""),
    ],
)
def test_require_https_refuses_what_is_no_url(url: str) -> None:
    """An error for a person, which does not repeat what may be a password."""
    with pytest.raises(ProvisionError) as error:
        require_https("LINE_API_URL", url)
    assert (
        "Could not use LINE_API_URL.\n"
        "  why:  it is no address that begins with https://\n"
        "  next: Use its https:// address, then run the same command again."
    ) == str(error.value)
