"""The page and its files, as a WSGI application around the applications that it shows."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

from provision import i18n
from provision.console.words import words

FILES = Path(__file__).parent / "files"
FOLDER = "/console/"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
# Pictures of messages may come from anywhere; everything else is the page's own.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Pages:
    """The page at /, its files, and `application` for all other paths.

    `sandbox`: whether it has a chat and the sandbox's controls beside the stack.
    """

    def __init__(self, application: Any, *, sandbox: bool) -> None:
        self._application, self._sandbox = application, sandbox

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Return the page, one of its files, or what the application returns."""
        request = Request(environ)
        response: Any = self._application
        if request.path == "/" or request.path.startswith(FOLDER):
            response = self._file(request)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _file(self, request: Request) -> Any:
        if request.method not in ("GET", "HEAD"):
            return MethodNotAllowed(["GET", "HEAD"])
        name = request.path.removeprefix(FOLDER).removeprefix("/") or "console.html"
        if name == "words.json":
            document = {
                "language": i18n.language(),
                "sandbox": self._sandbox,
                "words": words(),
            }
            return Response(json.dumps(document), headers=HEADERS, mimetype="application/json")
        file = FILES / name
        if file.parent != FILES or file.suffix not in TYPES or not file.is_file():
            return NotFound()
        text = file.read_text(encoding="utf-8").replace('lang="en"', f'lang="{i18n.language()}"')
        return Response(text, headers=HEADERS, mimetype=TYPES[file.suffix])
