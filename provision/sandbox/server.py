"""The process behind `provision sandbox`."""

import json
import os
import signal
import threading

from provision.sandbox.clock import RunningClock
from provision.sandbox.runtime import remove_runtime, runtime_file, write_runtime
from provision.sandbox.world import Sandbox
from provision.words import _


def serve(speed: float, as_json: bool) -> None:
    """Serve a sandbox, `speed` times as fast as reality, until SIGINT or SIGTERM.

    Its addresses go to stdout, as one JSON line or as sentences, and to the runtime file.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    file = runtime_file()
    with Sandbox(RunningClock(speed)) as sandbox:
        addresses = sandbox.serve()
        write_runtime(
            {
                **addresses,
                "access_token": sandbox.line.access_token,
                "channel_secret": sandbox.line.channel_secret,
                "pid": os.getpid(),
            },
            file,
        )
        try:
            print(json.dumps(addresses) if as_json else _sentences(addresses, speed), flush=True)
            while not stop.wait(0.2):
                pass
        finally:
            remove_runtime(file)


def _sentences(addresses: dict[str, str], speed: float) -> str:
    return "\n".join(
        (
            _(
                "A sandbox runs on this machine, {speed} times as fast as reality.",
                speed=f"{speed:g}",
            ),
            _("Set up a stack in it:  provision --sandbox setup"),
            _("Talk to the bot:       {page}", page=addresses["page"]),
            _("AWS {aws}   DNS {dns}   registrar {registrar}", **addresses),
            _("LINE {line}   load balancer {front}   its CA {ca}", **addresses),
            _("ECR's registry {registry}   its public gallery {gallery}", **addresses),
            _("Faults, lag and the log of calls: {aws}/_sandbox/", aws=addresses["aws"]),
            _("Ctrl-C ends it, and everything in it."),
        )
    )
