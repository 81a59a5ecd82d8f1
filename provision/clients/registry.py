"""The only door to container registries: Docker's Registry HTTP API V2, as ECR and its gallery speak it.

Why no library: python-dxf stands on www-authenticate (a source distribution of 2015) and tqdm; oras pushes
files only, tells no progress, and sleeps between its own retries, which here the engine's clock does. What is
needed are six requests, and urllib3 comes with botocore.
"""

import hashlib
import http.client
import json
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from provision.clients.http import Connections, on_loopback, trust_it, untrusted
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
REDIRECTS = 5  # followed, one after another
PATIENCE = 60  # seconds for which a registry that does not answer is asked again
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Blob:
    """A layer or a configuration: its digest, its length in bytes, and how to read it."""

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
    def told(self) -> dict[str, Any]:
        """What it says."""
        return dict(json.loads(self.content))


def sha256(content: bytes) -> str:
    """A digest as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registries:
    """Registries by their address.

    gallery: the URL of the sandbox's stand-in for public.ecr.aws, which has an image of its own under the
    default base's name. mirror: the URL of a mirror of public.ecr.aws, which has the same images. "": none.
    """

    def __init__(
        self,
        gallery: Callable[[], str] = lambda: "",
        mirror: Callable[[], str] = lambda: "",
    ) -> None:
        self._gallery, self._mirror = gallery, mirror
        self.tell: Callable[[str], None] = lambda said: None  # how far a push has come
        self._connections = Connections()

    def stands_in(self, host: str) -> str:
        """The URL of what is asked in this registry's place; "" for none."""
        return (self._mirror() or self._gallery()) if host == GALLERY else ""

    def in_sandbox(self, host: str) -> bool:
        """Return whether the sandbox's gallery is asked: its images have other digests than the real ones."""
        return host == GALLERY and not self._mirror() and bool(self._gallery())

    def public(self, host: str, repository: str) -> "Remote":
        """A repository that anybody may read."""
        return Remote(self, self.stands_in(host) or f"https://{host}", repository)

    def private(self, endpoint: str, repository: str, token: str) -> "Remote":
        """A repository of ours. token: ECR's authorizationToken, which is "user:password" in base64."""
        return Remote(self, endpoint.rstrip("/"), repository, f"Basic {token}")

    def ask(self, method: str, url: str, *, redirects: int = REDIRECTS, **more: Any) -> Any:
        """Return urllib3's response to one request, its body unread. Raises Pending, ProvisionError.

        Raises ProvisionError for plain HTTP to another machine, also where a redirect leads there.
        """
        import urllib3

        host = _host(url)
        _check_secure(url)
        try:
            pool = self._connections.pool(url)
            answer = pool.request(method, url, preload_content=False, redirect=False, **more)
        except urllib3.exceptions.HTTPError as error:
            raise silent(host, error) from None
        if answer.status in (408, 429) or answer.status >= 500:
            answer.drain_conn()
            raise Pending(
                _("{host} asks for patience (HTTP {status})", host=host, status=answer.status)
            )
        location = answer.get_redirect_location() if method in ("GET", "HEAD") else None
        if not location:
            return answer
        answer.drain_conn()
        if not redirects:
            raise Pending(_("{host} only redirects", host=host), timeout=PATIENCE)
        place = urllib.parse.urljoin(url, location)
        if _host(place) != host:  # a password goes to the host only that it is for
            given = more.get("headers", {}).items()
            more["headers"] = {k: v for k, v in given if k.lower() != "authorization"}
        return self.ask(method, place, redirects=redirects - 1, **more)


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _check_secure(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme != "https" and not on_loopback(url):
        raise ProvisionError(
            _("Asking {host}.", host=_host(url)),
            _("{url} is not https, and not on this machine", url=url),
            _("Give its https:// address, then run the same command again."),
        )


def from_environment() -> Registries:
    """The internet's; PROVISION_REGISTRY, or a sandbox that is AWS here, stands in for the public gallery."""
    return Registries(_gallery, _mirror)


def _mirror() -> str:
    given = os.environ.get("PROVISION_REGISTRY", "").rstrip("/")
    return "" if given and given == _gallery() else given


def _gallery() -> str:
    """The URL of the gallery of the sandbox that is AWS here; "" for none."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if not on_loopback(endpoint):
        return ""
    try:
        with urllib.request.urlopen(f"{endpoint}/_sandbox/gallery", timeout=5) as answer:
            return str(json.load(answer)["url"])
    except (
        OSError,
        http.client.HTTPException,
        ValueError,
        KeyError,
        TypeError,
    ):  # another emulator
        return ""


class Remote:
    """One repository of a registry."""

    def __init__(
        self, registries: Registries, url: str, repository: str, authorization: str = ""
    ) -> None:
        self.url, self.repository = url, repository
        self.name = f"{urllib.parse.urlsplit(url).netloc}/{repository}"
        self._registries, self._authorization = registries, authorization
        self._secrets = authorization != ""

    def manifest(self, reference: str) -> Manifest:
        """Return it by tag or digest. Raises ProvisionError where there is none or the digest differs."""
        doing = _("Reading {reference} of {name}.", reference=reference, name=self.name)
        headers = {"Accept": ", ".join(MANIFESTS)}
        answer = self._ask(doing, "GET", f"manifests/{reference}", headers=headers)
        content = self._whole(answer)
        digest = sha256(content)
        if reference.startswith("sha256:") and digest != reference:
            raise mixed_up(doing, reference, digest)
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        return Manifest(kind, digest, content)

    def blob(self, digest: str) -> Iterator[bytes]:
        """Its bytes, in pieces. Raises ProvisionError at the end where they are not what the digest says."""
        doing = _("Reading {reference} of {name}.", reference=digest, name=self.name)
        answer = self._ask(doing, "GET", f"blobs/{digest}")
        seen = hashlib.sha256()
        for piece in self._pieces(answer):
            seen.update(piece)
            yield piece
        if digest != f"sha256:{seen.hexdigest()}":
            raise mixed_up(doing, digest, f"sha256:{seen.hexdigest()}")

    def has(self, digest: str) -> bool:
        """Whether that blob is there already."""
        doing = _("Looking which layers {name} has.", name=self.name)
        return int(self._ask(doing, "HEAD", f"blobs/{digest}", fine=(200, 404)).status) == 200

    def push(self, blob: Blob, progress: Callable[[int], None] = lambda sent: None) -> None:
        """Uploads a blob as Docker does: begin, send it whole, end with its digest.

        progress is told how many bytes have gone out.
        """
        doing = _("Pushing {reference} to {name}.", reference=blob.digest, name=self.name)

        def counted() -> Iterator[bytes]:
            sent = 0
            for piece in blob.read():
                yield piece
                progress(sent := sent + len(piece))

        begun = self._ask(doing, "POST", "blobs/uploads/", fine=(202,), body=b"")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        place = self._place(begun)
        sent = self._ask(doing, "PATCH", place, fine=(202,), headers=headers, body=counted())
        place = self._place(sent)
        place += ("&" if "?" in place else "?") + urllib.parse.urlencode({"digest": blob.digest})
        self._ask(doing, "PUT", place, fine=(201,), body=b"")

    def put(self, tag: str, manifest: Manifest) -> None:
        """The image itself, under this tag: all that it refers to is there."""
        doing = _("Pushing {reference} to {name}.", reference=tag, name=self.name)
        headers = {"Content-Type": manifest.media_type}
        self._ask(
            doing, "PUT", f"manifests/{tag}", fine=(201,), headers=headers, body=manifest.content
        )

    def _place(self, answer: Any) -> str:
        """Where the upload goes on."""
        return str(urllib.parse.urljoin(self.url, answer.headers.get("Location", "")))

    def _ask(
        self, doing: str, method: str, path: str, *, fine: tuple[int, ...] = (200,), **more: Any
    ) -> Any:
        url = path if "://" in path else f"{self.url}/v2/{self.repository}/{path}"
        given = more.pop("headers", {})
        for attempt in range(2):
            # A password goes to the registry that it is for, wherever an answer points.
            ours = urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(self.url).netloc
            signed = {"Authorization": self._authorization} if self._authorization and ours else {}
            answer = self._registries.ask(method, url, headers={**given, **signed}, **more)
            if answer.status == 401 and not attempt and not self._secrets:
                answer.drain_conn()
                self._authorization = f"Bearer {self._token(doing, answer)}"
                continue
            break
        if answer.status not in fine:
            raise refused(doing, answer.status, self._whole(answer))
        if method in ("HEAD", "POST", "PATCH", "PUT"):
            answer.drain_conn()
        return answer

    def _token(self, doing: str, answer: Any) -> str:
        """An anonymous reader's, from where the registry says. Distribution spec, token authentication."""
        asked = dict(_CHALLENGE.findall(answer.headers.get("WWW-Authenticate", "")))
        realm = asked.pop("realm", "")
        if not realm:
            raise refused(doing, 401, b"")
        given = self._registries.ask("GET", f"{realm}?{urllib.parse.urlencode(asked)}")
        content = self._whole(given)
        if given.status != 200:
            raise refused(doing, given.status, content)
        try:
            told = json.loads(content)
            return str(told.get("token") or told["access_token"])
        except (ValueError, KeyError, AttributeError) as error:  # a page of somebody in between
            raise silent(urllib.parse.urlsplit(realm).netloc, error) from None

    def _whole(self, answer: Any) -> bytes:
        return b"".join(self._pieces(answer))

    def _pieces(self, answer: Any) -> Iterator[bytes]:
        import urllib3

        try:
            yield from answer.stream(PIECE)
        except urllib3.exceptions.HTTPError as error:
            raise silent(urllib.parse.urlsplit(self.url).netloc, error) from None
        finally:
            answer.release_conn()


def silent(host: str, error: Exception) -> Pending | ProvisionError:
    """Nobody answers: no name, no route, a connection that was cut; or nobody who is trusted."""
    if why := untrusted(error):
        return ProvisionError(_("Reaching the registry {host}.", host=host), why, trust_it())
    reason = getattr(error, "reason", None) or error
    return Pending(
        _("{host} did not answer ({error})", host=host, error=type(reason).__name__),
        timeout=PATIENCE,
    )


def refused(doing: str, status: int, body: bytes) -> ProvisionError:
    """A registry's no, in its own words."""
    answered = True
    try:
        words = "; ".join(
            f"{error.get('code')}: {error.get('message')}" for error in json.loads(body)["errors"]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        words, answered = body[:200].decode(errors="replace").strip(), False
    refusal = ProvisionError(
        doing,
        f"HTTP {status} {words}".strip(),
        _("Run the same command again, or bring an image of your own: --set image.uri=..."),
    )
    refusal.answered = answered
    return refusal


def mixed_up(doing: str, wanted: str, got: str) -> ProvisionError:
    """What came is not what was asked for: a proxy's page, or worse."""
    return ProvisionError(
        doing,
        _("what came has the digest {got}, not {wanted}", got=got, wanted=wanted),
        _("Look what stands between this machine and the registry, then run it again."),
    )
