"""How gunicorn serves the bot; the names are gunicorn's settings."""

import os

from bot.logs import configuration
from bot.settings import Settings

_settings = Settings.from_environment()

wsgi_app = "bot.app:create_app()"
bind = f"{_settings.host}:{_settings.port}"
worker_class = "bot.worker.Worker"
workers = 1  # a quarter vCPU; a second process would only cost memory
# Most of an answer is waiting for LINE: 64 side by side at 50 ms are 1,280 a second. The others are
# for those who send slowly; they are started when they are needed.
threads = 128
worker_connections = 1000
keepalive = 75  # above the load balancer's 60 s, or it gives people 502s on connections we closed
timeout = 30
# From SIGTERM to SIGKILL: the door stays open for a while, then what has come in is ended (a late
# reply takes 12 s); below the stopTimeout of 120, which is all that Spot gives.
graceful_timeout = int(_settings.linger_seconds) + 60
# The heartbeat file in memory: a slow disk must not look like a hanging worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
control_socket_disable = True  # no file in a home folder that may be read-only
logger_class = "bot.worker.Log"
logconfig_dict = configuration()
