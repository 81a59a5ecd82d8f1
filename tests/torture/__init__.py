"""Torture tests: interruptions and faults at every call; `make torture` prints the results."""
