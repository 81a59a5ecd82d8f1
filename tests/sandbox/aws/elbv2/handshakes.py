"""TLS handshakes with the sandbox's load balancers, without sockets."""

import contextlib
from ssl import PROTOCOL_TLS_CLIENT, MemoryBIO, SSLContext, SSLWantReadError, TLSVersion

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.data_plane import DataPlane


def shake_hands(cloud: Cloud, name: str, version: TLSVersion | None = None) -> str:
    """Return the TLS version that a client trusting the sandbox's authority gets; `version`: its only one."""
    client, server = SSLContext(PROTOCOL_TLS_CLIENT), DataPlane(cloud).tls(name)
    cloud.authority.trust(client)
    if version:
        client.minimum_version = client.maximum_version = version
        client.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL refuses TLS 1.0 by itself
    assert server is not None
    to_client, to_server = MemoryBIO(), MemoryBIO()
    caller = client.wrap_bio(to_client, to_server, server_hostname=name)
    answerer = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (caller, answerer, caller, answerer, caller):
        with contextlib.suppress(SSLWantReadError):
            side.do_handshake()
    assert caller.getpeercert()
    return str(caller.version())
