"""A file is replaced whole or not at all."""

import os
from pathlib import Path

import pytest
import yaml

from provision.state.atomic_file import TEMPORARY_SUFFIX, replace, sweep
from provision.state.lock import locked
from provision.state.records import Record
from provision.state.stack_file import StackFile


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


class Disk:
    """A disk that keeps, when the power goes, only what was brought to it by fsync.

    A file's name is kept once its folder was: until then the old file may be found there, or the new
    one with what had reached the disk of it. `found`: what may be found at `place` after a power cut,
    before the first step and after each.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.found: list[set[bytes | None]] = []
        self._contents: dict[int, bytes] = {}  # by inode
        if place.exists():
            self._contents[place.stat().st_ino] = place.read_bytes()
        self._names = {folder for folder in place.parents if folder.exists()}
        self._kept = self._there()
        self._note()

    def _there(self) -> int | None:
        return self.place.stat().st_ino if self.place.exists() else None

    def _note(self) -> None:
        self.found.append({self._reached(inode) for inode in (self._kept, self._there())})

    def _reached(self, inode: int | None) -> bytes | None:
        return None if inode is None else self._contents.get(inode, b"")

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        inode = os.fstat(descriptor).st_ino
        for folder in self.place.parents:
            if folder.stat().st_ino == inode:
                self._names |= {child for child in folder.iterdir() if child.is_dir()}
                if folder == self.place.parent:
                    self._kept = self._there()
        for path in self.place.parent.iterdir():
            if path.is_file() and path.stat().st_ino == inode:
                self._contents[inode] = path.read_bytes()
        self._note()

    def replace(self, source: str, target: Path) -> None:
        os.replace(source, target)
        self._note()

    def lost_folders(self) -> list[Path]:
        """Folders on the way to the file whose names a power cut may take."""
        return [folder for folder in self.place.parents if folder not in self._names]


def test_power_cut_at_each_step(tmp_path: Path) -> None:
    """Whenever the power goes, the old content is found or the new one, whole; afterwards the new one."""
    place = tmp_path / "stack.yaml"
    place.write_bytes(b"old")
    disk = Disk(place)
    replace(place, b"new", disk=disk)
    assert [{b"old"}, {b"old"}, {b"old", b"new"}, {b"new"}] == disk.found


def test_power_cut_after_a_first_write(tmp_path: Path) -> None:
    """A file in new folders: these are on the disk, too."""
    place = tmp_path / "a" / "b" / "stack.yaml"
    disk = Disk(place)
    replace(place, b"new", disk=disk)
    assert ({b"new"}, []) == (disk.found[-1], disk.lost_folders())


def test_records_are_on_the_disk(tmp_path: Path) -> None:
    """What stack.yaml says before a call is there when the power goes during the call."""
    place = tmp_path / "stack.yaml"
    place.write_bytes(b"name: my-bot\n")
    disk = Disk(place)
    file = StackFile(place, disk)
    file.record("vpc", Record("Vpc", "creating"))
    (found,) = disk.found[-1]
    assert found is not None
    assert "creating" == yaml.safe_load(found)["resources"]["vpc"]["state"]
