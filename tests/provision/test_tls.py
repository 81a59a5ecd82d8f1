"""The TLS handshake as LINE makes it: a good host, and each kind of failure."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from provision.clients.tls import Tls
from provision.errors import ProvisionError

Serve = Callable[[ssl.SSLContext], tuple[str, int]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Yield a function that starts a server with this context and returns its host and port."""
    threads: list[threading.Thread] = []

    def show(context: ssl.SSLContext) -> tuple[str, int]:
        listening = socket.create_server(("127.0.0.1", 0))

        def once() -> None:
            with closing(listening):
                connection, _ = listening.accept()
            with closing(connection), suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

        threads.append(threading.Thread(target=once))
        threads[-1].start()
        host, port = listening.getsockname()
        return str(host), int(port)

    yield show
    for thread in threads:
        thread.join(10)


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Return a certificate authority, whose root is in the test's folder."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return made


def server_context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    """Return a server's context with this certificate and its chain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def failure_reason(address: tuple[str, int], *bundles: Path) -> str:
    """Return why LINE could not connect to example.jp."""
    with pytest.raises(ProvisionError) as refusal:
        Tls(address, tuple(map(str, bundles))).handshake("example.jp", "192.0.2.1")
    return refusal.value.why


def test_valid_certificate(serve: Serve, authority: trustme.CA, tmp_path: Path) -> None:
    """Version and expiry of a complete chain with an intermediate authority."""
    expiry = datetime(2199, 1, 31, 23, 59, tzinfo=UTC)
    child = authority.create_child_ca()
    address = serve(server_context(child.issue_cert("example.jp", not_after=expiry)))
    handshake = Tls(address, (str(tmp_path / "ca.pem"),)).handshake("example.jp", "192.0.2.1")
    assert ("TLSv1.3", "2199-01-31") == (handshake.version, handshake.until)


def test_server_without_tls_1_3(serve: Serve, authority: trustme.CA, tmp_path: Path) -> None:
    """LINE's platform speaks TLS 1.2 as well, with ephemeral keys and GCM only."""
    context = server_context(authority.issue_cert("example.jp"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    handshake = Tls(serve(context), (str(tmp_path / "ca.pem"),)).handshake("example.jp", "")
    assert "TLSv1.2" == handshake.version
    context = server_context(authority.issue_cert("example.jp"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256")
    assert "handshake failure" in failure_reason(serve(context), tmp_path / "ca.pem").lower()


def test_certificate_of_another_host(serve: Serve, authority: trustme.CA, tmp_path: Path) -> None:
    """The listener presents another host's certificate."""
    address = serve(server_context(authority.issue_cert("other.jp")))
    assert "for another name" in failure_reason(address, tmp_path / "ca.pem")


def test_expired_certificate(serve: Serve, authority: trustme.CA, tmp_path: Path) -> None:
    """Its last day is over."""
    leaf = authority.issue_cert("example.jp", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    assert "expired" in failure_reason(serve(server_context(leaf)), tmp_path / "ca.pem")


def test_incomplete_chain(serve: Serve, authority: trustme.CA, tmp_path: Path) -> None:
    """The intermediate certificate is not sent: browsers may fetch it, LINE does not."""
    leaf = authority.create_child_ca().issue_cert("example.jp")
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "leaf.pem"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "key.pem")
    assert "certificate chain is incomplete" in failure_reason(serve(context), tmp_path / "ca.pem")


def test_connection_refused() -> None:
    """Nothing listens at the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host, port = taken.getsockname()
    assert f"{host}:{port}: Connection refused" == failure_reason((host, port))


def test_environment(
    serve: Serve, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROVISION_FRONT as host:port or as the URL a sandbox prints, and AWS_CA_BUNDLE besides the system's."""
    host, port = serve(server_context(authority.issue_cert("example.jp")))
    monkeypatch.setenv("PROVISION_FRONT", f"https://{host}:{port}")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    assert "TLSv1.3" == Tls.from_environment().handshake("example.jp", "192.0.2.1").version
    monkeypatch.setenv("PROVISION_FRONT", "nonsense")
    with pytest.raises(ProvisionError):
        Tls.from_environment()
    monkeypatch.setenv("PROVISION_FRONT", "")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(ProvisionError, match="AWS_CA_BUNDLE"):
        Tls.from_environment().handshake("example.jp", "127.0.0.1")
