"""The sandbox's certificate authority."""

import ssl

import pytest

from provision.sandbox.web.authority import Authority


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Perform a TLS handshake in memory; raise if the client rejects the server."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=name)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_leaf_is_trusted_by_who_has_the_root() -> None:
    """A client with the PEM file accepts the issued names, and no other name."""
    authority = Authority()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue("example.jp", "*.example.jp").configure_cert(server)
    client = ssl.create_default_context(cafile=str(authority.root))
    handshake(server, client, "example.jp")
    handshake(server, client, "bot.example.jp")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client, "other.jp")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, ssl.create_default_context(), "example.jp")
    authority.close()
    assert not authority.root.exists()
