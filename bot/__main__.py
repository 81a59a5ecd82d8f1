"""`python -m bot`: serve the bot with gunicorn until SIGTERM."""

import sys

from bot.settings import MissingSetting, Settings


def main() -> None:
    """Check the settings first: a missing one ends in a sentence, not in gunicorn's traceback."""
    try:
        Settings.from_environment()
    except MissingSetting as missing:
        sys.exit(str(missing))
    # In this process: a second interpreter would only cost start-up time.
    from gunicorn.app.wsgiapp import run  # type: ignore[import-untyped]

    sys.argv = ["gunicorn", "--config", "python:bot.gunicorn_conf"]
    run()


if __name__ == "__main__":
    main()
