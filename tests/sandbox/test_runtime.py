"""The runtime file must be this user's own, private, not a link, and local; anything else is rejected."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.errors import ProvisionError
from provision.sandbox.runtime import read_runtime, remove_runtime, runtime_file, write_runtime
from tests.provision.shell import PROVISION, environment

TOLD = {"aws": "http://127.0.0.1:8000", "dns": "127.0.0.1:53", "pid": os.getpid()}
NOBODY = 65534


def file_in(folder: Path) -> Path:
    """Return the file's path if XDG_RUNTIME_DIR is this folder."""
    return folder / "provision" / "sandbox.json"


def test_runtime_file_of_a_killed_sandbox_is_ignored(tmp_path: Path) -> None:
    """A killed sandbox leaves its file: its process id shows that."""
    file = file_in(tmp_path)
    assert read_runtime(file) is None
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    write_runtime({"pid": ended.pid}, file)
    assert read_runtime(file) is None
    write_runtime({"pid": os.getpid()}, file)
    assert {"pid": os.getpid()} == read_runtime(file)
    remove_runtime(file)
    assert not file.exists()


def test_location_of_runtime_file() -> None:
    """In the user's runtime folder, otherwise in a folder of the user's own in the temporary folder."""
    given = {"XDG_RUNTIME_DIR": "/run/user/1"}
    assert Path("/run/user/1/provision/sandbox.json") == runtime_file(given)
    assert f"provision-{os.getuid()}/sandbox.json" == "/".join(runtime_file({}).parts[-2:])


def test_written_for_this_user_only(tmp_path: Path) -> None:
    """Modes 0700 and 0600, even if the folder existed with others; no temporary file is left in it."""
    file = file_in(tmp_path)
    file.parent.mkdir(mode=0o755)
    for _again in range(2):
        write_runtime(TOLD, file)
        assert 0o700 == stat.S_IMODE(file.parent.stat().st_mode)
        assert 0o600 == stat.S_IMODE(file.stat().st_mode)
        assert ["sandbox.json"] == os.listdir(file.parent)
        assert TOLD == read_runtime(file)


def folder_link(tmp_path: Path) -> None:
    """Replace the folder by a symbolic link to a valid one."""
    write_runtime(TOLD, tmp_path / "target" / "sandbox.json")
    (tmp_path / "target").chmod(0o755)
    (tmp_path / "provision").symlink_to("target")


def dangling_folder(tmp_path: Path) -> None:
    """Replace the folder by a dangling symbolic link."""
    (tmp_path / "provision").symlink_to("nowhere")


def file_link(tmp_path: Path) -> None:
    """Replace the file by a symbolic link to a valid one."""
    write_runtime(TOLD, tmp_path / "target" / "sandbox.json")
    (tmp_path / "provision").mkdir(mode=0o700)
    file_in(tmp_path).symlink_to("../target/sandbox.json")


def dangling_file(tmp_path: Path) -> None:
    """Replace the file by a dangling symbolic link."""
    (tmp_path / "provision").mkdir(mode=0o700)
    file_in(tmp_path).symlink_to("../nowhere")


def pipe(tmp_path: Path) -> None:
    """Replace the file by a pipe, on which a reader would wait."""
    (tmp_path / "provision").mkdir(mode=0o700)
    os.mkfifo(file_in(tmp_path), 0o600)


def file_for_folder(tmp_path: Path) -> None:
    """Replace the folder by a file."""
    (tmp_path / "provision").touch()


def contents(folder: Path) -> tuple[int, list[str]]:
    """Return a folder's mode and content."""
    if not folder.exists():
        return 0, []
    return stat.S_IMODE(folder.stat().st_mode), os.listdir(folder)


@pytest.mark.parametrize(
    "place", [folder_link, file_link, dangling_folder, dangling_file, pipe, file_for_folder]
)
def test_unexpected_file_or_link(tmp_path: Path, place: Callable[[Path], None]) -> None:
    """It is neither written nor read, with three sentences; a link's target is unchanged."""
    place(tmp_path)
    before = contents(tmp_path / "target")
    for done in (
        lambda: write_runtime({"pid": 1}, file_in(tmp_path)),
        lambda: read_runtime(file_in(tmp_path)),
    ):
        with pytest.raises(ProvisionError) as caught:
            done()
        assert str(tmp_path / "provision") in caught.value.why
        assert "XDG_RUNTIME_DIR" in caught.value.then
    assert before == contents(tmp_path / "target")
    assert not (tmp_path / "nowhere").exists()
    remove_runtime(file_in(tmp_path))  # the end of a sandbox is no error


def others(tmp_path: Path) -> Path:
    """Return a file in a folder, both another user's: given away by root, or root's /etc/hosts."""
    if os.getuid():
        return Path("/etc/hosts")
    file = file_in(tmp_path)
    write_runtime(TOLD, file)
    os.chown(file, NOBODY, NOBODY)
    os.chown(file.parent, NOBODY, NOBODY)
    return file


def test_file_of_another_user(tmp_path: Path) -> None:
    """Another user's file is neither used nor changed."""
    file = others(tmp_path)
    mode = file.parent.stat().st_mode
    for done in (lambda: read_runtime(file), lambda: write_runtime(TOLD, file)):
        with pytest.raises(ProvisionError, match="another user"):
            done()
    assert mode == file.parent.stat().st_mode


@pytest.mark.parametrize(("folder", "file"), [(0o777, 0o600), (0o750, 0o600), (0o700, 0o644)])
def test_file_open_to_other_users(tmp_path: Path, folder: int, file: int) -> None:
    """Another user may have read or replaced it."""
    path = file_in(tmp_path)
    write_runtime(TOLD, path)
    path.chmod(file)
    path.parent.chmod(folder)
    with pytest.raises(ProvisionError, match="other users of this machine may use it"):
        read_runtime(path)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("aws", "http://evil.example"),
        ("aws", "http://127.0.0.1.evil.example:8000"),
        ("aws", "http://127.0.0.1@evil.example"),
        ("aws", "file:///etc/passwd"),
        ("line", "https://api.line.me"),
        ("registrar", "http://10.0.0.1"),
        ("registry", "//evil.example"),
        ("gallery", "http://[::2]"),
        ("front", "https://localhost.evil.example"),
        ("news", "http://evil.example/feed.xml"),
        ("page", "http://evil.example/#a"),
        ("dns", "192.0.2.1:53"),
        ("dns", ""),
    ],
)
def test_remote_addresses_are_rejected(tmp_path: Path, name: str, address: str) -> None:
    """Keys and secrets are not sent to other machines."""
    write_runtime(TOLD | {name: address}, file_in(tmp_path))
    with pytest.raises(ProvisionError, match=f"its {name} points to another machine"):
        read_runtime(file_in(tmp_path))


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"pid": "a"}', '{"pid": []}', '{"aws": 1}']
)
def test_damaged_runtime_file(tmp_path: Path, text: str) -> None:
    """A damaged file does not describe a sandbox."""
    write_runtime(TOLD, file_in(tmp_path))
    file_in(tmp_path).write_text(text)
    assert read_runtime(file_in(tmp_path)) is None


@pytest.mark.parametrize("words", [["sandbox", "--json"], ["--sandbox", "status"]], ids=str)
@pytest.mark.parametrize(
    ("language", "why"), [("en", "it is a symbolic link"), ("ja", "シンボリックリンク")]
)
def test_commands_reject_unsafe_runtime_file(
    tmp_path: Path, words: list[str], language: str, why: str
) -> None:
    """Exit status 1, three sentences, no traceback, in both languages."""
    folder_link(tmp_path)
    done = subprocess.run(
        [*PROVISION, *words, "--lang", language],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (1, "") == (done.returncode, done.stdout)
    assert "Traceback" not in done.stderr
    assert why in done.stderr
    assert ["sandbox.json"] == os.listdir(tmp_path / "target")
    assert TOLD == json.loads((tmp_path / "target" / "sandbox.json").read_text())
