"""The one way to what is not AWS: whom it trusts, and through which proxy."""

import ssl
from pathlib import Path

import pytest
import trustme

from provision.clients.http import Connections, on_loopback

MOZILLAS = 100  # authorities at least: certifi's list has more


def test_trusts_mozillas_list_and_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS_CA_BUNDLE comes beside the public authorities: LINE and the gallery stay within reach."""
    own = trustme.CA()
    own.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    context = Connections().pool("https://api.line.me").connection_pool_kw["ssl_context"]
    trusted = context.get_ca_certs(binary_form=True)
    assert ssl.PEM_cert_to_DER_cert(own.cert_pem.bytes().decode()) in trusted
    assert len(trusted) > MOZILLAS


def test_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """But not to what no_proxy names; each way has one pool."""
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "registry.example")
    connections = Connections()
    proxied = connections.pool("https://api.line.me")
    assert "proxy.example" == proxied.proxy.host
    assert connections.pool("https://public.ecr.aws/v2/") is proxied
    assert connections.pool("https://registry.example/v2/").proxy is None


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
