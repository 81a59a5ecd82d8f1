"""Configuration of all tests."""

import gc
import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
NEEDED = 1 << 30  # bytes; a container may have only 64 MB of it

# stack.yaml is flushed to disk before every mutating call: in memory the tests take a fifth less time.
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > NEEDED:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# boto3's service models are half a million permanent objects: with the garbage collector's default
# thresholds it scans them repeatedly, and the tests take a third longer.
gc.set_threshold(50_000, 20, 200)


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave cases to `make full`. Run the slowest tests first, so that no worker waits at the end."""
    _leave_cases_to_full(items)

    def seconds(item: pytest.Item) -> float:
        slow = item.get_closest_marker("slow")
        return float(slow.kwargs.get("seconds", 0)) if slow else 0.0

    items.sort(key=seconds, reverse=True)


def _leave_cases_to_full(items: list[pytest.Item]) -> None:
    """Mark as `full` all cases of a test marked `sample(number)` but that number, spread over its list."""
    cases = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sample"):
            cases[item.nodeid.partition("[")[0]].append(item)
    for group in cases.values():
        marker = group[0].get_closest_marker("sample")
        assert marker
        step = len(group) / marker.args[0]
        sampled = {int(step * number) for number in range(marker.args[0])}
        for place, item in enumerate(group):
            if place not in sampled:
                item.add_marker("full")
