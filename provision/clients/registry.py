"""Call container registries: Docker's Registry HTTP API V2, as ECR and its public gallery implement it.

No registry library, because six requests are needed: python-dxf depends on www-authenticate (a source
distribution of 2015) and tqdm; oras pushes files only, reports no progress, and sleeps between its own
retries, where the engine has to wait on its clock.
"""

import hashlib
import json
import os
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from provision.clients.http import Http, on_loopback, root_cause, trust_it, untrusted
from provision.errors import Pending, ProvisionError
from provision.i18n import _

GALLERY = "public.ecr.aws"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MANIFESTS = (
    OCI_MANIFEST,
    OCI_INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
PIECE = 1 << 16  # bytes read and sent at once
MAX_REDIRECTS = 5
PATIENCE = 60  # seconds for which a registry that does not answer is tried again
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
# Another AWS emulator on this machine does not have the sandbox's gallery.
NO_GALLERY = (OSError, ValueError, KeyError, TypeError)  # requests' errors are OSErrors


@dataclass(frozen=True)
class Blob:
    """A layer or a configuration: its digest, its size in bytes, and how to read it."""

    digest: str
    size: int
    media_type: str
    read: Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, byte for byte as it was served."""

    media_type: str
    digest: str
    content: bytes

    @property
    def document(self) -> dict[str, Any]:
        """Return the parsed JSON."""
        return dict(json.loads(self.content))


def sha256(content: bytes) -> str:
    """Return a digest as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registries:
    """Container registries by address.

    gallery: returns the URL of the sandbox's replacement of public.ecr.aws, which has its own image under
    the default base's name. mirror: returns the URL of a mirror of public.ecr.aws, which has the same images.
    "": none.
    """

    def __init__(
        self,
        gallery: Callable[[], str] = lambda: "",
        mirror: Callable[[], str] = lambda: "",
    ) -> None:
        self._gallery, self._mirror = gallery, mirror
        self.tell: Callable[[str], None] = lambda message: None  # reports the progress of a push
        self._http = Http()

    def stands_in(self, host: str) -> str:
        """Return the URL that is used in place of this registry; "" for none."""
        return (self._mirror() or self._gallery()) if host == GALLERY else ""

    def in_sandbox(self, host: str) -> bool:
        """Return whether the sandbox's gallery is used: its images have other digests than the real ones."""
        return host == GALLERY and not self._mirror() and bool(self._gallery())

    def public(self, host: str, repository: str) -> "Remote":
        """Return a repository that anybody may read."""
        return Remote(self, self.stands_in(host) or f"https://{host}", repository)

    def private(self, endpoint: str, repository: str, token: str) -> "Remote":
        """Return a repository of this account.

        token: ECR's authorizationToken, which is "user:password" in base64.
        """
        return Remote(self, endpoint.rstrip("/"), repository, f"Basic {token}")

    def ask(self, method: str, url: str, *, redirects: int = MAX_REDIRECTS, **options: Any) -> Any:
        """Return requests' response to one request, its body unread. Raise Pending or ProvisionError.

        Plain HTTP to another machine is a ProvisionError, also where a redirect leads there.
        """
        import requests

        host = _host(url)
        _check_secure(url)
        try:
            response = self._http.request(method, url, stream=True, **options)
        except requests.RequestException as error:
            raise silent(host, error) from None
        if response.status_code in (408, 429) or response.status_code >= 500:
            response.close()
            raise Pending(
                _(
                    "{host} is rate-limiting requests or has an error (HTTP {status})",
                    host=host,
                    status=response.status_code,
                )
            )
        is_redirect = method in ("GET", "HEAD") and response.is_redirect
        location = response.headers["Location"] if is_redirect else ""
        if not location:
            return response
        response.close()
        if not redirects:
            raise Pending(_("{host} redirects too many times", host=host), timeout=PATIENCE)
        target = urllib.parse.urljoin(url, location)
        if _host(target) != host:  # send a password to the host that it is for, and to no other
            headers = options.get("headers", {}).items()
            options["headers"] = {k: v for k, v in headers if k.lower() != "authorization"}
        return self.ask(method, target, redirects=redirects - 1, **options)


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _check_secure(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme != "https" and not on_loopback(url):
        raise ProvisionError(
            _("Could not send a request to {host}.", host=_host(url)),
            _("{url} is not https, and not on this computer", url=url),
            _("Use its https:// address, then run the same command again."),
        )


def from_environment() -> Registries:
    """Return the internet's registries.

    PROVISION_REGISTRY, or the sandbox at AWS_ENDPOINT_URL, replaces the public gallery.
    """
    return Registries(_gallery, _mirror)


def _mirror() -> str:
    mirror = os.environ.get("PROVISION_REGISTRY", "").rstrip("/")
    return "" if mirror and mirror == _gallery() else mirror


def _gallery() -> str:
    """Return the URL of the gallery of the sandbox at AWS_ENDPOINT_URL; "" without one."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if not on_loopback(endpoint):
        return ""
    try:
        response = Http().request("GET", f"{endpoint}/_sandbox/gallery", timeout=5)
        response.raise_for_status()
        return str(response.json()["url"])
    except NO_GALLERY:
        return ""


class _Body:
    """A blob as the body of a request, of known length. progress: called with the bytes sent so far."""

    def __init__(self, blob: Blob, progress: Callable[[int], None]) -> None:
        self._blob, self._progress = blob, progress

    def __len__(self) -> int:
        return self._blob.size

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for piece in self._blob.read():
            yield piece
            self._progress(sent := sent + len(piece))


class Remote:
    """One repository of a registry."""

    def __init__(
        self, registries: Registries, url: str, repository: str, authorization: str = ""
    ) -> None:
        self.url, self.repository = url, repository
        self.name = f"{urllib.parse.urlsplit(url).netloc}/{repository}"
        self._registries, self._authorization = registries, authorization
        self._is_private = authorization != ""

    def manifest(self, reference: str) -> Manifest:
        """Return a manifest by tag or digest. Raise ProvisionError for a missing one or another digest."""
        doing = _("Could not read {reference} of {name}.", reference=reference, name=self.name)
        headers = {"Accept": ", ".join(MANIFESTS)}
        response = self._ask(doing, "GET", f"manifests/{reference}", headers=headers)
        content = b"".join(self._read_pieces(response))
        digest = sha256(content)
        if reference.startswith("sha256:") and digest != reference:
            raise digest_mismatch(doing, reference, digest)
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        return Manifest(media_type, digest, content)

    def blob(self, digest: str) -> Iterator[bytes]:
        """Yield a blob's bytes in pieces. Raise ProvisionError at the end for another digest."""
        doing = _("Could not read {reference} of {name}.", reference=digest, name=self.name)
        response = self._ask(doing, "GET", f"blobs/{digest}")
        actual = hashlib.sha256()
        for piece in self._read_pieces(response):
            actual.update(piece)
            yield piece
        if digest != f"sha256:{actual.hexdigest()}":
            raise digest_mismatch(doing, digest, f"sha256:{actual.hexdigest()}")

    def has(self, digest: str) -> bool:
        """Return whether the repository has that blob."""
        doing = _("Could not list the layers in {name}.", name=self.name)
        response = self._ask(doing, "HEAD", f"blobs/{digest}", expected=(200, 404))
        return int(response.status_code) == 200

    def push(self, blob: Blob, progress: Callable[[int], None] = lambda sent: None) -> None:
        """Upload a blob as Docker does: start, send it whole, finish with its digest.

        progress: called with the number of bytes sent so far.
        """
        doing = _("Could not push {reference} to {name}.", reference=blob.digest, name=self.name)

        response = self._ask(doing, "POST", "blobs/uploads/", expected=(202,), data=b"")
        headers = {"Content-Type": "application/octet-stream"}
        url = self._upload_url(response)
        body = _Body(blob, progress)
        response = self._ask(doing, "PATCH", url, expected=(202,), headers=headers, data=body)
        url = self._upload_url(response)
        url += ("&" if "?" in url else "?") + urllib.parse.urlencode({"digest": blob.digest})
        self._ask(doing, "PUT", url, expected=(201,), data=b"")

    def put(self, tag: str, manifest: Manifest) -> None:
        """Upload the manifest under a tag, after everything that it refers to."""
        doing = _("Could not push {reference} to {name}.", reference=tag, name=self.name)
        headers = {"Content-Type": manifest.media_type}
        path = f"manifests/{tag}"
        self._ask(doing, "PUT", path, expected=(201,), headers=headers, data=manifest.content)

    def _upload_url(self, response: Any) -> str:
        return str(urllib.parse.urljoin(self.url, response.headers.get("Location", "")))

    def _ask(
        self,
        doing: str,
        method: str,
        path: str,
        *,
        expected: tuple[int, ...] = (200,),
        **options: Any,
    ) -> Any:
        url = path if "://" in path else f"{self.url}/v2/{self.repository}/{path}"
        headers = options.pop("headers", {})
        for attempt in range(2):
            # Send a password to the registry that it is for, and to no other.
            send_secret = self._authorization and _host(url) == _host(self.url)
            signed = {"Authorization": self._authorization} if send_secret else {}
            response = self._registries.ask(method, url, headers={**headers, **signed}, **options)
            if response.status_code == 401 and not attempt and not self._is_private:
                response.close()
                self._authorization = f"Bearer {self._request_token(doing, response)}"
                continue
            break
        if response.status_code not in expected:
            raise refused(doing, response.status_code, b"".join(self._read_pieces(response)))
        if method != "GET":
            b"".join(self._read_pieces(response))  # so that the connection can be used again
        return response

    def _request_token(self, doing: str, challenge: Any) -> str:
        """Return an anonymous token from the realm of a 401 response.

        Source: distribution specification, token authentication.
        """
        parameters = dict(_CHALLENGE.findall(challenge.headers.get("WWW-Authenticate", "")))
        realm = parameters.pop("realm", "")
        if not realm:
            raise refused(doing, 401, b"")
        response = self._registries.ask("GET", f"{realm}?{urllib.parse.urlencode(parameters)}")
        content = b"".join(self._read_pieces(response))
        if response.status_code != 200:
            raise refused(doing, response.status_code, content)
        try:
            body = json.loads(content)
            return str(body.get("token") or body["access_token"])
        except (ValueError, KeyError, AttributeError) as error:  # a proxy's page
            raise silent(_host(realm), error) from None

    def _read_pieces(self, response: Any) -> Iterator[bytes]:
        import requests

        try:
            yield from response.iter_content(PIECE)
        except requests.RequestException as error:
            raise silent(_host(self.url), error) from None
        finally:
            response.close()


def silent(host: str, error: Exception) -> Pending | ProvisionError:
    """Return Pending for a lost answer, ProvisionError where the registry's certificate is not trusted."""
    if why := untrusted(error):
        return ProvisionError(
            _("Could not connect to the registry {host}.", host=host), why, trust_it()
        )
    name = type(root_cause(error)).__name__
    return Pending(
        _("{host} did not answer ({error})", host=host, error=name),
        timeout=PATIENCE,
    )


def refused(doing: str, status: int, body: bytes) -> ProvisionError:
    """Return the ProvisionError for a registry's error response."""
    answered = True
    try:
        message = "; ".join(
            f"{error.get('code')}: {error.get('message')}" for error in json.loads(body)["errors"]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        message, answered = body[:200].decode(errors="replace").strip(), False
    error = ProvisionError(
        doing,
        f"HTTP {status} {message}".strip(),
        _("Run the same command again, or use your own image: --set image.uri=..."),
    )
    error.answered = answered
    return error


def digest_mismatch(doing: str, expected: str, actual: str) -> ProvisionError:
    """Return the ProvisionError for content with another digest: a proxy's page, or a forgery."""
    return ProvisionError(
        doing,
        _("the download's digest is {got}, expected {wanted}", got=actual, wanted=expected),
        _("Check your proxy and firewall, then run the same command again."),
    )
