"""How gunicorn serves the bot; the names are gunicorn's settings and hooks."""

import logging
import mmap
import os
import signal
from typing import Any

from bot.config import Config
from bot.data import load_json

_config = Config.from_environment()

wsgi_app = "bot.app:create_app()"
bind = f"{_config.host}:{_config.port}"
worker_class = "gthread"
workers = 1  # a quarter of a vCPU; a second process would only cost memory
threads = _config.threads
keepalive = 75  # above the load balancer's 60 seconds, or people get its 502
graceful_timeout = 60  # with LINGER_SECONDS below the task's stopTimeout of 120 seconds
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # no slow disk
control_socket_disable = True  # no file in a home folder that may be read-only
logconfig_dict = load_json("logging.json")

# Shared with the worker, which is forked: 1 from SIGTERM on, so that the health check fails.
stopping = mmap.mmap(-1, 1)


def when_ready(server: Any) -> None:
    """Let SIGTERM take effect after LINGER_SECONDS: a load balancer sends requests that long."""
    stop = signal.getsignal(signal.SIGTERM)
    assert callable(stop)

    def linger(_signal: int, _frame: Any) -> None:
        if not stopping[0]:
            stopping[0] = 1
            logging.getLogger("bot").info("stopping", extra={"seconds": _config.linger_seconds})
            signal.setitimer(signal.ITIMER_REAL, max(_config.linger_seconds, 0.001))

    signal.signal(signal.SIGALRM, lambda _signal, frame: stop(signal.SIGTERM, frame))
    signal.signal(signal.SIGTERM, linger)


def post_worker_init(worker: Any) -> None:
    """Show the application when the server is stopping."""
    worker.wsgi.config["STOPPING"] = stopping
