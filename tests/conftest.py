"""Configuration of all tests."""

import gc
import os
import shutil
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
NEEDED = 1 << 30  # bytes; a container may have only 64 MB of it

# stack.yaml is flushed to disk before every mutating call: in memory the tests take a fifth less time.
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > NEEDED:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# boto3's service models are half a million permanent objects: with the garbage collector's default
# thresholds it scans them repeatedly, and the tests take a third longer.
gc.set_threshold(50_000, 20, 50)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest tests first, so that no worker waits for them at the end."""

    def seconds(item: pytest.Item) -> float:
        slow = item.get_closest_marker("slow")
        return float(slow.kwargs.get("seconds", 0)) if slow else 0.0

    items.sort(key=seconds, reverse=True)
