"""Nothing is written through a symbolic link beside stack.yaml; stack.yaml itself may be one."""

from pathlib import Path

import pytest

from provision.errors import ProvisionError
from provision.state import atomic_file
from provision.state.backup import keep, read
from provision.state.stack_file import StackFile

HARMFUL = "image:\n  files: $(touch /tmp/harmed)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder from elsewhere, beside a home folder."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.bashrc").write_text("alias ll='ls -l'\n")
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone/stack.yaml").write_text(HARMFUL)
    return tmp_path / "clone"


def test_backup_is_not_written_through_a_link(folder: Path) -> None:
    """The link is replaced by the backup; its target is neither changed nor read."""
    copy, home = folder / ".stack.yaml.last", folder.parent / "home/.bashrc"
    copy.symlink_to("../home/.bashrc")
    assert "" == read(folder / "stack.yaml")
    StackFile(folder / "stack.yaml").keep()
    assert "alias ll='ls -l'\n" == home.read_text()
    assert (False, HARMFUL) == (copy.is_symlink(), copy.read_text())
    assert 0o600 == copy.stat().st_mode & 0o777
    StackFile(folder / "stack.yaml").set("domain", "example.jp")
    assert "alias ll='ls -l'\n" == home.read_text()


def test_dangling_link_is_not_followed(folder: Path) -> None:
    """Nothing is created at its target."""
    (folder / ".stack.yaml.last").symlink_to("../home/.profile")
    keep(folder / "stack.yaml", "name: bot\n")
    assert [".bashrc"] == [path.name for path in (folder.parent / "home").iterdir()]


def test_lock_through_a_link_is_rejected(folder: Path) -> None:
    """The error names the link; its target is neither emptied nor created."""
    (folder / ".stack.yaml.lock").symlink_to("../home/.bashrc")
    with pytest.raises(ProvisionError) as refused, StackFile(folder / "stack.yaml").locked():
        pytest.fail("locked")
    why = ".stack.yaml.lock is a symbolic link; provision does not write through it"
    assert refused.value.why.endswith(why)
    assert "alias ll='ls -l'\n" == (folder.parent / "home/.bashrc").read_text()


def test_lock_that_cannot_be_written(folder: Path) -> None:
    """The error has the system's message, without a traceback."""
    (folder / "file").write_text("")
    with pytest.raises(ProvisionError) as refused, StackFile(folder / "file/stack.yaml").locked():
        pytest.fail("locked")
    assert "Not a directory" == refused.value.why


def test_files_beside_a_links_target_are_kept(folder: Path) -> None:
    """A file there that looks like a temporary one is not removed."""
    half = folder.parent / "home/..bashrc.x.half"
    half.write_text("theirs")
    (folder / ".stack.yaml.last").symlink_to("../home/.bashrc")
    with StackFile(folder / "stack.yaml").locked():
        assert half.exists()


def test_stack_file_may_be_a_link(folder: Path) -> None:
    """It stays a link, and its target is written."""
    real = folder.parent / "home/stack.yaml"
    real.write_text("name: bot\n")
    (folder / "link.yaml").symlink_to(real)
    StackFile(folder / "link.yaml").set("domain", "example.jp")
    assert (folder / "link.yaml").is_symlink()
    assert "domain: example.jp" in real.read_text()


def test_atomic_replace_replaces_a_link(folder: Path) -> None:
    """Any file other than stack.yaml."""
    (folder / "other").symlink_to("../home/.bashrc")
    atomic_file.replace(folder / "other", b"new")
    assert "alias ll='ls -l'\n" == (folder.parent / "home/.bashrc").read_text()
    assert b"new" == (folder / "other").read_bytes()
