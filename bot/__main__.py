"""Serve the bot with gunicorn: `python -m bot`."""

import sys

from bot.config import Config, ConfigError

if __name__ == "__main__":
    try:
        Config.from_environment()
    except ConfigError as error:
        sys.exit(str(error))
    from gunicorn.app.wsgiapp import run  # type: ignore[import-untyped]

    sys.argv = ["gunicorn", "--config", "python:bot.gunicorn_conf"]
    run()
