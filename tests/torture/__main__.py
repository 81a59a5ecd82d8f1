"""`python -m tests.torture`. The code is in run.py, because a spawned process does not import `__main__`."""

from tests.torture.run import main

if __name__ == "__main__":
    raise SystemExit(main())
