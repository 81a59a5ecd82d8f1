"""The command `console`: serve a page on loopback that shows the stack, read-only."""

import json
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import click

from provision.cli import options, unexpected
from provision.cli.prepare import prepare_run
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.run import Options
from provision.ui.progress import Progress
from provision.ui.text import echo

PATH = "/stack.json"
# Seconds between two looks at the stack, at least: AWS limits the rate of calls, the sandbox does not.
ON_AWS, IN_SANDBOX = 15.0, 2.0


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        console,
        "console",
        _("A page on this computer that shows the stack, read-only. Ctrl-C stops it."),
        "provision console",
        options.address_as_json(),
    )


def console(given: Options, as_json: bool) -> int:
    """Serve the page until Ctrl-C, SIGTERM or SIGHUP. Return the exit status."""
    from provision.console.guard import Guard
    from provision.console.pages import Pages
    from provision.console.server import HttpServer

    prepare_run(given, save=False, read_only=True)  # raises where there is no stack
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    token = secrets.token_urlsafe(24)
    look = Look(lambda: describe(given), IN_SANDBOX if given.sandbox else ON_AWS)
    pages = Pages(StackApplication(look), sandbox=False)
    server = HttpServer(Guard(pages, token, lambda method, path: path == PATH))
    try:
        page = f"{server.url}/#{token}"  # browsers do not send the fragment to servers
        if as_json:
            echo(json.dumps({"page": page}))
        else:
            echo(_("The stack is shown at {page}", page=page))
            echo(_("Nothing can be changed there. Ctrl-C ends it."), sys.stderr)
        while not stop.wait(0.2):
            pass
    finally:
        server.close()
    return 0


def describe(given: Options) -> dict[str, Any]:
    """Return what the page shows, read anew; {"error"} where that cannot be had."""
    from provision.console import view

    try:
        # No questions: they would appear in the terminal.
        run = prepare_run(replace(given, yes=True), save=False, read_only=True)
        engine = run.engine(Progress(run.stack.resources, run.clock))
        engine.begin()
        return view.describe(run, engine.inspect())
    except Pending as error:
        return {"error": {"what": error.reason, "why": "", "then": ""}}
    except ProvisionError as error:
        return {"error": {"what": error.what, "why": error.why, "then": error.then}}
    except Exception as error:
        found = unexpected.to_provision_error(error)
        return {"error": {"what": found.what, "why": found.why, "then": found.then}}


class Look:
    """The last result of `read`, which is called again when it is old. Thread-safe.

    It is old after `seconds`, and after twice the time that it took to read.
    """

    def __init__(
        self,
        read: Callable[[], dict[str, Any]],
        seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._seconds, self._now = read, seconds, now
        self._lock = threading.Lock()
        self._document: dict[str, Any] = {}
        self._until = 0.0

    def __call__(self) -> dict[str, Any]:
        """Return the document."""
        with self._lock:
            started = self._now()
            if not self._document or started >= self._until:
                self._document = self._read()
                ended = self._now()
                self._until = ended + max(self._seconds, 2 * (ended - started))
            return self._document


class StackApplication:
    """The document at PATH, as a WSGI application."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Return the document; there is nothing else, and nothing can be changed."""
        from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
        from werkzeug.wrappers import Request, Response

        request = Request(environ)
        response: Response | HTTPException = NotFound()
        if request.path == PATH:
            response = MethodNotAllowed(["GET"])
            if request.method == "GET":
                response = Response(json.dumps(self._look()), mimetype="application/json")
        return response(environ, start_response)
