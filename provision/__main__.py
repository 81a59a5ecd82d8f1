"""Run the command: python -m provision."""

import signal


def run() -> None:
    """Load the command and run it. While it is loaded Ctrl-C ends the process at once: nothing has begun."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # else it is ignored, as by nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from provision.cli.main import main

    signal.signal(signal.SIGINT, usual)
    main()


if __name__ == "__main__":
    run()
