"""Only one run at a time per stack."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provision.errors import ProvisionError
from provision.state.lock import locked
from provision.state.stack_file import StackFile

HOLDER = """
import sys
from pathlib import Path
from provision.state.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock_names_its_holder_and_ends_with_the_process(tmp_path: Path) -> None:
    """The error contains process and time; once that process is killed, the lock is free."""
    path = tmp_path / "stack.yaml"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert b"held\n" == holder.stdout.readline()
        began = time.monotonic()
        with pytest.raises(ProvisionError) as refusal, StackFile(path).locked():
            pytest.fail("two holders")
        assert time.monotonic() - began < 2  # without waiting
        holder.send_signal(signal.SIGKILL)
    assert 1 == refusal.value.exit_status
    assert re.search(rf"process {holder.pid}\b.* since [0-9:]{{8}}", refusal.value.why)
    with StackFile(path).locked():
        pass


def test_empty_lock_file_does_not_lock(tmp_path: Path) -> None:
    """A power cut may leave it behind."""
    (tmp_path / ".stack.yaml.lock").touch()
    with locked(tmp_path / "stack.yaml"):
        assert str(os.getpid()) in (tmp_path / ".stack.yaml.lock").read_text()


def test_lock_ends_with_its_block(tmp_path: Path) -> None:
    """Also if the block ends in an error."""
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "stack.yaml"):
        raise ZeroDivisionError
    with locked(tmp_path / "stack.yaml"):
        pass


def test_new_folder_of_a_file_that_is_not_written_is_removed(tmp_path: Path) -> None:
    """As when a person cancels at the first question; with the file, or with others' files, it stays."""
    path = tmp_path / "new/folder/stack.yaml"
    with locked(path):
        pass
    assert [] == list(tmp_path.iterdir())
    with locked(path):
        (tmp_path / "new/theirs").touch()
    assert ["theirs"] == [each.name for each in (tmp_path / "new").iterdir()]
    with locked(path):
        path.touch()
    assert [".stack.yaml.lock", "stack.yaml"] == sorted(each.name for each in path.parent.iterdir())
