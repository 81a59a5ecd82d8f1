"""The process of `provision sandbox`."""

import contextlib
import json
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from provision.i18n import _, command
from provision.sandbox.clock import RunningClock
from provision.sandbox.runtime import read_runtime, remove_runtime, runtime_file, write_runtime
from provision.sandbox.sandbox import Sandbox


def serve(speed: float, as_json: bool, *, verbose: bool = False) -> None:
    """Serve a sandbox at `speed` times real time until Ctrl-C, SIGTERM or SIGHUP.

    Addresses and keys are written to the runtime file, and printed as one JSON line or as text, which has all
    of them only if `verbose`.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # not with nohup
            signal.signal(number, lambda *_: stop.set())
    file = runtime_file()
    earlier = read_runtime(file)
    with Sandbox(RunningClock(speed)) as sandbox:
        addresses = sandbox.serve()
        write_runtime(
            {
                **addresses,
                "access_token": sandbox.line.access_token,
                "channel_id": sandbox.line.channel_id,
                "channel_secret": sandbox.line.channel_secret,
                "pid": os.getpid(),
                "earlier": earlier,
                "id": secrets.token_hex(8),  # stack files record the sandbox they belong to
            },
            file,
        )
        if earlier:
            print(
                _(
                    "Another sandbox runs (process {pid}): until this one ends, --sandbox means this one.",
                    pid=earlier["pid"],
                ),
                file=sys.stderr,
            )
        try:
            summary = _summary(addresses, speed, verbose=verbose)
            print(json.dumps(addresses) if as_json else summary, flush=True)
            while not stop.wait(0.2):
                pass
            with contextlib.suppress(OSError):  # the terminal may be gone
                print(_("The sandbox ends, and everything in it."), file=sys.stderr)
        finally:
            _restore_runtime(file, earlier)


def _restore_runtime(file: Path, earlier: dict[str, Any] | None) -> None:
    """Remove our runtime file; restore that of the last earlier sandbox that still runs."""
    found = read_runtime(file)
    remove_runtime(file)
    if found is None or found["pid"] != os.getpid():
        return  # a later sandbox has replaced it
    while earlier:
        write_runtime(earlier, file)
        if read_runtime(file):
            return
        file.unlink()
        earlier = earlier.get("earlier")


def _summary(addresses: dict[str, str], speed: float, *, verbose: bool) -> str:
    """Return what a learner needs; with `verbose` all addresses and keys."""
    lines = [
        _(
            "The sandbox is running on this machine, {speed} times as fast as real time.",
            speed=f"{speed:g}",
        ),
        _("In another terminal:   {command}", command=command("--sandbox setup")),
        _("Talk to the bot:       {page}", page=addresses["page"]),
    ]
    if verbose:
        lines += [
            _("AWS {aws}   DNS {dns}   registrar {registrar}", **addresses),
            _("LINE {line}   load balancer {front}   its CA {ca}", **addresses),
            _("ECR's registry {registry}   its public gallery {gallery}", **addresses),
            _("Faults, lag and the log of calls: {aws}/_sandbox/", aws=addresses["aws"]),
            _("Its own requests need:  Authorization: Bearer {token}", token=addresses["token"]),
            _("For the aws CLI and other tools, in their terminal:"),
            f"  export AWS_ENDPOINT_URL={addresses['aws']} AWS_DEFAULT_REGION=ap-northeast-1",
            f"  export AWS_ACCESS_KEY_ID={addresses['access_key_id']}",
            f"  export AWS_SECRET_ACCESS_KEY={addresses['secret_access_key']}",
        ]
    else:
        lines.append(_("Started with -v, it prints all its addresses and keys."))
    return "\n".join(
        (
            *lines,
            _("Its tasks run as processes on this machine, with your permissions."),
            _("Ctrl-C stops it and deletes everything in it."),
        )
    )
