"""Connect to the sandbox on this machine (--sandbox): environment, registrar and clock."""

import contextlib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provision.clients.http import Http, on_loopback
from provision.clock import Clock, SandboxClock, WallClock
from provision.errors import ProvisionError
from provision.i18n import _

CLOCK_ERRORS = (OSError, ValueError, KeyError, TypeError)  # requests' errors are OSErrors
ANSWERS = {  # default settings on the sandbox
    "domain": "news-bot.example",
    "network.vpc": "default",
}


def use_profile(name: str) -> None:
    """Use an AWS profile as `aws --profile` does: credentials in the environment do not count then."""
    os.environ["AWS_PROFILE"] = name
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        os.environ.pop(variable, None)


def enter_sandbox() -> dict[str, Any]:
    """Set the environment variables for the running sandbox. Raise ProvisionError if none is running."""
    from provision.sandbox.runtime import read_runtime

    sandbox = read_runtime()
    if sandbox is None:
        raise ProvisionError(
            _("Could not find a sandbox on this computer."),
            _("none is running"),
            _("Start one in another terminal: `provision sandbox`"),
        )
    os.environ.update(
        AWS_ENDPOINT_URL=sandbox["aws"],
        AWS_ACCESS_KEY_ID=sandbox["access_key_id"],
        AWS_SECRET_ACCESS_KEY=sandbox["secret_access_key"],
        LINE_API_URL=sandbox["line"],
        PROVISION_DNS=sandbox["dns"],
        PROVISION_FRONT=sandbox["front"],
        PROVISION_REGISTRY=sandbox["gallery"],
        AWS_CA_BUNDLE=sandbox["ca"],
        LINE_CHANNEL_ACCESS_TOKEN=sandbox["access_token"],
        LINE_CHANNEL_SECRET=sandbox["channel_secret"],
        AWS_CONFIG_FILE=os.devnull,  # its profiles are about AWS
    )
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(variable, None)
    return sandbox


def page_view(sandbox: Mapping[str, str], view: str) -> str:
    """Return the address of a view of the sandbox's page: `registrar`, or `line` with LINE's switches."""
    address, _sign, token = sandbox["page"].partition("#")
    return f"{address}?view={view}#{token}"


def enter_name_servers(sandbox: Mapping[str, str], domain: str, servers: list[str]) -> None:
    """Enter the name servers at the sandbox's registrar. sandbox: the result of enter_sandbox."""
    _request(
        _("Could not enter the name servers at the sandbox's registrar."),
        sandbox,
        "PUT",
        f"{sandbox['registrar'].rstrip('/')}/domains/{domain}",
        json={"name_servers": servers},
    )


def read_chats(sandbox: Mapping[str, str], after: int = 0) -> list[dict[str, Any]]:
    """Return the entries after a number of all the sandbox's chats with the bot. Raise ProvisionError."""
    url = f"{sandbox['line'].rstrip('/')}/_sandbox/chat?after={after}"
    entries: list[dict[str, Any]] = _request(
        _("Could not read the sandbox's chat."), sandbox, "GET", url, timeout=5
    )
    return entries


def _request(doing: str, sandbox: Mapping[str, str], method: str, url: str, **options: Any) -> Any:
    """Send a request to the sandbox with its token, and return the JSON. doing: for the ProvisionError."""
    headers = {"Authorization": f"Bearer {sandbox['token']}"}
    try:
        response = Http().request(method, url, headers=headers, **options)
        response.raise_for_status()
        return response.json()
    except OSError as error:
        raise ProvisionError(
            doing, str(error), _("Restart the sandbox: `provision sandbox`")
        ) from None


def show_stack(sandbox: Mapping[str, str], file: Path) -> None:
    """Make the sandbox's page show the stack of this file; a page that cannot does not matter."""
    with contextlib.suppress(OSError):
        Http().request(
            "POST",
            f"{sandbox['aws'].rstrip('/')}/_sandbox/stack",
            json={"file": str(file.absolute())},
            headers={"Authorization": f"Bearer {sandbox['token']}"},
            timeout=5,
        )


def clock() -> Clock:
    """Return the wall clock, or the clock of a sandbox on this machine at AWS_ENDPOINT_URL."""
    return clock_at(os.environ.get("AWS_ENDPOINT_URL", ""))


def clock_at(endpoint: str) -> Clock:
    """Return the clock of the sandbox at this URL; the wall clock if there is no sandbox."""
    if not on_loopback(endpoint):
        return WallClock()

    http = Http()

    def fetch() -> tuple[float, float]:
        response = http.request("GET", f"{endpoint.rstrip('/')}/_sandbox/clock", timeout=5)
        response.raise_for_status()
        body = response.json()
        return float(body["now"]), float(body["speed"])

    def read() -> tuple[float, float]:
        try:
            return fetch()
        except CLOCK_ERRORS as error:
            raise ProvisionError(
                _("Could not read the sandbox's clock."),
                str(error),
                _("Restart the sandbox: `provision sandbox`"),
            ) from None

    try:
        _now, speed = fetch()
    except CLOCK_ERRORS:
        return WallClock()
    return SandboxClock(read) if 0 < speed < math.inf else WallClock()
