"""ECR's registry: the Docker Registry HTTP API V2, for clients with an authorization token.

ECR User Guide, "Using the Amazon ECR HTTP API authentication": the token is the password of the user AWS.
Each request is run as the ECR API call for the same purpose (Service Authorization Reference, Amazon ECR),
with its rules, faults and permissions.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecr.repositories import repository_not_found
from provision.sandbox.aws.ecr.state import Token
from provision.sandbox.aws.permissions.enforcement import enforce
from provision.sandbox.aws.rules import rules_after, rules_before
from provision.sandbox.faults.faults import ConnectionDroppedError, close_connection

_PATH = re.compile(
    r"/v2/(?P<name>[a-z0-9][a-z0-9._/-]*)/(?P<kind>blobs/uploads|blobs|manifests)/(?P<which>[^/]*)"
)
# ECR's error codes -> the registry's HTTP status and code, as docker push prints them.
_CODES = {
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "InvalidParameterException": (405, "UNSUPPORTED"),
    "LayersNotFoundException": (404, "BLOB_UNKNOWN"),
    "InvalidLayerException": (400, "DIGEST_INVALID"),
    "EmptyUploadException": (400, "SIZE_INVALID"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
    "AccessDeniedException": (403, "DENIED"),
    "ThrottlingException": (429, "TOOMANYREQUESTS"),
}


class Registry:
    """The registry of one Cloud, as a WSGI application."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request of the registry protocol."""
        try:
            answer = self._answer(Request(environ))
        except AwsError as error:
            status, code = _CODES.get(error.code, (error.status or 400, error.code))
            answer = _errors(status, code, error.message)
        except ConnectionDroppedError as dropped:
            if connection := environ.get("werkzeug.socket"):
                close_connection(connection, dropped)
            raise
        return answer(environ, start_response)

    @behaves("ecr.registry-signed-in-only")
    def _answer(self, request: Request) -> Response:
        _scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        caller = self.cloud.ecr.find_token(token)
        if caller is None:
            realm = f'Basic realm="{request.host_url}",service="ecr.amazonaws.com"'
            return Response("Not Authorized\n", 401, {"WWW-Authenticate": realm})
        if request.path == "/v2/":
            return Response("{}", mimetype="application/json")
        match = _PATH.fullmatch(request.path)
        if match is None:
            return _errors(404, "UNSUPPORTED", "Not Found")
        registry_call = _RegistryCall(self.cloud, caller, match["name"], match["which"], request)
        kinds = {
            "blobs": registry_call.blob,
            "manifests": registry_call.manifest,
            "blobs/uploads": registry_call.upload,
        }
        return kinds[match["kind"]]()


class _RegistryCall:
    """One authenticated request about one repository."""

    def __init__(
        self, cloud: Cloud, caller: Token, name: str, reference: str, request: Request
    ) -> None:
        self.cloud, self.caller, self.name, self.reference = cloud, caller, name, reference
        self.request, self._body = request, request.get_data()

    @behaves("ecr.registry-blobs")
    def blob(self) -> Response:
        head = self.request.method == "HEAD"
        action = "BatchCheckLayerAvailability" if head else "GetDownloadUrlForLayer"
        found = self._call(action, {"layerDigests": [self.reference]}, self._blob)
        if found is None:
            return _errors(404, "BLOB_UNKNOWN", f"The layer '{self.reference}' does not exist")
        size, kind = str(len(found)), "application/octet-stream"
        headers = {"Docker-Content-Digest": self.reference, "Content-Length": size}
        return Response(b"" if head else found, 200, headers, content_type=kind)

    def _blob(self, call: Call) -> bytes | None:
        return (
            self.cloud.ecr.images.blobs[self.reference]
            if self.reference in self._layers()
            else None
        )

    @behaves("ecr.registry-upload")
    def upload(self) -> Response:
        method = self.request.method
        if method == "POST":
            started = self._call("InitiateLayerUpload", {}, self._backend)
            return self._accepted(str(started["uploadId"]), 0)
        if method == "PATCH":
            size = self._call("UploadLayerPart", {"uploadId": self.reference}, self._part)
            return self._accepted(self.reference, size)
        if method != "PUT":
            return _errors(405, "UNSUPPORTED", "Method Not Allowed")
        if self.request.content_length:
            self._call("UploadLayerPart", {"uploadId": self.reference}, self._part)
        digest = self.request.args.get("digest", "")
        ending = {"uploadId": self.reference, "layerDigests": [digest]}
        if digest not in self._layers():
            self._call("CompleteLayerUpload", ending, self._backend)
        return self._created(f"blobs/{digest}", digest)

    def _part(self, call: Call) -> int:
        upload = self._repository().uploads.get(self.reference)
        if upload is None:
            raise AwsError("UploadNotFoundException", f"The upload '{self.reference}' is unknown")
        upload.layer_parts += self._body
        return len(upload.layer_parts)

    @behaves("ecr.registry-manifests")
    def manifest(self) -> Response:
        if self.request.method == "PUT":
            return self._put()
        image = self._call("BatchGetImage", {"imageIds": [self._id()]}, self._image)
        content = image.image_manifest.encode()
        digest, size = image.get_image_digest(), str(len(content))
        headers = {"Docker-Content-Digest": digest, "Content-Length": size}
        body = b"" if self.request.method == "HEAD" else content
        return Response(body, 200, headers, content_type=image.image_manifest_media_type)

    def _put(self) -> Response:
        self._layers()  # raises if there is no such repository
        kind = self.request.content_type or ""
        call_params = {"imageManifest": self._body.decode(), "imageManifestMediaType": kind}
        if not self.reference.startswith("sha256:"):
            call_params["imageTag"] = self.reference
        answer = self._call("PutImage", call_params, self._backend)
        return self._created(
            f"manifests/{self.reference}", answer["image"]["imageId"]["imageDigest"]
        )

    def _image(self, call: Call) -> Any:
        for image in self._repository().images:
            if self.reference == image.get_image_digest() or self.reference in image.image_tags:
                return image
        raise AwsError("ImageNotFoundException", "Requested image not found")

    # The API calls behind the requests. -----------------------------------------------------------

    def _call(self, operation: str, params: dict[str, Any], execute: Any) -> Any:
        """Run the API call for the same purpose with its faults, permissions and rules, and log it."""
        call_params = {"repositoryName": self.name, **params}
        reads = operation.startswith(("Batch", "Get"))
        call = Call(
            *("ecr", operation, self.caller.region, call_params, not reads),
            *(self.cloud.clock.now(), self.caller.access_key, None, "json"),
        )
        outcome: int | str = "dropped"
        caller = self.cloud.permissions.caller_arn(self.caller.access_key)
        try:
            fault = self.cloud.faults.next_for(call)
            if fault:
                self.cloud.faults.inject(fault, call, "before")
            with self.cloud.lock:
                enforce(self.cloud, call)
                self._repository()
                for before in rules_before(call):
                    before(self.cloud, call)
                answer = execute(call)
                for after in rules_after(call):
                    if isinstance(answer, dict):
                        after(self.cloud, call, answer)
            if fault:
                self.cloud.faults.inject(fault, call, "after")
            outcome = 200
            return answer
        except AwsError as error:
            outcome = _CODES.get(error.code, (error.status or 400, ""))[0]
            raise
        finally:
            self.cloud.log_call(call, caller, outcome)

    def _backend(self, call: Call) -> dict[str, Any]:
        """Run a mutating call in moto's backend."""
        backend = self.cloud.backend("ecr", call.region)
        if call.operation == "InitiateLayerUpload":
            return dict(backend.initiate_layer_upload(self.name))
        if call.operation == "CompleteLayerUpload":
            call_params = call.params
            return dict(
                backend.complete_layer_upload(
                    self.name, call_params["uploadId"], call_params["layerDigests"]
                )
            )
        same = [
            image
            for image in self._repository().images
            if image.image_manifest == call.params["imageManifest"]
        ]
        tag = call.params.get("imageTag")
        if not (
            same and tag in (None, *same[0].image_tags)
        ):  # pushing the same image again changes nothing
            backend.put_image(
                self.name, call.params["imageManifest"], tag, call.params["imageManifestMediaType"]
            )
        return {"image": {"imageId": {"imageTag": tag}}}

    def _repository(self) -> Any:
        repositories = self.cloud.backend("ecr", self.caller.region).repositories
        if self.name not in repositories:
            raise repository_not_found(self.cloud, self.name)
        return repositories[self.name]

    def _layers(self) -> dict[str, int]:
        layers: dict[str, int] = self._repository().layers
        return layers

    def _id(self) -> dict[str, str]:
        return {"imageDigest" if ":" in self.reference else "imageTag": self.reference}

    def _accepted(self, upload: str, size: int) -> Response:
        headers = {
            "Location": f"{self.request.host_url}v2/{self.name}/blobs/uploads/{upload}",
            "Docker-Upload-UUID": upload,
            "Range": f"0-{max(size - 1, 0)}",
        }
        return Response(b"", 202, headers)

    def _created(self, place: str, digest: str) -> Response:
        headers = {
            "Location": f"{self.request.host_url}v2/{self.name}/{place}",
            "Docker-Content-Digest": digest,
        }
        return Response(b"", 201, headers)


def _errors(status: int, code: str, message: str) -> Response:
    body = json.dumps({"errors": [{"code": code, "message": message}]})
    return Response(body, status, mimetype="application/json")
