"""Call container registries: the Docker Registry HTTP API V2, as ECR and its public gallery implement it.

Only six requests are needed, and the libraries do not fit: python-dxf depends on www-authenticate (a source
distribution of 2015) and tqdm; oras pushes files only, reports no progress, and sleeps between its own
retries.
"""

import hashlib
import json
import os
import re
import urllib.parse
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from provision.clients.http import (
    MALFORMED,
    Http,
    not_https,
    on_loopback,
    permanent_error,
    retry_after,
    root_cause,
)
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
CHUNK_SIZE = 1 << 16  # bytes read and sent at once
MAX_DOCUMENT = 4 << 20  # bytes; registries must accept such a manifest (distribution specification)
MAX_REDIRECTS = 5
RETRY_PERIOD = 60  # seconds of retries while a registry does not respond
# A parameter of a challenge, with the scheme before the first one. RFC 9110, section 11.6.1.
_CHALLENGE = re.compile(r'(?:([A-Za-z][\w-]*) +)?([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
# Raised if the endpoint is another AWS emulator; requests' exceptions are OSErrors.
NO_GALLERY = (OSError, *MALFORMED)


@dataclass(frozen=True)
class Blob:
    """A layer or a configuration. size: in bytes. read: returns the content in chunks."""

    digest: str
    size: int
    media_type: str
    read: Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index; content: the bytes as served."""

    media_type: str
    digest: str
    content: bytes

    @property
    def document(self) -> dict[str, Any]:
        """Return the parsed JSON, an object."""
        return dict(json.loads(self.content))


def sha256(content: bytes) -> str:
    """Return the digest in the notation of registries."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registries:
    """Access container registries by address.

    gallery: returns the URL of the sandbox's replacement of public.ecr.aws, which serves another image under
    the name of the default base; "" for none. mirror: returns the URL of a mirror of public.ecr.aws, which
    serves the same images; "" for none.
    """

    def __init__(
        self,
        gallery: Callable[[], str] = lambda: "",
        mirror: Callable[[], str] = lambda: "",
    ) -> None:
        self._gallery, self._mirror = gallery, mirror
        self.report: Callable[[str], None] = lambda message: None  # reports the progress of a push
        self._http = Http()

    def replacement_for(self, host: str) -> str:
        """Return the URL to use instead of this registry; "" for none."""
        return (self._mirror() or self._gallery()) if host == GALLERY else ""

    def in_sandbox(self, host: str) -> bool:
        """Return whether the sandbox's gallery is used, whose images have other digests."""
        return host == GALLERY and not self._mirror() and bool(self._gallery())

    def public(self, host: str, repository: str) -> "Remote":
        """Return a repository that can be read without credentials."""
        return Remote(self, self.replacement_for(host) or f"https://{host}", repository)

    def private(self, endpoint: str, repository: str, token: str) -> "Remote":
        """Return a repository of this account.

        token: ECR's authorizationToken ("user:password" in base64).
        """
        return Remote(self, endpoint.rstrip("/"), repository, f"Basic {token}")

    def answers_at(self, url: str) -> bool:
        """Return whether a registry answers here. Source: distribution specification, Determining Support."""
        try:
            response = self.ask("GET", f"{url.rstrip('/')}/v2/")
        except (Pending, ProvisionError):
            return False
        response.close()
        is_registry = "WWW-Authenticate" in response.headers or response.status_code == 200
        return response.status_code in (200, 401) and is_registry

    def ask(self, method: str, url: str, *, redirects: int = MAX_REDIRECTS, **options: Any) -> Any:
        """Send a request, follow redirects, and return the response with an unread body.

        Raise Pending; ProvisionError for plain HTTP to another machine or a malformed redirect.
        """
        import requests

        host = _host(url)
        _check_secure(url)
        try:
            response = self._http.request(method, url, stream=True, **options)
        except ValueError:  # requests parses this address and a redirect's
            raise ProvisionError(
                _("Could not send a request to {host}.", host=host),
                _("an address is not valid: the registry's, its redirect's or the proxy's"),
                _("Check your proxy and firewall, then run the same command again."),
            ) from None
        except requests.RequestException as error:
            raise no_response(host, error) from None
        if response.status_code in (408, 429) or response.status_code >= 500:
            response.close()
            raise Pending(
                _(
                    "{host} is rate-limiting requests or has an error (HTTP {status})",
                    host=host,
                    status=response.status_code,
                ),
                remaining=retry_after(response.headers),
                exact=True,
            )
        is_redirect = method in ("GET", "HEAD") and response.is_redirect
        location = response.headers["Location"] if is_redirect else ""
        if not location:
            return response
        response.close()
        if not redirects:
            raise Pending(_("{host} redirects too many times", host=host), timeout=RETRY_PERIOD)
        target = urllib.parse.urljoin(url, location.encode("latin-1").decode(errors="replace"))
        if _host(target) != host:  # do not send credentials to another host
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
    """Return the registries.

    PROVISION_REGISTRY, or the sandbox at AWS_ENDPOINT_URL, replaces public.ecr.aws. Raise ProvisionError
    unless it is https:// or on this computer.
    """
    mirror = os.environ.get("PROVISION_REGISTRY", "")
    if mirror and not (on_loopback(mirror) or mirror.startswith("https://")):
        raise not_https("PROVISION_REGISTRY")
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
    """A blob as a request body of known length. progress: called with the number of bytes sent so far."""

    def __init__(self, blob: Blob, progress: Callable[[int], None]) -> None:
        self._blob, self._progress = blob, progress

    def __len__(self) -> int:
        return self._blob.size

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for chunk in self._blob.read():
            yield chunk
            self._progress(sent := sent + len(chunk))


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
        """Return a manifest by tag or digest.

        Raise ProvisionError if it is missing, is no manifest (a proxy's page), or if the digest differs.
        """
        doing = _("Could not read {reference} of {name}.", reference=reference, name=self.name)
        headers = {"Accept": ", ".join(MANIFESTS)}
        response = self._request(doing, "GET", f"manifests/{reference}", headers=headers)
        content = self._read_all(response, doing)
        digest = sha256(content)
        if reference.startswith("sha256:") and digest != reference:
            raise digest_mismatch(doing, reference, digest)
        _check_manifest(doing, content)
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        return Manifest(media_type, digest, content)

    def blob(self, digest: str, size: int = MAX_DOCUMENT) -> Iterator[bytes]:
        """Yield a blob's bytes in chunks. Raise ProvisionError if the digest differs, or above the size."""
        doing = _("Could not read {reference} of {name}.", reference=digest, name=self.name)
        response = self._request(doing, "GET", f"blobs/{digest}")
        actual = hashlib.sha256()
        # As sent: some registries give a compressed layer a Content-Encoding.
        for chunk in _bounded(self._read_chunks(response, decode=False), size, doing):
            actual.update(chunk)
            yield chunk
        if digest != f"sha256:{actual.hexdigest()}":
            raise digest_mismatch(doing, digest, f"sha256:{actual.hexdigest()}")

    def has(self, digest: str) -> bool:
        """Return whether the repository has the blob."""
        doing = _("Could not list the layers in {name}.", name=self.name)
        response = self._request(doing, "HEAD", f"blobs/{digest}", expected=(200, 404))
        return int(response.status_code) == 200

    def push(self, blob: Blob, progress: Callable[[int], None] = lambda sent: None) -> None:
        """Upload a blob as Docker does: start, send all content, finish with the digest.

        progress: called with the number of bytes sent so far.
        """
        doing = _("Could not push {reference} to {name}.", reference=blob.digest, name=self.name)

        response = self._request(doing, "POST", "blobs/uploads/", expected=(202,), data=b"")
        headers = {"Content-Type": "application/octet-stream"}
        url = self._upload_url(response)
        body = _Body(blob, progress)
        response = self._request(doing, "PATCH", url, expected=(202,), headers=headers, data=body)
        url = self._upload_url(response)
        url += ("&" if "?" in url else "?") + urllib.parse.urlencode({"digest": blob.digest})
        self._request(doing, "PUT", url, expected=(201,), data=b"")

    def put(self, tag: str, manifest: Manifest) -> None:
        """Upload the manifest under a tag. The blobs that it refers to must exist."""
        doing = _("Could not push {reference} to {name}.", reference=tag, name=self.name)
        headers = {"Content-Type": manifest.media_type}
        path = f"manifests/{tag}"
        self._request(doing, "PUT", path, expected=(201,), headers=headers, data=manifest.content)

    def _upload_url(self, response: Any) -> str:
        return str(urllib.parse.urljoin(response.url, response.headers.get("Location", "")))

    def _request(
        self,
        doing: str,
        method: str,
        path: str,
        *,
        expected: tuple[int, ...] = (200,),
        **options: Any,
    ) -> Any:
        url = path if "://" in path else f"{self.url}/v2/{self.repository}/{path}"
        headers = {"Accept-Encoding": "identity", **options.pop("headers", {})}
        for attempt in range(2):
            # Do not send credentials to another host.
            send_secret = self._authorization and _host(url) == _host(self.url)
            signed = {"Authorization": self._authorization} if send_secret else {}
            response = self._registries.ask(method, url, headers={**headers, **signed}, **options)
            if response.status_code == 401 and not attempt and not self._is_private:
                response.close()
                self._authorization = f"Bearer {self._request_token(doing, response)}"
                continue
            break
        if response.status_code not in expected:
            raise error_response(doing, response.status_code, self._read_all(response, doing))
        if method != "GET":
            self._read_all(response, doing)  # allow the connection to be reused
        return response

    def _request_token(self, doing: str, challenge: Any) -> str:
        """Return an anonymous token from the realm of a 401 response.

        Source: distribution specification, token authentication.
        """
        challenges = _parse_challenges(challenge.headers.get("WWW-Authenticate", ""))
        parameters = challenges.get("bearer", {})
        realm = parameters.get("realm", "")
        if not realm:
            schemes = ", ".join(challenges) or "?"
            raise ProvisionError(
                doing,
                _("the registry wants a password ({schemes})", schemes=schemes),
                _("Use a public image, or your own image in ECR: --set image.uri=..."),
            )
        wanted = {name: value for name, value in parameters.items() if name in ("service", "scope")}
        query = urllib.parse.urlencode(wanted)
        separator = "&" if urllib.parse.urlsplit(realm).query else "?"
        response = self._registries.ask("GET", f"{realm.rstrip('?')}{separator}{query}")
        content = self._read_all(response, doing)
        if response.status_code != 200:
            raise error_response(doing, response.status_code, content)
        try:
            body = json.loads(content)
            return str(body.get("token") or body["access_token"])
        except MALFORMED as error:  # a proxy's page
            raise no_response(_host(realm), error) from None

    def _read_all(self, response: Any, doing: str) -> bytes:
        """Return the body of a response that is not a layer. Raise ProvisionError above MAX_DOCUMENT."""
        return b"".join(_bounded(self._read_chunks(response), MAX_DOCUMENT, doing))

    def _read_chunks(self, response: Any, *, decode: bool = True) -> Generator[bytes, None, None]:
        """Yield the body in chunks. decode: undo its Content-Encoding."""
        import requests
        import urllib3.exceptions

        try:
            yield from (
                response.iter_content(CHUNK_SIZE)
                if decode
                else response.raw.stream(CHUNK_SIZE, decode_content=False)
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise no_response(_host(self.url), error) from None
        finally:
            response.close()


def _bounded(chunks: Generator[bytes, None, None], limit: int, doing: str) -> Iterator[bytes]:
    """Yield the chunks. Raise ProvisionError if they have more bytes than the limit."""
    left = limit
    with closing(chunks):  # and the connection
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                why = _("it is larger than the {limit} bytes that it may have", limit=limit)
                raise ProvisionError(doing, why, _("Use another image, or ask another registry."))
            yield chunk


def _parse_challenges(header: str) -> dict[str, dict[str, str]]:
    """Return the parameters of each scheme of WWW-Authenticate, the first of each, in lower case."""
    challenges: dict[str, dict[str, str]] = {}
    parameters: dict[str, str] = {}
    for scheme, name, quoted, token in _CHALLENGE.findall(header):
        if scheme:
            parameters = challenges.setdefault(scheme.lower(), {})
        parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or token)
    return challenges


def _check_manifest(doing: str, content: bytes) -> None:
    """Raise ProvisionError if this is not a manifest or index, or one of the format before 2016."""
    try:
        version = json.loads(content).get("schemaVersion", 2)
    except (ValueError, AttributeError, RecursionError):
        raise ProvisionError(
            doing,
            _("the response is not an image's manifest"),
            _("Check your proxy and firewall, then run the same command again."),
        ) from None
    if version == 1:
        raise ProvisionError(
            doing,
            _("the image has an old format (schema 1)"),
            _("Use a newer image, or push it again with a current version of Docker."),
        )


def no_response(host: str, error: Exception) -> Pending | ProvisionError:
    """Return Pending; ProvisionError for an error that a retry cannot change."""
    doing = _("Could not connect to the registry {host}.", host=host)
    if permanent := permanent_error(doing, error):
        return permanent
    name = type(root_cause(error)).__name__
    return Pending(
        _("{host} did not answer ({error})", host=host, error=name),
        timeout=RETRY_PERIOD,
    )


def error_response(doing: str, status: int, body: bytes) -> ProvisionError:
    """Return the ProvisionError for a registry's error response."""
    is_registry_error = True
    try:
        message = "; ".join(
            f"{error.get('code')}: {error.get('message')}" for error in json.loads(body)["errors"]
        )
    except MALFORMED:
        message, is_registry_error = body[:200].decode(errors="replace").strip(), False
    error = ProvisionError(
        doing,
        f"HTTP {status} {message}".strip(),
        _("Run the same command again, or use your own image: --set image.uri=..."),
    )
    error.answered = is_registry_error
    return error


def digest_mismatch(doing: str, expected: str, actual: str) -> ProvisionError:
    """Return the ProvisionError for content with an unexpected digest (a proxy's page or a forgery)."""
    return ProvisionError(
        doing,
        _("the download's digest is {got}, expected {wanted}", got=actual, wanted=expected),
        _("Check your proxy and firewall, then run the same command again."),
    )
