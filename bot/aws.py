"""The serving bot's door to AWS: one object from S3, one parameter from Parameter Store.

Regions, endpoints and credentials come from the variables that boto3 knows by the same names.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bot.connections import Answer, Broken, Connections
from bot.sigv4 import Credentials, encoded, signed

SECONDS = 5.0  # for an object
PARAMETER_SECONDS = 0.5  # within a webhook's answer, and perhaps twice
MOST_BYTES = 64_000_000  # of one object
EARLY_SECONDS = 300.0  # before they expire, credentials are fetched anew
_CODE = re.compile(rb"<Code>(\w+)</Code>")
CONTAINER = "http://169.254.170.2"  # ECS's credentials endpoint, in every task


class Missing(Exception):
    """There is no such object; says what S3 said. Without s3:ListBucket that is AccessDenied."""


class Refused(Exception):
    """AWS did not do what it was asked; says its status and code."""


class Aws:
    """Calls with the task's role. Shared by all threads; `clock` is epoch seconds."""

    def __init__(
        self,
        region: str,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.region = region or "us-east-1"  # an endpoint of one's own may have none
        self._environment = environment
        self._clock = clock
        self._credentials: Credentials | None = None
        self._pools: dict[str, Connections] = {}
        self._lock = threading.Lock()

    def object(self, bucket: str, key: str, tag: str = "") -> tuple[bytes, str] | None:
        """GetObject: content and ETag; None where it still has the tag given. Raises Missing,
        Refused, one of Broken."""
        custom = self._custom("S3")
        if custom or "." in bucket:  # a dot in the name would not fit S3's certificate
            url, path = custom or self.endpoint("s3"), f"/{bucket}/{key}"
        else:
            url, path = self.endpoint(f"{bucket}.s3"), f"/{key}"
        headers = {"If-None-Match": tag} if tag else {}
        answer = self._call("s3", url, "GET", encoded(path), headers, b"", SECONDS)
        if answer.status == 200:
            return answer.body, answer.headers.get("ETag", "")
        if answer.status == 304:
            return None
        found = _CODE.search(answer.body)
        code = found[1].decode() if found else ""
        if code in ("NoSuchKey", "AccessDenied"):
            raise Missing(code)
        raise Refused(f"S3 answered {answer.status} {code}")

    def parameter(self, name: str) -> str:
        """GetParameter, decrypted. Raises Refused, one of Broken."""
        url = self._custom("SSM") or self.endpoint("ssm")
        body = json.dumps({"Name": name, "WithDecryption": True}).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AmazonSSM.GetParameter",
        }
        answer = self._call("ssm", url, "POST", "/", headers, body, PARAMETER_SECONDS)
        if answer.status != 200:
            raise Refused(f"Parameter Store answered {answer.status}")
        return str(json.loads(answer.body)["Parameter"]["Value"])

    def _call(
        self,
        service: str,
        url: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        seconds: float,
    ) -> Answer:
        parts = urlsplit(url)
        path = parts.path.rstrip("/") + path
        host, now, who = parts.netloc, self._clock(), self.credentials()
        out = signed(who, method, host, path, headers, body, service, self.region, now)
        pool = self._pool(f"{parts.scheme}://{parts.netloc}")
        return _twice(pool, method, path, body or None, out, seconds)

    def _pool(self, url: str) -> Connections:
        with self._lock:
            if url not in self._pools:
                self._pools[url] = Connections(url, self._environment.get("AWS_CA_BUNDLE") or None)
            return self._pools[url]

    def _custom(self, service: str) -> str:
        given = self._environment.get
        return given(f"AWS_ENDPOINT_URL_{service}", "") or given("AWS_ENDPOINT_URL", "")

    def endpoint(self, name: str) -> str:
        """AWS's own address of a service, or of a bucket in it."""
        china = ".cn" if self.region.startswith("cn-") else ""
        return f"https://{name}.{self.region}.amazonaws.com{china}"

    def credentials(self) -> Credentials:
        """From the environment, else from ECS, else from wherever boto3 finds some."""
        given = self._environment
        if given.get("AWS_ACCESS_KEY_ID") and given.get("AWS_SECRET_ACCESS_KEY"):
            return Credentials(
                given["AWS_ACCESS_KEY_ID"],
                given["AWS_SECRET_ACCESS_KEY"],
                given.get("AWS_SESSION_TOKEN", ""),
            )
        kept = self._credentials
        if kept is None or kept.expires - self._clock() < EARLY_SECONDS:
            kept = self._credentials = self._fetched()
        return kept

    def _fetched(self) -> Credentials:
        given = self._environment.get
        url = given("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
        if path := given("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""):
            url = CONTAINER + path
        if not url:
            return _of_boto3()
        parts = urlsplit(url)
        token = given("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        headers = {"Authorization": token} if token else {}
        pool = self._pool(f"{parts.scheme}://{parts.netloc}")
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = _twice(pool, "GET", target, None, headers, 1.0)
        if answer.status != 200:
            raise Refused(f"the credentials endpoint answered {answer.status}")
        told: dict[str, Any] = json.loads(answer.body)
        expires = datetime.fromisoformat(told["Expiration"].replace("Z", "+00:00")).timestamp()
        return Credentials(told["AccessKeyId"], told["SecretAccessKey"], told["Token"], expires)

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.close()


def _twice(
    pool: Connections,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
    seconds: float,
) -> Answer:
    """A reading may be asked for again: a kept connection may have been closed under it."""
    try:
        return _once(pool, method, path, body, headers, seconds)
    except Broken:
        return _once(pool, method, path, body, headers, seconds)


def _once(
    pool: Connections,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
    seconds: float,
) -> Answer:
    exchange = pool.send(method, path, body, headers, seconds)
    try:
        return exchange.answer(seconds, MOST_BYTES)
    except TimeoutError:
        exchange.close()
        raise


def _of_boto3() -> Credentials:
    """A profile, a login, an instance's role: on machines where a second of import does not matter."""
    import boto3

    found = boto3.Session().get_credentials()
    if found is None:
        raise Refused("no AWS credentials")
    frozen = found.get_frozen_credentials()
    # Not kept: boto3 knows when its own expire.
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token or "", 0.0)
