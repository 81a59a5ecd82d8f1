"""`python -m tests.torture`. (The work is in run.py: a process that is spawned imports no `__main__`.)"""

from tests.torture.run import main

if __name__ == "__main__":
    raise SystemExit(main())
