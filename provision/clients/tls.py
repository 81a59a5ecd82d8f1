"""Test the TLS handshake as LINE's platform makes it, and report why it fails.

If PROVISION_FRONT (host:port) is set, connect there instead of to port 443 of the host's address: the
sandbox's load balancers share one loopback port.
"""

import os
import re
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from provision.clients.http import bad_bundle
from provision.errors import ProvisionError
from provision.i18n import _

TIMEOUT = 10.0  # seconds
# The ciphers LINE uses with TLS 1.2. Messaging API, "SSL/TLS specification of the webhook URL".
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
# OpenSSL's X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT(_LOCALLY) and _UNABLE_TO_VERIFY_LEAF_SIGNATURE.
INCOMPLETE = (2, 20, 21)
EXPIRED, WRONG_NAME, SELF_SIGNED = 10, 62, (18, 19)


@dataclass(frozen=True)
class Handshake:
    """The result of a handshake. until: the certificate's expiry date (notAfter), 2027-01-31."""

    version: str
    cipher: str
    until: str


class Tls:
    """Make TLS handshakes with LINE's parameters. front: host and port used instead of (address, 443)."""

    def __init__(self, front: tuple[str, int] | None = None, bundles: tuple[str, ...] = ()) -> None:
        self._front, self._bundles = front, bundles

    @classmethod
    def from_environment(cls) -> "Tls":
        """Return a client that trusts the system's authorities, SSL_CERT_FILE and AWS_CA_BUNDLE."""
        bundle = os.environ.get("AWS_CA_BUNDLE", "")
        return cls(_parse_front(os.environ.get("PROVISION_FRONT", "")), (bundle,) if bundle else ())

    def handshake(self, host: str, address: str) -> Handshake:
        """Make a handshake with a host at an address. Raise ProvisionError with the reason of a failure."""
        target = self._front or (address, 443)
        context = self._context()
        try:
            with (
                socket.create_connection(target, TIMEOUT) as sock,
                context.wrap_socket(sock, server_hostname=host) as tls_sock,
            ):
                cipher = tls_sock.cipher() or ("?", "", 0)
                expiry = (tls_sock.getpeercert() or {})["notAfter"]
                seconds = ssl.cert_time_to_seconds(str(expiry))
                until = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
                return Handshake(str(tls_sock.version()), cipher[0], until)
        except ssl.SSLCertVerificationError as error:
            raise _refused(host, _describe_distrust(error)) from None
        except (OSError, ValueError) as error:  # ValueError: an invalid host name
            message = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise _refused(host, f"{target[0]}:{target[1]}: {message}") from None

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        for bundle in self._bundles:
            try:
                context.load_verify_locations(cafile=bundle)
            except OSError as error:
                raise bad_bundle(bundle, error) from None
        return context


def _describe_distrust(error: ssl.SSLCertVerificationError) -> str:
    """Return why the certificate is not accepted."""
    code = error.verify_code
    if code == WRONG_NAME:
        return _("the certificate is for another name ({said})", said=error.verify_message)
    if code == EXPIRED:
        return _("the certificate has expired")
    if code in INCOMPLETE:
        return _("the certificate chain is incomplete, or its certificate authority is not trusted")
    if code in SELF_SIGNED:
        return _("the certificate is self-signed; LINE accepts public certificate authorities only")
    return str(error.verify_message)


def _refused(host: str, why: str) -> ProvisionError:
    return ProvisionError(
        _("Could not connect to {host} as LINE does (TLS 1.2 or newer).", host=host),
        why,
        _("Run `provision setup` to repair listener, certificate and alias."),
    )


def _parse_front(text: str) -> tuple[str, int] | None:
    """Return host and port of "host:port" or of the URL that `sandbox --json` prints; None if empty."""
    if not text:
        return None
    match = re.fullmatch(r"(?:https://)?([^/:]+):([0-9]{1,5})/?", text)
    if not match:
        raise ProvisionError(
            _("Could not read PROVISION_FRONT."),
            _("{given} is not host:port", given=text),
            _("Set it to something like 127.0.0.1:8443, or unset it."),
        )
    return match[1], int(match[2])
