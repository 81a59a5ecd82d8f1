"""A file is replaced completely or not at all."""

import os
from pathlib import Path

import pytest
import yaml

from provision.state.atomic_file import TEMPORARY_SUFFIX, replace, sweep
from provision.state.lock import locked
from provision.state.records import Record
from provision.state.stack_file import StackFile


def test_failed_replace_leaves_no_temporary_file(tmp_path: Path) -> None:
    """If the target is a folder, its content is kept and no temporary file is left."""
    place = tmp_path / "stack.yaml"
    place.mkdir()
    (place / "old").write_text("old")
    with pytest.raises(OSError, match="directory"):
        replace(place, b"new")
    assert [place, place / "old"] == sorted(tmp_path.rglob("*"))


def test_missing_folders_are_created(tmp_path: Path) -> None:
    """`--stack new/folder/stack.yaml` needs no mkdir first."""
    replace(tmp_path / "a" / "b", b"c")
    assert b"c" == (tmp_path / "a" / "b").read_bytes()


def test_temporary_file_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    """The next run removes it; the file, its backup and other files' temporary files are kept."""
    place = tmp_path / "stack[1].yaml"
    half, other = (
        tmp_path / f".{name}.x{TEMPORARY_SUFFIX}" for name in (place.name, "stack1.yaml")
    )
    for path in (place, tmp_path / f".{place.name}.last", half, other):
        path.write_text("")
    before = sorted(tmp_path.iterdir())
    with locked(place):
        assert [half] == [path for path in before if not path.exists()]
    half.write_text("")
    (tmp_path / "link").symlink_to(place)
    sweep(tmp_path / "link")
    assert not half.exists()


class FakeDisk:
    """A disk that keeps across a power cut only what fsync wrote to it.

    A file's name is kept once its folder was synced: until then the old file may be found there, or the
    new one with as much of it as had reached the disk. `found`: what may be found at `place` after a power
    cut, before the first step and after each.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.found: list[set[bytes | None]] = []
        self._contents: dict[int, bytes] = {}  # by inode
        if place.exists():
            self._contents[place.stat().st_ino] = place.read_bytes()
        self._names = {folder for folder in place.parents if folder.exists()}
        self._synced_inode = self._current_inode()
        self._record_state()

    def _current_inode(self) -> int | None:
        return self.place.stat().st_ino if self.place.exists() else None

    def _record_state(self) -> None:
        self.found.append(
            {self._synced_content(inode) for inode in (self._synced_inode, self._current_inode())}
        )

    def _synced_content(self, inode: int | None) -> bytes | None:
        return None if inode is None else self._contents.get(inode, b"")

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        inode = os.fstat(descriptor).st_ino
        for folder in self.place.parents:
            if folder.stat().st_ino == inode:
                self._names |= {child for child in folder.iterdir() if child.is_dir()}
                if folder == self.place.parent:
                    self._synced_inode = self._current_inode()
        for path in self.place.parent.iterdir():
            if path.is_file() and path.stat().st_ino == inode:
                self._contents[inode] = path.read_bytes()
        self._record_state()

    def replace(self, source: str, target: Path) -> None:
        os.replace(source, target)
        self._record_state()

    def lost_folders(self) -> list[Path]:
        """Return folders on the way to the file whose names a power cut may lose."""
        return [folder for folder in self.place.parents if folder not in self._names]


def test_power_cut_at_each_step(tmp_path: Path) -> None:
    """Whenever the power is cut, the complete old or new content is found; at the end the new one."""
    place = tmp_path / "stack.yaml"
    place.write_bytes(b"old")
    disk = FakeDisk(place)
    replace(place, b"new", disk=disk)
    assert [{b"old"}, {b"old"}, {b"old", b"new"}, {b"new"}] == disk.found


def test_power_cut_after_a_first_write(tmp_path: Path) -> None:
    """The new folders of a new file are synced too."""
    place = tmp_path / "a" / "b" / "stack.yaml"
    disk = FakeDisk(place)
    replace(place, b"new", disk=disk)
    assert ({b"new"}, []) == (disk.found[-1], disk.lost_folders())


def test_records_are_on_the_disk(tmp_path: Path) -> None:
    """What stack.yaml records before a call is on disk if the power is cut during the call."""
    place = tmp_path / "stack.yaml"
    place.write_bytes(b"name: my-bot\n")
    disk = FakeDisk(place)
    file = StackFile(place, disk)
    file.record("vpc", Record("Vpc", "creating"))
    (found,) = disk.found[-1]
    assert found is not None
    assert "creating" == yaml.safe_load(found)["resources"]["vpc"]["state"]
