"""The sandbox's certificate authority, which signs the certificates of the emulated ACM."""

import tempfile
from pathlib import Path
from ssl import SSLContext

import trustme


class Authority:
    """A root certificate per sandbox, with its PEM file at `root`."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="provision sandbox")
        self._folder = tempfile.TemporaryDirectory(prefix="provision-sandbox-ca-")
        self.root = Path(self._folder.name) / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.root))

    def issue(self, *names: str) -> trustme.LeafCert:
        """Return a certificate with its private key for these DNS names (wildcards allowed)."""
        return self._ca.issue_cert(*names, organization_name="provision sandbox")

    def trust(self, context: SSLContext) -> None:
        """Make a client's TLS context trust this authority."""
        self._ca.configure_trust(context)

    def close(self) -> None:
        """Remove the PEM file."""
        self._folder.cleanup()
