"""A file is replaced whole or not at all."""

from pathlib import Path

import pytest

from provision.lock import locked
from provision.wholefile import HALF, replace, sweep


def test_replace_that_fails_at_the_last_step(tmp_path: Path) -> None:
    """A folder stands in the way: its content stays, and no temporary file is left."""
    place = tmp_path / "stack.yaml"
    place.mkdir()
    (place / "old").write_text("old")
    with pytest.raises(OSError, match="directory"):
        replace(place, b"new")
    assert [place, place / "old"] == sorted(tmp_path.rglob("*"))


def test_folder_is_made(tmp_path: Path) -> None:
    """`--stack new/folder/stack.yaml` needs no mkdir before it."""
    replace(tmp_path / "a" / "b", b"c")
    assert b"c" == (tmp_path / "a" / "b").read_bytes()


def test_what_a_killed_run_left_half_written(tmp_path: Path) -> None:
    """The next run takes it away; the file, its last good copy and other files' halves stay."""
    place = tmp_path / "stack[1].yaml"
    half, other = (tmp_path / f".{name}.x{HALF}" for name in (place.name, "stack1.yaml"))
    for path in (place, tmp_path / f".{place.name}.last", half, other):
        path.write_text("")
    before = sorted(tmp_path.iterdir())
    with locked(place):
        assert [half] == [path for path in before if not path.exists()]
    half.write_text("")
    (tmp_path / "link").symlink_to(place)
    sweep(tmp_path / "link")
    assert not half.exists()
