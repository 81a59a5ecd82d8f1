"""The one way to what is not AWS: whom it trusts, and through which proxy."""

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from werkzeug.wrappers import Request, Response

from provision.clients.http import Http, authorities, on_loopback, proxy, proxy_headers
from provision.errors import ProvisionError
from provision.sandbox.web.serving import HttpServer

MOZILLAS = 100  # authorities at least: certifi's list has more
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own settings do not count."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def seen() -> list[Request]:
    """The requests that the server gets."""
    return []


@pytest.fixture
def server(seen: list[Request]) -> Iterator[HttpServer]:
    """Answers everything with 302 and a body."""

    @Request.application
    def answer(request: Request) -> Response:
        seen.append(request)
        return Response("moved", 302, headers={"Location": "/elsewhere"})

    server = HttpServer(answer)
    yield server
    server.close()


def test_trusts_mozillas_list_and_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS_CA_BUNDLE comes beside the public authorities: LINE and the gallery stay within reach."""
    own = trustme.CA()
    own.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(cafile=authorities())
    trusted = context.get_ca_certs(binary_form=True)
    assert ssl.PEM_cert_to_DER_cert(own.cert_pem.bytes().decode()) in trusted
    assert len(trusted) > MOZILLAS


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_bundle_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    """Its variable and its path are named."""
    bundle = tmp_path / "ca.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with pytest.raises(ProvisionError) as refusal:
        authorities()
    assert "Could not read AWS_CA_BUNDLE." == refusal.value.what
    assert refusal.value.why.startswith(f"{bundle}: ")


def test_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """But not for what no_proxy names, nor for this computer."""
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "registry.example")
    assert "http://proxy.example:3128" == proxy("https://api.line.me")
    assert "" == proxy("https://registry.example/v2/")
    assert "" == proxy("https://127.0.0.1:5000/v2/")


def test_proxy_with_a_password() -> None:
    """The name and the password of its address, decoded."""
    assert {"Proxy-Authorization": "Basic " + base64.b64encode(b"me:s@cret").decode()} == (
        proxy_headers("http://me:s%40cret@proxy.example:3128")
    )
    assert {} == proxy_headers("http://proxy.example:3128")


def test_this_computer_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch, server: HttpServer, seen: list[Request]
) -> None:
    """A proxy could not reach it."""
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    assert 302 == Http().request("GET", server.url).status_code
    assert ["/"] == [request.path for request in seen]  # and the redirect is the caller's business


def test_no_password_of_a_netrc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: HttpServer, seen: list[Request]
) -> None:
    """What is sent is what the caller gives."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    Http().request("GET", server.url)
    Http().request("GET", server.url, headers={"Authorization": "Bearer ours"})
    assert [None, "Bearer ours"] == [request.headers.get("Authorization") for request in seen]


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
def test_this_machine_by_its_host(url: str, expected: bool) -> None:
    """The host counts, not what the URL begins with."""
    assert expected == on_loopback(url)
