"""The only door to a TLS handshake: would LINE's platform get through to this host, and why not?

With PROVISION_FRONT (host:port) every connection goes there, in place of port 443 of the address that DNS
gives: a sandbox's load balancers have one loopback port for all names.
"""

import os
import re
import socket
import ssl
from dataclasses import dataclass

from provision.errors import ProvisionError
from provision.i18n import _

TIMEOUT = 10.0  # seconds to connect and to shake hands
LINES = "ECDHE+AESGCM:ECDHE+CHACHA20"  # LINE's own with TLS 1.2 (Messaging API, "SSL/TLS specification")
INCOMPLETE = (
    2,
    20,
    21,
)  # OpenSSL, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT(_LOCALLY), _VERIFY_LEAF_SIGNATURE
EXPIRED, WRONG_NAME, SELF_SIGNED = 10, 62, (18, 19)


@dataclass(frozen=True)
class Handshake:
    """How it went: TLS version, cipher, the last day of the certificate."""

    version: str
    cipher: str
    until: str


class Tls:
    """Handshakes as LINE would make them. front: host and port in place of (address, 443)."""

    def __init__(self, front: tuple[str, int] | None = None, bundles: tuple[str, ...] = ()) -> None:
        self._front, self._bundles = front, bundles

    @classmethod
    def from_environment(cls) -> "Tls":
        """Trusts what the system does (SSL_CERT_FILE is OpenSSL's own), and AWS_CA_BUNDLE."""
        bundle = os.environ.get("AWS_CA_BUNDLE", "")
        return cls(_front(os.environ.get("PROVISION_FRONT", "")), (bundle,) if bundle else ())

    def shake(self, host: str, address: str) -> Handshake:
        """Shake hands with the host at that address, by its name. Raises ProvisionError: what LINE sees."""
        place = self._front or (address, 443)
        context = self._context()
        try:
            with (
                socket.create_connection(place, TIMEOUT) as plain,
                context.wrap_socket(plain, server_hostname=host) as secured,
            ):
                cipher = secured.cipher() or ("?", "", 0)
                until = (secured.getpeercert() or {}).get("notAfter", "?")
                return Handshake(str(secured.version()), cipher[0], str(until))
        except ssl.SSLCertVerificationError as error:
            raise _refused(host, _distrusted(error)) from None
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise _refused(host, f"{place[0]}:{place[1]}: {said}") from None

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(LINES)
        for bundle in self._bundles:
            try:
                context.load_verify_locations(cafile=bundle)
            except OSError as error:
                raise ProvisionError(
                    _("Reading AWS_CA_BUNDLE."),
                    f"{bundle}: {error.strerror}",
                    _("Set it to a file of certificates in PEM, or unset it."),
                ) from None
        return context


def _distrusted(error: ssl.SSLCertVerificationError) -> str:
    """Why the certificate does not do, in the order in which people meet it."""
    code = error.verify_code
    if code == WRONG_NAME:
        return _("the certificate is for another name ({said})", said=error.verify_message)
    if code == EXPIRED:
        return _("the certificate has expired")
    if code in INCOMPLETE:
        return _(
            "the chain of certificates is not complete, or ends in an authority that is not trusted"
        )
    if code in SELF_SIGNED:
        return _("the certificate is signed by itself; LINE takes public authorities only")
    return str(error.verify_message)


def _refused(host: str, why: str) -> ProvisionError:
    return ProvisionError(
        _("Shaking hands with {host} as LINE does (TLS 1.2 or newer).", host=host),
        why,
        _("Run `provision setup`: it puts listener, certificate and alias right."),
    )


def _front(given: str) -> tuple[str, int] | None:
    """host:port, also as the URL that `sandbox --json` prints."""
    if not given:
        return None
    match = re.fullmatch(r"(?:https://)?([^/:]+):([0-9]{1,5})/?", given)
    if not match:
        raise ProvisionError(
            _("Reading PROVISION_FRONT."),
            _("{given} is not host:port", given=given),
            _("Set it to something like 127.0.0.1:8443, or unset it."),
        )
    return match[1], int(match[2])
