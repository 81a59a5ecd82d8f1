"""--sandbox: this process pointed at the sandbox of this machine, and the person's part at its registrar."""

import http.client
import json
import math
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from provision.clients.http import on_loopback
from provision.clock import Clock, SandboxClock, WallClock
from provision.errors import ProvisionError
from provision.i18n import _

NO_CLOCK = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError)
ANSWERS = {  # what a person on the sandbox need not decide
    "domain": "news-bot.example",
    "network.vpc": "default",
}


def enter_sandbox() -> dict[str, Any]:
    """Points this process at the sandbox that runs on this machine. Raises ProvisionError where none does."""
    from provision.sandbox.runtime import read_runtime

    told = read_runtime()
    if told is None:
        raise ProvisionError(
            _("Looking for a sandbox on this machine."),
            _("none is running"),
            _("Start one in another terminal: provision sandbox"),
        )
    os.environ.update(
        AWS_ENDPOINT_URL=told["aws"],
        AWS_ACCESS_KEY_ID=told["access_key_id"],
        AWS_SECRET_ACCESS_KEY=told["secret_access_key"],
        LINE_API_URL=told["line"],
        PROVISION_DNS=told["dns"],
        PROVISION_FRONT=told["front"],
        PROVISION_REGISTRY=told["gallery"],
        AWS_CA_BUNDLE=told["ca"],
        LINE_CHANNEL_ACCESS_TOKEN=told["access_token"],
        LINE_CHANNEL_SECRET=told["channel_secret"],
    )
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(variable, None)
    return told


def curl(sandbox: Mapping[str, str], domain: str, servers: list[str]) -> str:
    """Return a shell's command that enters the name servers, in lines that a terminal need not break."""
    body = json.dumps({"name_servers": servers}, indent=2)
    return (
        f"curl -X PUT {sandbox['registrar']}/domains/{domain} \\\n"
        f"  -H 'Authorization: Bearer {sandbox['token']}' \\\n"
        f"  -H 'Content-Type: application/json' \\\n  -d '{body}'"
    )


def enter_name_servers(sandbox: Mapping[str, str], domain: str, servers: list[str]) -> None:
    """What the person does at the registrar's site, on the sandbox's.

    `sandbox`: what enter_sandbox returned.
    """
    body = json.dumps({"name_servers": servers}).encode()
    request = urllib.request.Request(
        f"{sandbox['registrar'].rstrip('/')}/domains/{domain}",
        data=body,
        method="PUT",
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {sandbox['token']}",
        },
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except (urllib.error.URLError, OSError) as error:
        raise ProvisionError(
            _("Entering the name servers at the sandbox's registrar."),
            str(error),
            _("Start the sandbox again: provision sandbox"),
        ) from None


def clock() -> Clock:
    """Return the wall clock, or a sandbox's where AWS_ENDPOINT_URL leads to one on this machine."""
    return told_by(os.environ.get("AWS_ENDPOINT_URL", ""))


def told_by(endpoint: str) -> Clock:
    """The clock of the sandbox at this URL on this machine; the wall clock where there is none."""
    if not on_loopback(endpoint):
        return WallClock()

    def ask() -> dict[str, float]:
        url = f"{endpoint.rstrip('/')}/_sandbox/clock"
        with urllib.request.urlopen(url, timeout=5) as answer:
            told = json.load(answer)
        return {"now": float(told["now"]), "speed": float(told["speed"])}

    def now() -> float:
        try:
            return ask()["now"]
        except NO_CLOCK as error:
            raise ProvisionError(
                _("Asking the sandbox for its time."),
                str(error),
                _("Start the sandbox again: provision sandbox"),
            ) from None

    try:
        speed = ask()["speed"]
    except NO_CLOCK:
        return WallClock()
    return SandboxClock(speed, now) if 0 < speed < math.inf else WallClock()
