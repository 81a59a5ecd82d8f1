"""Serve on LINE's port all that the page needs of the sandbox: a page cannot call other origins.

Below /_sandbox/ every request needs the token, reads as well.
"""

from collections.abc import Iterable
from typing import Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.web import control
from provision.sandbox.web.feed_server import FeedServer
from provision.sandbox.web.stack_process import PATH, StackProcess


def on_one_port(line: Any, cloud: Cloud, feed: FeedServer, stack: StackProcess) -> Any:
    """Return LINE's application with those of the others.

    They are AWS's control paths below /_sandbox/aws/, the registrar's below /_sandbox/registrar/, the feed
    server's control paths below /_sandbox/feed/, the feed's articles below /news/, and the stack.
    """

    def aws(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = control.PREFIX + environ["PATH_INFO"].removeprefix("/")
        return control.respond(cloud, {**environ, "PATH_INFO": path}, start_response)

    def controls_of_feed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = control.PREFIX + environ["PATH_INFO"].removeprefix("/")
        return feed({**environ, "PATH_INFO": path}, start_response)

    mounts: dict[str, Any] = {
        "/_sandbox/aws": aws,
        "/_sandbox/registrar": cloud.registrar,
        "/_sandbox/feed": controls_of_feed,
        f"/_sandbox{PATH}": stack,
        "/news": feed,
    }
    return DispatcherMiddleware(line, mounts)
