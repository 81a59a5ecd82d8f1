"""`make demo`: setup, messages to the bot, and teardown, with the command-line tool.

The sandbox runs as a process of its own. The exit status is 0 only if the bot replied and nothing is left.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from provision.i18n import _

SPEED = "20"
PROVISION = [sys.executable, "-m", "provision"]
STOPS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def main() -> int:
    """Run the demo; return the exit status, 130 after Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="provision-demo-") as folder:
        environ = {**os.environ, "XDG_RUNTIME_DIR": folder, "TMPDIR": folder}
        command = [*PROVISION, "sandbox", "--speed", SPEED, "--json"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environ, process_group=0
        ) as sandbox:
            try:
                assert sandbox.stdout is not None
                line = sandbox.stdout.readline()
                if not line:  # the sandbox has printed why
                    return sandbox.wait() or 1
                return run_story(json.loads(line), environ, Path(folder) / "stack.sandbox.yaml")
            except KeyboardInterrupt:
                print_heading(_("Stopped. The sandbox ends, and everything in it (some seconds)."))
                return 130
            finally:
                sandbox.terminate()
                try:
                    sandbox.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    sandbox.kill()


def run_story(addresses: dict[str, str], environ: dict[str, str], stack: Path) -> int:
    """Run setup, send messages to the bot, and run teardown; return the exit status."""
    common = ["--sandbox", "--yes", "--stack", str(stack)]
    print_heading(
        _("1. Everything is created (time runs {speed} times as fast as on AWS)", speed=SPEED)
    )
    setup = run("setup", *common, environ=environ)
    if setup.returncode:
        return setup.returncode
    print_heading(_("2. Somebody writes to the bot on LINE: {url}", url=setup.stdout.strip()))
    answered = [send_message(addresses, words) for words in (_("latest"), _("help"))]
    print_heading(_("3. Everything is deleted"))
    teardown = run("teardown", "--everything", "--json", *common, environ=environ)
    gone = json.loads(teardown.stdout or "{}")
    for kept in gone.get("kept", []):
        print(_("kept: {key}: {why}", **kept))
    print(
        _(
            "deleted: {deleted}, kept: {kept}, left: {left}",
            deleted=len(gone.get("deleted", [])),
            kept=len(gone.get("kept", [])),
            left=len(gone.get("left", ["?"])),
        )
    )
    return teardown.returncode or int(not all(answered) or gone.get("left") != [])


def run(*words: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command-line tool and capture its stdout, in the encoding of this process's.

    Ctrl-C reaches only this process, which then kills the command's process group.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # until it is known which process to kill
    with subprocess.Popen(
        [*PROVISION, *words],
        env=environ,
        process_group=0,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding=sys.stdout.encoding,
        errors="replace",
    ) as command:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            printed, _errors = command.communicate()
        except BaseException:
            os.killpg(command.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command.args, command.returncode, printed)


def print_heading(text: str) -> None:
    """Print a heading."""
    print(f"\n== {text}", flush=True)


def send_message(addresses: dict[str, str], words: str) -> bool:
    """Send one message to the bot and print its reply; return whether there was one."""
    request = urllib.request.Request(
        f"{addresses['line']}/_sandbox/send",
        data=json.dumps({"text": words, "user": "U" + "1" * 32}).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {addresses['token']}",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        outcome: dict[str, Any] = json.load(response)
    print(_("  you: {words}", words=words))
    for message in outcome["reply"] or []:
        said = message.get("text") or message.get("altText") or message["type"]
        print(_("  bot: ") + said.replace("\n", "\n       "))
    print(
        _(
            "  (HTTP {status}, {seconds:.2f} s)",
            status=outcome["status"],
            seconds=outcome["seconds"],
        )
    )
    return bool(outcome["reply"])


if __name__ == "__main__":
    # While the command is loaded, Ctrl-C ends the process at once: nothing has begun.
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from provision.cli import main as command

    signal.signal(signal.SIGINT, usual)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C: the sandbox ends with us
    command.prepare([])
    command.end_with(command.guarded(main))
