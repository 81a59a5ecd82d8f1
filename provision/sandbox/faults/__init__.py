"""Faults, and read-after-write lag."""
