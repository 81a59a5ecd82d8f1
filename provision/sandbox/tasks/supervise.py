"""Run a command, and kill it when stdin is closed.

`python supervise.py COMMAND...`, with the standard library only, so that it starts in milliseconds. SIGTERM
is forwarded to the command, as a container runtime sends it to the first process. When stdin ends, because
it was closed or because the sandbox was killed, the command's process group is killed. (Linux's
PR_SET_PDEATHSIG fires when the *thread* that forked ends.)
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> None:
    """Run the command; exit with its exit code, 128 + N after signal N."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)

    def forward_sigterm(*_: object) -> None:
        if child.poll() is None:
            child.terminate()

    signal.signal(signal.SIGTERM, forward_sigterm)

    def end_with_stdin() -> None:
        # Not sys.stdin: a daemon thread inside its lock would break the interpreter's exit.
        while os.read(0, 1024):
            pass
        end_group(child.pid)

    threading.Thread(target=end_with_stdin, daemon=True).start()
    code = child.wait()
    end_group(child.pid)  # workers that their parent left behind
    sys.exit(code if code >= 0 else 128 - code)


def end_group(group: int) -> None:
    """Kill the process group."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    main()
