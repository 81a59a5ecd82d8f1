"""AWS's Signature Version 4, for the two calls that the serving bot makes.

By hand and not with boto3: its import and one client cost 0.16 s of CPU and 38 MB here, which at a
quarter vCPU is most of a start, and two thirds of the memory; a reading of a few objects is not worth
that. The collector, a process of its own, uses boto3. The tests hold this against botocore's signer.

Source: "Create a signed AWS API request" in the IAM user guide.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote


@dataclass(frozen=True)
class Credentials:
    """Who signs; `token` is empty for a user's long-lived key. `expires`: epoch seconds."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires: float = float("inf")


def encoded(path: str) -> str:
    """A path as S3 signs it: everything but the unreserved characters and the slashes."""
    return quote(path, safe="/-_.~")


def signed(
    credentials: Credentials,
    method: str,
    host: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    service: str,
    region: str,
    now: float,
) -> dict[str, str]:
    """The headers with which the request goes out. `path` is encoded; there is no query."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    payload = hashlib.sha256(body).hexdigest()
    all_headers = {**headers, "Host": host, "X-Amz-Date": moment, "X-Amz-Content-SHA256": payload}
    if credentials.token:
        all_headers["X-Amz-Security-Token"] = credentials.token
    ordered = sorted((name.lower(), value.strip()) for name, value in all_headers.items())
    names = ";".join(name for name, _value in ordered)
    lines = "".join(f"{name}:{value}\n" for name, value in ordered)
    request = "\n".join((method, path, "", lines, names, payload))
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    words = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"
    signature = hmac.digest(key, words.encode(), "sha256").hex()
    all_headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return all_headers
