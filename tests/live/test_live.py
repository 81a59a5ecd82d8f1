"""`make live DOMAIN=example.jp [VPC=default]`: provision with a real AWS account and LINE channel.

The tests run in this order on one stack. They cost money and are run by hand only.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl

import pytest

from tests.live.conftest import LiveStack

pytestmark = pytest.mark.live
EMPTY = json.dumps({"destination": "U" + "0" * 32, "events": []}).encode()


def post_webhook(host: str, body: bytes, secret: str) -> int:
    """Return the HTTP status that the bot answers a webhook with, over verified TLS.

    PROVISION_FRONT and AWS_CA_BUNDLE are a sandbox's: its load balancers share one loopback port.
    """
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    front = os.environ.get("PROVISION_FRONT", f"{host}:443").removeprefix("https://")
    address, _colon, port = front.rpartition(":")
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    connection = http.client.HTTPConnection(host)
    plain = socket.create_connection((address, int(port)), timeout=20)
    connection.sock = context.wrap_socket(plain, server_hostname=host)
    headers = {"x-line-signature": base64.b64encode(digest).decode()}
    connection.request("POST", "/webhook", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def failed_checks(stack: LiveStack) -> dict[str, str]:
    """Return every check of `provision verify` that is not OK and not skipped, with its reason."""
    checks = stack.read("verify")["checks"]
    assert checks
    return {c["key"]: c["reason"] for c in checks if c["state"] not in ("OK", "SKIP")}


def test_every_resource_is_ready(stack: LiveStack) -> None:
    """Status shows each resource as existing and ready, without drift."""
    resources = stack.read("status")["resources"]
    unexpected = [r for r in resources if (r["live"], r["ready"], r["drift"]) != (True, True, [])]
    assert (True, []) == (len(resources) > 20, unexpected)


def test_verify_passes(stack: LiveStack) -> None:
    """DNS, certificate, TLS, targets and LINE's own webhook test are OK."""
    assert {} == failed_checks(stack)


def test_signed_webhook_is_accepted(stack: LiveStack) -> None:
    """The bot accepts a webhook only if it is signed with the channel secret."""
    secret = os.environ["LINE_CHANNEL_SECRET"]
    assert (200, 401) == (
        post_webhook(stack.host, EMPTY, secret),
        post_webhook(stack.host, EMPTY, "not the secret"),
    )


def test_deploy_replaces_the_task(stack: LiveStack) -> None:
    """A new task size is rolled out, and the bot still answers."""
    assert 0 == stack.run("deploy", "--yes", "--set", "service.memory=1024").returncode
    assert 200 == post_webhook(stack.host, EMPTY, os.environ["LINE_CHANNEL_SECRET"])
    assert {} == failed_checks(stack)


def test_teardown_leaves_nothing(stack: LiveStack) -> None:
    """Everything that setup created is deleted."""
    report = stack.teardown()
    assert (True, []) == (len(report["deleted"]) > 20, report["left"])
