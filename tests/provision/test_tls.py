"""The handshake as LINE makes it: what it says of a good host and of each way to be a bad one."""

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

Show = Callable[[ssl.SSLContext], tuple[str, int]]


@pytest.fixture
def serving() -> Iterator[Show]:
    """Starts a server that shakes hands with this context; its host and port."""
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
    """A certificate authority, whose root lies beside the test."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return made


def shown(leaf: trustme.LeafCert) -> ssl.SSLContext:
    """A server's context with this certificate and its chain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def why(place: tuple[str, int], *bundles: Path) -> str:
    """Why LINE would not get through to example.jp."""
    with pytest.raises(ProvisionError) as refusal:
        Tls(place, tuple(map(str, bundles))).handshake("example.jp", "192.0.2.1")
    return refusal.value.why


def test_good(serving: Show, authority: trustme.CA, tmp_path: Path) -> None:
    """The version and the cipher of a full chain through an intermediate authority."""
    place = serving(shown(authority.create_child_ca().issue_cert("example.jp")))
    shaken = Tls(place, (str(tmp_path / "ca.pem"),)).handshake("example.jp", "192.0.2.1")
    assert "TLSv1.3" == shaken.version
    assert shaken.until.endswith("GMT")


def test_another_name(serving: Show, authority: trustme.CA, tmp_path: Path) -> None:
    """The listener shows another host's certificate."""
    place = serving(shown(authority.issue_cert("other.jp")))
    assert "for another name" in why(place, tmp_path / "ca.pem")


def test_expired(serving: Show, authority: trustme.CA, tmp_path: Path) -> None:
    """Its last day is over."""
    leaf = authority.issue_cert("example.jp", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    assert "expired" in why(serving(shown(leaf)), tmp_path / "ca.pem")


def test_incomplete_chain(serving: Show, authority: trustme.CA, tmp_path: Path) -> None:
    """The intermediate is not sent along: browsers may find it, LINE does not look."""
    leaf = authority.create_child_ca().issue_cert("example.jp")
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "leaf.pem"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "key.pem")
    assert "certificate chain is incomplete" in why(serving(context), tmp_path / "ca.pem")


def test_nobody_there() -> None:
    """Nobody listens at the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host, port = taken.getsockname()
    assert f"{host}:{port}: Connection refused" == why((host, port))


def test_environment(
    serving: Show, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROVISION_FRONT as host:port or as the URL a sandbox prints, and AWS_CA_BUNDLE beside the system's."""
    host, port = serving(shown(authority.issue_cert("example.jp")))
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
