"""Run a command that ends when the other end of our stdin is closed.

`python supervise.py COMMAND...`, stdlib only, so that it starts in milliseconds. SIGTERM goes on to
the command, as a container runtime hands it to the first process. When stdin ends, because it was
closed or because the sandbox was killed, the command's whole process group is killed. (Linux's
PR_SET_PDEATHSIG would not do: it fires when the *thread* that forked ends.)
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> None:
    """Run the command; exit as it did, 128 + N where signal N ended it."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)

    def pass_on(*_: object) -> None:
        if child.poll() is None:
            child.terminate()

    signal.signal(signal.SIGTERM, pass_on)

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
    """Kill every process that is left in it."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    main()
