"""A stand-in for public.ecr.aws: one small image under the name of the official Python, for two platforms.

The image has no Python in it: its metadata is enough to build on, and a task of the sandbox runs on this
machine's interpreter. As on public.ecr.aws, clients need a token, which everybody gets.
"""

import io
import json
import re
import secrets
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from provision.clients.registry import OCI_INDEX, OCI_MANIFEST, sha256
from provision.image import layer

NAME = "docker/library/python"
TAG = "3.12-slim"
_PLATFORMS = ("amd64", "arm64")
_CONFIG = "application/vnd.oci.image.config.v1+json"
_PATH = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/(?P<kind>blobs|manifests)/(?P<which>[^/]+)")
_CREATED = "2026-10-01T00:00:00Z"


class Gallery:
    """A read-only registry, as a WSGI application."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()
        self._content: dict[str, tuple[str, bytes]] = {}  # media type and bytes, by digest or tag
        entries = [
            {
                "mediaType": OCI_MANIFEST,
                "digest": (digest := self._image(architecture)),
                "size": len(self._content[digest][1]),
                "platform": {"os": "linux", "architecture": architecture},
            }
            for architecture in _PLATFORMS
        ]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        self.digest = self._store(OCI_INDEX, json.dumps(index).encode())
        self._content[TAG] = self._content[self.digest]

    def _image(self, architecture: str) -> str:
        """Create one platform's image; return the digest of its manifest."""
        stream = io.BytesIO()
        os_release = f'ID=sandbox\nPRETTY_NAME="A stand-in, {architecture}"\n'
        digest, size, diff_id = layer.write([("etc/os-release", os_release.encode())], stream)
        self._store(layer.MEDIA_TYPE, stream.getvalue())
        config = {
            "architecture": architecture,
            "os": "linux",
            "created": _CREATED,
            "config": {
                "Env": [
                    "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "PYTHON_VERSION=3.12.15",
                ],
                "Cmd": ["python3"],
            },
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created": _CREATED, "created_by": "a stand-in of the sandbox's"}],
        }
        content = json.dumps(config).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {
                "mediaType": _CONFIG,
                "digest": self._store(_CONFIG, content),
                "size": len(content),
            },
            "layers": [{"mediaType": layer.MEDIA_TYPE, "digest": digest, "size": size}],
        }
        return self._store(OCI_MANIFEST, json.dumps(manifest).encode())

    def _store(self, kind: str, content: bytes) -> str:
        digest = sha256(content)
        self._content[digest] = (kind, content)
        return digest

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request of the registry protocol."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.rstrip("/") == "/token":
            token = secrets.token_urlsafe(24)
            self._tokens.add(token)
            return Response(json.dumps({"token": token}), mimetype="application/json")
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
            realm = f'{request.host_url}token/",service="public.ecr.aws",scope="aws'
            body = '{"errors":[{"code":"DENIED","message":"Not Authorized"}]}'
            return Response(body, 401, {"WWW-Authenticate": f'Bearer realm="{realm}"'})
        match = _PATH.fullmatch(request.path)
        found = self._content.get(match["which"]) if match and match["name"] == NAME else None
        if found is None:
            body = '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"Requested image not found"}]}'
            return Response(body, 404, mimetype="application/json")
        kind, content = found
        headers = {"Docker-Content-Digest": sha256(content)}
        return Response(content, 200, headers, content_type=kind)
