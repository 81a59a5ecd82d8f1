"""How gunicorn serves the bot; the names are gunicorn's settings."""

import os

from bot.logs import configuration
from bot.settings import Settings

_settings = Settings.from_environment()

wsgi_app = "bot.app:create_app()"
bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = 1  # a quarter vCPU; a second process would only cost memory
threads = 16
keepalive = 75  # above the load balancer's 60 s, or it gives people 502s on connections we closed
timeout = 30
graceful_timeout = 30
# The heartbeat file in memory: a slow disk must not look like a hanging worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
control_socket_disable = True  # no file in a home folder that may be read-only
accesslog = None
logconfig_dict = configuration()
