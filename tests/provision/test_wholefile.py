"""A file is replaced whole or not at all."""

from pathlib import Path

import pytest

from provision.wholefile import replace


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
