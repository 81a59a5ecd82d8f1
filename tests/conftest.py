"""What all tests share: where their files lie."""

import gc
import os
import shutil
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ROOM = 1 << 30  # bytes; a container may have 64 MB of it, which the tests would fill

# Every mutation is flushed to the disk before the next call: in memory the tests take a fifth less time.
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# boto3's service models are half a million objects that stay: the collector's usual thresholds, which go
# through them again and again, make the tests take a third longer.
gc.set_threshold(50_000, 20, 50)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that others are not waited for when it ends."""

    def seconds(item: pytest.Item) -> float:
        slow = item.get_closest_marker("slow")
        return float(slow.kwargs.get("seconds", 0)) if slow else 0.0

    items.sort(key=seconds, reverse=True)
