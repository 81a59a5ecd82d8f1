"""The stack that was last used in the sandbox, as `provision console` in a process of its own shows it."""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Response

from provision.i18n import language
from provision.sandbox.tasks import supervise

PATH = "/stack.json"
TIMEOUT = 60.0  # seconds for a look at all resources on a busy machine


class StackProcess:
    """A WSGI application that returns the document of `provision console`, which it starts when asked.

    `file` returns the stack's file, which the commands with --sandbox name; "" before the first. The process
    ends with this one, because its supervisor's stdin does.
    """

    def __init__(self, file: Callable[[], str]) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._shown = ""
        self._page = ""
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Return the document; {} while there is no stack."""
        body = self._document() if os.path.exists(self._file()) else b"{}"
        return Response(body, mimetype="application/json")(environ, start_response)

    def _document(self) -> bytes:
        try:
            address, _, token = self._running().partition("/#")
            request = urllib.request.Request(
                address + PATH, headers={"Authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return bytes(response.read())
        except (OSError, ValueError) as error:
            with self._lock:
                self._end()
            message = {"what": f"provision console: {error}", "why": "", "then": ""}
            return json.dumps({"error": message}).encode()

    def _running(self) -> str:
        """Return the page of the running process. Raises OSError, or ValueError if it ended at once."""
        file = self._file()
        with self._lock:
            if self._process is None or self._process.poll() is not None or file != self._shown:
                self._end()
                command = [sys.executable, "-m", "provision", "--sandbox", "--stack", file]
                command += ["--lang", language(), "console", "--json"]
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", supervise.__file__, *command],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    start_new_session=True,  # the terminal's signals go only to the sandbox
                )
                self._shown = file
                assert self._process.stdout is not None
                self._page = str(json.loads(self._process.stdout.readline())["page"])
            return self._page

    def _end(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # the supervisor kills the process
        self._process.wait(10)
        self._process.stdout.close()
        self._process = None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()
